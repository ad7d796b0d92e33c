// How an event changes the world.
//
// Total and deterministic: Evolve reads its arguments only and cannot fail, because only events
// that Decide let through are in the log. It judges nothing; the decision was made when the event
// was. One event touches at most 10,000 records.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "commit.capnp.h"
#include "projections/world.h"

namespace updraft {

void Evolve(World& world, Seq seq, int64_t time_ms, events::Event::Reader event);

// The same for what the sidecar holds: puts a name in its look-up (`value`), or takes out all whose
// key begins with `key`. After the event that the write goes with.
void ApplySide(World& world, std::string_view key, const std::optional<std::string>& value);

}  // namespace updraft
