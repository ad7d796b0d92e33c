// The gate's credential files on a hostile disk, and what stands in mosquitto's configuration for
// the gate. The first byte chooses: `f` a directory, `o` the plugin's options.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "adapters/broker_plugin/options.h"
#include "adapters/wire/credential_reader.h"
#include "adapters/wire/credential_table.h"
#include "adapters/wire/credential_writer.h"
#include "events/base/assert.h"
#include "tests/fuzz/fuzz.h"

namespace updraft {
namespace {

void ReadDirectory(const std::string& path) {
  CredentialReader reader(path);
  size_t changes = 0;
  for (int i = 0; i < 3; ++i) {
    reader.CatchUp(16, [&](const CredentialRecord& record) {
      Assert(record.secret.size() <= kSecretBytesMax, "a secret is bounded");
      ++changes;
    });
  }
  std::optional<CredentialRecord> found = reader.Find(MakeCredentialKey("pk", "d1"));
  Assert(!found || found->key == MakeCredentialKey("pk", "d1"), "what is found is what was sought");
  (void)reader.Find(MakeCredentialKey("pk", ""));
  Assert(reader.TakeProblems().size() <= CredentialReader::kProblemsMax, "complaints are bounded");
  (void)CredentialWriter::Open(path);
}

// The input with good headers and checks around it, so that what lies behind them is reached: the
// directory of generation 7, with the records that the input tells.
void Behind(std::string_view text, const MemoryDirectory& directory) {
  constexpr uint64_t kGeneration = 7;
  uint64_t slots = TakeByte(text) % 8 + uint64_t{1};
  std::string base = EncodeCredentialHeader({CredentialFile::kBase, kGeneration, 1, slots});
  std::string delta = EncodeCredentialHeader({CredentialFile::kDelta, kGeneration, 1, 0});
  while (!text.empty()) {
    uint8_t how = TakeByte(text);
    CredentialRecord record;
    record.key = MakeCredentialKey("pk", how % 2 == 0 ? "d1" : "");
    record.kind = how & 2 ? CredentialKind::kDevice : CredentialKind::kProduct;
    record.state = static_cast<CredentialState>(how >> 2 & 3);
    record.position = TakeByte(text);
    record.secret = std::string(text.substr(0, how >> 4 << 2));
    text.remove_prefix(record.secret.size());
    CredentialRecordBytes bytes = EncodeCredentialRecord(record);
    (how & 128 ? base : delta).append(bytes.data(), bytes.size());
  }
  base.resize(SlotOffset(slots));
  directory.Write(CredentialFileName(CredentialFile::kBase, kGeneration), base);
  directory.Write(CredentialFileName(CredentialFile::kDelta, kGeneration), delta);
  directory.Write(std::string(kCredentialCurrentFile), EncodeCurrent(kGeneration));
}

void Directory(std::string_view text) {
  static const MemoryDirectory directory;
  if (TakeByte(text) == 'b') {
    Behind(text, directory);
  } else {
    // As they are: CURRENT, an empty line, how long the base is, base, delta.
    directory.Write(std::string(kCredentialCurrentFile), TakeUntil(text, "\n\n"));
    size_t base = std::min<size_t>(TakeByte(text), text.size());
    directory.Write("base-7", text.substr(0, base));
    directory.Write("delta-7", text.substr(base));
  }
  ReadDirectory(directory.path());
}

void Records(std::string_view text) {
  std::string_view bytes = text.substr(0, kCredentialRecordBytes);
  if (bytes.size() == kCredentialRecordBytes && !IsAbsentRecord(bytes)) {
    std::optional<CredentialRecord> record = DecodeCredentialRecord(bytes);
    if (record) {
      CredentialRecordBytes again = EncodeCredentialRecord(*record);
      Assert(DecodeCredentialRecord({again.data(), again.size()}) == record,
             "it is written as read");
    }
  }
  (void)DecodeCredentialHeader(text);
  std::optional<uint64_t> current = DecodeCurrent(text);
  if (current) Assert(DecodeCurrent(EncodeCurrent(*current)) == current, "it is written as read");
}

// `NAME VALUE` lines.
void Options(std::string_view text) {
  std::vector<std::pair<std::string_view, std::string_view>> options;
  while (!text.empty()) {
    std::string_view value = TakeUntil(text, "\n");
    std::string_view name = TakeUntil(value, " ");
    options.emplace_back(name, value);
  }
  Result<GateOptions> parsed = ParseGateOptions(options);
  Assert(parsed.ok() || !parsed.status().message().empty(), "a refusal says why");
}

}  // namespace
}  // namespace updraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view text = Text(data, size);
  switch (TakeByte(text)) {
    case 'f':
      Directory(text);
      break;
    case 'o':
      Options(text);
      break;
    default:
      Records(text);
      break;
  }
  return 0;
}
