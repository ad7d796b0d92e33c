// An event as JSON, for people and for programs that follow the log:
//   {"seq":7,"time":1795417800123,"by":0,"taskPushed":{"task":3,"kind":"first"}}
//
// Thread-safety: pure.
#pragma once

#include <string>

#include "commit.capnp.h"
#include "events/base/ids.h"

namespace updraft {

// Times are milliseconds since 1970. Names and numbers are those of
// the schema, bytes are hex.
std::string EventJson(Seq seq, int64_t time_ms, events::Event::Reader event);

// The kind's name in the schema: "taskPushed".
std::string EventKind(events::Event::Reader event);

}  // namespace updraft
