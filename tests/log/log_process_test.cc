// A log between processes: one writes, others look on, and any may be killed.

#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events/log/rocks_log.h"
#include "tests/log/sample_commits.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

// log_writer, which lies beside this program.
class WriterProcess {
 public:
  WriterProcess(const std::string& dir, const std::string& key, size_t bytes, int count) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    std::string program =
        std::filesystem::read_symlink("/proc/self/exe").parent_path() / "log_writer";
    std::vector<std::string> words = {program, dir, key, std::to_string(bytes),
                                      std::to_string(count)};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    REQUIRE(posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    acknowledged_.reset(fdopen(ends[0], "r"));
  }
  ~WriterProcess() { Kill(); }

  // Waits for the next number that it prints; false when it has ended.
  bool Next() {
    unsigned long number = 0;
    if (std::fscanf(acknowledged_.get(), "%lu", &number) != 1) return false;
    last_ = number;
    return true;
  }
  // The last event that it acknowledged, as far as Next has read.
  uint64_t last() const { return last_; }

  // Kills it and reads what it had still printed.
  void Kill() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
    while (Next()) {
    }
  }

 private:
  struct CloseStream {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  pid_t pid_ = 0;
  std::unique_ptr<std::FILE, CloseStream> acknowledged_;
  uint64_t last_ = 0;
};

}  // namespace

TEST_CASE("no acknowledged commit is lost when the writer is killed", "[log]") {
  TempDir temp;
  for (int round = 1; round <= 10; ++round) {
    CAPTURE(round);
    WriterProcess writer(temp / "log", temp / "key", 300, 1'000'000);
    for (int i = 0; i < 23 * round; ++i) REQUIRE(writer.Next());
    writer.Kill();
    auto log = RocksLog::Open({.dir = temp / "log", .read_only = true});
    REQUIRE(log.status().ToString() == "OK");
    CHECK((*log)->head().last >= Seq(writer.last()));
    CHECK(ReadAll(**log).status.ToString() == "OK");
  }
}

TEST_CASE("the log of another process is not written by this one", "[log]") {
  TempDir temp;
  WriterProcess writer(temp / "log", temp / "key", 300, 1'000'000);
  REQUIRE(writer.Next());
  RocksLogOptions options = {.dir = temp / "log", .sidecar_key_path = temp / "key"};
  Status refused = RocksLog::Open(options).status();
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(refused.message(), Catch::Contains("in use by another engine"));
  writer.Kill();
  CHECK(RocksLog::Open(options).ok());
}

TEST_CASE("a log is read whole beside the process that writes it", "[log]") {
  TempDir temp;
  // Enough for its write-ahead logs to become tables, and be removed, several times.
  constexpr size_t kBytes = 500'000;
  constexpr int kCount = 250;
  WriterProcess writer(temp / "log", temp / "key", kBytes, kCount);
  std::atomic<uint64_t> acknowledged = 0;
  std::atomic<bool> ended = false;
  REQUIRE(writer.Next());
  std::thread listener([&] {
    while (writer.Next()) acknowledged = writer.last();
    ended = true;
  });
  int readings = 0;
  std::vector<std::string> faults;
  while (!ended) {
    const uint64_t before = acknowledged;
    auto log = RocksLog::Open({.dir = temp / "log", .read_only = true});
    if (!log.ok()) {
      faults.push_back(log.status().ToString());
      break;
    }
    if ((*log)->head().last < Seq(before)) faults.push_back("an acknowledged commit is not there");
    Status read = ReadAll(**log).status;
    if (!read.ok()) faults.push_back(read.ToString());
    ++readings;
  }
  listener.join();
  CHECK(faults == std::vector<std::string>{});
  CHECK(readings > 0);
}

}  // namespace updraft
