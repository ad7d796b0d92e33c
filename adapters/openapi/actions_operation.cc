// Access keys, and what else an operator does with a running engine.
#include "adapters/openapi/actions.h"
#include "adapters/openapi/lookups.h"
#include "projections/world.h"

namespace updraft::openapi {
namespace {

void OnCreateKey(const CallPtr& call) {
  const Arguments& given = call->arguments;
  bool formal = *given.Flag("Formal");
  Submit(call, CreateKey{.formal = formal, .note = given.Text("Note")},
         [call, formal](const Outcome& outcome) {
           const auto& created = std::get<CreatedKey>(outcome.answer);
           call->Answer({{"Data",
                          {{"AccessKeyId", created.access_key_id},
                           {"AccessKeySecret", created.secret},
                           {"Formal", formal}}}});
         });
}

void OnListKeys(const CallPtr& call) {
  Look(call, [call](const World& world) -> Result<Render> {
    Page page = ReadPage(*call);
    uint64_t total = 0;
    std::vector<Key> keys;
    for (uint32_t at = 1; at <= world.keys().size(); ++at) {
      const Key& key = world.keys()[KeyId(at)];
      if (key.deleted) continue;
      if (total >= page.skip() && keys.size() < page.size) keys.push_back(key);
      ++total;
    }
    return Render([page, total, keys = std::move(keys)] {
      Json list = Json::array();
      for (const Key& key : keys) {
        Json json = {
            {"AccessKeyId", key.access_key_id}, {"Formal", key.formal}, {"Enabled", key.enabled}};
        PutText(json, "Note", key.note);
        PutTime(json, "UtcCreate", key.created);
        list.push_back(std::move(json));
      }
      Json body;
      body["Data"]["AccessKey"] = std::move(list);
      PutPage(body, page, total);
      return body;
    });
  });
}

void OnUpdateKey(const CallPtr& call) {
  const Arguments& given = call->arguments;
  Submit(call, ChangeKey{.access_key_id = given.Text("TargetAccessKeyId"),
                         .formal = given.Flag("Formal"),
                         .enabled = given.Flag("Enabled")});
}

void OnDeleteKey(const CallPtr& call) {
  Submit(call, DeleteKey{.access_key_id = call->arguments.Text("TargetAccessKeyId")});
}

void OnConfirmClock(const CallPtr& call) { Submit(call, ConfirmClock{}); }

// Not `AccessKeyId`: that is the caller's own, in every call.
Parameter TargetKey() {
  return Text("TargetAccessKeyId", "The key.", 1, 64).Required().Example("UDx8c…");
}

}  // namespace

const std::vector<Action>& OperationActions() {
  static const std::vector<Action> kActions = {
      {.name = "CreateAccessKey",
       .about = "Creates an access key. Its secret is shown this once.",
       .run = OnCreateKey,
       .parameters =
           {Flag("Formal", "true for a formal user's, false for a guest's.").Default("false"),
            Text("Note", "Whose it is.", 0, 100), ClientTokenParameter()},
       .ours = true},
      {.name = "ListAccessKeys",
       .about = "The access keys, without their secrets.",
       .run = OnListKeys,
       .parameters = PageParameters(100),
       .ours = true},
      {.name = "UpdateAccessKey",
       .about = "Enables, disables, promotes or demotes a key. One formal key always works.",
       .run = OnUpdateKey,
       .parameters = {TargetKey(), Flag("Formal", "Whether it is a formal user's."),
                      Flag("Enabled", "Whether it works.").Example("false")},
       .ours = true},
      {.name = "DeleteAccessKey",
       .about = "Deletes a key for good, its secret with it.",
       .run = OnDeleteKey,
       .parameters = {TargetKey()},
       .ours = true},
      {.name = "ConfirmClock",
       .about = "Lets timers and pushes run although the clock was far ahead at the start.",
       .run = OnConfirmClock,
       .parameters = {},
       .ours = true},
  };
  return kActions;
}

}  // namespace updraft::openapi
