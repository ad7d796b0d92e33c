// What a device can send: any bytes as a payload, on any topic. The first byte chooses the parser.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/wire/device_payload.h"
#include "adapters/wire/topics.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 5) {
    case 0:
      (void)updraft::ParseInform(rest);
      break;
    case 1:
      (void)updraft::ParseProgress(rest);
      break;
    case 2:
      (void)updraft::ParsePull(rest);
      break;
    case 3:
      (void)updraft::ParseLegacyRequest(rest);
      break;
    default:
      (void)updraft::ParseUplinkTopic(rest);
      break;
  }
  return 0;
}
