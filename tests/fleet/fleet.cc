#include "tests/fleet/fleet.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "adapters/wire/credentials.h"
#include "tests/fleet/download.h"

namespace updraft {
namespace {

constexpr size_t kPingSeconds = 25;

// As Link SDK C 4.1 logs in; `login` is the running number of the device's logins.
MqttLogin LoginOf(const DeviceAccount& account, uint64_t login) {
  std::string name = fmt::format("{}.{}", account.product_key, account.name);
  ConnectIdentity identity{.product_key = account.product_key,
                           .device_name = account.name,
                           .client_id = name,
                           .sign_method = HmacHash::kSha256,
                           .timestamp = "2524608000000"};
  return {.client_id = fmt::format("{}|timestamp=2524608000000,_ss=1,_v=sdk-c-4.1.0,securemode=3,"
                                   "signmethod=hmacsha256,ext=3,_conn=tcp_{}|",
                                   name, login),
          .user_name = fmt::format("{}&{}", account.name, account.product_key),
          .password = SignPassword(account.secret, identity)};
}

}  // namespace

// A device and what it holds open.
class Fleet::Line : public DeviceIo, public MqttLink::User, public Download::User {
 public:
  Line(Fleet& fleet, DeviceAccount account, Behaviour behaviour, uint64_t draw)
      : fleet_(fleet), device_(std::move(account), behaviour, fleet.options_.habits, draw, *this) {}

  Device& device() { return device_; }

  void StartLogin() {
    older_ = std::move(link_);
    ++fleet_.logins_;
    ++fleet_.counts_.logins;
    logging_in_ = true;
    link_ = std::make_unique<MqttLink>(fleet_.loop_, fleet_.options_.broker,
                                       LoginOf(device_.account(), logins_++), *this);
  }

  void StartDownload() {
    ++fleet_.downloads_;
    ++fleet_.counts_.downloads;
    download_ = std::make_unique<updraft::Download>(fleet_.loop_, *std::exchange(wanted_, {}),
                                                    pause_ms_, *this);
  }

  void Ping() {
    if (link_ && link_->up()) link_->Ping();
  }

  // False when there is nobody to say it to.
  bool SayGoodbye() {
    StopDownload();
    gone_ = true;
    if (!link_ || !link_->up()) return false;
    link_->Disconnect();
    return true;
  }
  bool connected() const { return link_ != nullptr; }

  // What the device wants.

  void Connect() override {
    if (!gone_) fleet_.waiting_logins_.push_back(this);
  }

  void PowerOff() override {
    StopDownload();
    EndLogin();
    link_.reset();
    older_.reset();
  }

  void Publish(const std::string& topic, const std::string& payload) override {
    if (!link_ || !link_->up()) {
      ++fleet_.counts_.unsent;
      return;
    }
    ++fleet_.counts_.published;
    link_->Publish(topic, payload);
  }

  void Download(const ReceivedNotice& notice, int64_t pause_ms) override {
    wanted_ = notice;
    pause_ms_ = pause_ms;
    fleet_.waiting_downloads_.push_back(this);
  }

  void StopDownload() override {
    std::erase(fleet_.waiting_downloads_, this);
    wanted_.reset();
    if (!download_) return;
    --fleet_.downloads_;
    fleet_.counts_.download_requests += static_cast<uint64_t>(download_->requests());
    download_.reset();
  }

  void WakeIn(int64_t ms) override {
    fleet_.loop_.After(ms, [this, turn = ++wake_] {
      if (turn == wake_ && !gone_) device_.OnWake();
    });
  }

 private:
  void EndLogin() {
    if (std::exchange(logging_in_, false)) --fleet_.logins_;
  }

  void OnLinkUp(MqttLink* link) override {
    if (link != link_.get()) return;
    EndLogin();
    device_.OnConnected();
  }

  void OnLinkMessage(MqttLink*, std::string_view topic, std::string_view payload) override {
    // The views are the link's, which may end while the device thinks.
    device_.OnMessage(std::string(topic), std::string(payload));
  }

