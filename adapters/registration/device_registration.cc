#include "adapters/registration/device_registration.h"

#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "adapters/wire/credentials.h"
#include "adapters/wire/url_coding.h"
#include "engine/view.h"
#include "events/log/event_log.h"
#include "projections/side_values.h"
#include "projections/world.h"

namespace updraft {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSwitchedOff = 6288;
constexpr int kActivated = 6289;
constexpr int kUnknownMethod = 6292;
constexpr int kWrongSignature = 6600;

HttpResponse Reply(int status, const Json& json) {
  return {status, {{"Content-Type", "application/json"}}, json.dump()};
}
HttpResponse Refuse(int code, std::string_view message) {
  return Reply(200, {{"code", code}, {"message", message}});
}

bool IsLoopback(std::string_view peer) { return peer.starts_with("127.") || peer == "::1"; }

// What the world knows of who asks.
struct Sight {
  ProductId product;
  DeviceId device;
  bool on = false;  // The product lets its devices register.
  bool activated = false;
};

Sight LookUp(const World& world, const std::string& product_key, const std::string& name) {
  Sight sight;
  sight.product = world.FindProduct(product_key);
  sight.device = FindDevice(world, product_key, name);
  if (sight.product) sight.on = world.products()[sight.product].dynamic_registration;
  if (sight.device) {
    const Device& device = world.devices()[sight.device];
    sight.activated = device.activated != 0;
    if (device.disabled) sight.device = DeviceId();
  }
  return sight;
}

HttpResponse Judge(const EventLog& log, const Sight& sight, const RegistrationRequest& registration,
                   const std::string& sign) {
  Result<std::string> product_secret = Status(StatusCode::kNotFound, "no such product");
  if (sight.on) product_secret = log.ReadSide(SideKeyOfProduct(sight.product));
  if (!product_secret.ok()) return Refuse(kSwitchedOff, "dynamic registration is off");
  if (!VerifyRegistration(*product_secret, registration, sign)) {
    return Refuse(kWrongSignature, "the signature is wrong");
  }
  if (!sight.device) return Refuse(kSwitchedOff, "the device was not registered with the console");
  if (sight.activated) return Refuse(kActivated, "the device is activated already");
  Result<std::string> bytes = log.ReadSide(SideKeyOfDevice(sight.device));
  std::optional<DevicePrivate> known;
  if (bytes.ok()) known = DecodeDevicePrivate(*bytes);
  if (!known) return Reply(500, {{"code", 500}, {"message", "the secret cannot be read"}});
  return Reply(200, {{"code", 200},
                     {"data",
                      {{"productKey", registration.product_key},
                       {"deviceName", registration.device_name},
                       {"deviceSecret", known->secret}}},
                     {"message", "success"}});
}

}  // namespace

void DeviceRegistration::Handle(HttpRequest request, HttpRespond respond) {
  if (!IsLoopback(request.peer)) {
    return respond(Reply(403, {{"code", 403}, {"message", "secrets are told over TLS only"}}));
  }
  Parameters form;
  Status parsed = AddParameters(request.body, form);
  if (parsed.ok()) parsed = AddParameters(request.raw_query, form);
  if (!parsed.ok()) {
    return respond(Reply(400, {{"code", 400}, {"message", parsed.message()}}));
  }
  std::optional<HmacHash> method = ParseHmacMethod(form["signMethod"]);
  if (!method)
    return respond(Refuse(kUnknownMethod, "signMethod is hmacmd5, hmacsha1 or hmacsha256"));
  // Owned by what is called later, which outlives this call.
  auto owned = std::make_shared<Parameters>(std::move(form));
  Status asked = engine_.Read([this, owned, method, respond](const World& world) -> Engine::Finish {
    Sight sight = LookUp(world, (*owned)["productKey"], (*owned)["deviceName"]);
    return [this, owned, method, respond, sight](const Status& durable) {
      if (!durable.ok()) return respond({503, {}, ""});
      RegistrationRequest registration;
      registration.product_key = (*owned)["productKey"];
      registration.device_name = (*owned)["deviceName"];
      registration.random = (*owned)["random"];
      registration.sign_method = *method;
      respond(Judge(engine_.log(), sight, registration, (*owned)["sign"]));
    };
  });
  if (!asked.ok()) respond({503, {}, ""});
}

}  // namespace updraft
