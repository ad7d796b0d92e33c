// A real mosquitto on a loopback port of its own, with the gate or without.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/broker_plugin/broker_config.h"
#include "events/base/owned_fd.h"
#include "tests/log/temp_dir.h"
#include "tests/mqtt/sockets.h"

namespace updraft {

class BrokerProcess {
 public:
  static constexpr const char* kEnginePassword = "engine-password";

  // The plugin's path, of the environment; empty where the tests run without it.
  static std::string Plugin() {
    const char* path = std::getenv("UPDRAFT_PLUGIN");
    return path == nullptr ? "" : path;
  }

  explicit BrokerProcess(bool gate) : port_(FreePort()) {
    std::filesystem::create_directory(credentials());
    std::ofstream(dir_ / "engine_password") << kEnginePassword << "\n";
    std::ofstream config(dir_ / "mosquitto.conf");
    if (gate) {
      config << BrokerConfig({.plugin = Plugin(),
                              .credentials = credentials(),
                              .engine_password_file = dir_ / "engine_password",
                              .listeners = {{.port = port_, .address = "127.0.0.1"}},
                              .user = "root"});
    } else {
      config << fmt::format("user root\nallow_anonymous true\nlistener {} 127.0.0.1\n", port_);
    }
    config.close();
    Start();
  }
  ~BrokerProcess() { Kill(); }

  uint16_t port() const { return port_; }
  std::string credentials() const { return dir_ / "credentials"; }

  // Comes back when it serves.
  void Start() {
    int pipe_fds[2];
    REQUIRE(pipe2(pipe_fds, O_CLOEXEC) == 0);
    OwnedFd read_end(pipe_fds[0]), write_end(pipe_fds[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDERR_FILENO);
    std::string config = dir_ / "mosquitto.conf";
    std::string program = "mosquitto", option = "-c";
    char* arguments[] = {program.data(), option.data(), config.data(), nullptr};
    REQUIRE(posix_spawn(&pid_, "/usr/sbin/mosquitto", &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    write_end = OwnedFd();
    std::string log;
    char buffer[4'096];
    while (log.find(" running") == std::string::npos) {
      ssize_t got = read(read_end.get(), buffer, sizeof(buffer));
      INFO(log);
      REQUIRE(got > 0);
      log.append(buffer, static_cast<size_t>(got));
    }
    // It must not stop for a reader that is not there.
    drain_ = std::thread([fd = std::make_shared<OwnedFd>(std::move(read_end))] {
      char ignored[4'096];
      while (read(fd->get(), ignored, sizeof(ignored)) > 0) {
      }
    });
  }
  // As a crash does.
  void Kill() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
    drain_.join();
  }

 private:
  TempDir dir_;
  uint16_t port_;
  pid_t pid_ = 0;
  std::thread drain_;
};

}  // namespace updraft
