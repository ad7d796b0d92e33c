#include "events/log/export_file.h"

#include <algorithm>
#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "events/base/format.h"
#include "events/log/audit.h"
#include "events/log/memory_log.h"
#include "tests/log/log_content.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

using Catch::Contains;

const SideCipher& Cipher() {
  static const SideCipher cipher(std::string(SideCipher::kKeyBytes, 'x'));
  return cipher;
}

// Commits of 1, 2, 3, … events, each with a name or two.
void Fill(EventLog& log, uint32_t commits) {
  for (uint32_t i = 1; i <= commits; ++i) {
    std::vector<SideWrite> side = {SideWrite{fmt::format("d{}", i), fmt::format("Bob's {}", i)}};
    if (i % 2 == 0) side.push_back(SideWrite{fmt::format("t{}", i), ""});
    REQUIRE(log.Append(After(log.head(), {.events = i}), side).ok());
  }
}

std::unique_ptr<ExportFile> Open(const std::string& path, bool with_key = true) {
  auto file = ExportFile::Open(path, with_key ? std::optional(Cipher()) : std::nullopt);
  REQUIRE(file.status().ToString() == "OK");
  return *std::move(file);
}

// What importing the export into an empty log makes.
LogContent Imported(const ExportFile& file) {
  MemoryLog log;
  REQUIRE(file.Import(log).ToString() == "OK");
  return *ReadContent(log);
}

}  // namespace

TEST_CASE("an export is a log to read, and imports to the same log", "[log]") {
  TempDir temp;
  for (uint32_t commits : {0, 1, 5, 40}) {
    MemoryLog log;
    Fill(log, commits);
    const std::string path = temp / fmt::format("export-{}", commits);
    REQUIRE(WriteExport(log, path, {.names = &Cipher()}).ToString() == "OK");
    auto file = Open(path);
    CHECK(file->commits() == commits);
    CHECK(file->head() == log.head());
    CHECK(*ReadContent(*file) == *ReadContent(log));
    CHECK(VerifyLog(*file).verdict.ok());
    CHECK(Imported(*file) == *ReadContent(log));
  }
}

TEST_CASE("reading an export begins with the commit that holds the event asked for", "[log]") {
  TempDir temp;
  MemoryLog log;
  Fill(log, 4);
  REQUIRE(WriteExport(log, temp / "export").ok());
  auto file = Open(temp / "export");
  for (uint64_t first = 0; first <= 12; ++first) {
    CHECK(ReadAll(*file, Seq(first)).commits == ReadAll(log, Seq(first)).commits);
  }
}

TEST_CASE("an export without names holds none", "[log]") {
  TempDir temp;
  MemoryLog log;
  Fill(log, 3);
  REQUIRE(WriteExport(log, temp / "without").ok());
  auto file = Open(temp / "without", /*with_key=*/false);
  CHECK_FALSE(file->has_names());
  LogContent content = *ReadContent(*file);
  CHECK(content.side.empty());
  CHECK(content.commits == ReadContent(log)->commits);
  CHECK(file->ReadSide("d1").status().code() == StatusCode::kNotFound);
  CHECK(Imported(*file) == content);
}

TEST_CASE("names in an export are sealed and open with its key file only", "[log]") {
  TempDir temp;
  MemoryLog log;
  Fill(log, 3);
  REQUIRE(WriteExport(log, temp / "with", {.names = &Cipher()}).ok());
  CHECK(ReadFile(temp / "with")->find("Bob's") == std::string::npos);
  CHECK(*Open(temp / "with")->ReadSide("d2") == "Bob's 2");
  CHECK(Open(temp / "with")->ReadSide("d").status().code() == StatusCode::kNotFound);

  auto without_key = Open(temp / "with", /*with_key=*/false);
  CHECK(without_key->ReadSide("d2").status().code() == StatusCode::kFailedPrecondition);
  MemoryLog empty;
  CHECK(without_key->Import(empty).code() == StatusCode::kFailedPrecondition);
  CHECK(VerifyLog(*without_key).verdict.ok());

  auto other = ExportFile::Open(temp / "with", SideCipher(std::string(32, 'o')));
  REQUIRE(other.ok());
  CHECK((*other)->ReadSide("d2").status().code() == StatusCode::kDataLoss);
}

TEST_CASE("an excerpt holds whole commits from the first event asked for to the last", "[log]") {
  TempDir temp;
  MemoryLog log;
  Fill(log, 4);  // Events 1, 2 to 3, 4 to 6, 7 to 10.
  auto excerpt = [&](uint64_t from, std::optional<Seq> to) {
    const std::string path = temp / fmt::format("{}-{}", from, to.value_or(Seq(0)));
    REQUIRE(WriteExport(log, path, {.from = Seq(from), .to = to}).ok());
    auto file = Open(path);
    return std::pair(file->first().value(), file->head().last.value());
  };
  CHECK(excerpt(1, Seq(3)) == std::pair<uint64_t, uint64_t>(1, 3));
  CHECK(excerpt(1, Seq(4)) == std::pair<uint64_t, uint64_t>(1, 6));
  CHECK(excerpt(3, Seq(6)) == std::pair<uint64_t, uint64_t>(2, 6));
  CHECK(excerpt(7, std::nullopt) == std::pair<uint64_t, uint64_t>(7, 10));
  CHECK(excerpt(1, Seq(99)) == std::pair<uint64_t, uint64_t>(1, 10));
  CHECK(excerpt(11, std::nullopt) == std::pair<uint64_t, uint64_t>(0, 0));

  for (ExportOptions options : {ExportOptions{.from = Seq(2)}, ExportOptions{.to = Seq(9)}}) {
    options.names = &Cipher();
    CHECK(WriteExport(log, temp / "named", options).code() == StatusCode::kInvalidArgument);
  }
  CHECK_FALSE(std::filesystem::exists(temp / "named"));
}

