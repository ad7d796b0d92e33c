// What the gate counts, from the broker's start.
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace updraft {

struct GateStats {
  uint64_t accepted = 0;
  // By reason; the words are stable and live as long as the program.
  std::map<std::string_view, uint64_t> refused;  // CONNECTs.
  std::map<std::string_view, uint64_t> denied;   // PUBLISHes and SUBSCRIBEs.
  uint64_t takeovers = 0;
  uint64_t disconnected = 0;   // By the gate: disabled or deleted devices.
  uint64_t republished = 0;    // Device to engine.
  uint64_t delivered = 0;      // Engine to device.
  uint64_t undeliverable = 0;  // Engine to a device that is not online.
};

// What is so at the moment.
struct GateState {
  uint64_t epoch = 0;
  uint64_t online = 0;
  uint64_t credentials_generation = 0;
  uint64_t credentials_position = 0;
  uint64_t credentials_damaged = 0;
};

std::string StatsJson(const GateStats& stats, const GateState& state);

}  // namespace updraft
