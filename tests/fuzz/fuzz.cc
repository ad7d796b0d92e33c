#include "tests/fuzz/fuzz.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "events/base/assert.h"
#include "events/base/log_line.h"

namespace updraft {
namespace {

void WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(fd, bytes.data(), bytes.size());
    Assert(written > 0, "a file in memory takes what it is given");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

MemoryFile::MemoryFile(std::string_view bytes) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
  Assert(fd_.ok(), "a file in memory can be made");
  WriteAll(fd_.get(), bytes);
}

std::string MemoryFile::path() const { return fmt::format("/proc/self/fd/{}", fd_.get()); }

MemoryDirectory::MemoryDirectory() : path_("/dev/shm/updraft-fuzz-XXXXXX") {
  Assert(mkdtemp(path_.data()) != nullptr, "a directory in memory can be made");
}

MemoryDirectory::~MemoryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void MemoryDirectory::Write(const std::string& name, std::string_view bytes) const {
  std::ofstream out(path_ + "/" + name, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace updraft

// Called by libFuzzer once. Refusals are what fuzzing is about, and their log lines would be most
// of its output.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  updraft::SetLogLevel(updraft::LogLevel::kError);
  return 0;
}
