#include "tests/fleet/behaviour.h"

#include <charconv>

#include <fmt/format.h>

namespace updraft {
namespace {

constexpr std::string_view kNames[kBehaviourCount] = {
    "honest",    "slow",  "silent",    "failing",     "wrong_version",
    "returning", "never", "rebooting", "duplicating", "twofold",
};

Status Wrong(std::string_view item) {
  return Status(StatusCode::kInvalidArgument,
                fmt::format("'{}' is not behaviour=weight; behaviours are {}", item,
                            fmt::join(kNames, ", ")));
}

Result<std::pair<Behaviour, uint32_t>> ParseItem(std::string_view item) {
  size_t equals = item.find('=');
  if (equals == std::string_view::npos) return Wrong(item);
  std::string_view digits = item.substr(equals + 1);
  uint32_t weight = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), weight);
  if (error != std::errc() || end != digits.data() + digits.size()) return Wrong(item);
  for (int i = 0; i < kBehaviourCount; ++i) {
    if (kNames[i] == item.substr(0, equals)) return std::pair(Behaviour(i), weight);
  }
  return Wrong(item);
}

}  // namespace

std::string_view BehaviourName(Behaviour behaviour) { return kNames[static_cast<int>(behaviour)]; }

uint64_t Scramble(uint64_t value, uint64_t seed) {
  // The finaliser of splitmix64: neighbours come out far apart.
  uint64_t x = value + 0x9E3779B97F4A7C15 * (seed + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

Behaviour Mix::Of(uint64_t device, uint64_t seed) const {
  uint64_t total = 0;
  for (const auto& [behaviour, weight] : weights) total += weight;
  uint64_t draw = Scramble(device, seed) % total;
  for (const auto& [behaviour, weight] : weights) {
    if (draw < weight) return behaviour;
    draw -= weight;
  }
  return weights.back().first;
}

Result<Mix> ParseMix(std::string_view text) {
  Mix mix;
  uint64_t total = 0;
  while (true) {
    size_t comma = text.find(',');
    ASSIGN_OR_RETURN(auto item, ParseItem(text.substr(0, comma)));
    mix.weights.push_back(item);
    total += item.second;
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (total == 0) return Status(StatusCode::kInvalidArgument, "all weights are 0");
  return mix;
}

}  // namespace updraft
