// Creating commands that are sent again by their token: done once, told twice.
#include <algorithm>

#include "engine/restore_answer.h"
#include "tests/spec/spec.h"

namespace updraft {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

ClientToken Token(std::string_view call, std::string_view order = "order") {
  return {Fingerprint::Of(call), Fingerprint::Of(order)};
}

Outcome Ask(Fleet& f, Command command, const ClientToken& token) {
  Outcome outcome = f.When(std::move(command), Origin(KeyId(), token));
  INFO(outcome.status.ToString());
  REQUIRE(outcome.ok());
  if (outcome.repeat) REQUIRE(RestoreAnswer(f.log(), outcome.answer).ok());
  return outcome;
}

// The command is asked twice, with an end of the engine between; the second time it is answered as
// at first and records nothing.
template <class Created>
void AskTwice(Fleet& f, const Command& command, Created& first, Created& second) {
  ClientToken token = Token("call");
  Outcome done = Ask(f, command, token);
  CHECK_FALSE(done.repeat);
  CHECK(std::count(f.Then().begin(), f.Then().end(), "clientTokenUsed") == 1);
  f.Pass(hours(1));
  f.Restart();
  size_t before = f.event_count();
  Outcome told = Ask(f, command, token);
  CHECK(told.repeat);
  CHECK(told.time_ms == done.time_ms);
  CHECK(f.event_count() == before);
  first = std::get<Created>(done.answer);
  second = std::get<Created>(told.answer);
  f.CheckReplay();
}

RegisterDevices OneDevice(std::string name) {
  return {.product_key = std::string(Fleet::kProductKey), .devices = {{.name = std::move(name)}}};
}

}  // namespace

TEST_CASE("a product is created once by its token", "[token]") {
  Fleet f(1);
  CreatedProduct first, second;
  AskTwice(f, CreateProduct{.name = "another"}, first, second);
  CHECK(second.product == first.product);
  CHECK(second.product_key == first.product_key);
  CHECK(second.product_secret == first.product_secret);
  CHECK_FALSE(second.product_secret.empty());
}

TEST_CASE("devices are registered once by their token, with secrets and nicknames", "[token]") {
  Fleet f(1);
  RegisterDevices order{.product_key = std::string(Fleet::kProductKey), .application = 77};
  order.devices = {{.nickname = "left"}, {.name = "right"}};
  CreatedDevices first, second;
  AskTwice(f, order, first, second);
  CHECK(second.first == first.first);
  CHECK(second.application == 77);
  REQUIRE(second.devices.size() == 2);
  for (int i = 0; i < 2; ++i) {
    CHECK(second.devices[i].name == first.devices[i].name);
    CHECK(second.devices[i].secret == first.devices[i].secret);
    CHECK(second.devices[i].nickname == first.devices[i].nickname);
    CHECK_FALSE(second.devices[i].secret.empty());
  }
}

TEST_CASE("a package, a batch and a key are created once by their tokens", "[token]") {
  Fleet f(1);
  SECTION("package") {
    CreatedPackage first, second;
    AskTwice(f, f.PackageOrder("other", "3.0.0"), first, second);
    CHECK(second.package == first.package);
  }
  SECTION("batch, with its warning") {
    CreatedBatch first, second;
    AskTwice(f, f.BatchOrder({.timeout_minutes = 60, .retry_minutes = 10, .retry_count = 1}), first,
             second);
    CHECK(second.batch == first.batch);
    CHECK(second.warning == first.warning);
    CHECK_FALSE(second.warning.empty());
  }
  SECTION("key") {
    CreatedKey first, second;
    AskTwice(f, CreateKey{.formal = true}, first, second);
    CHECK(second.key == first.key);
    CHECK(second.access_key_id == first.access_key_id);
    CHECK(second.secret == first.secret);
    CHECK_FALSE(second.secret.empty());
  }
  SECTION("module, which has no id to tell") {
    std::monostate first, second;
    AskTwice(f, CreateModule{.product_key = std::string(Fleet::kProductKey), .name = "mcu"}, first,
             second);
  }
}

TEST_CASE("a token with another order is refused, another token creates anew", "[token]") {
  Fleet f(1);
  Ask(f, OneDevice("left"), Token("a", "left"));
  size_t before = f.event_count();
  Outcome refused = f.When(OneDevice("right"), Origin(KeyId(), Token("a", "right")));
  CHECK(refused.status.reason() == refusal::kTokenOfOtherOrder);
  CHECK(f.event_count() == before);
  CHECK_FALSE(Ask(f, OneDevice("right"), Token("b", "right")).repeat);
}

TEST_CASE("a refused command leaves no trace of its token", "[token]") {
  Fleet f(1);
  Outcome refused = f.When(OneDevice("dev-1"), Origin(KeyId(), Token("a")));
  CHECK(refused.status.reason() == refusal::kDeviceNameTaken);
  CHECK(f.world().used_tokens().empty());
  CHECK_FALSE(Ask(f, OneDevice("left"), Token("a")).repeat);
}

