// What the log's directory may hold after a hostile disk, or an export that somebody sent: commits,
// exports, checkpoints, RocksDB's own files, notes and signed heads. The first byte chooses;
// capital letters put the right checksums around the input, so that what lies behind them is
// reached.
#include <string>

#include <fmt/format.h>

#include "events/base/assert.h"
#include "events/event_json.h"
#include "events/log/checkpoint_file.h"
#include "events/log/export_file.h"
#include "events/log/head_note.h"
#include "events/log/head_signature.h"
#include "events/log/little_endian.h"
#include "events/log/wal_scan.h"
#include "tests/fuzz/fuzz.h"

namespace updraft {
namespace {

void Commit(std::string_view bytes) {
  Result<CommitReader> commit = CommitReader::Open(bytes);
  if (!commit.ok()) return;
  Assert(commit->event_count() > 0, "a commit has events");
  Assert(commit->bytes() == bytes, "a commit is its bytes");
}

// All that a reader of exports does with one.
void ReadExport(const std::string& path) {
  Result<std::unique_ptr<ExportFile>> file =
      ExportFile::Open(path, SideCipher(std::string(SideCipher::kKeyBytes, 'k')));
  if (!file.ok()) {
    Assert(!file.status().message().empty(), "a refusal says why");
    return;
  }
  uint64_t events = 0;
  Status read = (*file)->Read(Seq(1), [&](const CommitReader& commit) {
    uint64_t seq = commit.header().first.value();
    for (events::Event::Reader event : commit.events()) {
      Assert(!EventJson(Seq(seq++), commit.header().time_ms, event).empty(), "an event has a text");
      ++events;
    }
    return OkStatus();
  });
  (void)read;
  (void)(*file)->ScanSide("", [](std::string_view, std::string_view) { return OkStatus(); });
}

std::string_view View(const Hash256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

// An export whose one commit is `commit`, with good checksums.
std::string ExportOf(std::string_view commit) {
  std::string bytes("updraft\n");
  AppendLittleEndian(bytes, uint32_t{1});
  AppendLittleEndian(bytes, uint32_t{0});
  AppendLittleEndian(bytes, static_cast<uint32_t>(commit.size()));
  bytes.append(View(Sha256(commit))).append(commit);
  AppendLittleEndian(bytes, uint32_t{0});
  AppendLittleEndian(bytes, uint32_t{0});
  AppendLittleEndian(bytes, uint64_t{1});
  AppendLittleEndian(bytes, uint64_t{0});
  bytes.append(View(Sha256(bytes)));
  return bytes;
}

void Checkpoint(const std::string& path) {
  Result<CheckpointReader> reader = CheckpointReader::Open(path);
  if (!reader.ok()) return;
  std::string bytes(100, '\0');
  while (reader->Read(bytes.data(), bytes.size()).ok()) {
  }
  (void)reader->Finish();
}

void Choose(uint8_t which, std::string_view text) {
  switch (which) {
    case 'c':
      return Commit(text);
    case 'e':
      return ReadExport(MemoryFile(text).path());
    case 'E':
      return ReadExport(MemoryFile(ExportOf(text)).path());
    case 'p':
      return Checkpoint(MemoryFile(text).path());
    case 'n':
      (void)ParseHeadNote(text);
      return;
    case 'N':
      (void)ParseHeadNote(fmt::format("{}\ncheck={}\n", text, HexLower(Sha256(text))));
      return;
    case 's':
      (void)ParseSignedHead(text);
      return;
    default: {
      WalScan scan = ScanWal(text);
      Assert(scan.end == WalScan::End::kWhole || scan.offset <= text.size(), "damage has a place");
      return;
    }
  }
}

}  // namespace
}  // namespace updraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view text = Text(data, size);
  uint8_t which = TakeByte(text);
  Choose(which, text);
  return 0;
}
