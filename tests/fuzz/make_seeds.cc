// Writes the seeds of log_fuzz and world_fuzz that nobody writes by hand: `make_seeds CORPUS`, with
// CORPUS as tests/fuzz/corpus. Needed again only when a format changes.
#include <filesystem>
#include <fstream>
#include <string>

#include "events/base/assert.h"
#include "events/log/checkpoint_file.h"
#include "events/log/export_file.h"
#include "events/log/memory_log.h"
#include "projections/saved_world.h"
#include "tests/fuzz/small_fleet.h"

namespace updraft {
namespace {

SealedCommit Commit(const LogHead& head) {
  CommitWriter writer;
  writer.Add().initEngineStarted().setBuild("seed");
  auto product = writer.Add().initProductCreated();
  product.setProduct(1);
  product.setProductKey("a1pk");
  product.setName("lamp");
  writer.Add().initTaskFailed().setTask(7);
  writer.Add().initProgressReported().setTask(7);
  return writer.Seal({.first = Seq(head.last.value() + 1),
                      .time_ms = head.time_ms + 1000,
                      .epoch = Epoch(1),
                      .engine_number = 1,
                      .previous_hash = head.hash});
}

std::string Content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void Make(const std::string& corpus) {
  const std::string dir = corpus + "/log";
  SideCipher cipher(std::string(SideCipher::kKeyBytes, 'k'));
  std::string work = dir + "/work";
  std::filesystem::create_directories(work);
  MemoryLog log;
  SealedCommit first = Commit(log.head());
  Write(dir + "/commit", "c" + first.bytes);
  Write(dir + "/export_commit", "E" + first.bytes);
  Assert(log.Append(first, std::vector<SideWrite>{{"d1", "lamp-1"}}).ok(), "it is the first");
  Assert(log.Append(Commit(log.head()), {}).ok(), "it follows");
  Assert(WriteExport(log, work + "/export", {.names = &cipher}).ok(), "it is exported");
  Write(dir + "/export", "e" + Content(work + "/export"));
  Result<CheckpointWriter> writer = CheckpointWriter::Begin(work, {.head = log.head()});
  Assert(writer.ok() && writer->Write("what a world is").ok() && writer->Commit().ok(), "written");
  Write(dir + "/checkpoint", "p" + Content(ListCheckpoints(work)->front()));
  std::string saved;
  Status done = SaveWorld(SmallFleet().world(), [&](std::string_view bytes) {
    saved += bytes;
    return OkStatus();
  });
  Assert(done.ok(), "a world is saved");
  Write(corpus + "/world/small", saved);
  std::filesystem::remove_all(work);
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  Assert(argc == 2, "make_seeds CORPUS");
  updraft::Make(argv[1]);
}
