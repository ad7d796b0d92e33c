// Servers from Debian's packages to compare with, each started for a bench with data of its own in
// an empty directory, reachable on loopback only, and stopped with its object. They die with the
// bench, however that ends.
//
// Thread-safety: none. Start them before an engine is opened in the process: they are forked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "bench/bench.h"

namespace updraft {

// The path of an installed program: of the PATH, or of where Debian keeps servers. Empty when there
// is none.
std::string FindProgram(std::string_view name);

// A free port of loopback. Somebody else may take it before it is used; nobody does in a bench.
uint16_t FreePort();

// A program that runs until its object goes.
class ChildProcess {
 public:
  // `user`: whom it runs as when we are root; empty for us. Its output goes to `output_path`.
  ChildProcess(const std::vector<std::string>& command, const std::string& user,
               const std::string& output_path, int stop_signal);
  // Sends `stop_signal` and waits.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  // Waits for it to end by itself; whether it ended well.
  bool Wait();

 private:
  pid_t pid_ = -1;
  int stop_signal_;
  bool ended_ = false;
};

// PostgreSQL 15 with its defaults: fsync on, synchronous_commit on. Reached by a unix socket, which
// is to its advantage.
class PostgresServer {
 public:
  // Null, with a word of Bench::Skip, when it is not installed.
  static std::unique_ptr<PostgresServer> Start(Bench& bench);
  // For PQconnectdb.
  std::string conninfo() const { return "host=" + dir_ + " dbname=postgres user=bench"; }

 private:
  explicit PostgresServer(std::string dir) : dir_(std::move(dir)) {}

  const std::string dir_;
  std::unique_ptr<ChildProcess> process_;
};

// Redis 7: an append-only file that is synced before each answer.
class RedisServer {
 public:
  static std::unique_ptr<RedisServer> Start(Bench& bench);
  const std::string& socket_path() const { return socket_path_; }

 private:
  std::string socket_path_;
  std::unique_ptr<ChildProcess> process_;
};

// NATS with JetStream in files, as it comes: it does not sync before it acknowledges.
class NatsServer {
 public:
  static std::unique_ptr<NatsServer> Start(Bench& bench);
  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

 private:
  uint16_t port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace updraft
