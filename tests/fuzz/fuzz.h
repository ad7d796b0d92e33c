// What the fuzz targets share: cutting an input into parts, and bytes as a file.
//
// A target reads its input as text where it can, so that its corpus can be read and written by
// hand. It checks what must hold with Assert, and throws nothing out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "events/base/owned_fd.h"

namespace updraft {

// What libFuzzer gives.
inline std::string_view Text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The text up to `mark`, or all of it; `rest` goes on behind.
inline std::string_view TakeUntil(std::string_view& rest, std::string_view mark) {
  size_t end = rest.find(mark);
  std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + mark.size());
  return part;
}

// The first byte, 0 when there is none.
inline uint8_t TakeByte(std::string_view& rest) {
  if (rest.empty()) return 0;
  auto byte = static_cast<uint8_t>(rest.front());
  rest.remove_prefix(1);
  return byte;
}

// A file in memory that can be opened by its path while the object lives.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes);

  std::string path() const;

 private:
  OwnedFd fd_;
};

// A directory below /dev/shm for the life of the process.
class MemoryDirectory {
 public:
  MemoryDirectory();
  ~MemoryDirectory();

  const std::string& path() const { return path_; }
  void Write(const std::string& name, std::string_view bytes) const;

 private:
  std::string path_;
};

}  // namespace updraft
