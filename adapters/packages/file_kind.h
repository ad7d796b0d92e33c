// The kinds of files that operators send, and what each may be. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "events/base/status.h"

namespace updraft {

enum class FileKind {
  kPackage,     // 升级包, what devices download.
  kDeviceList,  // CSV, the devices of a batch.
};

// Inclusive. The console's 2,000 MB are of 1,048,576 bytes; the list of 10,000 names that a batch
// takes needs a tenth of its bound.
inline constexpr uint64_t kPackageBytesMax = uint64_t{2'000} * 1'048'576;
inline constexpr uint64_t kDeviceListBytesMax = uint64_t{5} * 1'048'576;

uint64_t FileBytesMax(FileKind kind);

// The stable names of what is wrong with a file or its disk.
inline constexpr std::string_view kFileSuffixRefused = "FILE_SUFFIX_REFUSED";
inline constexpr std::string_view kFileTooLarge = "FILE_TOO_LARGE";
inline constexpr std::string_view kFileEmpty = "FILE_EMPTY";
inline constexpr std::string_view kDiskFull = "DISK_FULL";

// Whether a file of that name may be of that kind: a package ends in .bin or .zip, a device list in
// .csv, in any case. INVALID_ARGUMENT, kFileSuffixRefused.
Status CheckSuffix(FileKind kind, std::string_view file_name);

}  // namespace updraft
