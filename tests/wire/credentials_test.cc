#include "adapters/wire/credentials.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

// One device's connect as it was seen, and the password that goes with it.
struct Connect {
  std::string what;
  std::string user_name;
  std::string client_id;
  std::string content;
  std::string secret;
  std::string password;
};

const std::vector<Connect> kConnects = {
    {"the manual's sample", "device&pk", "12345|securemode=3,signmethod=hmacsha1,timestamp=789|",
     "clientId12345deviceNamedeviceproductKeypktimestamp789", "secret",
     "FAFD82A3D602B37FB0FA8B7892F24A477F851A14"},
    {"Link SDK C 4.x", "dev-01&a1TESTpk001",
     "a1TESTpk001.dev-01|timestamp=2524608000000,_ss=1,_v=sdk-c-4.1.0,securemode=3,"
     "signmethod=hmacsha256,ext=3,_conn=tcp_0|",
     "clientIda1TESTpk001.dev-01deviceNamedev-01productKeya1TESTpk001timestamp2524608000000",
     std::string(kSecret), "E6C77E1BA467281F8D88C6DCF0BC793D6999DDBD7832B935881A371E7A8CA41C"},
    {"Link SDK C 4.x without an extension: the list ends in a comma", "dev-01&a1TESTpk001",
     "a1TESTpk001.dev-01|timestamp=2524608000000,_ss=1,_v=sdk-c-4.1.0,securemode=2,"
     "signmethod=hmacsha256,ext=3,|",
     "clientIda1TESTpk001.dev-01deviceNamedev-01productKeya1TESTpk001timestamp2524608000000",
     std::string(kSecret), "E6C77E1BA467281F8D88C6DCF0BC793D6999DDBD7832B935881A371E7A8CA41C"},
    {"C-SDK 3.2", "dev-01&a1TESTpk001",
     "a1TESTpk001.dev-01|timestamp=2524608000000,_v=sdk-c-3.2.0,securemode=3,"
     "signmethod=hmacsha256,lan=C,gw=0,ext=0|",
     "clientIda1TESTpk001.dev-01deviceNamedev-01productKeya1TESTpk001timestamp2524608000000",
     std::string(kSecret), "E6C77E1BA467281F8D88C6DCF0BC793D6999DDBD7832B935881A371E7A8CA41C"},
    {"Link SDK C 4.x that wants its client id assigned", "dev-01&a1TESTpk001",
     "|timestamp=2524608000000,_ss=1,_v=sdk-c-4.1.0,securemode=3,signmethod=hmacsha256,ext=3,|",
     "clientIddeviceNamedev-01productKeya1TESTpk001timestamp2524608000000", std::string(kSecret),
     "31B3A41C7AC5DFD8369C898BC0EDAA5C547E0D1BF8AB3E1E60AD6D7B8915B4D2"},
    {"Node SDK 1.2.8", "dev-01&a1TESTpk001",
     "a1TESTpk001&dev-01|securemode=3,signmethod=hmacsha1,timestamp=1577808000000,lan=NodeJS,"
     "_v=1.2.8|",
     "clientIda1TESTpk001&dev-01deviceNamedev-01productKeya1TESTpk001timestamp1577808000000",
     std::string(kSecret), "2e95076989b2b852b01678611deea0cc92a4d077"},
    {"the older Node SDK: blanks and line breaks between the items", "dev-01&a1TESTpk001",
     "a1TESTpk001&dev-01|securemode=3,\n        signmethod=hmacsha1,\n        "
     "timestamp=1577808000000|",
     "clientIda1TESTpk001&dev-01deviceNamedev-01productKeya1TESTpk001timestamp1577808000000",
     std::string(kSecret), "2e95076989b2b852b01678611deea0cc92a4d077"},
    {"no timestamp and no signmethod: MD5", "dev-01&a1TESTpk001", "12345|securemode=3|",
     "clientId12345deviceNamedev-01productKeya1TESTpk001", std::string(kSecret),
     "cec87c84309b326a9f9bd9df3bb6b73c"},
};

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  });
  return text;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  return text;
}

