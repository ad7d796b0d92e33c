// How a simulated device behaves, and how many of a fleet behave so.
//
//   ASSIGN_OR_RETURN(Mix mix, ParseMix("honest=90,failing=6,never=4"));
//   Behaviour b = mix.Of(/*device=*/17, /*seed=*/1);   // The same for ever.
//
// Thread-safety: pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "events/base/status.h"

namespace updraft {

enum class Behaviour {
  kHonest,        // Reports each step, installs, reboots, reports the new version.
  kSlow,          // The same, ten times slower.
  kSilent,        // Reports no step, only the new version.
  kFailing,       // Gives up half way with -1 to -4.
  kWrongVersion,  // Comes back with a version that nobody asked for.
  kReturning,     // Goes away after its first report and comes back.
  kNever,         // Takes the notice and does nothing.
  kRebooting,     // Loses power half way, comes back with its old version, begins anew.
  kDuplicating,   // Says everything twice and some of it late.
  kTwofold,       // Half way it connects a second time.
};
inline constexpr int kBehaviourCount = 10;

// "honest", "wrong_version" and so on.
std::string_view BehaviourName(Behaviour behaviour);

struct Mix {
  std::vector<std::pair<Behaviour, uint32_t>> weights;  // Sum at least 1.

  Behaviour Of(uint64_t device, uint64_t seed) const;
};

// "name=weight,…". INVALID_ARGUMENT for an unknown name or a weight that is no number, or for
// weights that sum up to nothing.
Result<Mix> ParseMix(std::string_view text);

// A number that looks random and depends on its arguments alone.
uint64_t Scramble(uint64_t value, uint64_t seed);

}  // namespace updraft
