// A process that writes a log, for tests that read it meanwhile or kill it.
//
//   log_writer DIR KEY_FILE BYTES COUNT
//
// Appends COUNT commits of about BYTES each and prints the head's number once open and after each.

#include <cstdio>
#include <cstdlib>

#include "events/base/bytes.h"
#include "events/log/rocks_log.h"

namespace updraft {
namespace {

Status Run(const RocksLogOptions& options, size_t bytes, int count) {
  ASSIGN_OR_RETURN(auto log, RocksLog::Open(options));
  std::printf("%lu\n", log->head().last.value());
  CommitWriter writer;
  for (int i = 0; i < count; ++i) {
    // Random, so that it does not shrink.
    writer.Add().initEngineStarted().setBuild(HexLower(RandomBytes(bytes / 2)));
    const LogHead head = log->head();
    RETURN_IF_ERROR(log->Append(writer.Seal({.first = Seq(head.last.value() + 1),
                                             .time_ms = head.time_ms + 1,
                                             .epoch = Epoch(1),
                                             .engine_number = 3,
                                             .previous_hash = head.hash}),
                                {}));
    std::printf("%lu\n", log->head().last.value());
  }
  return OkStatus();
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  updraft::Status status =
      updraft::Run({.dir = argv[1], .create = true, .sidecar_key_path = argv[2]},
                   std::strtoul(argv[3], nullptr, 10), std::atoi(argv[4]));
  if (!status.ok()) std::fprintf(stderr, "log_writer: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