TEST_CASE("a token holds for 24 hours of the log's time, to the millisecond", "[token]") {
  Fleet f(1);
  Ask(f, OneDevice("left"), Token("a"));
  f.Pass(hours(24) - milliseconds(1));
  CHECK(Ask(f, OneDevice("left"), Token("a")).repeat);
  f.Pass(milliseconds(1));
  Outcome again = f.When(OneDevice("left"), Origin(KeyId(), Token("a")));
  CHECK(again.status.reason() == refusal::kDeviceNameTaken);
  CHECK_FALSE(Ask(f, OneDevice("right"), Token("a", "other")).repeat);
  // It is in force again, although its older use was dropped.
  Ask(f, OneDevice("more"), Token("b"));
  CHECK(Ask(f, OneDevice("right"), Token("a", "other")).repeat);
  CHECK(f.world().used_tokens().size() == 2);
  f.CheckReplay();
}

TEST_CASE("what was deleted since is not created again, nor told", "[token]") {
  Fleet f(1);
  Ask(f, OneDevice("left"), Token("a"));
  f.Ok(DeleteDevice{f.Device("left")});
  Outcome outcome = f.When(OneDevice("left"), Origin(KeyId(), Token("a")));
  CHECK(outcome.status.reason() == refusal::kCreatedIsGone);
}

TEST_CASE("a disabled key's repeat is refused like any of its commands", "[token]") {
  Fleet f(1);
  f.Ok(CreateKey{.formal = true, .access_key_id = "UDfirst"});
  Outcome made = f.Ok(CreateKey{.formal = true, .access_key_id = "UDsecond"});
  Origin origin(std::get<CreatedKey>(made.answer).key, Token("a"));
  REQUIRE(f.When(OneDevice("left"), origin).ok());
  f.Ok(ChangeKey{.access_key_id = "UDsecond", .enabled = false});
  CHECK(f.When(OneDevice("left"), origin).status.reason() == refusal::kFormalUserOnly);
}

TEST_CASE("so many tokens are kept, and the oldest goes first", "[token]") {
  Fleet f(1);
  f.CheckSeldom();
  // Changing a module costs little and is no less an order with a token.
  std::string key(Fleet::kProductKey);
  f.Ok(CreateModule{.product_key = key, .name = "mcu"});
  Core& core = f.core();
  auto ask = [&](size_t i) {
    Origin origin(KeyId(), Token(std::to_string(i)));
    return core.Execute(UpdateModule{.product_key = key, .name = "mcu"}, origin);
  };
  size_t asked = 0;
  while (asked < kTokensMax + 1) {
    core.BeginTurn(f.now_ms());
    for (int i = 0; i < 1'000 && asked < kTokensMax + 1 && core.HasRoom(); ++i) {
      REQUIRE_FALSE(ask(asked++).repeat);
    }
    REQUIRE(core.EndTurn().has_value());
  }
  CHECK(f.world().used_tokens().size() == kTokensMax);
  core.BeginTurn(f.now_ms());
  CHECK(ask(1).repeat);
  CHECK(ask(kTokensMax).repeat);
  CHECK_FALSE(ask(0).repeat);
  core.EndTurn();
  f.CheckInvariants();
}

// A day's tokens that run out together are not dropped in one turn.
TEST_CASE("tokens that ran out go two for each that comes", "[token]") {
  Fleet f(1);
  for (int i = 0; i < 10; ++i) {
    Ask(f, OneDevice("old-" + std::to_string(i)), Token("old" + std::to_string(i)));
  }
  f.Pass(hours(24));
  Ask(f, OneDevice("new-1"), Token("new1"));
  CHECK(f.world().used_tokens().size() == 9);
  Ask(f, OneDevice("new-2"), Token("new2"));
  CHECK(f.world().used_tokens().size() == 8);
  f.Restart();
  CHECK(f.world().used_tokens().size() == 8);
  CHECK(Ask(f, OneDevice("new-2"), Token("new2")).repeat);
}

TEST_CASE("an application for devices is found again, and registers once", "[token]") {
  Fleet f(1);
  RegisterDevices order{.product_key = std::string(Fleet::kProductKey),
                        .devices = {{.name = "left"}, {.name = "right"}},
                        .application = 77};
  DeviceId first = std::get<CreatedDevices>(f.Ok(order).answer).first;
  size_t before = f.event_count();
  f.Restart();
  before = f.event_count();
  CHECK(std::get<CreatedDevices>(f.Ok(order).answer).first == first);
  CHECK(f.event_count() == before);
  RegistrationId id = f.world().FindRegistration(77);
  REQUIRE(id);
  CHECK(f.world().registrations()[id].first == first);
  CHECK(f.world().registrations()[id].count == 2);
  CHECK(f.world().RegistrationOf(first) == id);
  CHECK_FALSE(f.world().RegistrationOf(DeviceId(first.value() + 1)));
  CHECK_FALSE(f.world().FindRegistration(78));
}

}  // namespace updraft
