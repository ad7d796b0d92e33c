// Commands that are sent again by their ClientToken.
#include "engine/decide_internal.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

// An answer as the record tells it: what it created, and how that is named.
struct Created {
  Creation creation = Creation::NOTHING;
  uint32_t first = 0;
  uint32_t count = 1;
  std::string warning;
};

Created Summary(const std::monostate&) { return {.count = 0}; }
Created Summary(const CreatedProduct& a) { return {Creation::PRODUCT, a.product.value()}; }
Created Summary(const CreatedPackage& a) { return {Creation::PACKAGE, a.package.value()}; }
Created Summary(const CreatedBatch& a) { return {Creation::BATCH, a.batch.value(), 1, a.warning}; }
Created Summary(const CreatedKey& a) { return {Creation::KEY, a.key.value()}; }
Created Summary(const CreatedDevices& a) {
  return {Creation::DEVICES, a.first.value(), static_cast<uint32_t>(a.devices.size())};
}

// Without secrets; those are RestoreAnswer's. Nothing when any of it was deleted.
std::optional<Answer> AnswerAgain(const World& world, const UsedToken& token) {
  switch (token.creation) {
    case Creation::NOTHING:
      return Answer();
    case Creation::PRODUCT: {
      ProductId id(token.first);
      const Product& product = world.products()[id];
      if (product.deleted) return std::nullopt;
      return CreatedProduct{id, product.key, ""};
    }
    case Creation::DEVICES: {
      CreatedDevices created{.first = DeviceId(token.first),
                             .devices = std::vector<NewDevice>(token.count)};
      for (uint32_t i = 0; i < token.count; ++i) {
        if (world.devices()[DeviceId(token.first + i)].deleted) return std::nullopt;
      }
      if (RegistrationId id = world.RegistrationOf(created.first)) {
        created.application = world.registrations()[id].application;
      }
      return created;
    }
    case Creation::PACKAGE: {
      PackageId id(token.first);
      if (world.packages()[id].deleted) return std::nullopt;
      return CreatedPackage{id};
    }
    case Creation::BATCH:
      return CreatedBatch{BatchId(token.first), token.warning};
    case Creation::KEY: {
      KeyId id(token.first);
      const Key& key = world.keys()[id];
      if (key.deleted) return std::nullopt;
      return CreatedKey{id, key.access_key_id, ""};
    }
  }
  Unreachable();
}

}  // namespace

std::optional<Outcome> AnswerRepeat(const Turn& turn, const ClientToken& token) {
  if (!token.call) return std::nullopt;
  const UsedToken* used = turn.world().FindToken(token.call, turn.now_ms());
  if (used == nullptr) return std::nullopt;
  if (Fingerprint{used->order_high, used->order_low} != token.order) {
    return RefuseInvalid(refusal::kTokenOfOtherOrder,
                         "this ClientToken came with other parameters within the last 24 hours; "
                         "each call to be done needs one of its own");
  }
  std::optional<Answer> answer = AnswerAgain(turn.world(), *used);
  if (!answer) {
    return RefuseUnknown(refusal::kCreatedIsGone,
                         "what the first call with this ClientToken created was deleted since; to "
                         "create it anew take another token");
  }
  return Outcome{OkStatus(), *std::move(answer), used->used, true};
}

void NoteToken(Turn& turn, const ClientToken& token, const Answer& answer) {
  if (!token.call) return;
  Created created = std::visit(
      []<class A>(const A& a) -> Created {
        if constexpr (requires { Summary(a); }) return Summary(a);
        Assert(false, "only a command that creates something has a token");
        return {};
      },
      answer);
  turn.Emit([&](auto event) {
    auto used = event.initClientTokenUsed();
    used.setCallHigh(token.call.high);
    used.setCallLow(token.call.low);
    used.setOrderHigh(token.order.high);
    used.setOrderLow(token.order.low);
    used.setCreation(created.creation);
    used.setFirst(created.first);
    used.setCount(created.count);
    if (!created.warning.empty()) used.setWarning(created.warning);
  });
}

}  // namespace updraft
