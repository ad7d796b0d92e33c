// Must fail: shows that a failure of each kind is seen. What is wrong stands behind a word that a
// fuzzer has to find, or a corpus to hold.
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "events/base/assert.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view text = Text(data, size);
  if (text.starts_with("over")) {
    // Reads one byte behind its memory.
    std::unique_ptr<char[]> copy(new char[size]);
    std::memcpy(copy.get(), data, size);
    volatile char behind = copy[size];
    (void)behind;
  }
  if (text.starts_with("sum")) {
    // Adds past the largest number.
    volatile int most = INT_MAX;
    most = most + static_cast<int>(size);
  }
  if (text.starts_with("leak")) {
    // Forgets memory. Volatile, or the compiler forgets it as well.
    char* volatile lost = new char[size];
    lost = nullptr;
    (void)lost;
  }
  Assert(!text.starts_with("bug"), "the canary asserts");
  return 0;
}
