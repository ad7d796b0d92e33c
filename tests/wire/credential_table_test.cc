#include "adapters/wire/credential_table.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <catch2/catch.hpp>

#include "adapters/wire/credential_reader.h"
#include "adapters/wire/credential_writer.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;

constexpr size_t kManyRecords = 1'000'000;

// A directory that goes away with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = (fs::temp_directory_path() / "updraft-credentials-XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~TemporaryDirectory() { fs::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

CredentialRecord Device(const std::string& name, const std::string& secret, uint64_t position,
                        CredentialState state = CredentialState::kEnabled) {
  return DeviceCredential("pk", name, state, secret, position);
}

CredentialWriter WriteBase(const std::string& dir, uint64_t generation, uint64_t position,
                           const std::vector<CredentialRecord>& records) {
  Result<CredentialBase> base = CredentialBase::Create(dir, generation, position, records.size());
  REQUIRE(base.ok());
  for (const CredentialRecord& record : records) REQUIRE(base->Add(record).ok());
  Result<CredentialWriter> writer = (*std::move(base)).Finish();
  REQUIRE(writer.ok());
  return *std::move(writer);
}

// Reads all there is; the keys that changed, in order.
std::vector<CredentialKey> CatchUp(CredentialReader& reader) {
  std::vector<CredentialKey> changed;
  while (reader.CatchUp(kManyRecords, [&](const auto& c) { changed.push_back(c.key); }).more) {
  }
  return changed;
}

void Overwrite(const std::string& path, size_t offset, std::string_view bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.good());
}

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteWhole(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("a record is read as it was written", "[credentials]") {
  CredentialRecord record = Device(
      "dev-1", GENERATE("", "s", "0123456789abcdef"), 7,
      GENERATE(CredentialState::kEnabled, CredentialState::kDisabled, CredentialState::kDeleted));
  CredentialRecordBytes bytes = EncodeCredentialRecord(record);
  CHECK(DecodeCredentialRecord({bytes.data(), bytes.size()}) == record);
}

TEST_CASE("a product's record is read as it was written", "[credentials]") {
  CredentialRecord record = ProductCredential("pk", CredentialState::kDisabled, 7);
  CredentialRecordBytes bytes = EncodeCredentialRecord(record);
  CHECK(DecodeCredentialRecord({bytes.data(), bytes.size()}) == record);
}

TEST_CASE("a state or kind outside its range is no record, whatever its check", "[credentials]") {
  CredentialRecord record = Device("dev-1", "secret", 7);
  SECTION("state 0") { record.state = static_cast<CredentialState>(0); }
  SECTION("state 4") { record.state = static_cast<CredentialState>(4); }
  SECTION("kind 0") { record.kind = static_cast<CredentialKind>(0); }
  SECTION("kind 3") { record.kind = static_cast<CredentialKind>(3); }
  CredentialRecordBytes bytes = EncodeCredentialRecord(record);
  CHECK(DecodeCredentialRecord({bytes.data(), bytes.size()}) == std::nullopt);
}

TEST_CASE("the longest secret fits a record", "[credentials]") {
  CredentialRecord record = Device("dev-1", std::string(kSecretBytesMax, 'x'), 7);
  CredentialRecordBytes bytes = EncodeCredentialRecord(record);
  CHECK(DecodeCredentialRecord({bytes.data(), bytes.size()}) == record);
}

TEST_CASE("a record with any one byte changed is no record", "[credentials]") {
  CredentialRecordBytes bytes = EncodeCredentialRecord(Device("dev-1", "secret", 7));
  size_t at = GENERATE(range(size_t{0}, kCredentialRecordBytes));
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  CHECK(DecodeCredentialRecord({bytes.data(), bytes.size()}) == std::nullopt);
}

TEST_CASE("a record a byte short or long is no record", "[credentials]") {
  CredentialRecordBytes bytes = EncodeCredentialRecord(Device("dev-1", "secret", 7));
  std::string text(bytes.data(), bytes.size());
  CHECK(DecodeCredentialRecord(text + '\0') == std::nullopt);
  text.pop_back();
  CHECK(DecodeCredentialRecord(text) == std::nullopt);
}

TEST_CASE("zeros are an absent record and no record", "[credentials]") {
  std::string zeros(kCredentialRecordBytes, '\0');
  CHECK(IsAbsentRecord(zeros));
  CHECK(DecodeCredentialRecord(zeros) == std::nullopt);
}

TEST_CASE("a header with any one byte changed is no header", "[credentials]") {
  CredentialHeader header = {
      .file = CredentialFile::kBase, .generation = 3, .position = 9, .slots = 4};
  std::string bytes = EncodeCredentialHeader(header);
  REQUIRE(DecodeCredentialHeader(bytes) == header);
  size_t at = GENERATE(range(size_t{0}, kCredentialHeaderBytes));
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  CHECK(DecodeCredentialHeader(bytes) == std::nullopt);
}

TEST_CASE("a base without slots and a delta with some are no headers", "[credentials]") {
  CredentialHeader base = {
      .file = CredentialFile::kBase, .generation = 3, .position = 9, .slots = 0};
  CredentialHeader delta = {
      .file = CredentialFile::kDelta, .generation = 3, .position = 9, .slots = 1};
  CHECK(DecodeCredentialHeader(EncodeCredentialHeader(base)) == std::nullopt);
  CHECK(DecodeCredentialHeader(EncodeCredentialHeader(delta)) == std::nullopt);
}

TEST_CASE("CURRENT names a generation or nothing", "[credentials]") {
  CHECK(DecodeCurrent("12\n") == 12);
  CHECK(DecodeCurrent(EncodeCurrent(UINT64_MAX)) == UINT64_MAX);
  for (const char* text : {"", "\n", "12", "-1\n", "12x\n", " 12\n", "18446744073709551616\n"}) {
    CHECK(DecodeCurrent(text) == std::nullopt);
  }
}

TEST_CASE("where one name ends and the next begins is part of a key", "[credentials]") {
  CHECK(MakeCredentialKey("ab", "c") != MakeCredentialKey("a", "bc"));
  CHECK(MakeCredentialKey("ab", "") != MakeCredentialKey("", "ab"));
}

TEST_CASE("every record of a base is found, and no other", "[credentials]") {
  TemporaryDirectory dir;
  int count = GENERATE(0, 1, 2, 1000);
  std::vector<CredentialRecord> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(Device("dev-" + std::to_string(i), "secret-" + std::to_string(i), 5));
  }
  WriteBase(dir.path(), 1, 5, records);

  CredentialReader reader(dir.path());
  CHECK(CatchUp(reader).empty());
  CHECK(reader.generation() == 1);
  CHECK(reader.position() == 5);
  for (const CredentialRecord& record : records) CHECK(reader.Find(record.key) == record);
  CHECK(reader.Find(MakeCredentialKey("pk", "stranger")) == std::nullopt);
  CHECK(reader.TakeProblems().empty());
}

