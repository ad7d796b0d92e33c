// What anybody can send to the broker before and after it is let in: the gate's part. The input is
// a run of lines:
//
//   connect CLIENT USER_NAME_BYTES|CLIENT_ID|PASSWORD     a password `*` is the right one
//   publish CLIENT TOPIC PAYLOAD
//   listen CLIENT FILTER
//   hear CLIENT TOPIC
//   leave CLIENT
//
// CLIENT is one digit. The fields of a connect are parted by tabs.
#include <filesystem>
#include <string>

#include "adapters/broker_plugin/gate.h"
#include "adapters/wire/credential_writer.h"
#include "adapters/wire/credentials.h"
#include "adapters/wire/gate_topics.h"
#include "adapters/wire/names.h"
#include "events/base/assert.h"
#include "tests/fuzz/fuzz.h"

namespace updraft {
namespace {

constexpr const char* kSecret = "secret";

// Product "pk" with the devices d1 and d2.
const std::string& Credentials() {
  static const MemoryDirectory directory;
  static const bool written = [] {
    Result<CredentialBase> base = CredentialBase::Create(directory.path(), 1, 1, 3);
    Assert(base.ok(), "a base can be made");
    auto enabled = CredentialState::kEnabled;
    for (const CredentialRecord& record :
         {ProductCredential("pk", enabled, 1), DeviceCredential("pk", "d1", enabled, kSecret, 1),
          DeviceCredential("pk", "d2", enabled, kSecret, 1)}) {
      Assert(base->Add(record).ok(), "there is room for three");
    }
    Assert((*std::move(base)).Finish().ok(), "a base can be finished");
    return true;
  }();
  (void)written;
  return directory.path();
}

// Looks at what leaves the gate.
class WatchedBroker final : public Broker {
 public:
  void Publish(const std::string& topic, std::string_view, int, bool) override {
    Assert(topic.starts_with("updraft/"), "the gate speaks on its own topics, not {}", topic);
    Assert(topic.find_first_of("+#") == topic.npos, "no wildcard is published to: {}", topic);
  }
  void Deliver(const std::string& client_id, const std::string& topic, std::string_view,
               int) override {
    Assert(client_id.size() == kGateClientIdBytes, "a message is for a device");
    Assert(!topic.starts_with("updraft/"), "the gate's topics are not for devices: {}", topic);
  }
  void Disconnect(const std::string&) override {}
  void Warn(const std::string& line) override {
    Assert(line.find('\n') == line.npos, "a warning is one line: {}", line);
  }
};

struct Bench {
  Bench() : gate(Options(), "engine's password", 1, "fuzz", broker) { gate.Tick(now_ms); }

  static GateOptions Options() {
    GateOptions options;
    options.credentials = Credentials();
    options.connects_per_minute = 0;
    options.failures_per_minute = 0;
    return options;
  }

  static Gate::Client Client(std::string_view digit) {
    // The gate takes it for a name and never looks behind it.
    static char clients[10];
    size_t index = digit.empty() ? 0 : static_cast<unsigned char>(digit[0]) % 10;
    return reinterpret_cast<Gate::Client>(&clients[index]);
  }

  void Connect(Gate::Client client, std::string_view rest) {
    if (gate.Knows(client)) gate.Disconnected(client);
    std::string_view user_name = TakeUntil(rest, "\t");
    std::string_view client_id = TakeUntil(rest, "\t");
    std::string password(rest);
    Result<ConnectIdentity> identity = ParseConnectIdentity(user_name, client_id);
    if (identity.ok() && password == "*") password = SignPassword(kSecret, *identity);
    Admission admission = gate.Connect(client,
                                       {.client_id = client_id,
                                        .user_name = user_name,
                                        .password = password,
                                        .ip = "10.0.0.1",
                                        .keepalive_seconds = 60},
                                       now_ms);
    if (!admission.refusal.empty()) return;
    Assert(admission.engine == (user_name == kEngineUserName), "the engine's account is one name");
    if (admission.engine) return;
    Assert(admission.product_key == "pk", "nobody is let in whom the files do not hold");
    Assert(VerifyPassword(kSecret, *identity, password), "nor without the secret");
  }

  void Step(std::string_view line) {
    now_ms += Gate::kTickMs;
    std::string_view verb = TakeUntil(line, " ");
    Gate::Client client = Client(TakeUntil(line, " "));
    if (verb == "connect") return Connect(client, line);
    if (!gate.Knows(client)) return;
    if (verb == "leave") return gate.Disconnected(client);
    std::string_view topic = TakeUntil(line, " ");
    if (verb == "publish") {
      if (!gate.Allows(client, {Access::kPublish, topic}, now_ms)) return;
      gate.Publish(client, {topic, line, 1}, now_ms);
    } else {
      (void)gate.Allows(client, {verb == "listen" ? Access::kSubscribe : Access::kReceive, topic},
                        now_ms);
    }
    gate.Tick(now_ms);
  }

  int64_t now_ms = 1'000'000;
  WatchedBroker broker;
  Gate gate;
};

}  // namespace
}  // namespace updraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view lines = Text(data, size);
  Bench bench;
  while (!lines.empty()) bench.Step(TakeUntil(lines, "\n"));
  return 0;
}
