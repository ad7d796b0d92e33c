// A small history in which every kind of event happens: what the golden log of this build's schema
// is made of.
#pragma once

#include "tests/spec/spec.h"

namespace updraft {

// Lives through it. Afterwards `fleet.log()` holds it but for what no command brings forth any
// more, which AppendFormerKinds adds.
void LiveThroughEverything(Fleet& fleet);

// Appends to `log`, which ends with the history, one commit of those kinds and the digest after it.
void AppendFormerKinds(EventLog& log);

// A copy of `from`, with the sidecar as it is at the end.
void CopyLog(const EventLog& from, EventLog& to);

}  // namespace updraft
