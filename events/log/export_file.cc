#include "events/log/export_file.h"

#include <cerrno>

#include <fmt/format.h>
#include <unistd.h>

#include "events/base/bytes.h"
#include "events/base/format.h"
#include "events/log/little_endian.h"
#include "events/log/show_commit.h"

namespace updraft {
namespace {

constexpr std::string_view kMagic = "updraft\n";
constexpr uint32_t kVersion = 1;
constexpr uint32_t kWithNames = 1;
constexpr uint64_t kHeaderBytes = kMagic.size() + 2 * sizeof(uint32_t);
constexpr uint64_t kTrailerBytes = 2 * sizeof(uint64_t) + sizeof(Hash256);
constexpr uint32_t kEndOfSection = 0;  // Where a length would stand.
constexpr uint64_t kHashedAtOnceBytes = 1 << 20;
constexpr uint64_t kCommitsPerProgress = 1000;

std::string_view View(const Hash256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

class Output {
 public:
  explicit Output(FileWriter file) : file_(std::move(file)) {}

  Status Write(std::string_view bytes) {
    hash_.Add(bytes);
    return file_.Write(bytes);
  }
  // Ends with the hash of all written so far.
  Status Commit() {
    RETURN_IF_ERROR(file_.Write(View(hash_.Finish())));
    return file_.Commit();
  }

 private:
  FileWriter file_;
  Sha256Stream hash_;
};

Status WriteNumber(Output& out, auto value) { return out.Write(LittleEndian(value)); }

Status WriteCommit(Output& out, const CommitReader& commit) {
  RETURN_IF_ERROR(WriteNumber(out, static_cast<uint32_t>(commit.bytes().size())));
  RETURN_IF_ERROR(out.Write(View(commit.hash())));
  return out.Write(commit.bytes());
}

Status WriteName(Output& out, std::string_view key, std::string_view sealed) {
  RETURN_IF_ERROR(WriteNumber(out, static_cast<uint32_t>(key.size())));
  RETURN_IF_ERROR(WriteNumber(out, static_cast<uint32_t>(sealed.size())));
  RETURN_IF_ERROR(out.Write(key));
  return out.Write(sealed);
}

// Writes the commits that hold events `from` to `to`; how many they are.
Result<uint64_t> WriteCommits(Output& out, const EventLog& log, Seq from, Seq to,
                              const ExportProgress& progress) {
  uint64_t commits = 0;
  bool past_end = false;
  Status read = log.Read(from, [&](const CommitReader& commit) -> Status {
    past_end = commit.header().first > to;
    if (past_end) return Status(StatusCode::kUnavailable, "all that was asked for is written");
    RETURN_IF_ERROR(WriteCommit(out, commit));
    const bool last = commit.last() >= to;
    if ((++commits % kCommitsPerProgress == 0 || last) && progress) progress(commit.last(), to);
    return OkStatus();
  });
  if (!read.ok() && !past_end) return read;
  RETURN_IF_ERROR(WriteNumber(out, kEndOfSection));
  return commits;
}

Result<uint64_t> WriteNames(Output& out, const EventLog& log, const SideCipher* cipher) {
  uint64_t names = 0;
  if (cipher != nullptr) {
    RETURN_IF_ERROR(log.ScanSide("", [&](std::string_view key, std::string_view value) {
      ++names;
      return WriteName(out, key, cipher->Seal(key, value));
    }));
  }
  RETURN_IF_ERROR(WriteNumber(out, kEndOfSection));
  return names;
}

}  // namespace

Status WriteExport(const EventLog& log, const std::string& path, const ExportOptions& options) {
  const Seq end = log.head().last;
  const Seq to = std::min(options.to.value_or(end), end);
  if (options.names != nullptr && (options.from > Seq(1) || to < end)) {
    return Status(StatusCode::kInvalidArgument,
                  "an excerpt cannot hold names: export the whole log, or without names");
  }
  if (access(path.c_str(), F_OK) == 0) return FileFault("make", path, EEXIST);
  ASSIGN_OR_RETURN(FileWriter file, FileWriter::Create(path));
  Output out(std::move(file));
  RETURN_IF_ERROR(out.Write(kMagic));
  RETURN_IF_ERROR(WriteNumber(out, kVersion));
  RETURN_IF_ERROR(WriteNumber(out, options.names != nullptr ? kWithNames : 0));
  ASSIGN_OR_RETURN(uint64_t commits, WriteCommits(out, log, options.from, to, options.progress));
  ASSIGN_OR_RETURN(uint64_t names, WriteNames(out, log, options.names));
  RETURN_IF_ERROR(WriteNumber(out, commits));
  RETURN_IF_ERROR(WriteNumber(out, names));
  return out.Commit();
}

// Reads the file from its begin on.
class ExportFile::Input {
 public:
  static Result<Input> Open(const std::string& path) {
    ASSIGN_OR_RETURN(FileReader file, FileReader::Open(path));
    return Input(std::move(file));
  }

