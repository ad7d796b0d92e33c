#include "bench/servers.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events/base/assert.h"

namespace updraft {
namespace {

constexpr auto kStartWithin = std::chrono::seconds(60);

// PostgreSQL refuses to run as root.
std::string ServerUser() {
  if (geteuid() != 0) return "";
  return getpwnam("postgres") != nullptr ? "postgres" : "nobody";
}

void BecomeUser(const std::string& user) {
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr || setgroups(0, nullptr) != 0 || setgid(entry->pw_gid) != 0 ||
      setuid(entry->pw_uid) != 0) {
    _exit(126);
  }
}

void GiveTo(const std::string& user, const std::string& path) {
  const passwd* entry = getpwnam(user.c_str());
  Assert(entry != nullptr && chown(path.c_str(), entry->pw_uid, entry->pw_gid) == 0,
         "{} cannot be given to {}", path, user);
}

bool Connects(const sockaddr* address, socklen_t size) {
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool connected = connect(fd, address, size) == 0;
  close(fd);
  return connected;
}

bool AcceptsOnPort(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return Connects(reinterpret_cast<sockaddr*>(&address), sizeof(address));
}

bool AcceptsOnSocket(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  return Connects(reinterpret_cast<sockaddr*>(&address), sizeof(address));
}

void AwaitServing(ChildProcess& process, std::string_view name, const std::string& output_path,
                  const std::function<bool()>& serves) {
  auto until = std::chrono::steady_clock::now() + kStartWithin;
  while (!serves()) {
    if (!process.running() || std::chrono::steady_clock::now() > until) {
      std::ifstream output(output_path);
      std::string text(std::istreambuf_iterator<char>(output), {});
      OrDie(Status(StatusCode::kUnavailable, text), fmt::format("start {}", name));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

std::string FindProgram(std::string_view name) {
  const char* path = std::getenv("PATH");
  std::string places = path != nullptr ? path : "";
  places += ":/usr/sbin:/usr/lib/postgresql/15/bin";
  for (size_t begin = 0; begin <= places.size();) {
    size_t end = std::min(places.find(':', begin), places.size());
    std::string file = fmt::format("{}/{}", places.substr(begin, end - begin), name);
    if (access(file.c_str(), X_OK) == 0) return file;
    begin = end + 1;
  }
  return "";
}

uint16_t FreePort() {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
               getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  Assert(bound, "no port is free");
  close(fd);
  return ntohs(address.sin_port);
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, const std::string& user,
                           const std::string& output_path, int stop_signal)
    : stop_signal_(stop_signal) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_ = fork();
  Assert(pid_ >= 0, "fork: {}", std::strerror(errno));
  if (pid_ != 0) return;
  int output = open(output_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  int input = open("/dev/null", O_RDONLY);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (!user.empty()) BecomeUser(user);
  prctl(PR_SET_PDEATHSIG, stop_signal_);  // After the change of user, which clears it.
  execv(argv[0], argv.data());
  _exit(127);
}

ChildProcess::~ChildProcess() {
  if (ended_) return;
  kill(pid_, stop_signal_);
  waitpid(pid_, nullptr, 0);
}

bool ChildProcess::running() {
  if (!ended_ && waitpid(pid_, nullptr, WNOHANG) == pid_) ended_ = true;
  return !ended_;
}

bool ChildProcess::Wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  ended_ = true;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::unique_ptr<PostgresServer> PostgresServer::Start(Bench& bench) {
  std::string initdb = FindProgram("initdb");
  std::string postgres = FindProgram("postgres");
  if (initdb.empty() || postgres.empty()) {
    bench.Skip("postgresql is not installed");
    return nullptr;
  }
  std::unique_ptr<PostgresServer> server(new PostgresServer(bench.NewDir()));
  const std::string& dir = server->dir_;
  std::string user = ServerUser();
  if (!user.empty()) GiveTo(user, dir);
  std::string output = dir + "/output";
  bool made = ChildProcess({initdb, "-D", dir + "/data", "-U", "bench", "-A", "trust", "-E", "UTF8",
                            "--locale=C", "--no-sync"},
                           user, output, SIGTERM)
                  .Wait();
  OrDie(made ? OkStatus() : Status(StatusCode::kUnavailable, "see " + output), "make a PostgreSQL");
  std::vector<std::string> command = {postgres, "-D", dir + "/data",      "-k",
                                      dir,      "-c", "listen_addresses="};
  // SIGINT: without waiting for clients.
  server->process_ = std::make_unique<ChildProcess>(command, user, output, SIGINT);
  AwaitServing(*server->process_, "postgres", output, [&] {
    std::ifstream pid_file(dir + "/data/postmaster.pid");
    std::string text(std::istreambuf_iterator<char>(pid_file), {});
    return text.find("ready") != text.npos;
  });
  return server;
}

std::unique_ptr<RedisServer> RedisServer::Start(Bench& bench) {
  std::string redis = FindProgram("redis-server");
  if (redis.empty()) {
    bench.Skip("redis-server is not installed");
    return nullptr;
  }
  auto server = std::make_unique<RedisServer>();
  std::string dir = bench.NewDir();
  server->socket_path_ = dir + "/redis.sock";
  std::vector<std::string> command = {redis,
                                      "--port",
                                      "0",
                                      "--unixsocket",
                                      server->socket_path_,
                                      "--dir",
                                      dir,
                                      "--save",
                                      "",
                                      "--appendonly",
                                      "yes",
                                      "--appendfsync",
                                      "always"};
  std::string output = dir + "/output";
  server->process_ = std::make_unique<ChildProcess>(command, "", output, SIGTERM);
  AwaitServing(*server->process_, "redis-server", output,
               [&] { return AcceptsOnSocket(server->socket_path_); });
  return server;
}

std::unique_ptr<NatsServer> NatsServer::Start(Bench& bench) {
  std::string nats = FindProgram("nats-server");
  if (nats.empty()) {
    bench.Skip("nats-server is not installed");
    return nullptr;
  }
  auto server = std::make_unique<NatsServer>();
  std::string dir = bench.NewDir();
  server->port_ = FreePort();
  std::vector<std::string> command = {
      nats, "-a", "127.0.0.1", "-p", std::to_string(server->port_), "-js", "-sd", dir};
  std::string output = dir + "/output";
  server->process_ = std::make_unique<ChildProcess>(command, "", output, SIGTERM);
  AwaitServing(*server->process_, "nats-server", output,
               [&] { return AcceptsOnPort(server->port_); });
  return server;
}

}  // namespace updraft
