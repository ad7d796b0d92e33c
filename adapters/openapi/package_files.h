// The files that operators posted, as the API needs to see them. The program that has both the API
// and a store of files implements it.
//
// Called on the engine's completion thread; may look at the disk, must not take long.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "events/base/status.h"

namespace updraft {

struct PostedPackage {
  std::string file;  // The store's id.
  uint64_t size_bytes = 0;
  std::string md5;     // 16 bytes.
  std::string sha256;  // 32 bytes.
};

class PackageFiles {
 public:
  virtual ~PackageFiles() = default;

  // What was posted with an upload ticket for `object_key`. NOT_FOUND: nothing was, or it is gone.
  virtual Result<PostedPackage> FindPackage(std::string_view object_key) = 0;
  // The text of a device list, likewise.
  virtual Result<std::string> ReadDeviceList(std::string_view object_key) = 0;
};

}  // namespace updraft
