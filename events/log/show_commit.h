// Lets somebody read a commit's events. Every log's Read goes through here.
#pragma once

#include "events/log/event_log.h"

namespace updraft {

// Gives what `visit` returns. DATA_LOSS, naming the commit, when one of its events cannot be read:
// opening a commit looks at its outside only, and a hostile one may link and hash as it should.
// Whatever `visit` was filling is then to be thrown away.
Status ShowCommit(const CommitReader& commit, const EventLog::VisitCommit& visit);

}  // namespace updraft
