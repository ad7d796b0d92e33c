#include "adapters/broker_plugin/admissions.h"

#include <catch2/catch.hpp>

#include "tests/broker_plugin/gate_fixture.h"

namespace updraft {
namespace {

constexpr int64_t kNow = 1'000'000;

class Fixture {
 public:
  std::string Refusal(const ConnectRequest& request, int64_t now_ms = kNow) {
    if (!admissions_) {
      admissions_.emplace(options, "engine-password", credentials_, [this] { return CatchUp(); });
    }
    return std::string(admissions_->Decide(request, now_ms).refusal);
  }
  Admission Decide(const ConnectRequest& request) {
    CHECK(Refusal(request).empty());
    return admissions_->Decide(request, kNow);
  }
  bool CatchUp() {
    ++catch_ups;
    bool changed = false;
    CredentialReader::Progress progress =
        credentials_.CatchUp(1000, [&](const CredentialRecord&) { changed = true; });
    return changed || progress.new_generation;
  }

  GateOptions options;  // Set before the first question.
  CredentialDirectory directory;
  int catch_ups = 0;

 private:
  CredentialReader credentials_{directory.path()};
  std::optional<Admissions> admissions_;
};

}  // namespace

TEST_CASE("a device with the right password is accepted under its own name", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1"));
  DeviceConnect device("dev-1");
  Admission admission = gate.Decide(device.request());
  CHECK_FALSE(admission.engine);
  CHECK(admission.product_key == "pk");
  CHECK(admission.device_name == "dev-1");
  CHECK(admission.key == MakeCredentialKey("pk", "dev-1"));
}

TEST_CASE("the documented vectors are accepted, in either case of hex", "[admissions]") {
  auto [user, client_id, password, product, name, secret] =
      GENERATE(table<std::string, std::string, std::string, std::string, std::string, std::string>({
          {"device&pk", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|",
           "FAFD82A3D602B37FB0FA8B7892F24A477F851A14", "pk", "device", "secret"},
          {"dev-01&a1TESTpk001",
           "a1TESTpk001.dev-01|timestamp=2524608000000,_ss=1,_v=sdk-c-4.1.0,securemode=2,"
           "signmethod=hmacsha256,ext=3,|",
           "E6C77E1BA467281F8D88C6DCF0BC793D6999DDBD7832B935881A371E7A8CA41C", "a1TESTpk001",
           "dev-01", "0123456789abcdef0123456789abcdef"},
          {"dev-01&a1TESTpk001",
           "a1TESTpk001&dev-01|securemode=3,signmethod=hmacsha1,timestamp=1577808000000,"
           "lan=NodeJS,_v=1.2.8|",
           "2e95076989b2b852b01678611deea0cc92a4d077", "a1TESTpk001", "dev-01",
           "0123456789abcdef0123456789abcdef"},
          {"dev-01&a1TESTpk001", "12345|securemode=3|", "cec87c84309b326a9f9bd9df3bb6b73c",
           "a1TESTpk001", "dev-01", "0123456789abcdef0123456789abcdef"},
      }));
  Fixture gate;
  gate.directory.Append(ProductCredential(product, CredentialState::kEnabled, 1));
  gate.directory.Append(DeviceCredential(product, name, CredentialState::kEnabled, secret, 2));
  ConnectRequest request = {.client_id = client_id,
                            .user_name = user,
                            .password = password,
                            .ip = "10.0.0.1",
                            .keepalive_seconds = 60};
  CHECK(gate.Refusal(request).empty());
  for (char& c : password) c = static_cast<char>(isupper(c) ? tolower(c) : toupper(c));
  request.password = password;
  CHECK(gate.Refusal(request).empty());
}

TEST_CASE("who is not known, not enabled or not able to prove it is refused", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("good"));
  gate.directory.Append(gate.directory.Device("disabled", CredentialState::kDisabled));
  gate.directory.Append(gate.directory.Device("deleted", CredentialState::kDeleted));
  CHECK(gate.Refusal(DeviceConnect("good", "other").request()) == "bad_password");
  CHECK(gate.Refusal(DeviceConnect("stranger").request()) == "unknown_device");
  CHECK(gate.Refusal(DeviceConnect("disabled").request()) == "device_disabled");
  CHECK(gate.Refusal(DeviceConnect("disabled", "other").request()) == "bad_password");
  CHECK(gate.Refusal(DeviceConnect("deleted").request()) == "device_deleted");
}

