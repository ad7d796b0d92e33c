// What package files share of talking to a disk.
#pragma once

#include <string>
#include <string_view>

#include "events/base/status.h"

namespace updraft {

// The errno of a call that failed to `what` ("write") `path`: UNAVAILABLE (kDiskFull) when there is
// no room, else INTERNAL.
Status DiskError(std::string_view what, const std::string& path);

Status WriteAll(int fd, std::string_view bytes, const std::string& path);

// Makes what was created in, renamed into and removed from a directory durable.
Status SyncDirectory(const std::string& path);

}  // namespace updraft
