// What lies in the directory:
//
//   column    key                                  value
//   commits   first sequence number, 8 bytes BE    the commit's bytes
//   sidecar   see side_keys.h                      sealed, see side_cipher.h
//   meta      "format"                             "1": raised when an older build must not open it
//             "sidecar key"                        "updraft", sealed: proves the key file
//             "erased"                             there while files hold what was erased
//
//   HEAD      see head_note.h
//   WRITER    locked by the process that writes
//
// All else is RocksDB's.
#include "events/log/rocks_log.h"

#include <algorithm>
#include <charconv>
#include <mutex>

#include <fmt/format.h>
#include <unistd.h>

#include "events/base/bytes.h"
#include "events/base/format.h"
#include "events/log/files.h"
#include "events/log/key_file.h"
#include "events/log/log_directory.h"
#include "events/log/rocks_database.h"
#include "events/log/show_commit.h"
#include "events/log/side_cipher.h"

namespace updraft {
namespace {

constexpr uint32_t kFormat = 1;
constexpr char kFormatKey[] = "format";
constexpr char kKeyProof[] = "sidecar key";
constexpr char kErasedKey[] = "erased";
constexpr std::string_view kKeyProofText = "updraft";
// A writer moves files under a reader that opens; the reader begins again.
constexpr int kReadOnlyTriesMax = 100;

std::string CommitKey(Seq first) {
  std::string key(sizeof(uint64_t), '\0');
  for (size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<char>(first.value() >> (8 * (key.size() - 1 - i)));
  }
  return key;
}

class RocksLogImpl final : public RocksLog {
 public:
  explicit RocksLogImpl(const RocksLogOptions& options) : options_(options) {}
  ~RocksLogImpl() override;

  Status OpenForWriting();
  Status OpenForReading();

  const std::vector<std::string>& notices() const override { return notices_; }
  bool has_erased() const override;
  Status PurgeErased() override;
  Status Append(const SealedCommit& commit, std::span<const SideWrite> side) override;
  Status Confirm() override;
  LogHead head() const override;
  Status Read(Seq first, const VisitCommit& visit) const override;
  Result<std::string> ReadSide(std::string_view key) const override;
  Status ScanSide(std::string_view prefix, const VisitSide& visit) const override;

 private:
  using Record = RocksDatabase::Record;

  Status TakeLock();
  Status TryOpenForReading();
  Status OpenDatabase(bool make, const LogDirectory::Replay& replay);
  Status CheckFormat();
  Status MakeFormat();
  Status LoadKey();
  Status CheckKey() const;
  Status FindHead();
  Status CheckNote(const std::optional<HeadNote>& note);
  Status NoLogHere() const;
  Status CheckNeverMade() const;
  Status AddSideWrites(std::span<const SideWrite> side, std::vector<Record>& records) const;
  Status WriteRecords(std::vector<Record>& records);
  Status FailForEver(const SealedCommit& commit, const Status& why);

  const RocksLogOptions options_;
  std::optional<FileLock> lock_;
  std::optional<SideCipher> cipher_;
  std::unique_ptr<RocksDatabase> database_;
  std::vector<std::string> notices_;
  bool serving_ = false;  // Opened for writing, and all was well.

  mutable std::mutex erased_mutex_;  // Guards the erasing writes, and what follows.
  uint64_t erasings_ = 0;            // By this object.
  bool has_erased_ = false;          // As kErasedKey is there.

  mutable std::mutex mutex_;  // Guards what follows.
  LogHead head_;
  Status failed_;
};

Status RocksLogImpl::NoLogHere() const {
  return Status(
      StatusCode::kNotFound,
      fmt::format("there is no log in {}: make one, or name the right directory", options_.dir));
}

// The key is made after the first files of the log, so where it lies alone a log was lost.
Status RocksLogImpl::CheckNeverMade() const {
  const std::string& key = options_.sidecar_key_path;
  if (access(key.c_str(), F_OK) != 0) return OkStatus();
  return Status(StatusCode::kDataLoss,
                fmt::format("the key file {} is there, but there is no log in {}: restore the "
                            "directory from its backup; to begin a new log, move the key away",
                            key, options_.dir));
}

Status RocksLogImpl::TakeLock() {
  Result<FileLock> lock = FileLock::Take(options_.dir + "/WRITER");
  if (lock.status().code() == StatusCode::kAborted) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("the log in {} is in use by another engine: stop that one, or give "
                              "this one a directory of its own",
                              options_.dir));
  }
  if (!lock.ok()) return lock.status();
  lock_.emplace(*std::move(lock));
  return OkStatus();
}

