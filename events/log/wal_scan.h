// Reads a file of RocksDB's log format (its write-ahead logs NNN.log and its MANIFEST-NNN) to tell
// how it ends, which RocksDB does not say: it takes a last record that is cut short for one whose
// writing was interrupted, even where a damaged length only makes it look so, and drops it and all
// behind it without a word.
//
// The format: blocks of 32 KiB, each a run of fragments; a fragment is a masked CRC-32C over type
// and payload (4 bytes), the payload's length (2), its type (1: whole record, 2, 3, 4: first,
// middle, last part of one), and the payload, all little-endian. Fewer than 7 bytes at the end of a
// block are zeros. A record of a write-ahead log begins with the sequence number of its first write
// (8 bytes) and the count of its writes (4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace updraft {

struct WalScan {
  enum class End {
    kWhole,
    // The record at `offset` is the last, and its writing was interrupted: it was never
    // acknowledged.
    kTorn,
    // The record at `offset` was changed after it was written. `why` says more.
    kDamaged,
  };

  End end = End::kWhole;
  // Of a write-ahead log: RocksDB's number of the last write in its whole records; 0 without any.
  uint64_t last_sequence = 0;
  // Where a torn or damaged record begins.
  uint64_t offset = 0;
  std::string why;
  // Damaged, but a record at the very end whose checksum fails: its writing may have been
  // interrupted by a power failure that left some of its pages out.
  bool is_last_record = false;
};

WalScan ScanWal(std::string_view bytes);

}  // namespace updraft
