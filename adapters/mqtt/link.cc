#include "adapters/mqtt/link.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <fmt/format.h>
#include <poll.h>

#include "adapters/wire/gate_topics.h"
#include "engine/refusals.h"
#include "events/base/log_line.h"

namespace updraft {
namespace {

constexpr int64_t kOpenMs = 10'000;
constexpr int64_t kKeepAliveMs = 500;
// Messages handled before the other sides have their turn.
constexpr int kMessagesAtOnce = 512;
// Batches of messages that the engine has not answered, at most.
constexpr size_t kBatchesAhead = 2;

std::vector<std::string> Filters(MqttPath path) {
  if (path == MqttPath::kGate) return {std::string(kGateAllFilter)};
  return {"/ota/device/inform/+/+", "/ota/device/progress/+/+", "/ota/device/request/+/+",
          "/sys/+/+/thing/ota/firmware/get"};
}

// A client that is gone is an error to whoever writes to it, not the end of the process.
void BlockSigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

// The engine, whose callbacks are brought to the link's thread. What is submitted waits here until
// the link has done all that it can do at once (Flush), and goes to the engine in one piece: so it
// becomes one commit, and costs the engine one waking.
class BrokerLink::EnginePort final : public EngineSide {
 public:
  EnginePort(Engine& engine, std::shared_ptr<Mailbox> mailbox)
      : engine_(engine), mailbox_(std::move(mailbox)) {}

  Status Submit(const Command& command, Callback callback) override {
    if (!refused_.ok()) return refused_;
    Engine::Callback told;
    if (callback) {
      told = [mailbox = mailbox_, callback = std::move(callback)](const Outcome& outcome) {
        mailbox->Post([callback, outcome] { callback(outcome); });
      };
    }
    requests_.push_back({command, std::move(told)});
    return OkStatus();
  }

  // Hands over what waits. What finds no room is kept, and meanwhile Submit refuses.
  void Flush() {
    if (requests_.empty()) return;
    refused_ = engine_.Submit(requests_);
    if (refused_.ok() || refused_.reason() == refusal::kInboxFull) return;
    // The engine is at its end, so that nobody else will say so.
    for (Engine::Request& request : requests_) {
      if (request.callback) request.callback(Outcome{refused_, {}});
    }
    requests_.clear();
  }
  // Something waits for room in the engine's inbox.
  bool Full() const { return !requests_.empty() && !refused_.ok(); }

  Status Read(std::function<RosterPage(const World&)> look,
              std::function<void(RosterPage)> then) override {
    Flush();  // A look sees what was submitted before it.
    if (!refused_.ok()) return refused_;
    return engine_.Read([mailbox = mailbox_, look = std::move(look),
                         then = std::move(then)](const World& world) -> Engine::Finish {
      return [mailbox, then, page = look(world)](const Status& status) {
        mailbox->Post([then, page = status.ok() ? page : RosterPage()] { then(page); });
      };
    });
  }