  uint64_t offset() const { return file_.offset(); }
  uint64_t size() const { return file_.size(); }
  uint64_t left() const { return file_.size() - file_.offset(); }
  Status Seek(uint64_t offset) { return file_.Seek(offset); }

  Result<std::string> Bytes(uint64_t count) {
    if (count > left()) {
      return Status(StatusCode::kDataLoss, "a length leads past the end of the file");
    }
    std::string bytes(count, '\0');
    RETURN_IF_ERROR(file_.Read(bytes.data(), bytes.size()));
    return bytes;
  }

  template <class Int>
  Result<Int> Number() {
    ASSIGN_OR_RETURN(std::string bytes, Bytes(sizeof(Int)));
    std::string_view rest = bytes;
    return TakeLittleEndian<Int>(rest);
  }

  Result<CommitReader> NextCommit() {
    ASSIGN_OR_RETURN(uint32_t length, Number<uint32_t>());
    ASSIGN_OR_RETURN(std::string hash, Bytes(sizeof(Hash256)));
    ASSIGN_OR_RETURN(std::string bytes, Bytes(length));
    ASSIGN_OR_RETURN(CommitReader commit, CommitReader::Open(bytes));
    if (hash == View(commit.hash())) return commit;
    return Status(StatusCode::kDataLoss, "it fails its checksum");
  }

  struct Name {
    std::string key;
    std::string sealed;
  };
  Result<Name> NextName() {
    ASSIGN_OR_RETURN(uint32_t key_length, Number<uint32_t>());
    ASSIGN_OR_RETURN(uint32_t value_length, Number<uint32_t>());
    ASSIGN_OR_RETURN(std::string key, Bytes(key_length));
    ASSIGN_OR_RETURN(std::string sealed, Bytes(value_length));
    return Name{std::move(key), std::move(sealed)};
  }

  Status EndOfSection() {
    ASSIGN_OR_RETURN(uint32_t end, Number<uint32_t>());
    if (end == kEndOfSection) return OkStatus();
    return Status(StatusCode::kDataLoss, "there is more than its trailer says");
  }

  // Of the file's first `size` bytes.
  Result<Hash256> HashOf(uint64_t size) {
    RETURN_IF_ERROR(Seek(0));
    Sha256Stream hash;
    while (offset() < size) {
      ASSIGN_OR_RETURN(std::string bytes, Bytes(std::min(kHashedAtOnceBytes, size - offset())));
      hash.Add(bytes);
    }
    return hash.Finish();
  }

 private:
  explicit Input(FileReader file) : file_(std::move(file)) {}

  FileReader file_;
};

Result<std::unique_ptr<ExportFile>> ExportFile::Open(const std::string& path,
                                                     std::optional<SideCipher> names) {
  std::unique_ptr<ExportFile> file(new ExportFile(path, std::move(names)));
  ASSIGN_OR_RETURN(Input in, Input::Open(path));
  RETURN_IF_ERROR(file->CheckHeader(in));
  RETURN_IF_ERROR(file->CheckTrailer(in));
  RETURN_IF_ERROR(file->CheckCommits(in));
  RETURN_IF_ERROR(file->CheckNames(in));
  const uint64_t hashed = in.size() - sizeof(Hash256);
  ASSIGN_OR_RETURN(Hash256 hash, in.HashOf(hashed));
  ASSIGN_OR_RETURN(std::string stored, in.Bytes(sizeof(Hash256)));
  if (stored == View(hash)) return file;
  return file->Damaged("its header, names or trailer",
                       Status(StatusCode::kDataLoss, "the whole file fails its checksum"));
}

Status ExportFile::Damaged(std::string_view where, const Status& why) const {
  return Status(StatusCode::kDataLoss,
                fmt::format("the export {} is damaged in {}: {}; fetch another copy, or export the "
                            "log again",
                            path_, where, why.message()));
}

Status ExportFile::CheckHeader(Input& in) {
  const Status no_export(StatusCode::kFailedPrecondition,
                         fmt::format("{} is no export of a log", path_));
  Result<std::string> magic = in.Bytes(kMagic.size());
  Result<uint32_t> version = in.Number<uint32_t>();
  Result<uint32_t> flags = in.Number<uint32_t>();
  if (!magic.ok() || !version.ok() || !flags.ok() || *magic != kMagic) return no_export;
  if (*version != kVersion || *flags > kWithNames) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("the export {} has version {}.{}, this build knows {}: a newer build "
                              "wrote it, use that one",
                              path_, *version, *flags, kVersion));
  }
  has_names_ = *flags == kWithNames;
  return OkStatus();
}

Status ExportFile::CheckTrailer(Input& in) {
  if (in.size() < kHeaderBytes + 2 * sizeof(kEndOfSection) + kTrailerBytes) {
    return Damaged("its trailer", Status(StatusCode::kDataLoss, "it is cut short"));
  }
  RETURN_IF_ERROR(in.Seek(in.size() - kTrailerBytes));
  ASSIGN_OR_RETURN(commits_, in.Number<uint64_t>());
  ASSIGN_OR_RETURN(name_count_, in.Number<uint64_t>());
  return in.Seek(kHeaderBytes);
}

