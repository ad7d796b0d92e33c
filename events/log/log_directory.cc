#include "events/log/log_directory.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "events/base/format.h"
#include "events/log/files.h"

namespace updraft {
namespace {

constexpr char kNoteName[] = "HEAD";
constexpr char kCurrentName[] = "CURRENT";

Status Missing(const std::string& dir, std::string_view what) {
  return Status(
      StatusCode::kDataLoss,
      fmt::format("{} is missing in {}, so the log there is not whole: put the file back, "
                  "restore the directory from its backup, or import an export into a "
                  "new one",
                  what, dir));
}

Status Damaged(const std::string& path, const WalScan& scan) {
  const std::string_view way_out =
      scan.is_last_record
          ? "if the power failed while it was written, nobody was told of it and it can be cut: "
            "say 'updraft log cut-damaged-tail' (RocksLogOptions::cut_damaged_tail); else restore "
            "the directory from its backup"
          : "restore the directory from its backup, or import an export into a new one";
  return Status(StatusCode::kDataLoss, fmt::format("{} is damaged at byte {}: {}; {}", path,
                                                   scan.offset, scan.why, way_out));
}

// Cuts the file at `path` to `size` bytes and says so.
Result<std::string> Cut(const std::string& path, uint64_t size) {
  std::error_code error;
  const uint64_t was = std::filesystem::file_size(path, error);
  if (!error) std::filesystem::resize_file(path, size, error);
  if (error) return FileFault("cut the end of", path, error.value());
  return fmt::format("cut {} bytes off the end of {}: a record whose writing was interrupted",
                     was - size, path);
}

}  // namespace

Result<LogDirectory> LogDirectory::Survey(const std::string& dir) {
  LogDirectory survey(dir);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir, error)) {
    const std::string name = entry.path().filename();
    if (name == kCurrentName) survey.current_ = true;
    if (name.ends_with(".sst")) survey.tables_ = true;
    if (name.ends_with(".log")) survey.wals_.push_back(name);
  }
  if (error) return FileFault("read the directory", dir, error.value());
  // Numbers of at least six digits: shorter ones are older.
  std::sort(survey.wals_.begin(), survey.wals_.end(), [](const auto& a, const auto& b) {
    return std::pair(a.size(), a) < std::pair(b.size(), b);
  });

  Result<std::string> text = ReadFile(survey.Path(kNoteName));
  if (text.status().code() == StatusCode::kNotFound) return survey;
  if (!text.ok()) return text.status();
  Result<HeadNote> note = ParseHeadNote(*text);
  if (!note.ok()) {
    return Status(note.status().code(),
                  fmt::format("{} is damaged: {}; remove it to open the log without what it notes",
                              survey.Path(kNoteName), note.status().message()));
  }
  survey.note_ = *note;
  return survey;
}

Status LogDirectory::CheckComplete() const {
  if (!current_) return Missing(dir_, kCurrentName);
  // One is there from the first opening on: RocksDB makes the next before it removes the last.
  if (note_.has_value() && wals_.empty()) return Missing(dir_, "the write-ahead log (NNNNNN.log)");
  return OkStatus();
}

Result<std::string> LogDirectory::Manifest() const {
  ASSIGN_OR_RETURN(std::string name, ReadFile(Path(kCurrentName)));
  if (!name.starts_with("MANIFEST-") || !name.ends_with('\n')) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("{} is damaged: it names no manifest; restore the directory from its "
                              "backup",
                              Path(kCurrentName)));
  }
  name.pop_back();
  return name;
}

Result<WalScan> LogDirectory::Scan(const std::string& name) const {
  Result<std::string> bytes = ReadFile(Path(name));
  if (bytes.status().code() == StatusCode::kNotFound) return Missing(dir_, name);
  if (!bytes.ok()) return bytes.status();
  return ScanWal(*bytes);
}

Result<LogDirectory::Replay> LogDirectory::CheckReplay() const {
  Replay replay;
  ASSIGN_OR_RETURN(std::string manifest, Manifest());
  ASSIGN_OR_RETURN(WalScan manifest_scan, Scan(manifest));
  if (manifest_scan.end == WalScan::End::kDamaged) return Damaged(Path(manifest), manifest_scan);
  for (const std::string& name : wals_) {
    ASSIGN_OR_RETURN(WalScan scan, Scan(name));
    if (scan.end == WalScan::End::kDamaged) return Damaged(Path(name), scan);
    replay.last_sequence = std::max(replay.last_sequence, scan.last_sequence);
  }
  return replay;
}

Result<LogDirectory::Replay> LogDirectory::MendReplay(bool cut_damaged_tail) const {
  Replay replay;
  auto mend = [&](const std::string& name, const WalScan& scan) -> Status {
    if (scan.end == WalScan::End::kWhole) return OkStatus();
    if (scan.end == WalScan::End::kDamaged && !(scan.is_last_record && cut_damaged_tail)) {
      return Damaged(Path(name), scan);
    }
    ASSIGN_OR_RETURN(std::string notice, Cut(Path(name), scan.offset));
    replay.notices.push_back(std::move(notice));
    return OkStatus();
  };
  ASSIGN_OR_RETURN(std::string manifest, Manifest());
  ASSIGN_OR_RETURN(WalScan manifest_scan, Scan(manifest));
  RETURN_IF_ERROR(mend(manifest, manifest_scan));
  for (auto name = wals_.rbegin(); name != wals_.rend(); ++name) {
    ASSIGN_OR_RETURN(WalScan scan, Scan(*name));
    if (scan.end != WalScan::End::kWhole && replay.last_sequence > 0) {
      // Nothing is written to a later one before the writing of this one ended.
      scan.is_last_record = false;
      if (scan.why.empty()) scan.why = "it is cut short, but a later write-ahead log goes on";
      return Damaged(Path(*name), scan);
    }
    RETURN_IF_ERROR(mend(*name, scan));
    replay.last_sequence = std::max(replay.last_sequence, scan.last_sequence);
  }
  return replay;
}

Result<std::string> LogDirectory::Stamp(const std::string& dir) {
  const LogDirectory directory(dir);
  ASSIGN_OR_RETURN(std::string manifest, directory.Manifest());
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(directory.Path(manifest), error);
  if (error) return FileFault("read", directory.Path(manifest), error.value());
  return fmt::format("{} {}", manifest, size);
}

Status WriteHeadNote(const std::string& dir, const HeadNote& note) {
  ASSIGN_OR_RETURN(FileWriter file, FileWriter::Create(fmt::format("{}/{}", dir, kNoteName)));
  RETURN_IF_ERROR(file.Write(FormatHeadNote(note)));
  return file.Commit();
}

}  // namespace updraft
