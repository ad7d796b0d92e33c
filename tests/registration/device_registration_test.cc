// Dynamic registration, over an engine with its log in memory.
#include "adapters/registration/device_registration.h"

#include <future>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "adapters/wire/credentials.h"
#include "adapters/wire/url_coding.h"
#include "engine/clock.h"
#include "events/log/memory_log.h"

namespace updraft {
namespace {

constexpr const char* kProductKey = "a1TESTpk001";
constexpr const char* kProductSecret = "0123456789abcdef0123456789abcdef";

struct Service {
  Service() : engine(*Engine::OpenWith({}, std::make_unique<MemoryLog>(), SystemClock())) {
    Do(CreateProduct{
        .name = "product", .product_key = kProductKey, .product_secret = kProductSecret});
    RegisterDevices order{.product_key = kProductKey};
    order.devices.push_back({.name = "dev-01", .secret = "s3cret"});
    Do(order);
  }

  void Do(Command command) {
    std::promise<Outcome> answer;
    REQUIRE(
        engine->Submit(std::move(command), [&](const Outcome& o) { answer.set_value(o); }).ok());
    REQUIRE(answer.get_future().get().ok());
  }
  void SwitchOn() { Do(UpdateProduct{.product_key = kProductKey, .dynamic_registration = true}); }

  HttpResponse Post(Parameters form, std::string peer = "127.0.0.1") {
    HttpRequest request{"POST", "/auth/register/device", "",
                        {},     EncodeParameters(form),  std::move(peer)};
    std::promise<HttpResponse> answer;
    registration.Handle(std::move(request),
                        [&](HttpResponse response) { answer.set_value(std::move(response)); });
    return answer.get_future().get();
  }
  int CodeOf(Parameters form) {
    return nlohmann::json::parse(Post(std::move(form)).body).value("code", 0);
  }

  std::unique_ptr<Engine> engine;
  DeviceRegistration registration{*engine};
};

Parameters Form(std::string name = "dev-01") {
  RegistrationRequest registration;
  registration.product_key = kProductKey;
  registration.device_name = name;
  registration.random = "567345";
  return {{"productKey", kProductKey},
          {"deviceName", name},
          {"random", "567345"},
          {"signMethod", "hmacsha256"},
          {"sign", SignRegistration(kProductSecret, registration)}};
}

}  // namespace

TEST_CASE("a device that proves its product gets its secret, once it is switched on",
          "[registration]") {
  Service service;
  CHECK(service.CodeOf(Form()) == 6288);
  service.SwitchOn();
  HttpResponse answer = service.Post(Form());
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({"code":200,"data":{"productKey":"a1TESTpk001","deviceName":"dev-01",)"
                       R"("deviceSecret":"s3cret"},"message":"success"})");
}

TEST_CASE("a device that has connected gets no secret", "[registration]") {
  Service service;
  service.SwitchOn();
  service.Do(ReportPresence{{{}, kProductKey, "dev-01"}, true, 1, 1});
  CHECK(service.CodeOf(Form()) == 6289);
}

TEST_CASE("a registration that proves nothing is refused with the vendor's codes",
          "[registration]") {
  Service service;
  service.SwitchOn();
  Parameters unsigned_form = Form();
  unsigned_form["sign"] = "00";
  CHECK(service.CodeOf(unsigned_form) == 6600);
  Parameters other_device = Form();
  other_device["deviceName"] = "dev-02";
  CHECK(service.CodeOf(other_device) == 6600);
  Parameters unknown_method = Form();
  unknown_method["signMethod"] = "rot13";
  CHECK(service.CodeOf(unknown_method) == 6292);
  CHECK(service.CodeOf(Form("no-such-device")) == 6288);
  CHECK(service.CodeOf({}) == 6292);
}

TEST_CASE("no secret goes to another machine in the clear", "[registration]") {
  Service service;
  service.SwitchOn();
  CHECK(service.Post(Form(), "10.0.0.7").status == 403);
  CHECK(service.Post(Form(), "::1").status == 200);
}

TEST_CASE("a form that is no form is told so", "[registration]") {
  Service service;
  HttpRequest request{"POST", "/auth/register/device", "", {}, "%zz", "127.0.0.1"};
  int status = 0;
  service.registration.Handle(request, [&](HttpResponse r) { status = r.status; });
  CHECK(status == 400);
}

}  // namespace updraft
