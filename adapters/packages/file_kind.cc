#include "adapters/packages/file_kind.h"

#include <span>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <strings.h>

#include "events/base/assert.h"

namespace updraft {
namespace {

constexpr std::string_view kPackageSuffixes[] = {".bin", ".zip"};
constexpr std::string_view kDeviceListSuffixes[] = {".csv"};

std::span<const std::string_view> Suffixes(FileKind kind) {
  switch (kind) {
    case FileKind::kPackage:
      return kPackageSuffixes;
    case FileKind::kDeviceList:
      return kDeviceListSuffixes;
  }
  Unreachable();
}

}  // namespace

uint64_t FileBytesMax(FileKind kind) {
  switch (kind) {
    case FileKind::kPackage:
      return kPackageBytesMax;
    case FileKind::kDeviceList:
      return kDeviceListBytesMax;
  }
  Unreachable();
}

Status CheckSuffix(FileKind kind, std::string_view file_name) {
  for (std::string_view suffix : Suffixes(kind)) {
    if (file_name.size() < suffix.size()) continue;
    std::string_view end = file_name.substr(file_name.size() - suffix.size());
    if (strncasecmp(end.data(), suffix.data(), suffix.size()) == 0) return OkStatus();
  }
  return Status(StatusCode::kInvalidArgument, kFileSuffixRefused,
                fmt::format("the file's name must end in {}", fmt::join(Suffixes(kind), " or ")));
}

}  // namespace updraft
