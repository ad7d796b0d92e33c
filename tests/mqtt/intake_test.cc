#include "adapters/mqtt/intake.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "adapters/wire/device_payload.h"

namespace updraft {
namespace {

template <class T>
T CommandOf(MqttPath path, std::string_view topic, std::string_view payload) {
  Taken taken = TakeIn(path, topic, payload);
  auto* command = std::get_if<DeviceCommand>(&taken);
  REQUIRE(command != nullptr);
  auto* wanted = std::get_if<T>(&command->command);
  REQUIRE(wanted != nullptr);
  return *wanted;
}

DeviceCommand DeviceCommandOf(MqttPath path, std::string_view topic, std::string_view payload) {
  Taken taken = TakeIn(path, topic, payload);
  auto* command = std::get_if<DeviceCommand>(&taken);
  REQUIRE(command != nullptr);
  return *command;
}

std::string ReasonOf(MqttPath path, std::string_view topic, std::string_view payload) {
  Taken taken = TakeIn(path, topic, payload);
  auto* not_taken = std::get_if<NotTaken>(&taken);
  REQUIRE(not_taken != nullptr);
  return std::string(not_taken->reason);
}

TEST_CASE("a version through the gate says nothing of presence, a direct one implies it") {
  const char* payload = R"({"id":1, "params":{"version":"1.0.0","module":"mcu"}})";
  ReportVersion gate =
      CommandOf<ReportVersion>(MqttPath::kGate, "updraft/up/inform/pk/dn", payload);
  CHECK(gate.device.product_key == "pk");
  CHECK(gate.device.name == "dn");
  CHECK(gate.version == "1.0.0");
  CHECK(gate.module == "mcu");
  CHECK_FALSE(gate.implies_online);
  CHECK(CommandOf<ReportVersion>(MqttPath::kDirect, "/ota/device/inform/pk/dn", payload)
            .implies_online);
}

TEST_CASE("progress keeps its step, its words and its module") {
  ReportProgress report = CommandOf<ReportProgress>(
      MqttPath::kGate, "updraft/up/progress/pk/dn",
      R"({"id":2, "params":{"step":"-3","desc":"bad digest","module":"default"}})");
  CHECK(report.step == -3);
  CHECK(report.text == "bad digest");
  CHECK(report.module == "default");
}

TEST_CASE("progress that is odd is taken, and remarked") {
  const char* topic = "updraft/up/progress/pk/dn";
  DeviceCommand above = DeviceCommandOf(MqttPath::kGate, topic, R"({"params":{"step":"106"}})");
  CHECK(above.remark == "step_above_100");
  CHECK(std::get<ReportProgress>(above.command).step == 100);
  std::string longest(kDescMaxCodePoints, 'x');
  CHECK(DeviceCommandOf(MqttPath::kGate, topic,
                        R"({"params":{"step":1,"desc":")" + longest + R"("}})")
            .remark.empty());
  CHECK(DeviceCommandOf(MqttPath::kGate, topic,
                        R"({"params":{"step":1,"desc":")" + longest + R"(x"}})")
            .remark == "desc_cut");
}

TEST_CASE("a pull remembers where its answer goes") {
  DeviceCommand pull = DeviceCommandOf(MqttPath::kGate, "updraft/up/get/pk/dn",
                                       R"({"id":"7", "params":{"module":"mcu"}})");
  CHECK(std::get<RequestPackage>(pull.command).module == "mcu");
  REQUIRE(pull.pull);
  CHECK(pull.pull->id_json == "\"7\"");
  CHECK(pull.pull->product_key == "pk");
  CHECK(pull.pull->device_name == "dn");
  CHECK_FALSE(pull.pull->legacy);
  DeviceCommand legacy = DeviceCommandOf(MqttPath::kDirect, "/ota/device/request/pk/dn",
                                         R"({"id":"0","params":{"version":"1.0.0"}})");
  REQUIRE(legacy.pull);
  CHECK(legacy.pull->legacy);
  CHECK(std::get<RequestPackage>(legacy.command).implies_online);
}

TEST_CASE("our own answer on the topic of legacy requests is no request") {
  CHECK(ReasonOf(MqttPath::kDirect, "/ota/device/request/pk/dn",
                 R"({"code":"1000","data":{"size":1},"id":1,"message":"success"})") ==
        "own_answer");
}

TEST_CASE("the gate tells of presence, of the broker's run, of a roster and of itself") {
  ReportPresence online = CommandOf<ReportPresence>(
      MqttPath::kGate, "updraft/presence/pk/dn",
      R"({"state":"online","epoch":1795417800123,"generation":17,"ip":"10.0.0.7"})");
  CHECK(online.online);
  CHECK(online.device.name == "dn");
  CHECK(online.broker_epoch == 1795417800123);
  CHECK(online.generation == 17);
  CHECK_FALSE(CommandOf<ReportPresence>(MqttPath::kGate, "updraft/presence/pk/dn",
                                        R"({"state":"offline","epoch":1,"generation":4294967295})")
                  .online);
  CHECK(CommandOf<BrokerStarted>(MqttPath::kGate, "updraft/broker",
                                 R"({"epoch":5,"version":"0.1.0"})")
            .epoch == 5);

  Taken roster =
      TakeIn(MqttPath::kGate, "updraft/roster", R"({"request":"R","epoch":5,"count":2})");
  REQUIRE(std::get_if<RosterAnswer>(&roster) != nullptr);
  CHECK(std::get<RosterAnswer>(roster).request == "R");
  CHECK(std::get<RosterAnswer>(roster).epoch == 5);
  Taken credentials =
      TakeIn(MqttPath::kGate, "updraft/credentials", R"({"generation":3,"position":99})");
  REQUIRE(std::get_if<GateCredentials>(&credentials) != nullptr);
  CHECK(std::get<GateCredentials>(credentials).generation == 3);
  CHECK(std::get<GateCredentials>(credentials).position == 99);
  Taken figures = TakeIn(MqttPath::kGate, "updraft/broker/stats", R"({"online":1})");
  REQUIRE(std::get_if<GateFigures>(&figures) != nullptr);
  CHECK(std::get<GateFigures>(figures).json == R"({"online":1})");
}

struct Bad {
  const char* topic;
  std::string payload;
  const char* reason;
};

TEST_CASE("what cannot be used says why") {
  const std::vector<Bad> table = {
      {"updraft/up/inform/pk/dn", "", "not_json"},
      {"updraft/up/inform/pk/dn", "hello", "not_json"},
      {"updraft/up/inform/pk/dn", "\xff\xfe", "bad_utf8"},
      {"updraft/up/inform/pk/dn", "[]", "wrong_type"},
      {"updraft/up/inform/pk/dn", R"({"id":1})", "missing_params"},
      {"updraft/up/inform/pk/dn", R"({"params":{}})", "missing_version"},
      {"updraft/up/inform/pk/dn", R"({"params":{"version":""}})", "bad_version"},
      {"updraft/up/inform/pk/dn", std::string(kPayloadMaxBytes + 1, ' '), "too_large"},
      {"updraft/up/inform/pk/dn", std::string(kPayloadMaxBytes, ' '), "not_json"},
      {"updraft/up/progress/pk/dn", R"({"params":{"step":"-5"}})", "bad_step"},
      {"updraft/up/progress/pk/dn", R"({"params":{"step":"3.5"}})", "bad_step"},
      {"updraft/up/get/pk/dn", R"({"id":[],"params":{}})", "wrong_type"},
      {"updraft/up/download/pk/dn", "{}", "unsupported"},
      {"updraft/up/config/pk/dn", "{}", "unsupported"},
      {"updraft/up/nothing/pk/dn", "{}", "unknown_topic"},
      {"updraft/up/inform/pk", "{}", "unknown_topic"},
      {"/ota/device/inform/pk/dn", R"({"params":{"version":"1"}})", "unknown_topic"},
      {"updraft/presence/pk/dn", "{}", "bad_gate_json"},
      {"updraft/presence/pk/dn", R"({"state":"away","epoch":1,"generation":1})", "bad_gate_json"},
      {"updraft/presence/pk/dn", R"({"state":"online","epoch":-1,"generation":1})",
       "bad_gate_json"},
      {"updraft/presence/pk/dn", R"({"state":"online","epoch":1,"generation":4294967296})",
       "bad_gate_json"},
      {"updraft/broker", R"({"epoch":"5"})", "bad_gate_json"},
      {"updraft/roster", R"({"request":5,"epoch":5})", "bad_gate_json"},
      {"updraft/credentials", R"({"generation":1})", "bad_gate_json"},
      {"updraft/broker/stats", "online", "bad_gate_json"},
      {"updraft/broker", std::string(4097, ' '), "bad_gate_json"},
  };
  for (const Bad& bad : table) {
    CAPTURE(bad.topic, bad.payload.substr(0, 60));
    CHECK(ReasonOf(MqttPath::kGate, bad.topic, bad.payload) == bad.reason);
  }
}

TEST_CASE("without the gate its topics mean nothing") {
  CHECK(ReasonOf(MqttPath::kDirect, "updraft/presence/pk/dn",
                 R"({"state":"online","epoch":1,"generation":1})") == "unknown_topic");
  CHECK(ReasonOf(MqttPath::kDirect, "updraft/broker", R"({"epoch":1})") == "unknown_topic");
}

}  // namespace
}  // namespace updraft
