#include "events/log/checkpoint_file.h"

#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/log/sample_commits.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

CheckpointMark MarkAt(uint32_t events) {
  return {.head = HeadAfter(After({}, {.events = events})),
          .digest_version = 1,
          .digest_high = 0x0102030405060708,
          .digest_low = ~0ull};
}

void Make(const std::string& dir, const CheckpointMark& mark, const std::string& content) {
  Result<CheckpointWriter> writer = CheckpointWriter::Begin(dir, mark);
  REQUIRE(writer.status().ToString() == "OK");
  REQUIRE(writer->Write(content.substr(0, content.size() / 3)).ok());
  REQUIRE(writer->Write(content.substr(content.size() / 3)).ok());
  REQUIRE(writer->Commit().ToString() == "OK");
}

// All of a checkpoint of `size` bytes.
Result<std::string> Load(const std::string& path, size_t size) {
  ASSIGN_OR_RETURN(CheckpointReader reader, CheckpointReader::Open(path));
  std::string content(size, '\0');
  RETURN_IF_ERROR(reader.Read(content.data(), size / 2));
  RETURN_IF_ERROR(reader.Read(content.data() + size / 2, size - size / 2));
  RETURN_IF_ERROR(reader.Finish());
  return content;
}

}  // namespace

TEST_CASE("whoever makes a checkpoint may rest after each of its pieces", "[log]") {
  TempDir temp;
  int rests = 0;
  Result<CheckpointWriter> writer =
      CheckpointWriter::Begin(temp.path(), MarkAt(2), [&] { ++rests; });
  REQUIRE(writer.ok());
  REQUIRE(writer->Write(std::string(1 << 20, 'x')).ok());
  CHECK(rests == 8);  // None is so large that an fsync of the log would wait long for it.
}

TEST_CASE("a checkpoint is read back with its mark", "[log]") {
  TempDir temp;
  const size_t chunk = 1 << 20;
  for (size_t size : {size_t{0}, size_t{1}, chunk - 1, chunk, chunk + 1, 3 * chunk}) {
    CAPTURE(size);
    std::string content;
    for (size_t i = 0; i < size; ++i) content += static_cast<char>(i * 7 >> 3);
    const std::string dir = temp / fmt::format("{}", size);
    Make(dir, MarkAt(9), content);
    const std::string path = ListCheckpoints(dir)->front();
    CHECK(CheckpointReader::Open(path)->mark() == MarkAt(9));
    CHECK((*Load(path, size) == content));
  }
}

TEST_CASE("the two newest checkpoints stay, the newest listed first", "[log]") {
  TempDir temp;
  CHECK(ListCheckpoints(temp / "none")->empty());
  for (uint32_t events : {2, 9, 10, 100}) Make(temp.path(), MarkAt(events), "state");
  std::vector<std::string> paths = *ListCheckpoints(temp.path());
  REQUIRE(paths.size() == 2);
  CHECK(CheckpointReader::Open(paths[0])->mark() == MarkAt(100));
  CHECK(CheckpointReader::Open(paths[1])->mark() == MarkAt(10));
}

TEST_CASE("a checkpoint that was not committed is none", "[log]") {
  TempDir temp;
  {
    Result<CheckpointWriter> writer = CheckpointWriter::Begin(temp.path(), MarkAt(2));
    REQUIRE(writer.ok());
    REQUIRE(writer->Write("state").ok());
    CHECK(ListCheckpoints(temp.path())->empty());
  }
  CHECK(std::filesystem::is_empty(temp.path()));
  std::ofstream(temp / "checkpoint-00000000000000000002.new") << "left by a kill";
  CHECK(ListCheckpoints(temp.path())->empty());
  Make(temp.path(), MarkAt(3), "state");
  CHECK(ListCheckpoints(temp.path())->size() == 1);
  CHECK_FALSE(std::filesystem::exists(temp / "checkpoint-00000000000000000002.new"));
}

TEST_CASE("any changed or missing byte of a checkpoint is noticed", "[log]") {
  TempDir temp;
  const std::string content = "the state of a small world";
  Make(temp.path(), MarkAt(9), content);
  const std::string path = ListCheckpoints(temp.path())->front();
  const std::string whole = *ReadFile(path);
  for (size_t i = 0; i < whole.size(); ++i) {
    CAPTURE(i);
    std::string changed = whole;
    changed[i] ^= 0x10;
    std::ofstream(path, std::ios::binary) << changed;
    Status status = Load(path, content.size()).status();
    CHECK_FALSE(status.ok());
    CHECK_THAT(status.message(), Catch::Contains(path));
    std::ofstream(path, std::ios::binary) << whole.substr(0, i);
    CHECK(Load(path, content.size()).status().code() == StatusCode::kDataLoss);
  }
  std::ofstream(path, std::ios::binary) << whole << '\0';
  CHECK(Load(path, content.size()).status().code() == StatusCode::kDataLoss);
}

TEST_CASE("more or less in a checkpoint than is looked for is damage", "[log]") {
  TempDir temp;
  Make(temp.path(), MarkAt(9), "state");
  const std::string path = ListCheckpoints(temp.path())->front();
  CHECK(Load(path, 5).ok());
  CHECK(Load(path, 4).status().code() == StatusCode::kDataLoss);
  CHECK(Load(path, 6).status().code() == StatusCode::kDataLoss);
}

TEST_CASE("checkpoints of later events are of another log and make room", "[log]") {
  TempDir temp;
  for (uint32_t events : {100, 200, 50}) Make(temp.path(), MarkAt(events), "state");
  std::vector<std::string> paths = *ListCheckpoints(temp.path());
  REQUIRE(paths.size() == 1);
  CHECK(CheckpointReader::Open(paths[0])->mark() == MarkAt(50));
  Make(temp.path(), MarkAt(60), "state");
  paths = *ListCheckpoints(temp.path());
  REQUIRE(paths.size() == 2);
  CHECK(CheckpointReader::Open(paths[0])->mark() == MarkAt(60));
}

}  // namespace updraft
