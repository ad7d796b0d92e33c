// Who may do what: formal users and guests.
#include "tests/spec/spec.h"

namespace updraft {
namespace {

KeyId MakeKey(Fleet& f, bool formal, std::string id) {
  Outcome outcome = f.Ok(CreateKey{.formal = formal, .access_key_id = std::move(id)});
  return std::get<CreatedKey>(outcome.answer).key;
}

}  // namespace

TEST_CASE("a guest is refused whatever changes something, until promoted", "[keys]") {
  Fleet f;
  KeyId guest = MakeKey(f, false, "UDguest");
  std::vector<Command> commands = {f.PackageOrder("other", "3.0.0"), f.BatchOrder(),
                                   DeletePackage{f.package()}, DeleteDevice{f.Device("dev-1")},
                                   CreateKey{.formal = true}};
  size_t before = f.event_count();
  for (const Command& command : commands) {
    Outcome outcome = f.When(command, guest);
    CHECK(outcome.status.code() == StatusCode::kPermissionDenied);
    CHECK(outcome.status.reason() == refusal::kFormalUserOnly);
    CHECK(outcome.status.message().find("promote") != std::string::npos);
  }
  CHECK(f.event_count() == before);
  f.Ok(ChangeKey{.access_key_id = "UDguest", .formal = true});
  CHECK(f.When(f.BatchOrder(), guest).ok());
}

TEST_CASE("a key that is disabled or deleted does nothing more", "[keys]") {
  Fleet f;
  MakeKey(f, true, "UDfirst");
  KeyId key = MakeKey(f, true, "UDsecond");
  CHECK(f.When(f.PackageOrder("p1", "v1"), key).ok());
  f.Ok(ChangeKey{.access_key_id = "UDsecond", .enabled = false});
  CHECK(f.When(f.PackageOrder("p2", "v2"), key).status.reason() == refusal::kFormalUserOnly);
  f.Ok(ChangeKey{.access_key_id = "UDsecond", .enabled = true});
  CHECK(f.When(f.PackageOrder("p2", "v2"), key).ok());
  f.Ok(DeleteKey{"UDsecond"});
  CHECK(f.When(f.PackageOrder("p3", "v3"), key).status.reason() == refusal::kFormalUserOnly);
}

TEST_CASE("the last formal key that works stays", "[keys]") {
  Fleet f;
  MakeKey(f, true, "UDfirst");
  MakeKey(f, false, "UDguest");
  f.Refused(DeleteKey{"UDfirst"}, refusal::kLastFormalKey);
  f.Refused(ChangeKey{.access_key_id = "UDfirst", .formal = false}, refusal::kLastFormalKey);
  f.Refused(ChangeKey{.access_key_id = "UDfirst", .enabled = false}, refusal::kLastFormalKey);
  f.Ok(ChangeKey{.access_key_id = "UDguest", .formal = true});
  f.Ok(DeleteKey{"UDfirst"});
}

TEST_CASE("an access key's id is its own; changing nothing is no event", "[keys]") {
  Fleet f;
  MakeKey(f, true, "UDfirst");
  f.Refused(CreateKey{.access_key_id = "UDfirst"}, refusal::kKeyTaken);
  f.Refused(ChangeKey{.access_key_id = "nobody"}, refusal::kUnknownKey);
  f.Refused(DeleteKey{"nobody"}, refusal::kUnknownKey);
  size_t before = f.event_count();
  f.Ok(ChangeKey{.access_key_id = "UDfirst", .formal = true, .enabled = true});
  CHECK(f.event_count() == before);
}

}  // namespace updraft
