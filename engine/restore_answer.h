// What the world does not hold of an answer that is given again: secrets lie in the sidecar.
//
// Thread-safety: as the log's reading.
#pragma once

#include "engine/commands.h"
#include "events/log/event_log.h"

namespace updraft {

// Fills in the secrets of what Decide told of a command sent again by its ClientToken. NOT_FOUND,
// CREATED_IS_GONE, when they were erased meanwhile.
Status RestoreAnswer(const EventLog& log, Answer& answer);

}  // namespace updraft
