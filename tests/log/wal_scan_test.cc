#include "events/log/wal_scan.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "events/log/files.h"
#include "events/log/rocks_log.h"
#include "tests/log/sample_commits.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

constexpr size_t kBlockBytes = 32 * 1024;

// A write-ahead log that RocksDB wrote, and where its records end: one that opening the log made,
// and one for each commit.
struct Written {
  std::string bytes;
  std::vector<size_t> ends;

  // Whether `i` is far from the ends of all records and of their parts.
  bool IsInner(size_t i) const {
    constexpr size_t kNear = 100;
    if ((i + kNear) % kBlockBytes < 2 * kNear || i < kNear) return false;
    return std::none_of(ends.begin(), ends.end(),
                        [&](size_t end) { return i + kNear > end && i < end + kNear; });
  }
};

Written Write(const std::vector<size_t>& commit_bytes) {
  TempDir temp;
  auto log =
      RocksLog::Open({.dir = temp / "log", .create = true, .sidecar_key_path = temp / "key"});
  REQUIRE(log.status().ToString() == "OK");
  std::string path;
  for (const auto& entry : std::filesystem::directory_iterator(temp / "log")) {
    if (entry.path().extension() == ".log") path = entry.path();
  }
  Written written;
  written.ends.push_back(ReadFile(path)->size());
  for (size_t bytes : commit_bytes) {
    REQUIRE((*log)->Append(BigAfter((*log)->head(), bytes), {}).ok());
    written.bytes = *ReadFile(path);
    written.ends.push_back(written.bytes.size());
  }
  return written;
}

WalScan::End EndOf(std::string_view bytes) { return ScanWal(bytes).end; }

}  // namespace

TEST_CASE("an empty write-ahead log is whole", "[log]") {
  CHECK(EndOf("") == WalScan::End::kWhole);
  CHECK(ScanWal("").last_sequence == 0);
}

TEST_CASE("a write-ahead log cut anywhere is whole between records and torn inside one", "[log]") {
  Written written = Write({200, 40000, 200});
  auto scan = [&](size_t size) { return ScanWal(std::string_view(written.bytes).substr(0, size)); };
  const uint64_t sequence = scan(written.ends[0]).last_sequence;
  size_t begin = 0;
  for (size_t record = 0; record < written.ends.size(); ++record) {
    const size_t end = written.ends[record];
    CAPTURE(record, end);
    for (size_t size = begin + 1; size < end; ++size) {
      if (written.IsInner(size) && size % 101 != 0) continue;
      WalScan torn = scan(size);
      CHECK(torn.end == WalScan::End::kTorn);
      CHECK(torn.offset == begin);
    }
    CHECK(scan(end).end == WalScan::End::kWhole);
    CHECK(scan(end).last_sequence == sequence + record);
    begin = end;
  }
}

TEST_CASE("no changed bit of a write-ahead log passes for an interrupted writing", "[log]") {
  Written written = Write({200, 208, 40000, 216});
  for (size_t i = 0; i < written.bytes.size(); ++i) {
    if (written.IsInner(i) && i % 997 != 0) continue;
    for (int bit : {0, 3, 7}) {
      CAPTURE(i, bit);
      std::string changed = written.bytes;
      changed[i] = static_cast<char>(changed[i] ^ 1 << bit);
      CHECK(EndOf(changed) == WalScan::End::kDamaged);
    }
  }
}

TEST_CASE("only a last record may be taken for one that a power failure spoiled", "[log]") {
  Written written = Write({200, 208, 216});
  auto spoil = [&](size_t record) {
    std::string changed = written.bytes;
    changed[written.ends[record] - 5] ^= 1;
    return ScanWal(changed);
  };
  for (size_t record : {0, 1, 2}) CHECK_FALSE(spoil(record).is_last_record);
  CHECK(spoil(3).is_last_record);
  CHECK(spoil(3).offset == written.ends[2]);
}

TEST_CASE("a last record whose rest is zeros was not written to its end", "[log]") {
  Written written = Write({200, 4000});
  for (size_t zeros : {512, 3000}) {
    std::string bytes = written.bytes;
    std::fill(bytes.end() - static_cast<ptrdiff_t>(zeros), bytes.end(), '\0');
    WalScan scan = ScanWal(bytes);
    CHECK(scan.end == WalScan::End::kTorn);
    CHECK(scan.offset == written.ends[1]);
  }
  // All of it, header and all: space the file was given.
  std::string bytes = written.bytes;
  std::fill(bytes.begin() + static_cast<ptrdiff_t>(written.ends[1]), bytes.end(), '\0');
  CHECK(EndOf(bytes) == WalScan::End::kTorn);
  // Less than a sector of them may be the record's own.
  bytes = written.bytes;
  std::fill(bytes.end() - 511, bytes.end(), '\0');
  CHECK(EndOf(bytes) == WalScan::End::kDamaged);
}

TEST_CASE("zeros in the middle of a write-ahead log are damage", "[log]") {
  Written written = Write({200, 4000, 200});
  std::string bytes = written.bytes;
  std::fill(bytes.begin() + static_cast<ptrdiff_t>(written.ends[1]),
            bytes.begin() + static_cast<ptrdiff_t>(written.ends[2]), '\0');
  CHECK(EndOf(bytes) == WalScan::End::kDamaged);
}

}  // namespace updraft