TEST_CASE("a base takes the records it was made for and none more", "[credentials]") {
  TemporaryDirectory dir;
  Result<CredentialBase> base = CredentialBase::Create(dir.path(), 1, 0, 1);
  REQUIRE(base.ok());
  CHECK(base->Add(Device("dev-1", "a", 1)).ok());
  CHECK(base->Add(Device("dev-2", "a", 1)).code() == StatusCode::kResourceExhausted);
}

TEST_CASE("a change counts as soon as it is appended", "[credentials]") {
  TemporaryDirectory dir;
  CredentialWriter writer = WriteBase(dir.path(), 1, 5, {Device("old", "a", 5)});
  CredentialReader reader(dir.path());
  CatchUp(reader);

  CredentialRecord fresh = Device("new", "b", 6);
  CredentialRecord disabled = Device("old", "a", 7, CredentialState::kDisabled);
  REQUIRE(writer.Append(std::array{fresh, disabled}).ok());
  CHECK(CatchUp(reader) == std::vector{fresh.key, disabled.key});
  CHECK(reader.Find(fresh.key) == fresh);
  CHECK(reader.Find(disabled.key) == disabled);
  CHECK(reader.position() == 7);
  CHECK(writer.position() == 7);
}

TEST_CASE("a delta is read in steps no longer than asked for", "[credentials]") {
  TemporaryDirectory dir;
  CredentialWriter writer = WriteBase(dir.path(), 1, 0, {});
  REQUIRE(writer.Append(std::array{Device("a", "s", 1), Device("b", "s", 2), Device("c", "s", 3)})
              .ok());
  CredentialReader reader(dir.path());
  int changes = 0;
  auto count = [&](const CredentialRecord&) { ++changes; };
  CHECK(reader.CatchUp(2, count).more);
  CHECK(changes == 2);
  CHECK(reader.position() == 2);
  CHECK_FALSE(reader.CatchUp(2, count).more);
  CHECK(changes == 3);
}

TEST_CASE("a record that is half written waits for its other half", "[credentials]") {
  TemporaryDirectory dir;
  WriteBase(dir.path(), 1, 0, {});
  std::string delta = ReadWhole(dir.File("delta-1"));
  CredentialRecord record = Device("a", "s", 1);
  CredentialRecordBytes bytes = EncodeCredentialRecord(record);
  CredentialReader reader(dir.path());
  for (size_t half : {size_t{1}, kCredentialRecordBytes - 1}) {
    WriteWhole(dir.File("delta-1"), delta + std::string(bytes.data(), half));
    CHECK(CatchUp(reader).empty());
  }
  WriteWhole(dir.File("delta-1"), delta + std::string(bytes.data(), bytes.size()));
  CHECK(CatchUp(reader) == std::vector{record.key});
  CHECK(reader.TakeProblems().empty());
}