std::string_view RefusalOf(std::string_view user_name, std::string_view client_id) {
  Result<ConnectIdentity> identity = ParseConnectIdentity(user_name, client_id);
  return identity.ok() ? "" : identity.status().reason();
}

}  // namespace

TEST_CASE("every fielded client's connect is understood and its password accepted",
          "[credentials]") {
  for (const Connect& connect : kConnects) {
    CAPTURE(connect.what);
    Result<ConnectIdentity> identity = ParseConnectIdentity(connect.user_name, connect.client_id);
    REQUIRE(identity.ok());
    CHECK(SignedContent(*identity) == connect.content);
    CHECK(SignPassword(connect.secret, *identity) == Lower(connect.password));
    CHECK(VerifyPassword(connect.secret, *identity, Upper(connect.password)));
    CHECK(VerifyPassword(connect.secret, *identity, Lower(connect.password)));
  }
}

TEST_CASE("a wrong password is refused, however it is wrong", "[credentials]") {
  Result<ConnectIdentity> identity =
      ParseConnectIdentity("dev-01&a1TESTpk001", "12345|securemode=3|");
  REQUIRE(identity.ok());
  const std::string right = "cec87c84309b326a9f9bd9df3bb6b73c";
  REQUIRE(VerifyPassword(kSecret, *identity, right));

  for (size_t i = 0; i < right.size(); ++i) {
    std::string wrong = right;
    wrong[i] = wrong[i] == '0' ? '1' : '0';
    CAPTURE(wrong);
    CHECK_FALSE(VerifyPassword(kSecret, *identity, wrong));
  }
  for (std::string wrong :
       {"", "c", "cec8", "cec87c84309b326a9f9bd9df3bb6b73", "zz",
        "cec87c84309b326a9f9bd9df3bb6b73c00", " cec87c84309b326a9f9bd9df3bb6b73c",
        "0123456789abcdef0123456789abcdef"}) {
    CAPTURE(wrong);
    CHECK_FALSE(VerifyPassword(kSecret, *identity, wrong));
  }
  CHECK_FALSE(VerifyPassword("another secret", *identity, right));
}

TEST_CASE("a device without a secret proves nothing, even with the HMAC of none", "[credentials]") {
  Result<ConnectIdentity> identity =
      ParseConnectIdentity("dev-01&a1TESTpk001", "12345|securemode=3|");
  REQUIRE(identity.ok());
  CHECK_FALSE(VerifyPassword("", *identity, SignPassword("", *identity)));
}

TEST_CASE("a password of one method does not pass for another", "[credentials]") {
  for (std::string method : {"hmacmd5", "hmacsha1", "hmacsha256"}) {
    for (std::string other : {"hmacmd5", "hmacsha1", "hmacsha256"}) {
      CAPTURE(method, other);
      std::string signs = "X|signmethod=" + method + "|";
      std::string says = "X|signmethod=" + other + "|";
      Result<ConnectIdentity> signer = ParseConnectIdentity("dev-01&pk", signs);
      Result<ConnectIdentity> sayer = ParseConnectIdentity("dev-01&pk", says);
      REQUIRE(signer.ok());
      REQUIRE(sayer.ok());
      CHECK(VerifyPassword(kSecret, *sayer, SignPassword(kSecret, *signer)) == (method == other));
    }
  }
}

TEST_CASE("the client id's parts are read as they are, in any order", "[credentials]") {
  Result<ConnectIdentity> identity = ParseConnectIdentity(
      "d:e@v.1&pk", "some id|lan=C, timestamp = 99 ,junk,=,_ss=1,securemode=-2,gw=0,,|");
  REQUIRE(identity.ok());
  CHECK(identity->device_name == "d:e@v.1");
  CHECK(identity->product_key == "pk");
  CHECK(identity->client_id == "some id");
  CHECK(identity->timestamp == "99");
  CHECK(identity->secure_mode == "-2");
  CHECK(identity->sign_method == HmacHash::kMd5);

  identity = ParseConnectIdentity("dev&pk", "||");
  REQUIRE(identity.ok());
  CHECK(identity->client_id.empty());
  CHECK_FALSE(identity->timestamp.has_value());
  CHECK(identity->secure_mode.empty());
}