Status RocksLogImpl::OpenForWriting() {
  const std::string& dir = options_.dir;
  if (options_.sidecar_key_path.empty()) {
    return Status(StatusCode::kInvalidArgument, "a log to write needs the path of its sidecar key");
  }
  if (options_.create) RETURN_IF_ERROR(MakeDirectory(dir));
  Status there = CheckDirectory(dir, /*write=*/true);
  if (there.code() == StatusCode::kNotFound) return NoLogHere();
  RETURN_IF_ERROR(there);
  ASSIGN_OR_RETURN(LogDirectory survey, LogDirectory::Survey(dir));
  if (survey.empty() && !options_.create) return NoLogHere();
  if (survey.empty()) RETURN_IF_ERROR(CheckNeverMade());
  RETURN_IF_ERROR(TakeLock());
  ASSIGN_OR_RETURN(survey, LogDirectory::Survey(dir));  // As it is now that nobody else writes.
  LogDirectory::Replay replay;
  if (!survey.empty()) {
    RETURN_IF_ERROR(survey.CheckComplete());
    ASSIGN_OR_RETURN(replay, survey.MendReplay(options_.cut_damaged_tail));
    notices_ = replay.notices;
  }
  // Without a note the making of the log may have been interrupted: finish it.
  RETURN_IF_ERROR(OpenDatabase(/*make=*/!survey.note().has_value(), replay));
  RETURN_IF_ERROR(database_->Flush());  // What was replayed is safe before anything builds on it.
  RETURN_IF_ERROR(FindHead());
  Status format = CheckFormat();
  const bool is_new = format.code() == StatusCode::kNotFound && !head_.last;
  RETURN_IF_ERROR(is_new ? MakeFormat() : format);
  RETURN_IF_ERROR(LoadKey());
  RETURN_IF_ERROR(CheckNote(survey.note()));
  RETURN_IF_ERROR(WriteHeadNote(dir, {.last = head_.last, .hash = head_.hash}));
  serving_ = true;
  return OkStatus();
}

// Files that a writer moves meanwhile make an opening fail, or leave out what lies between two of
// them. Then the next try may find all at rest.
Status RocksLogImpl::OpenForReading() {
  Status there = CheckDirectory(options_.dir, /*write=*/false);
  if (there.code() == StatusCode::kNotFound) return NoLogHere();
  RETURN_IF_ERROR(there);
  for (int i = 0; i < kReadOnlyTriesMax; ++i) {
    Result<std::string> before = LogDirectory::Stamp(options_.dir);
    Status opened = TryOpenForReading();
    Result<std::string> after = LogDirectory::Stamp(options_.dir);
    const bool at_rest = before.ok() == after.ok() && (!before.ok() || *before == *after);
    if (at_rest) return opened;
    database_.reset();
    head_ = LogHead();
    notices_.clear();
  }
  return Status(StatusCode::kUnavailable,
                fmt::format("the log in {} is being written too fast to be opened beside its "
                            "writer: try again",
                            options_.dir));
}

Status RocksLogImpl::TryOpenForReading() {
  ASSIGN_OR_RETURN(LogDirectory survey, LogDirectory::Survey(options_.dir));
  if (survey.empty()) return NoLogHere();
  RETURN_IF_ERROR(survey.CheckComplete());
  ASSIGN_OR_RETURN(LogDirectory::Replay replay, survey.CheckReplay());
  RETURN_IF_ERROR(OpenDatabase(/*make=*/false, replay));
  RETURN_IF_ERROR(FindHead());
  RETURN_IF_ERROR(CheckFormat());
  if (!options_.sidecar_key_path.empty()) RETURN_IF_ERROR(LoadKey());
  return CheckNote(survey.note());
}

Status RocksLogImpl::OpenDatabase(bool make, const LogDirectory::Replay& replay) {
  ASSIGN_OR_RETURN(database_, RocksDatabase::Open({.dir = options_.dir,
                                                   .make = make,
                                                   .read_only = options_.read_only,
                                                   .env = options_.env,
                                                   .on_sync = options_.on_sync}));
  if (database_->last_sequence() >= replay.last_sequence) return OkStatus();
  return Status(
      StatusCode::kDataLoss,
      fmt::format("the write-ahead logs in {} hold more than was read from them: the disk "
                  "may fail, see the system's log, and start again",
                  options_.dir));
}

RocksLogImpl::~RocksLogImpl() {
  database_.reset();
  // Where it fails the log is as good; the next opening only knows less.
  if (serving_ && failed_.ok())
    (void)WriteHeadNote(options_.dir, {.last = head_.last, .hash = head_.hash});
}

// NOT_FOUND when the log has none yet.
Status RocksLogImpl::CheckFormat() {
  Result<std::string> text = database_->Get(Column::kMeta, kFormatKey);
  if (text.status().code() == StatusCode::kNotFound) return NoLogHere();
  if (!text.ok()) return text.status();
  uint32_t format = 0;
  std::from_chars(text->data(), text->data() + text->size(), format);
  if (format >= 1 && format <= kFormat) return OkStatus();
  return Status(StatusCode::kFailedPrecondition,
                fmt::format("the log in {} has format {}, this build knows up to {}: a newer build "
                            "wrote it, use that one",
                            options_.dir, *text, kFormat));
}