TEST_CASE("a new generation takes the place of the old", "[credentials]") {
  TemporaryDirectory dir;
  CredentialWriter writer = WriteBase(dir.path(), 1, 0, {Device("a", "s", 0)});
  REQUIRE(writer.Append(std::array{Device("b", "s", 1)}).ok());
  CredentialReader reader(dir.path());
  CatchUp(reader);

  WriteBase(dir.path(), 2, 9, {Device("b", "other", 1)});
  CHECK(reader.CatchUp(kManyRecords, [](const auto&) {}).new_generation);
  CHECK(reader.position() == 9);
  CHECK(reader.Find(MakeCredentialKey("pk", "a")) == std::nullopt);
  CHECK(reader.Find(MakeCredentialKey("pk", "b"))->secret == "other");
  CHECK_FALSE(fs::exists(dir.File("base-1")));
  CHECK_FALSE(fs::exists(dir.File("delta-1")));
}

TEST_CASE("no change is missed when a new generation comes before the old delta is read",
          "[credentials]") {
  TemporaryDirectory dir;
  CredentialWriter writer = WriteBase(dir.path(), 1, 0, {});
  CredentialReader reader(dir.path());
  CatchUp(reader);
  const std::array old = {Device("a", "s", 1), Device("b", "s", 2), Device("c", "s", 3)};
  REQUIRE(writer.Append(old).ok());
  CredentialWriter next = WriteBase(dir.path(), 2, 3, {old[0], old[1], old[2]});
  REQUIRE(next.Append(std::array{Device("d", "s", 4)}).ok());

  std::vector<CredentialKey> changed;
  auto note = [&](const CredentialRecord& record) { changed.push_back(record.key); };
  CredentialReader::Progress progress = reader.CatchUp(2, note);
  CHECK_FALSE(progress.new_generation);
  CHECK(progress.more);
  CHECK(reader.CatchUp(2, note).new_generation);
  CHECK(changed == std::vector{old[0].key, old[1].key, old[2].key, MakeCredentialKey("pk", "d")});
  CHECK(reader.generation() == 2);
  CHECK(reader.position() == 4);
}

TEST_CASE("a writer goes on where the one before stopped", "[credentials]") {
  TemporaryDirectory dir;
  {
    CredentialWriter writer = WriteBase(dir.path(), 4, 5, {});
    REQUIRE(writer.Append(std::array{Device("a", "s", 6), Device("b", "s", 8)}).ok());
  }
  Result<CredentialWriter> writer = CredentialWriter::Open(dir.path());
  REQUIRE(writer.ok());
  CHECK(writer->generation() == 4);
  CHECK(writer->position() == 8);
  CHECK(writer->delta_records() == 2);
  REQUIRE(writer->Append(std::array{Device("c", "s", 9)}).ok());

  CredentialReader reader(dir.path());
  CHECK(CatchUp(reader).size() == 3);
}

TEST_CASE("a writer opens nothing where nothing is", "[credentials]") {
  TemporaryDirectory dir;
  CHECK(CredentialWriter::Open(dir.path()).status().code() == StatusCode::kNotFound);
}

TEST_CASE("a writer does not go on behind a torn or damaged record", "[credentials]") {
  TemporaryDirectory dir;
  {
    CredentialWriter writer = WriteBase(dir.path(), 1, 0, {});
    REQUIRE(writer.Append(std::array{Device("a", "s", 1), Device("b", "s", 2)}).ok());
  }
  std::string good = ReadWhole(dir.File("delta-1"));
  SECTION("torn") { WriteWhole(dir.File("delta-1"), good.substr(0, good.size() - 1)); }
  SECTION("damaged") { Overwrite(dir.File("delta-1"), kCredentialHeaderBytes, "x"); }
  CHECK(CredentialWriter::Open(dir.path()).status().code() == StatusCode::kDataLoss);
}

TEST_CASE("a damaged record of the delta is skipped and told, those after it count",
          "[credentials]") {
  TemporaryDirectory dir;
  CredentialWriter writer = WriteBase(dir.path(), 1, 0, {});
  REQUIRE(writer.Append(std::array{Device("a", "s", 1), Device("b", "s", 2)}).ok());
  Overwrite(dir.File("delta-1"), DeltaRecordOffset(0) + 30, "x");
  CredentialReader reader(dir.path());
  CHECK(CatchUp(reader) == std::vector{MakeCredentialKey("pk", "b")});
  CHECK(reader.damaged_records() == 1);
  CHECK(reader.TakeProblems().size() == 1);
}

