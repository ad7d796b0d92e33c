// How fast a package leaves, and who feels it: one client that reads as fast as it can, beside
// nginx on the same file; then 500 slow ones at a time, and what the engine's callers wait
// meanwhile, beside what they wait when nobody downloads.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/http/downloads.h"
#include "adapters/http/server.h"
#include "bench/bench.h"
#include "bench/library.h"
#include "bench/servers.h"
#include "events/base/assert.h"
#include "events/base/owned_fd.h"

namespace updraft {
namespace {

// A connection that has asked for the file.
class Download {
 public:
  explicit Download(uint16_t port, int receive_buffer_bytes = 0)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes != 0) {
      setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof(receive_buffer_bytes));
    }
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Assert(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0,
           "the server cannot be reached");
    const std::string head = "GET /file HTTP/1.1\r\nHost: h\r\n\r\n";
    Assert(send(fd_.get(), head.data(), head.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(head.size()),
           "the server does not listen");
  }

  // Reads once; 0 at the end, or when nothing is there with MSG_DONTWAIT.
  size_t Read(std::vector<char>& buffer, int flags = 0) {
    ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), flags);
    return got < 0 ? 0 : static_cast<size_t>(got);
  }

 private:
  OwnedFd fd_;
};

// MB a second of the whole file, head and all.
double ReadAll(uint16_t port, uint64_t file_bytes) {
  std::vector<char> buffer(256 * 1024);
  uint64_t got = 0;
  const double seconds = SecondsOf([&] {
    Download download(port);
    while (got < file_bytes) {
      const size_t part = download.Read(buffer);
      Assert(part > 0, "the download ended after {} bytes", got);
      got += part;
    }
  });
  return static_cast<double>(got) / 1e6 / seconds;
}

class Nginx {
 public:
  static std::unique_ptr<Nginx> Start(Bench& bench, const std::string& root) {
    const std::string program = FindProgram("nginx");
    if (program.empty()) {
      bench.Skip("nginx is not installed");
      return nullptr;
    }
    auto nginx = std::make_unique<Nginx>();
    const std::string dir = bench.NewDir();
    nginx->port_ = FreePort();
    std::ofstream(dir + "/conf") << fmt::format(
        "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log {0}/error;\n"
        "events {{ worker_connections 4096; }}\n"
        "http {{\n  access_log off;\n  sendfile on;\n  tcp_nopush on;\n"
        "  client_body_temp_path {0};\n  proxy_temp_path {0};\n  fastcgi_temp_path {0};\n"
        "  uwsgi_temp_path {0};\n  scgi_temp_path {0};\n"
        "  server {{ listen 127.0.0.1:{1}; root {2}; }}\n}}\n",
        dir, nginx->port_, root);
    nginx->process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{program, "-c", dir + "/conf", "-e", dir + "/error"}, "",
        dir + "/output", SIGTERM);
    while (nginx->process_->running() && !nginx->Serves()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    Assert(nginx->process_->running(), "nginx does not start: see {}/error", dir);
    return nginx;
  }
  uint16_t port() const { return port_; }

 private:
  bool Serves() const {
    OwnedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }

  uint16_t port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

// Clients that each take a little, ten times a second, on one thread.
class SlowClients {
 public:
  static constexpr size_t kBytesATurn = 16 * 1024;
  static constexpr auto kTurn = std::chrono::milliseconds(100);

  SlowClients(uint16_t port, uint64_t count) : thread_([this, port, count] { Run(port, count); }) {
    while (!running_) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ~SlowClients() { Stop(); }

  // Ends them. Bytes a second and client, of the slowest, as a part of what it asked for.
  double Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    return least_;
  }

 private:
  void Run(uint16_t port, uint64_t count) {
    std::vector<std::unique_ptr<Download>> downloads;
    for (uint64_t i = 0; i < count; ++i) {
      downloads.push_back(std::make_unique<Download>(port, 64 * 1024));
    }
    running_ = true;
    std::vector<char> buffer(kBytesATurn);
    std::vector<uint64_t> got(count);
    uint64_t turns = 0;
    auto next = std::chrono::steady_clock::now();
    for (; !stopping_; ++turns) {
      for (uint64_t i = 0; i < count; ++i) got[i] += downloads[i]->Read(buffer, MSG_DONTWAIT);
      next += kTurn;
      std::this_thread::sleep_until(next);
    }
    const double asked = static_cast<double>(turns) * kBytesATurn;
    least_ = static_cast<double>(*std::min_element(got.begin(), got.end())) / asked;
  }

