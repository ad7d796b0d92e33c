// Keys that are made once and kept in a file of their own, readable by the owner only: one line of
// lower-case hex, so that a copy can be printed and put in a safe.
#pragma once

#include <string>

#include "events/base/status.h"

namespace updraft {

// The key that `path` holds. NOT_FOUND when there is no such file; DATA_LOSS when it does not hold
// a key of `bytes` bytes.
Result<std::string> ReadKeyFile(const std::string& path, size_t bytes);

// Makes the file, durably. ALREADY_EXISTS when there is one: a key is never replaced.
Status WriteKeyFile(const std::string& path, std::string_view key);

}  // namespace updraft