TEST_CASE("a damaged record of the base hides its device and no other", "[credentials]") {
  TemporaryDirectory dir;
  std::vector<CredentialRecord> records;
  for (int i = 0; i < 100; ++i) records.push_back(Device("dev-" + std::to_string(i), "s", 0));
  WriteBase(dir.path(), 1, 0, records);
  std::string base = ReadWhole(dir.File("base-1"));
  size_t at = base.find(std::string_view(
      reinterpret_cast<const char*>(records[50].key.bytes.data()), records[50].key.bytes.size()));
  REQUIRE(at != std::string::npos);
  Overwrite(dir.File("base-1"), at + 30, "x");

  CredentialReader reader(dir.path());
  CatchUp(reader);
  for (size_t i = 0; i < records.size(); ++i) {
    CHECK(reader.Find(records[i].key).has_value() == (i != 50));
  }
  CHECK(reader.damaged_records() > 0);
}

TEST_CASE("a damaged generation is told once and the last good one stays", "[credentials]") {
  TemporaryDirectory dir;
  WriteBase(dir.path(), 1, 3, {Device("a", "s", 1)});
  CredentialReader reader(dir.path());
  CatchUp(reader);

  SECTION("CURRENT is empty") { WriteWhole(dir.File("CURRENT"), ""); }
  SECTION("CURRENT is noise") { WriteWhole(dir.File("CURRENT"), std::string(100, '\xff')); }
  SECTION("CURRENT is gone") { fs::remove(dir.File("CURRENT")); }
  SECTION("CURRENT names what is not there") { WriteWhole(dir.File("CURRENT"), "7\n"); }
  SECTION("the new base has a damaged header") {
    WriteBase(dir.path(), 2, 4, {});
    Overwrite(dir.File("base-2"), 16, "\x07");
  }
  SECTION("the new base is cut short") {
    WriteBase(dir.path(), 2, 4, {});
    fs::resize_file(dir.File("base-2"), fs::file_size(dir.File("base-2")) - 1);
  }
  SECTION("the new delta is gone") {
    WriteBase(dir.path(), 2, 4, {});
    fs::remove(dir.File("delta-2"));
  }
  SECTION("the new delta is a base") {
    WriteBase(dir.path(), 2, 4, {});
    fs::copy_file(dir.File("base-2"), dir.File("delta-2"), fs::copy_options::overwrite_existing);
  }
  for (int i = 0; i < 3; ++i) CHECK(CatchUp(reader).empty());
  CHECK(reader.generation() == 1);
  CHECK(reader.position() == 3);
  CHECK(reader.Find(MakeCredentialKey("pk", "a")).has_value());
  CHECK(reader.TakeProblems().size() == 1);

  WriteBase(dir.path(), 3, 5, {});
  CatchUp(reader);
  CHECK(reader.generation() == 3);
}

TEST_CASE("files cut short under the reader hide devices and do no harm", "[credentials]") {
  TemporaryDirectory dir;
  CredentialWriter writer = WriteBase(dir.path(), 1, 3, {Device("a", "s", 1)});
  REQUIRE(writer.Append(std::array{Device("b", "s", 4)}).ok());
  CredentialReader reader(dir.path());
  CatchUp(reader);
  fs::resize_file(dir.File("base-1"), 10);
  fs::resize_file(dir.File("delta-1"), 10);
  CHECK(CatchUp(reader).empty());
  CHECK(reader.Find(MakeCredentialKey("pk", "a")) == std::nullopt);
  CHECK(reader.Find(MakeCredentialKey("pk", "b")).has_value());
}

TEST_CASE("a search through a base without end stops", "[credentials]") {
  TemporaryDirectory dir;
  constexpr uint64_t kSlots = 3 * kProbesMax;
  CredentialWriter writer = WriteBase(dir.path(), 1, 0, {});
  CredentialRecordBytes filler = EncodeCredentialRecord(Device("filler", "s", 0));
  std::string base = EncodeCredentialHeader(
      {.file = CredentialFile::kBase, .generation = 1, .position = 0, .slots = kSlots});
  for (uint64_t i = 0; i < kSlots; ++i) base.append(filler.data(), filler.size());
  WriteWhole(dir.File("base-1"), base);
  CredentialReader reader(dir.path());
  CatchUp(reader);
  REQUIRE(reader.generation() == 1);
  CHECK(reader.Find(MakeCredentialKey("pk", "a")) == std::nullopt);
}

}  // namespace updraft
