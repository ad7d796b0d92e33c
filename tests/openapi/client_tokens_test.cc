#include "adapters/openapi/client_tokens.h"

#include <catch2/catch.hpp>

#include "tests/openapi/console.h"

namespace updraft::openapi {
namespace {

TEST_CASE("a creating call with the same token is done once", "[openapi]") {
  Console console;
  Parameters order = {{"NodeType", "0"}, {"ProductName", "street_lamp"}, {"ClientToken", "t"}};
  Json first = console.Must("CreateProduct", order);
  CHECK(console.Must("CreateProduct", order) == first);
  order["ProductName"] = "other_lamp";
  CHECK(console.Call("CreateProduct", order).Code() == "iot.common.InvalidFormattedParameter");
  order["ClientToken"] = "u";
  CHECK(console.Must("CreateProduct", order)["ProductKey"] != first["ProductKey"]);
}

TEST_CASE("a call that was refused may be sent again with its token", "[openapi]") {
  Console console;
  Parameters order = {{"ProductKey", "none"}, {"DeviceName", "lamp-0001"}, {"ClientToken", "t"}};
  CHECK(console.Call("RegisterDevice", order).Code() == "iot.prod.NotExistedProduct");
  REQUIRE(console.Ask(CreateProduct{.name = "street_lamp", .product_key = "none"}).ok());
  CHECK(console.Call("RegisterDevice", order).ok());
}

// How often each repeat was answered.
struct Answers {
  int count = 0;
  HttpRespond Respond() {
    return [this](const HttpResponse&) { ++count; };
  }
};

SignedCall CallOf(const std::string& action) {
  return SignedCall{.action = action, .access_key_id = "key"};
}

constexpr int64_t kNowMs = 1'000'000;
const HttpResponse kDone = {.body = R"({"Success":true})"};

TEST_CASE("a repeat of a call under way waits for its answer", "[openapi]") {
  ClientTokens tokens;
  Answers answers;
  Result<HttpRespond> first = tokens.Begin(CallOf("A"), "t", answers.Respond(), kNowMs);
  REQUIRE(first.ok());
  REQUIRE(*first);
  CHECK_FALSE(*tokens.Begin(CallOf("A"), "t", answers.Respond(), kNowMs));
  // Another action's token is another one.
  CHECK(*tokens.Begin(CallOf("B"), "t", answers.Respond(), kNowMs));
  CHECK(answers.count == 0);
  (*first)(kDone);
  CHECK(answers.count == 2);
}

TEST_CASE("a token is kept for 24 hours", "[openapi]") {
  ClientTokens tokens;
  Answers answers;
  (*tokens.Begin(CallOf("A"), "t", answers.Respond(), kNowMs))(kDone);
  int64_t end_ms = kNowMs + ClientTokens::kKeptMs;
  CHECK_FALSE(*tokens.Begin(CallOf("A"), "t", answers.Respond(), end_ms - 1));
  CHECK(*tokens.Begin(CallOf("A"), "t", answers.Respond(), end_ms));
}

TEST_CASE("so many tokens are kept, and the oldest goes first", "[openapi]") {
  ClientTokens tokens;
  Answers answers;
  for (size_t i = 0; i < ClientTokens::kMax; ++i) {
    (*tokens.Begin(CallOf("A"), std::to_string(i), answers.Respond(), kNowMs))(kDone);
  }
  (*tokens.Begin(CallOf("A"), "one more", answers.Respond(), kNowMs))(kDone);
  CHECK_FALSE(*tokens.Begin(CallOf("A"), "one more", answers.Respond(), kNowMs));
  CHECK(*tokens.Begin(CallOf("A"), "0", answers.Respond(), kNowMs));
}

}  // namespace
}  // namespace updraft::openapi
