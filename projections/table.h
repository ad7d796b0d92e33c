// Records of one kind, found by dense id, in segments that never move: growing copies nothing, and
// no turn pays for the millions that are there already.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "events/base/assert.h"

namespace updraft {

template <class IdType, class Record>
class Table {
 public:
  // A segment of small records ends in the midst of a page of memory, of which the rest is lost: so
  // they are long, and for records of which there are few short.
  static constexpr size_t kSegmentRecords = sizeof(Record) <= 64 ? 16'384 : 1'024;

  // Ids run from 1 to size().
  size_t size() const { return size_; }
  IdType newest() const { return IdType(static_cast<typename IdType::rep>(size_)); }
  IdType next() const { return IdType(static_cast<typename IdType::rep>(size_ + 1)); }

  bool Has(IdType id) const { return id && id.value() <= size_; }

  const Record& operator[](IdType id) const {
    Assert(Has(id), "id {} of {} records", id, size_);
    return segments_[(id.value() - 1) / kSegmentRecords][(id.value() - 1) % kSegmentRecords];
  }
  Record& Mutable(IdType id) { return const_cast<Record&>(std::as_const(*this)[id]); }

  // Asks for the record to be brought near, without waiting; ids that are not there are fine.
  void Prefetch(IdType id) const {
    if (!Has(id)) return;
    const Record* record =
        &segments_[(id.value() - 1) / kSegmentRecords][(id.value() - 1) % kSegmentRecords];
    __builtin_prefetch(record, /*rw=*/1);
    __builtin_prefetch(reinterpret_cast<const char*>(record + 1) - 1, /*rw=*/1);
  }

  // Appends a default record.
  IdType Add() {
    if (size_ % kSegmentRecords == 0) {
      segments_.push_back(std::make_unique<Record[]>(kSegmentRecords));
    }
    ++size_;
    return newest();
  }

  // Appends default records, at least one and at most `most`, as many as lie side by side.
  std::span<Record> AddRun(size_t most) {
    const size_t begin = Add().value() - 1;
    size_ = std::min(begin + most, begin / kSegmentRecords * kSegmentRecords + kSegmentRecords);
    return {&segments_.back()[begin % kSegmentRecords], size_ - begin};
  }
  // The records from `first` on that lie side by side.
  std::span<const Record> RunFrom(IdType first) const {
    const size_t begin = first.value() - 1;
    const size_t end = begin / kSegmentRecords * kSegmentRecords + kSegmentRecords;
    return {&(*this)[first], std::min(end, size_) - begin};
  }

 private:
  std::vector<std::unique_ptr<Record[]>> segments_;
  size_t size_ = 0;
};

}  // namespace updraft
