// The small file HEAD beside RocksDB's: how far the log reached when it was last opened or closed.
// RocksDB cannot tell a write-ahead log that was removed or cut from one that never was; a log that
// ends before its note is one.
#pragma once

#include <string>
#include <string_view>

#include "events/base/bytes.h"
#include "events/base/ids.h"
#include "events/base/status.h"

namespace updraft {

struct HeadNote {
  Seq last;
  Hash256 hash = {};
};

std::string FormatHeadNote(const HeadNote& note);
// DATA_LOSS when it is no note or was changed.
Result<HeadNote> ParseHeadNote(std::string_view text);

}  // namespace updraft
