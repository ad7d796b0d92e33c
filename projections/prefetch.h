// Brings near what coming events and commands will touch. In a world of millions nearly every one
// is about a record that is in no cache, and who waits for each does little else.
//
//   Prefetcher prefetcher(world);
//   prefetcher.Ask(events, 0, 64);       // Then evolve events 0 to 63.
//   prefetcher.Ask(devices);             // Then decide what these say.
//
// It changes nothing and may be wrong: what it forgets is only slower.
// Thread-safety: none.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "commit.capnp.h"
#include "projections/world.h"

namespace updraft {

class Prefetcher {
 public:
  // Events at a time: enough for the memory to be busy, few enough for the nearest cache.
  static constexpr uint32_t kEvents = 64;

  explicit Prefetcher(const World& world) : world_(world) {}

  // Asks for the records of events `begin` to `end`, which counts no more than kEvents.
  void Ask(capnp::List<events::Event>::Reader events, uint32_t begin, uint32_t end);

  // A device, by its id or its name.
  struct Named {
    DeviceId id;
    ProductId product;
    std::string_view name;
  };
  // Asks for the devices, what runs on them and their open tasks; no more than kEvents.
  void Ask(std::span<const Named> devices);

 private:
  const World& world_;
  std::array<TaskId, kEvents> tasks_;
  std::array<DeviceId, kEvents> devices_;
  std::array<uint64_t, kEvents> hashes_;
};

}  // namespace updraft