Status ExportFile::CheckCommits(Input& in) {
  ChainCheck chain;
  auto next = [&] { return fmt::format("the commit after event {}", chain.head().last); };
  for (uint64_t i = 0; i < commits_; ++i) {
    Result<CommitReader> commit = in.NextCommit();
    if (!commit.ok()) return Damaged(next(), commit.status());
    Status follows = chain.Follow(*commit);
    if (!follows.ok()) return Damaged(next(), follows);
    if (i == 0) first_ = commit->header().first;
  }
  head_ = chain.head();
  Status end = in.EndOfSection();
  return end.ok() ? end : Damaged(next(), end);
}

Status ExportFile::CheckNames(Input& in) {
  names_offset_ = in.offset();
  for (uint64_t i = 0; i < name_count_; ++i) {
    Result<Input::Name> name = in.NextName();
    if (!name.ok()) return Damaged("its names", name.status());
  }
  Status end = in.EndOfSection();
  if (end.ok() && in.left() == kTrailerBytes) return OkStatus();
  return Damaged("its names", Status(StatusCode::kDataLoss, "it holds more than its trailer says"));
}

Status ExportFile::CanOpenNames() const {
  if (!has_names_ || cipher_.has_value()) return OkStatus();
  return Status(StatusCode::kFailedPrecondition,
                fmt::format("the names in the export {} are sealed: name the key file", path_));
}

Status ExportFile::Read(Seq first, const VisitCommit& visit) const {
  ASSIGN_OR_RETURN(Input in, Input::Open(path_));
  RETURN_IF_ERROR(in.Seek(kHeaderBytes));
  ChainCheck chain;
  for (uint64_t i = 0; i < commits_; ++i) {
    Result<CommitReader> commit = in.NextCommit();
    if (!commit.ok()) return commit.status();
    RETURN_IF_ERROR(chain.Follow(*commit));
    if (commit->last() >= first) RETURN_IF_ERROR(ShowCommit(*commit, visit));
  }
  return OkStatus();
}

Status ExportFile::Append(const SealedCommit&, std::span<const SideWrite>) { return Confirm(); }

Status ExportFile::Confirm() {
  return Status(StatusCode::kFailedPrecondition,
                fmt::format("{} is an export: it is read, not written", path_));
}

Status ExportFile::ScanSide(std::string_view prefix, const VisitSide& visit) const {
  RETURN_IF_ERROR(CanOpenNames());
  ASSIGN_OR_RETURN(Input in, Input::Open(path_));
  RETURN_IF_ERROR(in.Seek(names_offset_));
  for (uint64_t i = 0; i < name_count_; ++i) {
    ASSIGN_OR_RETURN(Input::Name name, in.NextName());
    if (!name.key.starts_with(prefix)) continue;
    ASSIGN_OR_RETURN(std::string value, cipher_->Open(name.key, name.sealed));
    RETURN_IF_ERROR(visit(name.key, value));
  }
  return OkStatus();
}

Result<std::string> ExportFile::ReadSide(std::string_view key) const {
  std::optional<std::string> found;
  RETURN_IF_ERROR(ScanSide(key, [&](std::string_view its_key, std::string_view value) {
    if (its_key == key) found = value;
    return OkStatus();
  }));
  if (found.has_value()) return *std::move(found);
  return Status(StatusCode::kNotFound, "nothing lies under this key of the sidecar");
}

Status ExportFile::Import(EventLog& log, const ExportProgress& progress) const {
  RETURN_IF_ERROR(CanOpenNames());
  if (has_names_ && log.head().last) {
    return Status(
        StatusCode::kFailedPrecondition,
        fmt::format("the export {} holds names, so it is imported into an empty log only", path_));
  }
  ASSIGN_OR_RETURN(Input names, Input::Open(path_));
  RETURN_IF_ERROR(names.Seek(names_offset_));
  uint64_t names_left = name_count_;
  uint64_t commits_left = commits_;
  return Read(Seq(1), [&](const CommitReader& commit) -> Status {
    // An even share of the names goes with each commit, so that no append is large.
    std::vector<SideWrite> share;
    for (uint64_t n = (names_left + commits_left - 1) / commits_left; n > 0; --n, --names_left) {
      ASSIGN_OR_RETURN(Input::Name name, names.NextName());
      ASSIGN_OR_RETURN(std::string value, cipher_->Open(name.key, name.sealed));
      share.push_back({std::move(name.key), std::move(value)});
    }
    --commits_left;
    const SealedCommit sealed{.header = commit.header(),
                              .event_count = commit.event_count(),
                              .bytes = std::string(commit.bytes()),
                              .hash = commit.hash()};
    RETURN_IF_ERROR(log.Append(sealed, share));
    if (progress && (commits_left % kCommitsPerProgress == 0)) progress(commit.last(), head_.last);
    return OkStatus();
  });
}

}  // namespace updraft
