// A log as another build, or somebody who controls the machine, might have written it: events are
// changed and the chain is made anew, so that nothing but what the events say tells the difference.
#pragma once

#include <functional>

#include "events/log/event_log.h"

namespace updraft {

// Copies all commits of `from` to `to`, which is empty, without the sidecar; `change` may alter
// each event.
Status CopyForged(const EventLog& from, EventLog& to,
                  const std::function<void(Seq, events::Event::Builder)>& change);

}  // namespace updraft