Status RocksLogImpl::MakeFormat() {
  const std::string& path = options_.sidecar_key_path;
  // A key that is there was made for this log, before its making was interrupted.
  Status made = WriteKeyFile(path, RandomBytes(SideCipher::kKeyBytes));
  if (!made.ok() && made.code() != StatusCode::kAlreadyExists) return made;
  ASSIGN_OR_RETURN(SideCipher cipher, SideCipher::FromFile(path));
  const std::string format = std::to_string(kFormat);
  const std::string proof = cipher.Seal(kKeyProof, kKeyProofText);
  const Record records[] = {{Column::kMeta, kFormatKey, format}, {Column::kMeta, kKeyProof, proof}};
  return database_->Write(records);
}

Status RocksLogImpl::LoadKey() {
  const std::string& path = options_.sidecar_key_path;
  Result<SideCipher> cipher = SideCipher::FromFile(path);
  if (cipher.status().code() == StatusCode::kNotFound) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("the key file {} of the log in {} is missing: restore it from its "
                              "backup; names and secrets cannot be read without",
                              path, options_.dir));
  }
  if (!cipher.ok()) return cipher.status();
  ASSIGN_OR_RETURN(std::string proof, database_->Get(Column::kMeta, kKeyProof));
  if (!cipher->Open(kKeyProof, proof).ok()) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("the key file {} is of another log than the one in {}: name the key "
                              "that was made with it",
                              path, options_.dir));
  }
  cipher_.emplace(*std::move(cipher));
  return OkStatus();
}

// The last commit, checked with the one before it, and what goes on from there.
Status RocksLogImpl::FindHead() {
  RocksDatabase::Cursor last = database_->AtLast(Column::kCommits);
  RETURN_IF_ERROR(last.status());
  if (!last.valid()) return OkStatus();
  ASSIGN_OR_RETURN(CommitReader commit, CommitReader::Open(last.value()));
  head_ = HeadAfter(commit);
  has_erased_ = database_->Get(Column::kMeta, kErasedKey).ok();
  const uint64_t first = commit.header().first.value();
  return Read(Seq(first > 1 ? first - 1 : first), [](const CommitReader&) { return OkStatus(); });
}

Status RocksLogImpl::CheckNote(const std::optional<HeadNote>& note) {
  if (!note.has_value()) {
    if (head_.last) notices_.push_back(fmt::format("{}/HEAD was missing", options_.dir));
    return OkStatus();
  }
  if (note->last < head_.last) return OkStatus();
  if (note->last == head_.last && note->hash == head_.hash) return OkStatus();
  return Status(StatusCode::kDataLoss,
                fmt::format("the log in {} ends at event {}, but its file HEAD notes event {}{}: a "
                            "write-ahead log was removed, cut or exchanged; restore the directory "
                            "from its backup, or remove HEAD to go on without what is lost",
                            options_.dir, head_.last, note->last,
                            note->last == head_.last ? " with another hash" : ""));
}

Status RocksLogImpl::Append(const SealedCommit& commit, std::span<const SideWrite> side) {
  RETURN_IF_ERROR(Confirm());
  RETURN_IF_ERROR(CheckAppend(head(), commit));
  std::vector<Record> records;
  records.push_back({Column::kCommits, CommitKey(commit.header.first), commit.bytes});
  Status written = AddSideWrites(side, records);
  if (written.ok()) written = WriteRecords(records);
  if (!written.ok()) return FailForEver(commit, written);
  std::lock_guard lock(mutex_);
  head_ = HeadAfter(commit);
  return OkStatus();
}

Status RocksLogImpl::AddSideWrites(std::span<const SideWrite> side,
                                   std::vector<Record>& records) const {
  bool puts = false;
  for (const SideWrite& write : side) {
    if (write.value.has_value()) {
      puts = true;
      records.push_back({Column::kSidecar, write.key, cipher_->Seal(write.key, *write.value)});
      continue;
    }
    // Erased one by one, as reading becomes slow where many ranges are; first what this commit put.
    if (puts) {
      std::erase_if(records, [&](const Record& record) {
        return record.column == Column::kSidecar && record.key.starts_with(write.key);
      });
    }
    RocksDatabase::Cursor cursor = database_->WithPrefix(Column::kSidecar, write.key);
    for (; cursor.valid(); cursor.Next()) {
      records.push_back({Column::kSidecar, std::string(cursor.key()), std::nullopt});
    }
    RETURN_IF_ERROR(cursor.status());
  }
  return OkStatus();
}

