// One strong type an id, so that a task cannot be passed where a device is meant. Ids are dense:
// they start at 1, are given in the order of the log and are never reused. 0 names nothing.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace updraft {

template <class Tag, class Rep>
class Id {
 public:
  using rep = Rep;

  constexpr Id() = default;
  constexpr explicit Id(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  constexpr explicit operator bool() const { return value_ != 0; }
  friend constexpr auto operator<=>(Id, Id) = default;

  template <class H>
  friend H AbslHashValue(H h, Id id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  Rep value_ = 0;
};

using Seq = Id<struct SeqTag, uint64_t>;      // An event's number in the log.
using Epoch = Id<struct EpochTag, uint32_t>;  // One writer's reign over a log.
using PushNumber = Id<struct PushTag, uint64_t>;

using ProductId = Id<struct ProductTag, uint32_t>;
using ModuleId = Id<struct ModuleTag, uint32_t>;    // One module name of one product.
using VersionId = Id<struct VersionTag, uint32_t>;  // One version string of one product.
using DeviceId = Id<struct DeviceTag, uint32_t>;
using PackageId = Id<struct PackageTag, uint32_t>;
using BatchId = Id<struct BatchTag, uint32_t>;
using TaskId = Id<struct TaskTag, uint32_t>;
using KeyId = Id<struct KeyTag, uint32_t>;  // A console access key.

}  // namespace updraft

template <class Tag, class Rep>
struct std::hash<updraft::Id<Tag, Rep>> {
  size_t operator()(updraft::Id<Tag, Rep> id) const { return std::hash<Rep>()(id.value()); }
};
