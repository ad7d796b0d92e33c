#include "adapters/mqtt/credentials_feed.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "adapters/wire/credential_files.h"
#include "engine/refusals.h"
#include "events/base/log_line.h"
#include "events/log/event_log.h"

namespace updraft {
namespace {

constexpr auto kTryAgain = std::chrono::seconds(1);
// Under a steady stream of registrations the changes of so long share one sync: the disk is the
// log's as well.
constexpr auto kBetweenSteps = std::chrono::milliseconds(20);
constexpr size_t kChangesAtOnce = 1'000;

// The generation that the directory names, good or not; 0 for none.
uint64_t CurrentGeneration(const std::string& dir) {
  OwnedFd fd(open(fmt::format("{}/{}", dir, kCredentialCurrentFile).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return 0;
  return DecodeCurrent(ReadAt(fd, 0, /*count=*/64)).value_or(0);
}

bool IsEnd(const Status& status) {
  return status.reason() == refusal::kEngineStopped || status.reason() == refusal::kLogFailed;
}

}  // namespace

Result<std::unique_ptr<CredentialsFeed>> CredentialsFeed::Start(Options options, Engine& engine) {
  std::error_code error;
  std::filesystem::create_directories(options.dir, error);
  if (error) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("the directory of the credentials '{}' cannot be made: {}",
                              options.dir, error.message()));
  }
  std::unique_ptr<CredentialsFeed> feed(new CredentialsFeed(std::move(options), engine));
  feed->thread_ = std::thread([self = feed.get()] { self->Run(); });
  return feed;
}

CredentialsFeed::CredentialsFeed(Options options, Engine& engine)
    : options_(std::move(options)), engine_(engine), source_(engine) {}

CredentialsFeed::~CredentialsFeed() { Stop(); }

void CredentialsFeed::OnCommit() {
  std::lock_guard lock(mutex_);
  grown_ = true;
  wake_.notify_one();
}

void CredentialsFeed::Stop() {
  std::call_once(stopped_, [this] {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  });
}

CredentialsStats CredentialsFeed::Stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

void CredentialsFeed::Run() {
  bool failed = false;
  while (AwaitWork(failed)) {
    Status status = Step();
    Publish(status);
    if (IsEnd(status)) return;
    failed = !status.ok();
    if (!failed) continue;
    LogWarn("the credentials of the gate are behind", {{"why", status.ToString()}});
    // What reached the files is not known: find out, or write them anew.
    writer_.reset();
  }
}

bool CredentialsFeed::AwaitWork(bool failed) {
  std::unique_lock lock(mutex_);
  if (failed) {
    wake_.wait_for(lock, kTryAgain, [&] { return stopping_; });
  } else {
    wake_.wait_for(lock, kBetweenSteps, [&] { return stopping_; });
    wake_.wait(lock, [&] { return stopping_ || grown_; });
  }
  grown_ = false;
  return !stopping_;
}

Status CredentialsFeed::Step() {
  if (!writer_) {
    RETURN_IF_ERROR(Continue());
    if (!writer_) RETURN_IF_ERROR(WriteBase());
  }
  RETURN_IF_ERROR(Follow());
  const uint64_t long_delta = std::max(options_.delta_records_max, base_devices_ / 4);
  if (writer_->delta_records() <= long_delta) return OkStatus();
  RETURN_IF_ERROR(WriteBase());
  return Follow();
}

// Opens the files where they are whole and of this log; else leaves no writer.
Status CredentialsFeed::Continue() {
  changes_.clear();  // Of a try that failed.
  Result<DeviceKeys> keys = DeviceKeys::Open(options_.dir);
  if (!keys.ok()) return keys.status();
  keys_.emplace(*std::move(keys));
  Result<CredentialWriter> writer = CredentialWriter::Open(options_.dir);
  if (!writer.ok()) {
    if (writer.status().code() != StatusCode::kNotFound) {
      LogWarn("the credential files are written anew", {{"why", writer.status().ToString()}});
    }
    return OkStatus();
  }
  if (writer->position() > engine_.log().head().last.value() || keys_->empty()) return OkStatus();
  followed_ = writer->position();
  writer_.emplace(*std::move(writer));
  return OkStatus();
}

Status CredentialsFeed::WriteBase() {
  // All that is durable now is in the world that is looked at later, and so in the base.
  const uint64_t position = engine_.log().head().last.value();
  ASSIGN_OR_RETURN(CredentialSource::Extent extent, source_.ReadExtent());
  ASSIGN_OR_RETURN(
      CredentialBase base,
      CredentialBase::Create(options_.dir, CurrentGeneration(options_.dir) + 1, position,
                             extent.newest.value() + extent.products.size()));
  for (CredentialRecord& product : extent.products) {
    product.position = position;
    RETURN_IF_ERROR(base.Add(product));
  }
  RETURN_IF_ERROR(WriteBaseDevices(base, extent.newest, position));
  RETURN_IF_ERROR(keys_->Sync());
  ASSIGN_OR_RETURN(CredentialWriter writer, std::move(base).Finish());
  writer_.emplace(std::move(writer));
  followed_ = position;
  base_devices_ = extent.newest.value();
  LogInfo("credentials written", {{"generation", writer_->generation()}, {"position", position}});
  return OkStatus();
}

Status CredentialsFeed::WriteBaseDevices(CredentialBase& base, DeviceId newest, uint64_t position) {
  for (uint64_t from = 0; from <= newest.value(); from += CredentialSource::kPageDevices) {
    ASSIGN_OR_RETURN(std::vector<CredentialSource::DeviceRecord> records,
                     source_.ReadPage(DeviceId(static_cast<uint32_t>(from)), position));
    for (const auto& [device, record] : records) {
      // Later ones come with the changes.
      if (device > newest) continue;
      RETURN_IF_ERROR(base.Add(record));
      RETURN_IF_ERROR(keys_->Put(device, std::span(&record.key, 1)));
    }
    if (writer_) RETURN_IF_ERROR(Follow());
    std::lock_guard lock(mutex_);
    if (stopping_) return Status(StatusCode::kUnavailable, refusal::kEngineStopped, "stopping");
  }
  return OkStatus();
}

Status CredentialsFeed::Follow() {
  RETURN_IF_ERROR(engine_.log().Read(
      Seq(followed_ + 1), [this](const CommitReader& commit) { return FollowCommit(commit); }));
  RETURN_IF_ERROR(WriteChanges());
  Publish(OkStatus());
  return OkStatus();
}

Status CredentialsFeed::FollowCommit(const CommitReader& commit) {
  uint64_t seq = commit.header().first.value();
  for (events::Event::Reader event : commit.events()) {
    const uint64_t position = seq++;
    if (position <= followed_) continue;
    RETURN_IF_ERROR(FollowEvent(event, position));
  }
  followed_ = commit.last().value();
  return changes_.size() < kChangesAtOnce ? OkStatus() : WriteChanges();
}

Status CredentialsFeed::WriteChanges() {
  if (changes_.empty()) return OkStatus();
  RETURN_IF_ERROR(keys_->Sync());
  RETURN_IF_ERROR(writer_->Append(changes_));
  changes_.clear();
  return OkStatus();
}

// Events of other kinds do not say who may connect.
Status CredentialsFeed::FollowEvent(events::Event::Reader event, uint64_t position) {
  if (event.isDevicesRegistered()) {
    auto devices = event.getDevicesRegistered();
    uint32_t count = static_cast<uint32_t>(devices.getCommitments().size() / 16);
    return FollowDevices(DeviceId(devices.getFirst()), count, position);
  }
  if (event.isDeviceUpdated()) {
    return FollowDevices(DeviceId(event.getDeviceUpdated().getDevice()), 1, position);
  }
  if (event.isDeviceDisabled()) {
    return FollowDevices(DeviceId(event.getDeviceDisabled().getDevice()), 1, position);
  }
  if (event.isDeviceEnabled()) {
    return FollowDevices(DeviceId(event.getDeviceEnabled().getDevice()), 1, position);
  }
  if (event.isDeviceDeleted()) {
    return FollowDeleted(DeviceId(event.getDeviceDeleted().getDevice()), position);
  }
  if (event.isProductCreated()) {
    changes_.push_back(ProductCredential(event.getProductCreated().getProductKey().cStr(),
                                         CredentialState::kEnabled, position));
  }
  if (event.isProductDeleted()) {
    ASSIGN_OR_RETURN(std::string key,
                     source_.KeyOf(ProductId(event.getProductDeleted().getProduct())));
    changes_.push_back(ProductCredential(key, CredentialState::kDeleted, position));
  }
  return OkStatus();
}

Status CredentialsFeed::FollowDevices(DeviceId first, uint32_t count, uint64_t position) {
  std::vector<DeviceId> devices;
  for (uint32_t i = 0; i < count; ++i) devices.push_back(DeviceId(first.value() + i));
  ASSIGN_OR_RETURN(std::vector<std::optional<CredentialRecord>> records,
                   source_.ReadDevices(devices, position));
  for (uint32_t i = 0; i < count; ++i) {
    if (!records[i]) continue;  // Deleted by now, which a later event says.
    RETURN_IF_ERROR(keys_->Put(devices[i], std::span(&records[i]->key, 1)));
    changes_.push_back(*std::move(records[i]));
  }
  return OkStatus();
}

Status CredentialsFeed::FollowDeleted(DeviceId device, uint64_t position) {
  ASSIGN_OR_RETURN(CredentialKey key, keys_->Get(device));
  // Deleted before it was ever written.
  if (key == CredentialKey()) return OkStatus();
  changes_.push_back({.key = key,
                      .kind = CredentialKind::kDevice,
                      .state = CredentialState::kDeleted,
                      .position = position});
  return OkStatus();
}

void CredentialsFeed::Publish(const Status& status) {
  std::lock_guard lock(mutex_);
  stats_.last_error = status.ok() ? "" : status.ToString();
  if (!writer_) return;
  stats_.generation = writer_->generation();
  stats_.position = writer_->position();
  stats_.followed = followed_;
  stats_.delta_records = writer_->delta_records();
}

}  // namespace updraft