TEST_CASE("an excerpt continues a log that ends where it begins, and no other", "[log]") {
  TempDir temp;
  MemoryLog log;
  Fill(log, 4);
  REQUIRE(WriteExport(log, temp / "begin", {.to = Seq(3)}).ok());
  REQUIRE(WriteExport(log, temp / "rest", {.from = Seq(4)}).ok());
  MemoryLog copy;
  CHECK(Open(temp / "rest")->Import(copy).code() == StatusCode::kAborted);
  REQUIRE(Open(temp / "begin")->Import(copy).ok());
  REQUIRE(Open(temp / "rest")->Import(copy).ok());
  CHECK(copy.head() == log.head());
}

TEST_CASE("names are imported into an empty log only", "[log]") {
  TempDir temp;
  MemoryLog log;
  Fill(log, 2);
  REQUIRE(WriteExport(log, temp / "export", {.names = &Cipher()}).ok());
  MemoryLog used;
  Fill(used, 1);
  CHECK(Open(temp / "export")->Import(used).code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("an export is not written over, nor written to", "[log]") {
  TempDir temp;
  MemoryLog log;
  Fill(log, 2);
  REQUIRE(WriteExport(log, temp / "export").ok());
  CHECK(WriteExport(log, temp / "export").code() == StatusCode::kAlreadyExists);
  auto file = Open(temp / "export");
  CHECK(file->Append(After(file->head()), {}).code() == StatusCode::kFailedPrecondition);
  CHECK(file->Confirm().code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("every changed byte of an export is noticed, and the first bad commit named", "[log]") {
  TempDir temp;
  MemoryLog log;
  Fill(log, 4);
  REQUIRE(WriteExport(log, temp / "export", {.names = &Cipher()}).ok());
  const std::string whole = *ReadFile(temp / "export");
  // Where each commit begins: behind the header of 16 bytes, each with 36 before its own bytes.
  std::vector<size_t> begins = {16};
  std::vector<Seq> lasts = {Seq(0)};
  for (const std::string& bytes : ReadAll(log).commits) {
    begins.push_back(begins.back() + 36 + bytes.size());
    lasts.push_back(CommitReader::Open(bytes)->last());
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    for (int bit : {0, 7}) {
      CAPTURE(i, bit);
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ 1 << bit);
      std::ofstream(temp / "changed", std::ios::binary) << changed;
      Status status = ExportFile::Open(temp / "changed", Cipher()).status();
      CHECK_FALSE(status.ok());
      CHECK_THAT(status.message(), Contains(temp / "changed"));
      auto next = std::upper_bound(begins.begin(), begins.end(), i);
      if (next == begins.begin() || next == begins.end()) continue;
      CHECK(status.code() == StatusCode::kDataLoss);
      const Seq before = lasts[static_cast<size_t>(next - begins.begin()) - 1];
      CHECK_THAT(status.message(), Contains(fmt::format("the commit after event {}:", before)));
    }
  }
}

TEST_CASE("an export cut short anywhere, or with more behind it, is refused", "[log]") {
  TempDir temp;
  MemoryLog log;
  Fill(log, 2);
  REQUIRE(WriteExport(log, temp / "export", {.names = &Cipher()}).ok());
  const std::string whole = *ReadFile(temp / "export");
  for (size_t size = 0; size < whole.size(); ++size) {
    std::ofstream(temp / "cut", std::ios::binary) << whole.substr(0, size);
    CHECK_FALSE(ExportFile::Open(temp / "cut").ok());
  }
  std::ofstream(temp / "longer", std::ios::binary) << whole << '\0';
  CHECK_FALSE(ExportFile::Open(temp / "longer").ok());
}

TEST_CASE("what is no export, or of a newer build, is told apart from damage", "[log]") {
  TempDir temp;
  MemoryLog log;
  REQUIRE(WriteExport(log, temp / "export").ok());
  std::string newer = *ReadFile(temp / "export");
  newer[8] = 2;
  std::ofstream(temp / "newer", std::ios::binary) << newer;
  CHECK_THAT(ExportFile::Open(temp / "newer").status().message(), Contains("newer build"));
  std::ofstream(temp / "text") << "some text";
  CHECK_THAT(ExportFile::Open(temp / "text").status().message(), Contains("no export of a log"));
  CHECK(ExportFile::Open(temp / "nothing").status().code() == StatusCode::kNotFound);
  CHECK(ExportFile::Open(temp.path()).status().code() == StatusCode::kFailedPrecondition);
}

}  // namespace updraft
