// Brings near what coming events will touch. In a world of millions nearly every event is about a
// record that is in no cache, and a fold that waits for each does little else.
//
//   Prefetcher prefetcher(world);
//   prefetcher.Ask(events, 0, 64);       // Then evolve events 0 to 63.
//
// It changes nothing and may be wrong: what it forgets is only slower.
// Thread-safety: none.
#pragma once

#include <array>
#include <cstdint>

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

 private:
  const World& world_;
  std::array<TaskId, kEvents> tasks_;
  std::array<DeviceId, kEvents> devices_;
};

}  // namespace updraft
