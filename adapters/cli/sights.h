// The world in words, for the commands that look at a replayed log.
#pragma once

#include <string>
#include <vector>

#include "adapters/wire/object_ids.h"
#include "events/log/event_log.h"
#include "projections/world.h"

namespace updraft {

// Prints what `query` asks for: {"batch", ID}, {"tasks", ID}, {"device", "KEY/NAME"} or
// {"explain", "KEY/NAME"}. The world is of event `at`.
Status PrintSight(const EventLog& log, const World& world, Seq at, const ObjectIds& ids,
                  const std::vector<std::string>& query);

// The device of "KEY/NAME"; of a log without names "#ID".
Result<DeviceId> DeviceOf(const World& world, const std::string& text);

// Why each task of the device, of the batch if one is given, is in its state: as events, the oldest
// first. Only those up to event `at`, where the world was folded.
Status PrintExplanations(const EventLog& log, const World& world, Seq at, const ObjectIds& ids,
                         DeviceId device, BatchId batch);

// What `after` has that `before` has not, a sentence each: `after` is a later moment of the same
// log.
std::vector<std::string> Differences(const World& before, const World& after);

}  // namespace updraft
