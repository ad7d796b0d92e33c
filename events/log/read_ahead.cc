#include "events/log/read_ahead.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "events/log/show_commit.h"

namespace updraft {
namespace {

Status ForReading() {
  return Status(StatusCode::kFailedPrecondition, "a log that is read ahead is not written");
}

// Between the thread that loads and the one that visits.
class Shelf {
 public:
  // Waits for room. False when nobody wants more.
  bool Put(const CommitReader& commit) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return commits_.size() < ReadAhead::kCommitsMax || closed_; });
    if (closed_) return false;
    commits_.push_back(commit);
    if (commits_.size() == 1) there_.notify_one();
    return true;
  }
  // There is nothing more; reading ended so.
  void Finish(Status status) {
    std::lock_guard lock(mutex_);
    finished_ = std::move(status);
    there_.notify_one();
  }

  // All that is there, at least one; nothing once all was taken and the loader has finished.
  std::deque<CommitReader> Take() {
    std::unique_lock lock(mutex_);
    there_.wait(lock, [&] { return !commits_.empty() || finished_; });
    room_.notify_one();
    return std::exchange(commits_, {});
  }
  // Nobody takes more.
  void Close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_one();
  }
  // After the loader's thread has ended.
  const Status& finished() const { return *finished_; }

 private:
  std::mutex mutex_;  // Over all below.
  std::condition_variable room_;
  std::condition_variable there_;
  std::deque<CommitReader> commits_;
  std::optional<Status> finished_;
  bool closed_ = false;
};

}  // namespace

Status ReadAhead::Append(const SealedCommit&, std::span<const SideWrite>) { return ForReading(); }
Status ReadAhead::Confirm() { return ForReading(); }

Status ReadAhead::Read(Seq first, const VisitCommit& visit) const {
  Shelf shelf;
  std::thread loader([&] {
    shelf.Finish(log_.Read(first, [&](const CommitReader& commit) {
      return shelf.Put(commit) ? OkStatus() : Status(StatusCode::kAborted, "not wanted");
    }));
  });
  Status visited;
  while (visited.ok()) {
    std::deque<CommitReader> commits = shelf.Take();
    if (commits.empty()) break;
    for (; visited.ok() && !commits.empty(); commits.pop_front()) {
      visited = ShowCommit(commits.front(), visit);
    }
  }
  shelf.Close();
  loader.join();
  return visited.ok() ? shelf.finished() : visited;
}

}  // namespace updraft
