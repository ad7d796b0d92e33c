#include "events/log/wal_scan.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "events/log/little_endian.h"

namespace updraft {
namespace {

constexpr size_t kBlockBytes = 32 * 1024;
constexpr size_t kHeaderBytes = 7;
constexpr size_t kRecordHeadBytes = 12;
constexpr size_t kSectorBytes = 512;

enum FragmentType : uint8_t { kZero = 0, kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  constexpr uint32_t kCastagnoliReversed = 0x82F63B78;
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? kCastagnoliReversed : 0);
    table[i] = crc;
  }
  return table;
}();

uint32_t MaskedCrc(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (char byte : bytes) crc = crc >> 8 ^ kCrcTable[(crc ^ static_cast<uint8_t>(byte)) & 0xFF];
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xA282EAD8;
}

struct Header {
  uint32_t crc = 0;
  size_t length = 0;
  uint8_t type = 0;
};

// REQUIRED: kHeaderBytes bytes at `offset`.
Header HeaderAt(std::string_view bytes, size_t offset) {
  bytes.remove_prefix(offset);
  Header header;
  header.crc = TakeLittleEndian<uint32_t>(bytes);
  header.length = TakeLittleEndian<uint16_t>(bytes);
  header.type = TakeLittleEndian<uint8_t>(bytes);
  return header;
}

// Whether type and payload of the fragment at `offset`, taken as `length` bytes long, match `crc`.
bool Matches(std::string_view bytes, size_t offset, size_t length, uint32_t crc) {
  return MaskedCrc(bytes.substr(offset + kHeaderBytes - 1, length + 1)) == crc;
}

size_t BlockEnd(size_t offset) { return (offset / kBlockBytes + 1) * kBlockBytes; }

bool AllZero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
}

// Whether a good fragment begins anywhere from `offset` on: what is before it was once followed.
bool AnyFragmentFrom(std::string_view bytes, size_t offset) {
  for (; offset + kHeaderBytes <= bytes.size(); ++offset) {
    Header header = HeaderAt(bytes, offset);
    if (header.type < kFull || header.type > kLast) continue;
    if (offset + kHeaderBytes + header.length > std::min(BlockEnd(offset), bytes.size())) continue;
    if (Matches(bytes, offset, header.length, header.crc)) return true;
  }
  return false;
}

class Scanner {
 public:
  explicit Scanner(std::string_view bytes) : bytes_(bytes) {}

  WalScan Scan();

 private:
  WalScan Ends(WalScan::End end, std::string_view why, bool is_last_record = false) const {
    return {.end = end,
            .last_sequence = last_sequence_,
            .offset = record_,
            .why = std::string(why),
            .is_last_record = is_last_record};
  }
  WalScan Torn() const { return Ends(WalScan::End::kTorn, ""); }
  WalScan Damaged(std::string_view why) const { return Ends(WalScan::End::kDamaged, why); }
  WalScan JudgeBad(size_t offset) const;
  void EndRecord();

  const std::string_view bytes_;
  size_t record_ = 0;  // Where the record at hand begins,
  std::string head_;   // and its first bytes.
  bool inside_ = false;
  uint64_t last_sequence_ = 0;
};

// What to make of the fragment at `offset`, which is cut short or fails its checksum.
WalScan Scanner::JudgeBad(size_t offset) const {
  const Header header = HeaderAt(bytes_, offset);
  const size_t left = bytes_.size() - offset - kHeaderBytes;
  const bool cut_short = header.length > left;
  if (cut_short && Matches(bytes_, offset, left, header.crc)) {
    return Damaged("the length of a record is wrong");
  }
  if (BlockEnd(offset) < bytes_.size() || AnyFragmentFrom(bytes_, offset + 1)) {
    return Damaged("a record fails its checksum and others follow it");
  }
  const bool possible = offset + kHeaderBytes + header.length <= BlockEnd(offset);
  if (possible && cut_short) return Torn();
  // File systems show space that was given to a file but not yet written as zeros.
  if (left >= kSectorBytes && AllZero(bytes_.substr(bytes_.size() - kSectorBytes))) return Torn();
  return Ends(WalScan::End::kDamaged, "the last record fails its checksum", true);
}

void Scanner::EndRecord() {
  if (head_.size() == kRecordHeadBytes) {
    std::string_view head = head_;
    const auto first = TakeLittleEndian<uint64_t>(head);
    const auto count = TakeLittleEndian<uint32_t>(head);
    if (count > 0) last_sequence_ = first + count - 1;
  }
  head_.clear();
}

WalScan Scanner::Scan() {
  size_t offset = 0;
  while (offset < bytes_.size()) {
    if (!inside_) record_ = offset;
    if (BlockEnd(offset) - offset < kHeaderBytes) {
      offset = BlockEnd(offset);
      continue;
    }
    if (bytes_.size() - offset < kHeaderBytes || AllZero(bytes_.substr(offset))) return Torn();
    const Header header = HeaderAt(bytes_, offset);
    const size_t payload = offset + kHeaderBytes;
    if (payload + header.length > std::min(BlockEnd(offset), bytes_.size()) ||
        !Matches(bytes_, offset, header.length, header.crc)) {
      return JudgeBad(offset);
    }
    if (header.type < kFull || header.type > kLast) {
      return Damaged(fmt::format("a record is of the unknown type {}", header.type));
    }
    const bool begins = header.type == kFull || header.type == kFirst;
    if (begins == inside_) return Damaged("the parts of a record are out of order");
    head_ += bytes_.substr(payload, std::min(header.length, kRecordHeadBytes - head_.size()));
    inside_ = header.type == kFirst || header.type == kMiddle;
    if (!inside_) EndRecord();
    offset = payload + header.length;
  }
  return inside_ ? Torn() : Ends(WalScan::End::kWhole, "");
}

}  // namespace

WalScan ScanWal(std::string_view bytes) { return Scanner(bytes).Scan(); }

}  // namespace updraft
