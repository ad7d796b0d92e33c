#include "adapters/openapi/applications.h"

#include <utility>

#include "events/base/bytes.h"

namespace updraft::openapi {

uint64_t Applications::NewId() const {
  constexpr uint64_t kIdMax = (uint64_t{1} << 53) - 1;  // Number.MAX_SAFE_INTEGER.
  uint64_t id = 0;
  while (id == 0 || by_id_.contains(id)) {
    id = 0;
    for (char byte : RandomBytes(8)) id = id << 8 | static_cast<uint8_t>(byte);
    id &= kIdMax;
  }
  return id;
}

uint64_t Applications::Add(Application application) {
  uint64_t id = NewId();
  if (order_.size() == kMax) {
    by_id_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(id);
  by_id_[id] = std::move(application);
  return id;
}

Application* Applications::Find(uint64_t id) {
  auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

}  // namespace updraft::openapi
