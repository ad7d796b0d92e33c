#include "events/log/memory_log.h"

#include <algorithm>

#include "events/base/assert.h"
#include "events/log/show_commit.h"

namespace updraft {
namespace {

void Apply(const SideWrite& write, std::map<std::string, std::string>& side) {
  if (write.value.has_value()) {
    side[write.key] = *write.value;
    return;
  }
  auto end = side.lower_bound(write.key);
  while (end != side.end() && end->first.starts_with(write.key)) ++end;
  side.erase(side.lower_bound(write.key), end);
}

}  // namespace

MemoryLog::MemoryLog(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {
  std::lock_guard lock(disk_->mutex);
  head_ = disk_->head;
}

void MemoryLog::SetFate(uint32_t nth, Fate fate) {
  Assert(nth > 0, "the next append is number 1");
  std::lock_guard lock(mutex_);
  fates_[nth] = fate;
}

void MemoryLog::Hold() {
  std::lock_guard lock(mutex_);
  holding_ = true;
}

void MemoryLog::AwaitHeld() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return held_; });
}

void MemoryLog::Release(Fate fate) {
  std::lock_guard lock(mutex_);
  holding_ = false;
  if (held_) release_fate_ = fate;
  changed_.notify_all();
}

// What becomes of the append that asks; waits here while appends are held.
MemoryLog::Fate MemoryLog::TakeFate() {
  std::unique_lock lock(mutex_);
  Fate fate = Fate::kDurable;
  std::map<uint32_t, Fate> rest;
  for (auto [nth, its] : fates_) {
    if (nth == 1) {
      fate = its;
    } else {
      rest[nth - 1] = its;
    }
  }
  fates_ = std::move(rest);
  if (holding_) {
    held_ = true;
    release_fate_ = fate;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !holding_; });
    held_ = false;
    fate = release_fate_;
  }
  if (fate != Fate::kDurable) {
    failed_ = Status(StatusCode::kDataLoss,
                     "a write to the log in memory failed, as its test wished: open it again");
  }
  return fate;
}

Status MemoryLog::Append(const SealedCommit& commit, std::span<const SideWrite> side) {
  RETURN_IF_ERROR(Confirm());
  Fate fate = TakeFate();
  if (fate != Fate::kFailedAndLost) {
    std::lock_guard lock(disk_->mutex);
    RETURN_IF_ERROR(CheckAppend(disk_->head, commit));
    disk_->commits.push_back(commit);
    for (const SideWrite& write : side) Apply(write, disk_->side);
    disk_->head = HeadAfter(commit);
  }
  std::lock_guard lock(mutex_);
  if (failed_.ok()) head_ = HeadAfter(commit);
  return failed_;
}

Status MemoryLog::Confirm() {
  std::lock_guard lock(mutex_);
  return failed_;
}

LogHead MemoryLog::head() const {
  std::lock_guard lock(mutex_);
  return head_;
}

// The oldest stored commit that ends at `seq` or later; null when there is none.
const SealedCommit* MemoryLog::FindFrom(Seq seq) const {
  std::lock_guard lock(disk_->mutex);
  const auto& commits = disk_->commits;
  auto found = std::partition_point(commits.begin(), commits.end(),
                                    [&](const SealedCommit& c) { return c.last() < seq; });
  return found == commits.end() ? nullptr : &*found;  // A deque's elements stay where they are.
}

Status MemoryLog::Read(Seq first, const VisitCommit& visit) const {
  const Seq end = head().last;
  ChainCheck chain;
  while (first <= end) {
    const SealedCommit* stored = FindFrom(first);
    Assert(stored != nullptr, "the disk holds what was durable, event {}", first);
    ASSIGN_OR_RETURN(CommitReader commit, CommitReader::Open(stored->bytes));
    RETURN_IF_ERROR(chain.Follow(commit));
    RETURN_IF_ERROR(ShowCommit(commit, visit));
    first = Seq(commit.last().value() + 1);
  }
  return OkStatus();
}

Result<std::string> MemoryLog::ReadSide(std::string_view key) const {
  std::lock_guard lock(disk_->mutex);
  auto found = disk_->side.find(std::string(key));
  if (found == disk_->side.end()) {
    return Status(StatusCode::kNotFound, "nothing lies under this key of the sidecar");
  }
  return found->second;
}

Status MemoryLog::ScanSide(std::string_view prefix, const VisitSide& visit) const {
  std::map<std::string, std::string> found;
  {
    std::lock_guard lock(disk_->mutex);
    auto next = disk_->side.lower_bound(std::string(prefix));
    for (; next != disk_->side.end() && next->first.starts_with(prefix); ++next) {
      found.insert(*next);
    }
  }
  for (const auto& [key, value] : found) RETURN_IF_ERROR(visit(key, value));
  return OkStatus();
}

}  // namespace updraft