TEST_CASE("a device's secret opens no other device", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("a", CredentialState::kEnabled, "secret-a"));
  gate.directory.Append(gate.directory.Device("b", CredentialState::kEnabled, "secret-b"));
  CHECK(gate.Refusal(DeviceConnect("a", "secret-b").request()) == "bad_password");
  DeviceConnect borrowed("a", "secret-a");
  borrowed.user_name = "b&pk";
  CHECK(gate.Refusal(borrowed.request()) == "bad_password");
}

TEST_CASE("a device without a secret cannot connect", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("a", CredentialState::kEnabled, ""));
  CHECK(gate.Refusal(DeviceConnect("a", "").request()) == "bad_password");
}

TEST_CASE("with its product a device is shut out", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1"));
  DeviceConnect device("dev-1");
  CHECK(gate.Refusal(device.request()).empty());
  gate.directory.Append(gate.directory.Product(CredentialState::kDisabled));
  gate.CatchUp();
  CHECK(gate.Refusal(device.request()) == "product_disabled");
  gate.directory.Append(gate.directory.Product(CredentialState::kDeleted));
  gate.CatchUp();
  CHECK(gate.Refusal(device.request()) == "unknown_product");
}

TEST_CASE("a device that was registered a moment ago connects at once", "[admissions]") {
  Fixture gate;
  gate.CatchUp();
  CHECK(gate.Refusal(DeviceConnect("fresh").request()) == "unknown_device");
  gate.directory.Append(gate.directory.Device("fresh"));
  CHECK(gate.Refusal(DeviceConnect("fresh").request()).empty());
}

TEST_CASE("nothing is read again for a device that is known", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1"));
  gate.CatchUp();
  gate.catch_ups = 0;
  CHECK(gate.Refusal(DeviceConnect("dev-1").request()).empty());
  CHECK(gate.catch_ups == 0);
}

TEST_CASE("what is no device's CONNECT is refused", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1"));
  DeviceConnect device("dev-1");
  ConnectRequest request = device.request();
  SECTION("no password") {
    request.password.reset();
    CHECK(gate.Refusal(request) == "no_password");
  }
  SECTION("no user name") {
    request.user_name.reset();
    CHECK(gate.Refusal(request) == "no_password");
  }
  SECTION("an empty password") {
    request.password = "";
    CHECK(gate.Refusal(request) == "bad_password");
  }
  SECTION("a user name of one part") {
    request.user_name = "dev-1";
    CHECK(gate.Refusal(request) == "bad_user_name");
  }
  SECTION("a wildcard in the user name") {
    request.user_name = "+&pk";
    CHECK(gate.Refusal(request) == "bad_user_name");
  }
  SECTION("a client id without parameters") {
    request.client_id = "pk.dev-1";
    CHECK(gate.Refusal(request) == "bad_client_id");
  }
  SECTION("an unknown sign method") {
    request.client_id = "x|securemode=3,signmethod=crc32|";
    CHECK(gate.Refusal(request) == "bad_sign_method");
  }
}

TEST_CASE("a client id must have room for the one that the gate gives", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1"));
  auto refusal = [&](const std::string& client_id) {
    DeviceConnect device("dev-1");
    device.client_id = client_id;
    Result<ConnectIdentity> identity = ParseConnectIdentity(device.user_name, device.client_id);
    REQUIRE(identity.ok());
    device.password = SignPassword("secret", *identity);
    return gate.Refusal(device.request());
  };
  CHECK(refusal("|securemode=3|").empty());
  CHECK(refusal("|securemode=|") == "bad_client_id");
}

TEST_CASE("a keepalive outside of its bounds is refused", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1"));
  DeviceConnect device("dev-1");
  auto refusal = [&](uint32_t seconds) {
    device.keepalive_seconds = seconds;
    return gate.Refusal(device.request());
  };
  CHECK(refusal(0) == "keepalive");
  CHECK(refusal(29) == "keepalive");
  CHECK(refusal(30).empty());
  CHECK(refusal(1200).empty());
  CHECK(refusal(1201) == "keepalive");
}

