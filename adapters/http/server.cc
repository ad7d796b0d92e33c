#include "adapters/http/server.h"

#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <kj/async-io.h>
#include <pthread.h>

#include "adapters/http/clients.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

constexpr size_t kWorkers = 4;  // They mostly wait for disks.
constexpr kj::uint kEventsBetweenPolls = 100;

kj::Duration Kj(std::chrono::milliseconds time) { return time.count() * kj::MILLISECONDS; }

// Of "::bind(sockfd, &addr.generic, addrlen): Address already in use; toString() = …" the words of
// the system.
std::string ReasonIn(const kj::Exception& exception) {
  std::string_view text = exception.getDescription().cStr();
  text = text.substr(0, text.find("; "));
  const size_t call = text.find("): ");
  return std::string(call == text.npos ? text : text.substr(call + 3));
}

}  // namespace

class HttpServer::Running {
 public:
  Running(const HttpServerOptions& options, const Routes& routes, HttpStats& stats)
      : options_(options), routes_(routes), stats_(stats), thread_([this] { RunLoop(); }) {}

  ~Running() {
    mailbox_->Post([this] { stop_->fulfill(); });
    thread_.join();
  }

  Result<uint16_t> port() { return port_.get_future().get(); }

 private:
  void RunLoop();
  Result<kj::Own<kj::ConnectionReceiver>> Listen(kj::AsyncIoContext& io);
  void ServeUntilStopped(kj::AsyncIoContext& io, kj::Own<kj::ConnectionReceiver> port);

  const HttpServerOptions& options_;
  const Routes& routes_;
  HttpStats& stats_;
  const std::shared_ptr<LoopMailbox> mailbox_ = std::make_shared<LoopMailbox>();
  std::promise<Result<uint16_t>> port_;
  kj::Own<kj::PromiseFulfiller<void>> stop_;  // The loop's.
  std::thread thread_;                        // Last: it uses all the others.
};

void HttpServer::Running::RunLoop() {
  pthread_setname_np(pthread_self(), "updraft-http");
  kj::AsyncIoContext io = kj::setupAsyncIo();
  auto port = Listen(io);
  if (!port.ok()) {
    mailbox_->Close();
    port_.set_value(port.status());
    return;
  }
  ServeUntilStopped(io, *std::move(port));
}

Result<kj::Own<kj::ConnectionReceiver>> HttpServer::Running::Listen(kj::AsyncIoContext& io) {
  kj::Own<kj::ConnectionReceiver> port;
  KJ_IF_MAYBE (exception, kj::runCatchingExceptions([&] {
                 auto parsed = io.provider->getNetwork().parseAddress(options_.address.c_str(),
                                                                      options_.port);
                 port = parsed.wait(io.waitScope)->listen();
               })) {
    return Status(StatusCode::kUnavailable,
                  fmt::format("cannot listen on {}:{}: {}", options_.address, options_.port,
                              ReasonIn(*exception)));
  }
  return port;
}

void HttpServer::Running::ServeUntilStopped(kj::AsyncIoContext& io,
                                            kj::Own<kj::ConnectionReceiver> port) {
  kj::Timer& timer = io.provider->getTimer();
  auto workers = std::make_unique<WorkerPool>(kWorkers);
  Loop loop{timer, mailbox_, *workers};
  auto header_table = kj::HttpHeaderTable::Builder().build();
  // A client that always has room for more does not keep the loop from the others.
  io.waitScope.setBusyPollInterval(kEventsBetweenPolls);
  ConnectionContext context{.loop = loop,
                            .routes = routes_,
                            .header_table = *header_table,
                            .head_timeout = Kj(options_.head_timeout),
                            .idle_timeout = Kj(options_.idle_timeout),
                            .body_timeout = Kj(options_.body_timeout),
                            .stats = stats_,
                            .bodies_bytes_max = options_.bodies_bytes_max,
                            .when_draining = {}};
  Clients::Bounds bounds{.connections_max = options_.connections_max,
                         .connections_per_address_max = options_.connections_per_address_max,
                         .stall_timeout_ms = static_cast<unsigned>(options_.stall_timeout.count())};
  auto clients = kj::heap<Clients>(context, bounds);
  auto stopped = kj::newPromiseAndFulfiller<void>();
  stop_ = kj::mv(stopped.fulfiller);
  kj::Promise<void> mail = mailbox_->RunTasks(io.unixEventPort).eagerlyEvaluate(nullptr);
  kj::Promise<void> accepting = clients->AcceptFrom(*port).eagerlyEvaluate(nullptr);
  port_.set_value(static_cast<uint16_t>(port->getPort()));

  stopped.promise.wait(io.waitScope);
  accepting = nullptr;
  port = nullptr;
  clients->Drain().exclusiveJoin(timer.afterDelay(Kj(options_.drain_timeout))).wait(io.waitScope);
  // First the promises, then who could fulfil them, then the way they would take.
  clients = nullptr;
  workers = nullptr;
  mail = nullptr;
  mailbox_->Close();
}

HttpServer::HttpServer(HttpServerOptions options) : options_(std::move(options)) {}

HttpServer::~HttpServer() { Stop(); }

void HttpServer::Route(std::string path, std::vector<std::string> methods,
                       ExchangeHandler handler) {
  Assert(running_ == nullptr, "routes are laid before the server starts");
  routes_.Add(std::move(path), /*below=*/false, std::move(methods), std::move(handler));
}

void HttpServer::RouteBelow(std::string prefix, std::vector<std::string> methods,
                            ExchangeHandler handler) {
  Assert(running_ == nullptr, "routes are laid before the server starts");
  routes_.Add(std::move(prefix), /*below=*/true, std::move(methods), std::move(handler));
}

Result<uint16_t> HttpServer::Start() {
  Assert(running_ == nullptr, "a server is started once at a time");
  auto running = std::make_unique<Running>(options_, routes_, stats_);
  ASSIGN_OR_RETURN(uint16_t port, running->port());
  running_ = std::move(running);
  return port;
}

void HttpServer::Stop() { running_ = nullptr; }

}  // namespace updraft
