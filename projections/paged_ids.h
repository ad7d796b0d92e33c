// Ids in the order in which they were given, each in one of `kClasses` classes or in none, so that
// page 10,000 of one class costs about what page 1 does. Long runs of neighbours, which is what a
// walk over a fleet makes, take no room of their own.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

#include "events/base/assert.h"

namespace updraft {

template <class IdType, int kClasses>
class PagedIds {
 public:
  static constexpr int kNone = -1;

  // REQUIRED: `id` is above every id so far.
  void Append(IdType id, int in_class) {
    if (blocks_.empty() || blocks_.back().size == kBlockIds) {
      blocks_.push_back(Block{.first = id});
    }
    Block& block = blocks_.back();
    bool next = id.value() == block.first.value() + block.size;
    if (block.others.empty() && !next) {
      for (uint32_t i = 0; i < block.size; ++i) {
        block.others.push_back(IdType(block.first.value() + i));
      }
    }
    if (!block.others.empty()) block.others.push_back(id);
    ++block.size;
    Count(block, in_class, 1);
  }

  void Move(IdType id, int from, int to) {
    if (from == to) return;
    auto after = std::upper_bound(blocks_.begin(), blocks_.end(), id,
                                  [](IdType i, const Block& b) { return i < b.first; });
    Assert(after != blocks_.begin(), "id {} is listed", id);
    Block& block = *std::prev(after);
    Count(block, from, -1);
    Count(block, to, 1);
  }

  const std::array<uint32_t, kClasses>& counts() const { return counts_; }
  uint32_t total() const { return std::accumulate(counts_.begin(), counts_.end(), 0u); }

  // Visits up to `limit` ids whose class is in `classes` (bit n: class n), in order, past the first
  // `skip` of them. `class_of(id)` tells an id's class.
  template <class ClassOf, class Visit>
  void Page(uint32_t classes, uint64_t skip, uint64_t limit, ClassOf class_of, Visit visit) const {
    for (const Block& block : blocks_) {
      if (limit == 0) return;
      uint32_t here = InClasses(block, classes);
      if (skip >= here) {
        skip -= here;
        continue;
      }
      for (uint32_t i = 0; i < block.size && limit > 0; ++i) {
        IdType id = block.At(i);
        int in_class = class_of(id);
        if (in_class == kNone || (classes >> in_class & 1) == 0) continue;
        if (skip > 0) {
          --skip;
          continue;
        }
        visit(id);
        --limit;
      }
    }
  }

  // The same, for ids above `after` (a cursor) rather than past a number of them.
  template <class ClassOf, class Visit>
  void PageAfter(uint32_t classes, IdType after, uint64_t limit, ClassOf class_of,
                 Visit visit) const {
    auto it = std::upper_bound(blocks_.begin(), blocks_.end(), after,
                               [](IdType i, const Block& b) { return i < b.first; });
    if (it != blocks_.begin()) --it;
    for (; it != blocks_.end() && limit > 0; ++it) {
      if (InClasses(*it, classes) == 0) continue;
      for (uint32_t i = 0; i < it->size && limit > 0; ++i) {
        IdType id = it->At(i);
        int in_class = class_of(id);
        if (id <= after || in_class == kNone || (classes >> in_class & 1) == 0) continue;
        visit(id);
        --limit;
      }
    }
  }

 private:
  static constexpr uint32_t kBlockIds = 4096;

  struct Block {
    IdType first;
    uint32_t size = 0;
    std::vector<IdType> others = {};  // All ids, when they are not neighbours.
    std::array<uint32_t, kClasses> counts = {};

    IdType At(uint32_t i) const { return others.empty() ? IdType(first.value() + i) : others[i]; }
  };

  void Count(Block& block, int in_class, int by) {
    if (in_class == kNone) return;
    block.counts[in_class] += by;
    counts_[in_class] += by;
  }

  static uint32_t InClasses(const Block& block, uint32_t classes) {
    uint32_t sum = 0;
    for (int c = 0; c < kClasses; ++c) sum += (classes >> c & 1) != 0 ? block.counts[c] : 0;
    return sum;
  }

  std::vector<Block> blocks_;
  std::array<uint32_t, kClasses> counts_ = {};
};

}  // namespace updraft