TEST_CASE("the engine's account has the engine's password", "[admissions]") {
  Fixture gate;
  ConnectRequest request = {.client_id = "engine",
                            .user_name = "updraft-engine",
                            .password = "engine-password",
                            .ip = "127.0.0.1",
                            .keepalive_seconds = 5};
  CHECK(gate.Decide(request).engine);
  request.password = "engine-passwor";
  CHECK(gate.Refusal(request) == "bad_engine_password");
  request.password = "";
  CHECK(gate.Refusal(request) == "bad_engine_password");
}

TEST_CASE("after ten failures a name is blocked at its address for a minute", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1"));
  DeviceConnect wrong("dev-1", "wrong");
  DeviceConnect right("dev-1");
  for (int i = 0; i < 10; ++i) CHECK(gate.Refusal(wrong.request()) == "bad_password");
  CHECK(gate.Refusal(right.request()) == "blocked");
  CHECK(gate.Refusal(right.request(), kNow + 59'999) == "blocked");
  CHECK(gate.Refusal(right.request(), kNow + 60'000).empty());
}

TEST_CASE("nine failures block nobody", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1"));
  for (int i = 0; i < 9; ++i) gate.Refusal(DeviceConnect("dev-1", "wrong").request());
  CHECK(gate.Refusal(DeviceConnect("dev-1").request()).empty());
}

TEST_CASE("one name's failures block neither its neighbours nor itself elsewhere", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1"));
  gate.directory.Append(gate.directory.Device("dev-2"));
  for (int i = 0; i < 10; ++i) gate.Refusal(DeviceConnect("dev-1", "wrong").request());
  CHECK(gate.Refusal(DeviceConnect("dev-2").request()).empty());
  DeviceConnect elsewhere("dev-1");
  elsewhere.ip = "10.0.0.2";
  CHECK(gate.Refusal(elsewhere.request()).empty());
}

TEST_CASE("an address that fails with ever new names is blocked in the end", "[admissions]") {
  Fixture gate;
  gate.options.address_failures_per_minute = 100;
  gate.directory.Append(gate.directory.Device("dev-1"));
  for (int i = 0; i < 99; ++i) gate.Refusal(DeviceConnect("n" + std::to_string(i)).request());
  CHECK(gate.Refusal(DeviceConnect("dev-1").request()).empty());
  gate.Refusal(DeviceConnect("n99").request());
  CHECK(gate.Refusal(DeviceConnect("dev-1").request()) == "blocked");
}

TEST_CASE("a disabled device may try as often as it likes and is not blocked afterwards",
          "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1", CredentialState::kDisabled));
  DeviceConnect device("dev-1");
  for (int i = 0; i < 20; ++i) CHECK(gate.Refusal(device.request()) == "device_disabled");
  gate.directory.Append(gate.directory.Device("dev-1"));
  CHECK(gate.Refusal(device.request()).empty());
}

TEST_CASE("a device connects five times a minute", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1"));
  gate.directory.Append(gate.directory.Device("dev-2"));
  DeviceConnect device("dev-1");
  for (int i = 0; i < 5; ++i) CHECK(gate.Refusal(device.request(), kNow + i).empty());
  CHECK(gate.Refusal(device.request(), kNow + 59'999) == "connect_rate");
  CHECK(gate.Refusal(DeviceConnect("dev-2").request()).empty());
  CHECK(gate.Refusal(device.request(), kNow + 60'000).empty());
}

TEST_CASE("nobody uses up another's connects without its password", "[admissions]") {
  Fixture gate;
  gate.directory.Append(gate.directory.Device("dev-1"));
  DeviceConnect wrong("dev-1", "wrong");
  for (int i = 0; i < 9; ++i) gate.Refusal(wrong.request());
  CHECK(gate.Refusal(DeviceConnect("dev-1").request()).empty());
}

TEST_CASE("a client id from the gate depends on the device alone and is fit for a client id",
          "[admissions]") {
  std::string id = GateClientId(MakeCredentialKey("pk", "dev-1"));
  CHECK(id.size() == kGateClientIdBytes);
  CHECK(id == GateClientId(MakeCredentialKey("pk", "dev-1")));
  CHECK(id != GateClientId(MakeCredentialKey("pk", "dev-2")));
  CHECK(id.find_first_of("+/#|=") == std::string::npos);
}

}  // namespace updraft
