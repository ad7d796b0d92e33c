// What this process holds of the machine's memory.
#pragma once

#include <cstdint>
#include <fstream>

#include <unistd.h>

namespace updraft {

// Sanitizers keep memory of their own that says nothing about the program's.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryIsPlain = false;
#else
inline constexpr bool kMemoryIsPlain = true;
#endif

inline uint64_t ResidentBytes() {
  uint64_t total_pages = 0, resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace updraft
