// Dynamic registration: a device that was made with its product's secret only asks for its own,
// once, before it first connects. POST /auth/register/device with a form of productKey, deviceName,
// random, sign and signMethod, as the C SDKs send it; the answer is JSON, compact, because they
// read it by text search:
//
//   {"code":200,"data":{"productKey":…,"deviceName":…,"deviceSecret":…},"message":"success"}
//   {"code":6600,"message":…}
//
// The codes are the vendor's: 6288 the product has the switch off, 6289 the device has connected or
// reported before, 6292 an unknown signMethod, 6600 a wrong signature; 6288 too for what does not
// exist, so that nobody can ask which names there are.
//
// A secret leaves here in the clear: who is not on this machine's loopback is refused with 403. A
// TLS proxy in front makes it safe for the world.
//
// Thread-safety: Handle may be called from any thread. Lifetime: `engine` outlives it, and is
// stopped before it goes.
#pragma once

#include "adapters/wire/http_message.h"
#include "engine/updraft.h"

namespace updraft {

class DeviceRegistration {
 public:
  explicit DeviceRegistration(Engine& engine) : engine_(engine) {}

  void Handle(HttpRequest request, HttpRespond respond);

 private:
  Engine& engine_;
};

}  // namespace updraft