  void OnLinkDown(MqttLink* link, bool refused) override {
    if (link == older_.get()) {
      older_.reset();
      return;
    }
    EndLogin();
    if (refused) ++fleet_.counts_.logins_refused;
    link_.reset();
    if (gone_) return;
    ++fleet_.counts_.connections_lost;
    device_.OnConnectionLost();
  }

  void OnPercent(int percent) override { device_.OnDownloaded(percent); }

  void OnResult(updraft::Download::Result result, uint64_t bytes) override {
    fleet_.counts_.bytes += bytes;
    StopDownload();
    if (result == updraft::Download::Result::kRefused) {
      ++fleet_.counts_.downloads_refused;
      device_.OnDownloadFailed();
    } else {
      device_.OnDownloadDone(result == updraft::Download::Result::kDone);
    }
  }

  Fleet& fleet_;
  Device device_;
  std::unique_ptr<MqttLink> link_;
  std::unique_ptr<MqttLink> older_;  // Taken over; the broker closes it.
  std::unique_ptr<updraft::Download> download_;
  std::optional<ReceivedNotice> wanted_;
  int64_t pause_ms_ = 0;
  uint64_t logins_ = 0;
  uint64_t wake_ = 0;
  bool logging_in_ = false;
  bool gone_ = false;
};

Fleet::Fleet(FleetOptions options, std::vector<DeviceAccount> accounts)
    : options_(std::move(options)) {
  for (size_t i = 0; i < accounts.size(); ++i) {
    Behaviour behaviour = options_.mix.Of(i, options_.seed);
    lines_.push_back(std::make_unique<Line>(*this, std::move(accounts[i]), behaviour,
                                            Scramble(i, options_.seed + 1)));
  }
}

Fleet::~Fleet() = default;

const Device& Fleet::device(size_t index) const { return lines_[index]->device(); }

std::vector<const Device*> Fleet::Unfinished() const {
  std::vector<const Device*> unfinished;
  for (const auto& line : lines_) {
    const Device& device = line->device();
    if (device.end() != ExpectedEnd(device.behaviour())) unfinished.push_back(&device);
  }
  return unfinished;
}

void Fleet::Run() {
  for (const auto& line : lines_) line->device().PowerOn();
  PingSome();
  Look();
  if (options_.timeout_ms > 0) loop_.After(options_.timeout_ms, [this] { over_ = true; });
  loop_.RunUntil([this] {
    StartLogins();
    StartDownloads();
    return over_ || loop_.stopped();
  });
  SayGoodbye();
}

void Fleet::StartLogins() {
  while (!waiting_logins_.empty() && logins_ < options_.logins_max) {
    Line* line = waiting_logins_.front();
    waiting_logins_.pop_front();
    line->StartLogin();
  }
}

void Fleet::StartDownloads() {
  while (!waiting_downloads_.empty() && downloads_ < options_.downloads_max) {
    Line* line = waiting_downloads_.front();
    waiting_downloads_.pop_front();
    line->StartDownload();
  }
}

// Each device every 25 s, spread over the seconds.
void Fleet::PingSome() {
  for (size_t i = ping_turn_; i < lines_.size(); i += kPingSeconds) lines_[i]->Ping();
  ping_turn_ = (ping_turn_ + 1) % kPingSeconds;
  loop_.After(1'000, [this] { PingSome(); });
}

// How far the whole is; seldom, as it looks at every device.
void Fleet::Look() {
  constexpr int64_t kLookMs = 100;
  if (!ready_) {
    ready_ = std::all_of(lines_.begin(), lines_.end(),
                         [](const auto& line) { return line->device().informed(); });
    if (ready_ && options_.on_ready) options_.on_ready();
  }
  if (!options_.stay && Unfinished().empty()) over_ = true;
  loop_.After(kLookMs, [this] { Look(); });
}

void Fleet::SayGoodbye() {
  constexpr int64_t kGoodbyeMs = 5'000;
  waiting_logins_.clear();
  for (const auto& line : lines_) line->SayGoodbye();
  bool late = false;
  loop_.After(kGoodbyeMs, [&late] { late = true; });
  loop_.RunUntil([&] {
    return late || std::none_of(lines_.begin(), lines_.end(),
                                [](const auto& line) { return line->connected(); });
  });
}

}  // namespace updraft