 private:
  Engine& engine_;
  const std::shared_ptr<Mailbox> mailbox_;
  std::vector<Engine::Request> requests_;
  Status refused_;  // By the engine, the last time.
};

Result<std::unique_ptr<BrokerLink>> BrokerLink::Start(LinkOptions options, Engine& engine,
                                                      const Clock& clock) {
  std::unique_ptr<BrokerLink> link(new BrokerLink(std::move(options), engine, clock));
  ASSIGN_OR_RETURN(link->address_, ResolveBroker(link->options_.host, link->options_.port));
  ASSIGN_OR_RETURN(link->relay_, Relay::Create());
  ASSIGN_OR_RETURN(link->client_, BrokerClient::Create(link->options_.client, *link));
  link->thread_ = std::thread([self = link.get()] { self->Run(); });
  return link;
}

BrokerLink::BrokerLink(LinkOptions options, Engine& engine, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      mailbox_(std::make_shared<Mailbox>()),
      engine_(std::make_unique<EnginePort>(engine, mailbox_)),
      session_(options_.session, *engine_, *this),
      backoff_(static_cast<uint64_t>(clock.MonotonicUs())) {}

BrokerLink::~BrokerLink() { Stop(); }

void BrokerLink::Stop() {
  std::call_once(stopped_, [this] {
    stopping_ = true;
    mailbox_->Post([] {});
    if (thread_.joinable()) thread_.join();
    mailbox_->Close();
  });
}

LinkStats BrokerLink::Stats() const {
  std::lock_guard lock(mutex_);
  LinkStats stats = stats_;
  stats.connected = state_ == State::kUp;
  stats.session = session_.Stats();
  return stats;
}

void BrokerLink::Run() {
  BlockSigpipe();
  while (!stopping_) {
    {
      std::lock_guard lock(mutex_);
      Turn();
    }
    Poll();
  }
  std::lock_guard lock(mutex_);
  relay_->Close();
  state_ = State::kDown;
}

void BrokerLink::Turn() {
  TurnOnce();
  engine_->Flush();
  if (session_.taken() > handed_over_) batches_.push_back(session_.taken());
  handed_over_ = session_.taken();
}

// Whether more of the broker's messages would help. With one batch on its way to the disk and one
// being decided they would only wait in the engine; waiting in the socket, they become one batch.
bool BrokerLink::MayRead() const {
  return batches_.size() < kBatchesAhead && !session_.Full() && !engine_->Full();
}

void BrokerLink::TurnOnce() {
  mailbox_->Run();
  while (!batches_.empty() && batches_.front() <= session_.answered()) batches_.pop_front();
  session_.Tick(NowMs());
  if (!session_.failure().ok() && state_ != State::kDown) return Drop(session_.failure());
  if (state_ == State::kDown) {
    if (session_.failure().ok() && session_.Idle() && NowMs() >= next_dial_ms_) Dial();
    return;
  }
  if (Status status = Step(); !status.ok()) Drop(status);
}

void BrokerLink::Dial() {
  state_ = State::kDialing;
  open_before_ms_ = NowMs() + kOpenMs;
  connack_ = suback_ = false;
  refused_ = OkStatus();
  if (Status status = relay_->Dial(address_); !status.ok()) Drop(status);
}

Status BrokerLink::Step() {
  if (state_ == State::kDialing) return StepDialing();
  return StepConnected();
}

Status BrokerLink::StepDialing() {
  pollfd broker = {relay_->broker_fd(), POLLOUT, 0};
  if (poll(&broker, 1, 0) == 0) {
    if (NowMs() < open_before_ms_) return OkStatus();
    return Status(StatusCode::kUnavailable, "the broker's machine does not answer");
  }
  RETURN_IF_ERROR(relay_->FinishDial());
  RETURN_IF_ERROR(client_->Open(relay_->path()));
  RETURN_IF_ERROR(relay_->Accept());
  state_ = State::kOpening;
  return StepConnected();
}

Status BrokerLink::StepConnected() {
  // Everything that came in has been handled, so the tag covers all that the client wrote.
  const int64_t now_ms = NowMs();
  RETURN_IF_ERROR(relay_->TakeOutput(session_.taken(), now_ms));
  relay_->Release(session_.answered());
  if (MayRead()) {
    RETURN_IF_ERROR(relay_->PumpIn());
    RETURN_IF_ERROR(ReadClient());
  }
  if (connack_) {
    connack_ = false;
    RETURN_IF_ERROR(refused_);
    RETURN_IF_ERROR(client_->Subscribe(Filters(options_.session.outlet.path)));
  }
  if (suback_) {
    suback_ = false;
    RETURN_IF_ERROR(refused_);
    state_ = State::kUp;
    backoff_.Succeeded();
    ++stats_.connections;
    LogInfo("connected to the broker", {{"host", options_.host}, {"port", options_.port}});
    session_.OnConnected(now_ms);
    session_.Tick(now_ms);
  }
  if (now_ms >= next_keepalive_ms_) {
    next_keepalive_ms_ = now_ms + kKeepAliveMs;
    RETURN_IF_ERROR(client_->KeepAlive());
  }
  while (client_->WantsToWrite() && relay_->HasRoomForOutput()) {
    RETURN_IF_ERROR(client_->Write());
    RETURN_IF_ERROR(relay_->TakeOutput(session_.taken(), now_ms));
  }
  RETURN_IF_ERROR(relay_->TakeOutput(session_.taken(), now_ms));
  RETURN_IF_ERROR(relay_->PumpOut());
  if (state_ == State::kOpening && now_ms >= open_before_ms_) {
    return Status(StatusCode::kUnavailable, "the broker does not answer");
  }
  if (relay_->HeldMs(now_ms) > options_.client.keepalive_seconds * 500) {
    ++stats_.stalls;
    return Status(StatusCode::kUnavailable, "the engine takes too long");
  }
  return OkStatus();
}

Status BrokerLink::ReadClient() {
  for (int i = 0; i < kMessagesAtOnce && !session_.Full(); ++i) {
    Result<bool> more = client_->Read();
    if (!more.ok()) return refused_.ok() ? more.status() : refused_;
    if (!*more) break;
  }
  // What the client has written for any of them waits for all of them: they become durable
  // together.
  return relay_->TakeOutput(session_.taken(), NowMs());
}

void BrokerLink::Drop(const Status& why) {
  relay_->Close();
  if (state_ == State::kUp) session_.OnDisconnected();
  state_ = State::kDown;
  int64_t wait_ms = backoff_.NextMs();
  next_dial_ms_ = NowMs() + wait_ms;
  stats_.last_error = why.message();
  LogWarn("no connection to the broker", {{"host", options_.host},
                                          {"port", options_.port},
                                          {"why", why.message()},
                                          {"retry_ms", wait_ms}});
}

// How long nothing needs to be done, should nothing happen.
int64_t BrokerLink::TimeoutMs() const {
  const int64_t now_ms = NowMs();
  int64_t next_ms = now_ms + 60'000;
  if (std::optional<int64_t> tick = session_.NextTickMs()) next_ms = std::min(next_ms, *tick);
  if (engine_->Full()) next_ms = std::min(next_ms, now_ms + MqttSession::kAskAgainMs);
  switch (state_) {
    case State::kDown:
      if (session_.failure().ok() && session_.Idle()) next_ms = std::min(next_ms, next_dial_ms_);
      break;
    case State::kDialing:
      next_ms = std::min(next_ms, open_before_ms_);
      break;
    case State::kOpening:
    case State::kUp:
      next_ms = std::min(next_ms, next_keepalive_ms_);
      break;
  }
  return std::max<int64_t>(next_ms - now_ms, 0);
}

void BrokerLink::Poll() {
  pollfd fds[4] = {{mailbox_->fd(), POLLIN, 0}};
  nfds_t count = 1;
  int64_t timeout_ms = 0;
  {
    std::lock_guard lock(mutex_);
    timeout_ms = TimeoutMs();
    if (state_ == State::kDialing) fds[count++] = {relay_->broker_fd(), POLLOUT, 0};
    if (state_ == State::kOpening || state_ == State::kUp) {
      const bool may_read = MayRead();
      short broker = relay_->HasOutput() ? POLLOUT : 0;
      if (may_read && !relay_->HasInput()) broker |= POLLIN;
      // A socket that nothing is wanted of would still tell of its end, again and again.
      if (broker != 0) fds[count++] = {relay_->broker_fd(), broker, 0};
      if (may_read && relay_->HasInput()) fds[count++] = {relay_->client_fd(), POLLOUT, 0};
      if (may_read) fds[count++] = {client_->fd(), POLLIN, 0};
    }
  }
  poll(fds, count, static_cast<int>(timeout_ms));
}

void BrokerLink::OnConnack(std::string_view refusal) {
  connack_ = true;
  if (!refusal.empty()) {
    refused_ = Status(StatusCode::kPermissionDenied,
                      fmt::format("the broker refused the engine: {}", refusal));
  }
}

void BrokerLink::OnSuback(bool granted) {
  suback_ = true;
  if (!granted) {
    refused_ = Status(StatusCode::kPermissionDenied, "the broker refused a subscription");
  }
}

void BrokerLink::OnMessage(std::string_view topic, std::string_view payload) {
  session_.OnMessage(topic, payload, NowMs());
}

void BrokerLink::OnPuback(int message) { session_.OnPuback(message, NowMs()); }

int BrokerLink::Publish(const OutMessage& message, int qos) {
  return client_->Publish(message.topic, message.payload, qos);
}

}  // namespace updraft
