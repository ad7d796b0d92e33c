// A data directory's log read in place, beside a running service or without one, and folded as far
// as is asked.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/wire/object_ids.h"
#include "events/base/status.h"
#include "events/log/event_log.h"
#include "projections/world.h"

namespace updraft {

// Whether a log without the key of its sidecar will do: all but names can be read.
enum class NamesKey { kNeeded, kIfThere };

// NOT_FOUND with a sentence when the directory holds no log.
Result<std::unique_ptr<EventLog>> OpenLocalLog(const std::string& data_dir,
                                               NamesKey key = NamesKey::kIfThere);

// The ids that the API of the service shows whose log it is.
Result<ObjectIds> LocalObjectIds(const std::string& data_dir, const EventLog& log);

// Where a fold ends: after an event, or with the last commit that is not later than a time.
struct FoldEnd {
  std::optional<Seq> seq;
  std::optional<int64_t> time_ms;
};

// A fold in progress, for who prints it.
struct FoldProgress {
  Seq at;
  Seq last;  // Of the log.
  int64_t time_ms = 0;
};

// Folds the log into `world`, which is new, and gives it the names that the sidecar still holds, if
// its key is there.
Result<FoldProgress> FoldLog(const EventLog& log, const FoldEnd& end, World& world,
                             const std::function<void(const FoldProgress&)>& progress);

// A line on stderr that is drawn over, when stderr is a terminal.
void DrawProgress(std::string_view what, uint64_t done, uint64_t all);
void EndProgress();

// "2026-11-23T07:10:00.123Z", and back; nothing when it is no such time.
std::string ShowTime(int64_t ms);
std::optional<int64_t> ReadTime(std::string_view text);

}  // namespace updraft