  std::atomic<bool> running_ = false;
  std::atomic<bool> stopping_ = false;
  double least_ = 0;
  std::thread thread_;
};

std::vector<double> Waits(EngineHost& host, std::chrono::milliseconds time) {
  LatencyProbe probe(host, /*pause_us=*/500);
  std::this_thread::sleep_for(time);
  std::vector<double> us;
  for (const auto& point : probe.Stop()) us.push_back(point.us);
  return us;
}

// By turns: a quiet stretch, one with slow clients.
void TellEngineWaits(Bench& bench, EngineHost& host, uint16_t port, uint64_t clients) {
  const std::chrono::milliseconds stretch(bench.smoke() ? 300 : 5'000);
  std::vector<double> idle, during, ratios, least;
  for (int round = 0; round < bench.rounds(); ++round) {
    std::vector<double> quiet = Waits(host, stretch);
    SlowClients slow(port, clients);
    std::vector<double> busy = Waits(host, stretch);
    least.push_back(slow.Stop());
    ratios.push_back(Percentile(busy, 0.99) / Percentile(quiet, 0.99));
    idle.insert(idle.end(), quiet.begin(), quiet.end());
    during.insert(during.end(), busy.begin(), busy.end());
  }
  const double asked = static_cast<double>(clients) * SlowClients::kBytesATurn *
                       (1'000.0 / static_cast<double>(SlowClients::kTurn.count())) / 1e6;
  bench.Tell("slow_clients_ask_MB/s", {}, {asked, 0});
  bench.Tell("slowest_gets_of_what_it_asks", {}, {SpreadOf(least).median, 0}, AtLeast(0.95));
  bench.Tell("engine_idle_p99_us", {}, {Percentile(idle, 0.99), 0});
  bench.Tell("engine_p99_us", {}, {Percentile(during, 0.99), 0});
  bench.Tell("engine_p99_to_idle", {}, {SpreadOf(ratios).median, 0}, AtMost(2));
}

int Main(int argc, char** argv) {
  Bench bench("download", argc, argv, "sync=fdatasync");
  const uint64_t megabytes = bench.Parameter("megabytes", 8, 512);
  const uint64_t clients = bench.Parameter("slow_clients", 20, 500);
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);

  const std::string root = bench.NewDir();
  std::filesystem::permissions(root, std::filesystem::perms(0755));
  const std::string path = root + "/file";
  const uint64_t file_bytes = megabytes << 20;
  {
    std::ofstream file(path, std::ios::binary);
    const std::string megabyte(1 << 20, 'u');
    for (uint64_t i = 0; i < megabytes; ++i) file << megabyte;
  }
  std::unique_ptr<Nginx> nginx = Nginx::Start(bench, root);  // Before threads: it forks.
  HttpServer server({});
  server.Route("/file", {"GET"}, ServeDownloads([&](std::string_view, std::string_view) {
                 OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
                 return Result<DownloadFile>(DownloadFile{std::move(fd), file_bytes, "etag"});
               }));
  const uint16_t port = OrDie(server.Start(), "serve");

  ReadAll(port, file_bytes);  // The file is in the cache.
  std::vector<Side> sides = {{"updraft", [&] { return Sample{ReadAll(port, file_bytes), 0}; }}};
  if (nginx != nullptr) {
    sides.push_back({"nginx",
                     [&] {
                       return Sample{ReadAll(nginx->port(), file_bytes), 0};
                     },
                     AtLeast(0.7)});
  }
  bench.Compare("MB/s", {}, sides);

  EngineHost host(bench.NewDir());
  host.MakeFleet(1'000);
  TellEngineWaits(bench, host, port, clients);
  server.Stop();
  return 0;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Main(argc, argv); }
