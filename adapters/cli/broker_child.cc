#include "adapters/cli/broker_child.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/cli/installation.h"
#include "engine/clock.h"
#include "events/base/log_line.h"
#include "events/base/owned_fd.h"

extern char** environ;

namespace updraft {
namespace {

constexpr int64_t kStartTimeoutUs = 10'000'000;
constexpr int64_t kStopTimeoutUs = 5'000'000;
constexpr auto kRestartPause = std::chrono::seconds(1);
constexpr auto kPoll = std::chrono::milliseconds(20);

// Debian keeps it where a user's PATH may not look.
constexpr const char* kPrograms[] = {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto",
                                     "/usr/bin/mosquitto", "/opt/homebrew/sbin/mosquitto"};

Result<sockaddr_in> AddressOf(const std::string& host, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("'{}' is no IPv4 address to listen on", host));
  }
  return address;
}

bool Connects(const sockaddr_in& address) {
  OwnedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

}  // namespace

Result<uint16_t> FindFreePort(const std::string& host) {
  ASSIGN_OR_RETURN(sockaddr_in address, AddressOf(host, 0));
  OwnedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  socklen_t size = sizeof(address);
  bool good = bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
              getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (!good) {
    return Status(StatusCode::kUnavailable,
                  fmt::format("no free port on '{}': {}", host, std::strerror(errno)));
  }
  return ntohs(address.sin_port);
}

namespace {

// Whether the process is there and no zombie. Not only our children are asked for.
bool IsRunning(pid_t pid) {
  Result<std::string> stat = ReadSmallFile(fmt::format("/proc/{}/stat", pid));
  if (!stat.ok()) return false;
  size_t name_end = stat->rfind(')');
  return name_end != std::string::npos && stat->compare(name_end, 3, ") Z") != 0;
}

}  // namespace

std::optional<LeftoverBroker> FindLeftoverBroker(const std::string& pid_path,
                                                 const std::string& config_path) {
  Result<std::string> text = ReadSmallFile(pid_path);
  if (!text.ok()) return std::nullopt;
  LeftoverBroker broker;
  unsigned port = 0;
  if (std::sscanf(text->c_str(), "%d %u", &broker.pid, &port) != 2 || port > 65535) {
    return std::nullopt;
  }
  broker.port = static_cast<uint16_t>(port);
  // The number may be another process's by now.
  Result<std::string> command = ReadSmallFile(fmt::format("/proc/{}/cmdline", broker.pid));
  if (!command.ok() || command->find(config_path) == std::string::npos) return std::nullopt;
  return IsRunning(broker.pid) ? std::optional(broker) : std::nullopt;
}

void EndProcess(pid_t pid) {
  int64_t until_us = SystemClock().MonotonicUs() + kStopTimeoutUs;
  // Repeated: mosquitto loses the one that comes while it starts.
  for (int polls = 0; IsRunning(pid); ++polls) {
    bool patient = SystemClock().MonotonicUs() < until_us;
    if (polls % 25 == 0) kill(pid, patient ? SIGTERM : SIGKILL);
    std::this_thread::sleep_for(kPoll);
  }
  waitpid(pid, nullptr, WNOHANG);  // It may have been our child.
}

Status BrokerChild::Adopt(pid_t pid) {
  {
    std::lock_guard lock(mutex_);
    pid_ = pid;
  }
  if (Status status = AwaitListening(); !status.ok()) {
    EndProcess(pid);
    std::lock_guard lock(mutex_);
    pid_ = 0;
    return status;
  }
  supervisor_ = std::thread([this] { Supervise(); });
  return OkStatus();
}

Status BrokerChild::Start() {
  ASSIGN_OR_RETURN(sockaddr_in address, AddressOf(options_.host, options_.port));
  // Whoever it is would be taken for ours.
  if (Connects(address)) {
    return Status(StatusCode::kUnavailable,
                  fmt::format("somebody listens on {}:{} already: stop that one, give the broker "
                              "another port, or name that broker with --mqtt",
                              options_.host, options_.port));
  }
  RETURN_IF_ERROR(Spawn());
  if (Status status = AwaitListening(); !status.ok()) {
    Stop();
    return status;
  }
  supervisor_ = std::thread([this] { Supervise(); });
  return OkStatus();
}

Status BrokerChild::Spawn() {
  const char* program = nullptr;
  for (const char* candidate : kPrograms) {
    if (program == nullptr && access(candidate, X_OK) == 0) program = candidate;
  }
  if (program == nullptr) {
    return Status(StatusCode::kNotFound,
                  "mosquitto is not installed; install Debian's package 'mosquitto', or name a "
                  "broker that runs with --mqtt");
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, options_.log_path.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  // It takes our blocked signals otherwise, and a terminal's Ctrl-C before we can end it in order.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  std::string config = options_.config_path;
  char name[] = "mosquitto";
  char flag[] = "-c";
  char* arguments[] = {name, flag, config.data(), nullptr};
  pid_t pid = 0;
  int error = posix_spawn(&pid, program, &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return Status(StatusCode::kUnavailable,
                  fmt::format("mosquitto cannot be started: {}", std::strerror(error)));
  }
  {
    std::lock_guard lock(mutex_);
    pid_ = pid;
  }
  return ReplaceFile(options_.pid_path, fmt::format("{} {}\n", pid, options_.port), 0600);
}

// Takes the child's end from the system, if it has come.
bool BrokerChild::HasEnded() {
  waitpid(pid_, nullptr, WNOHANG);
  return !IsRunning(pid_);
}

Status BrokerChild::AwaitListening() {
  ASSIGN_OR_RETURN(sockaddr_in address, AddressOf(options_.host, options_.port));
  int64_t until_us = SystemClock().MonotonicUs() + kStartTimeoutUs;
  while (SystemClock().MonotonicUs() < until_us) {
    if (HasEnded()) {
      std::lock_guard lock(mutex_);
      pid_ = 0;
      return Status(StatusCode::kUnavailable,
                    fmt::format("mosquitto ended at once; it said:\n{}", LastWords()));
    }
    if (Connects(address)) return OkStatus();
    std::this_thread::sleep_for(kPoll);
  }
  return Status(StatusCode::kUnavailable,
                fmt::format("mosquitto does not listen on {}:{}; it said:\n{}", options_.host,
                            options_.port, LastWords()));
}

std::string BrokerChild::LastWords() const {
  Result<std::string> text = ReadSmallFile(options_.log_path);
  if (!text.ok()) return "(nothing)";
  constexpr size_t kBytes = 800;
  return text->size() <= kBytes ? *text : text->substr(text->size() - kBytes);
}

void BrokerChild::Supervise() {
  while (true) {
    std::this_thread::sleep_for(kPoll);
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      if (pid_ != 0 && !HasEnded()) continue;
      LogWarn("the broker ended; it is started again", {{"log", options_.log_path}});
      pid_ = 0;
      ++restarts_;
    }
    std::this_thread::sleep_for(kRestartPause);
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    if (Status status = Spawn(); !status.ok()) LogError(status.message());
  }
}

void BrokerChild::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (supervisor_.joinable()) supervisor_.join();
  pid_t pid;
  {
    std::lock_guard lock(mutex_);
    pid = std::exchange(pid_, 0);
  }
  if (pid != 0) EndProcess(pid);
  unlink(options_.pid_path.c_str());
}

int BrokerChild::restarts() const {
  std::lock_guard lock(mutex_);
  return restarts_;
}

}  // namespace updraft
