// A set of ids of which many are neighbours, in their order: a bit each, in pages. A page with one
// id takes as much as a full one, which is little: a fleet's worth of ids takes a quarter of a byte
// each at the most.
//
// Thread-safety: none.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>

#include <absl/container/btree_map.h>

#include "events/base/assert.h"

namespace updraft {

template <class IdType>
class IdSet {
 public:
  void Insert(IdType id) {
    std::unique_ptr<Page>& page = pages_[id.value() / kPageIds];
    if (page == nullptr) page = std::make_unique<Page>();
    uint64_t& word = page->words[id.value() % kPageIds / 64];
    const uint64_t bit = uint64_t{1} << id.value() % 64;
    page->size += (word & bit) == 0;
    word |= bit;
  }
  void Erase(IdType id) {
    auto it = pages_.find(id.value() / kPageIds);
    if (it == pages_.end()) return;
    Page& page = *it->second;
    uint64_t& word = page.words[id.value() % kPageIds / 64];
    const uint64_t bit = uint64_t{1} << id.value() % 64;
    page.size -= (word & bit) != 0;
    word &= ~bit;
    if (page.size == 0) pages_.erase(it);
  }
  void Clear() { pages_.clear(); }

  bool empty() const { return pages_.empty(); }
  // REQUIRED: not empty.
  IdType First() const {
    Assert(!empty(), "a set without ids has no first");
    const auto& [number, page] = *pages_.begin();
    size_t at = 0;
    while (page->words[at] == 0) ++at;
    return IdType(number * kPageIds + static_cast<uint32_t>(at) * 64 +
                  static_cast<uint32_t>(std::countr_zero(page->words[at])));
  }
  template <class Visit>
  void ForEach(Visit visit) const {
    for (const auto& [number, page] : pages_) {
      for (uint32_t at = 0; at < kPageIds; ++at) {
        if ((page->words[at / 64] >> at % 64 & 1) != 0) visit(IdType(number * kPageIds + at));
      }
    }
  }

  friend bool operator==(const IdSet& a, const IdSet& b) {
    if (a.pages_.size() != b.pages_.size()) return false;
    for (auto i = a.pages_.begin(), j = b.pages_.begin(); i != a.pages_.end(); ++i, ++j) {
      if (i->first != j->first || i->second->words != j->second->words) return false;
    }
    return true;
  }

 private:
  static constexpr uint32_t kPageIds = 1'024;

  struct Page {
    uint32_t size = 0;
    std::array<uint64_t, kPageIds / 64> words = {};
  };

  absl::btree_map<uint32_t, std::unique_ptr<Page>> pages_;  // None of them is empty.
};

}  // namespace updraft