// Notes, with the records, whether they erase something.
Status RocksLogImpl::WriteRecords(std::vector<Record>& records) {
  const bool erases = std::any_of(records.begin(), records.end(),
                                  [](const Record& record) { return !record.value.has_value(); });
  if (!erases) return database_->Write(records);
  std::lock_guard lock(erased_mutex_);
  records.push_back({Column::kMeta, kErasedKey, ""});
  RETURN_IF_ERROR(database_->Write(records));
  ++erasings_;
  has_erased_ = true;
  return OkStatus();
}

bool RocksLogImpl::has_erased() const {
  std::lock_guard lock(erased_mutex_);
  return has_erased_;
}

Status RocksLogImpl::PurgeErased() {
  uint64_t before = 0;
  {
    std::lock_guard lock(erased_mutex_);
    before = erasings_;
  }
  RETURN_IF_ERROR(database_->Purge(Column::kSidecar));
  std::lock_guard lock(erased_mutex_);
  if (erasings_ != before) return OkStatus();  // What was erased meanwhile may be left.
  const Record done{Column::kMeta, kErasedKey, std::nullopt};
  RETURN_IF_ERROR(database_->Write(std::span(&done, 1)));
  has_erased_ = false;
  return OkStatus();
}

Status RocksLogImpl::FailForEver(const SealedCommit& commit, const Status& why) {
  std::lock_guard lock(mutex_);
  failed_ = Status(StatusCode::kDataLoss,
                   fmt::format("whether the commit of events {} to {} is on disk is unknown, so "
                               "nothing more is accepted until the engine starts again: {}",
                               commit.header.first, commit.last(), why.message()));
  return failed_;
}

Status RocksLogImpl::Confirm() {
  if (options_.read_only) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("the log in {} was opened for reading only", options_.dir));
  }
  std::lock_guard lock(mutex_);
  return failed_;
}

LogHead RocksLogImpl::head() const {
  std::lock_guard lock(mutex_);
  return head_;
}

Status RocksLogImpl::Read(Seq first, const VisitCommit& visit) const {
  const Seq end = head().last;
  Seq next = std::max(first, Seq(1));
  auto bad = [&](std::string_view why) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("the log in {} is damaged at event {}: {}", options_.dir, next, why));
  };
  ChainCheck chain;
  RocksDatabase::Cursor cursor = database_->AtKeyOrBefore(Column::kCommits, CommitKey(next));
  for (; next <= end; cursor.Next()) {
    if (!cursor.status().ok()) return bad(cursor.status().message());
    if (!cursor.valid()) return bad("its commit is missing");
    Result<CommitReader> commit = CommitReader::Open(cursor.value());
    if (!commit.ok()) return bad(commit.status().message());
    const bool holds_next = commit->header().first <= next && next <= commit->last();
    if (!holds_next || cursor.key() != CommitKey(commit->header().first)) {
      return bad(fmt::format("the commit of {} stands in its place", NameOf(*commit)));
    }
    RETURN_IF_ERROR(chain.Follow(*commit));
    RETURN_IF_ERROR(ShowCommit(*commit, visit));
    next = Seq(commit->last().value() + 1);
  }
  return OkStatus();
}

Status RocksLogImpl::CheckKey() const {
  if (cipher_.has_value()) return OkStatus();
  return Status(StatusCode::kFailedPrecondition,
                fmt::format("the log in {} was opened without its sidecar key, so names and "
                            "secrets cannot be read",
                            options_.dir));
}

Result<std::string> RocksLogImpl::ReadSide(std::string_view key) const {
  RETURN_IF_ERROR(CheckKey());
  ASSIGN_OR_RETURN(std::string sealed, database_->Get(Column::kSidecar, key));
  return cipher_->Open(key, sealed);
}

Status RocksLogImpl::ScanSide(std::string_view prefix, const VisitSide& visit) const {
  RETURN_IF_ERROR(CheckKey());
  SideCipher::Opener opener(*cipher_);
  RocksDatabase::Cursor cursor = database_->AtKey(Column::kSidecar, prefix);
  for (; cursor.valid() && cursor.key().starts_with(prefix); cursor.Next()) {
    ASSIGN_OR_RETURN(std::string value, opener.Open(cursor.key(), cursor.value()));
    RETURN_IF_ERROR(visit(cursor.key(), value));
  }
  return cursor.status();
}

}  // namespace

Result<std::unique_ptr<RocksLog>> RocksLog::Open(const RocksLogOptions& options) {
  auto log = std::make_unique<RocksLogImpl>(options);
  RETURN_IF_ERROR(options.read_only ? log->OpenForReading() : log->OpenForWriting());
  return std::unique_ptr<RocksLog>(std::move(log));
}

}  // namespace updraft
