// How often each code was answered. The codes are a fixed few, so the table is bounded.
//
// Thread-safety: any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace updraft::openapi {

class RefusalCounts {
 public:
  void Count(std::string_view code) {
    std::lock_guard lock(mutex_);
    auto found = counts_.find(code);
    if (found == counts_.end()) found = counts_.emplace(code, 0).first;
    ++found->second;
  }

  std::map<std::string, uint64_t, std::less<>> Get() const {
    std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t, std::less<>> counts_;
};

}  // namespace updraft::openapi
