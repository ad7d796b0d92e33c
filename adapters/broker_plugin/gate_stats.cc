#include "adapters/broker_plugin/gate_stats.h"

#include <nlohmann/json.hpp>

namespace updraft {
namespace {

using Json = nlohmann::ordered_json;

Json ByReason(const std::map<std::string_view, uint64_t>& counts) {
  Json json = Json::object();
  for (const auto& [reason, count] : counts) json[std::string(reason)] = count;
  return json;
}

}  // namespace

std::string StatsJson(const GateStats& stats, const GateState& state) {
  Json json = {
      {"epoch", state.epoch},
      {"online", state.online},
      {"accepted", stats.accepted},
      {"refused", ByReason(stats.refused)},
      {"takeovers", stats.takeovers},
      {"disconnected", stats.disconnected},
      {"denied", ByReason(stats.denied)},
      {"republished", stats.republished},
      {"delivered", stats.delivered},
      {"undeliverable", stats.undeliverable},
      {"credentials",
       {{"generation", state.credentials_generation},
        {"position", state.credentials_position},
        {"damaged", state.credentials_damaged}}},
  };
  return json.dump();
}

}  // namespace updraft
