// Where credentials come from: the engine's world says which devices and products there are, the
// log's sidecar what their names and secrets are.
//
// Errors: UNAVAILABLE, ENGINE_STOPPED or LOG_FAILED when the engine has come to its end; what the
// log says about its sidecar. Thread-safety: none; calls wait for the engine, so not for its
// threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/wire/credential_table.h"
#include "engine/updraft.h"
#include "events/base/ids.h"
#include "events/base/status.h"

namespace updraft {

class CredentialSource {
 public:
  // Devices that one look at the world goes through.
  static constexpr uint32_t kPageDevices = 4'096;

  explicit CredentialSource(Engine& engine) : engine_(engine) {}

  struct Extent {
    DeviceId newest;
    std::vector<CredentialRecord> products;  // Those that are there.
  };
  Result<Extent> ReadExtent();

  struct DeviceRecord {
    DeviceId device;
    CredentialRecord record;
  };
  // The devices that are there, of `from` and the kPageDevices - 1 after it. `position` goes into
  // the records. REQUIRED: from.value() is a multiple of kPageDevices, or 1 in place of 0.
  Result<std::vector<DeviceRecord>> ReadPage(DeviceId from, uint64_t position);

  // The record of each of `devices` as it is now, at most kPageDevices; nothing for one that is
  // deleted.
  Result<std::vector<std::optional<CredentialRecord>>> ReadDevices(
      const std::vector<DeviceId>& devices, uint64_t position);

  // Empty when there never was such a product.
  Result<std::string> KeyOf(ProductId product);

 private:
  struct Fact {
    ProductId product;  // 0: the device is deleted, or there is none.
    bool disabled = false;
  };
  struct Facts {
    std::vector<Fact> devices;
    std::vector<std::string> new_product_keys;  // Behind those that are known.
  };

  // What the world says of them.
  Result<std::vector<Fact>> LookAt(const std::vector<DeviceId>& devices);
  std::optional<CredentialRecord> RecordOf(const Fact& fact, std::string_view side_value,
                                           uint64_t position) const;

  Engine& engine_;
  std::vector<std::string> product_keys_;  // Of product id - 1.
};

}  // namespace updraft