TEST_CASE("a timestamp that is there but empty is still signed", "[credentials]") {
  Result<ConnectIdentity> identity = ParseConnectIdentity("dev&pk", "X|timestamp=|");
  REQUIRE(identity.ok());
  CHECK(SignedContent(*identity) == "clientIdXdeviceNamedevproductKeypktimestamp");
}

TEST_CASE("of a parameter that comes twice the last counts", "[credentials]") {
  Result<ConnectIdentity> identity =
      ParseConnectIdentity("dev&pk", "X|timestamp=1,signmethod=hmacsha1,timestamp=2|");
  REQUIRE(identity.ok());
  CHECK(identity->timestamp == "2");
  CHECK(identity->sign_method == HmacHash::kSha1);
}

TEST_CASE("a user name that names no device is refused", "[credentials]") {
  const std::string long_name(65, 'n');
  for (std::string user_name :
       {std::string(""), std::string("dev"), std::string("&"), std::string("dev&"),
        std::string("&pk"), std::string("dev&pk&x"), std::string("a/b&pk"), std::string("dev&p/k"),
        std::string("+&pk"), std::string("dev&#"), std::string("de\nv&pk"), long_name + "&pk",
        "dev&" + long_name}) {
    CAPTURE(user_name);
    CHECK(RefusalOf(user_name, "X|securemode=3|") == "bad_user_name");
  }
  CHECK(RefusalOf(std::string(64, 'n') + "&pk", "X|securemode=3|") == "");
}

TEST_CASE("a client id without its two bars is refused", "[credentials]") {
  for (std::string client_id :
       {"", " ", "X", "|", "X|", "X|securemode=3", "X|a=b|c", "X|a=b|c|", "X|a=b||"}) {
    CAPTURE(client_id);
    CHECK(RefusalOf("dev&pk", client_id) == "bad_client_id");
  }
  CHECK(RefusalOf("dev&pk", "X|securemode=3|\n") == "");
}

TEST_CASE("an unknown sign method is refused", "[credentials]") {
  for (std::string method : {"", "md5", "hmacsha512", "HMACSHA1", "none"}) {
    CAPTURE(method);
    CHECK(RefusalOf("dev&pk", "X|signmethod=" + method + "|") == "bad_sign_method");
  }
}

TEST_CASE("a registration is signed with the product's secret", "[credentials]") {
  RegistrationRequest registration{
      .product_key = "a1TESTpk001", .device_name = "dev-01", .random = "567345"};
  const std::string sha256 = "253bdea4bc80e57753d65a24c28d8bb8c7bfe263b3e8f988bc3f91690404bf3f";
  CHECK(SignRegistration(kSecret, registration) == sha256);
  CHECK(VerifyRegistration(kSecret, registration, sha256));
  CHECK(VerifyRegistration(kSecret, registration, Upper(sha256)));
  CHECK_FALSE(VerifyRegistration(kSecret, registration, sha256.substr(2)));
  CHECK_FALSE(VerifyRegistration("", registration, SignRegistration("", registration)));

  registration.sign_method = HmacHash::kMd5;
  CHECK(SignRegistration(kSecret, registration) == "b87db19c9ed253cc9e5ad7f69b392f76");
  CHECK_FALSE(VerifyRegistration(kSecret, registration, sha256));

  registration.random = "567346";
  CHECK_FALSE(VerifyRegistration(kSecret, registration, "b87db19c9ed253cc9e5ad7f69b392f76"));
}

}  // namespace updraft
