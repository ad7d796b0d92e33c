// Who is online, after the engine or the broker was away: the gate is asked to name every live
// connection, and whom the engine holds to be online without having been named is gone.
//
// Thread-safety: none of its own; NamedDevices may be read by another thread once nobody writes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_set.h>

#include "adapters/mqtt/intake.h"
#include "engine/commands.h"

namespace updraft {

class World;

// Names, kept as 64-bit hashes: there may be millions. Two alike would leave a device that is gone
// online until its next word; among ten million that is one chance in a million.
class NamedDevices {
 public:
  void Add(std::string_view product_key, std::string_view device_name);
  bool Has(std::string_view product_key, std::string_view device_name) const;
  size_t size() const { return hashes_.size(); }

 private:
  absl::flat_hash_set<uint64_t> hashes_;
};

class Roster {
 public:
  // Forgets what was collected, and collects for the request of that name.
  void Begin(std::string request);
  void Cancel() { request_.clear(); }

  // Any presence message between the request and its answer.
  void Named(std::string_view product_key, std::string_view device_name);

  // All that were named, where the answer is to the request; that is the end of it.
  std::shared_ptr<const NamedDevices> End(const RosterAnswer& answer);

 private:
  std::string request_;  // Empty: none is open.
  std::shared_ptr<NamedDevices> named_;
};

// A page of the fleet, looked through for devices that are online and were not named.
struct RosterPage {
  std::vector<ReportPresence> gone;
  DeviceId next;  // Where the next page begins; 0 after the last.
};
// Looks at `count` devices from `from` on. Where the world knows another run of the broker than
// `epoch`, the roster says nothing about it and the page is the last.
RosterPage FindGone(const World& world, const NamedDevices& named, uint64_t epoch, DeviceId from,
                    uint32_t count);

}  // namespace updraft
