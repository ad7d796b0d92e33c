#include "events/log/checkpoint_file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <span>

#include <fmt/format.h>
#include <xxhash.h>

#include "events/base/format.h"
#include "events/log/little_endian.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "updraftC";
constexpr uint32_t kVersion = 1;
constexpr std::string_view kPrefix = "checkpoint-";
constexpr size_t kChunkBytesMax = 1 << 20;
// As they are written: the disk is through with one within the time of an fsync of the log, which
// may have to wait for it.
constexpr size_t kChunkBytes = 128 << 10;
constexpr size_t kChunkHeadBytes = sizeof(uint32_t) + sizeof(uint64_t);

// Of the header (place 0) or the chunk at `place`, from 1 on.
uint64_t Checksum(std::string_view bytes, uint64_t place) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), place);
}

std::string HeaderText(const CheckpointMark& mark) {
  std::string bytes(kMagic);
  AppendLittleEndian(bytes, kVersion);
  AppendLittleEndian(bytes, mark.head.last.value());
  bytes.append(mark.head.hash.begin(), mark.head.hash.end());
  AppendLittleEndian(bytes, mark.head.epoch.value());
  AppendLittleEndian(bytes, mark.head.time_ms);
  AppendLittleEndian(bytes, mark.head.engine_number);
  AppendLittleEndian(bytes, mark.digest_version);
  AppendLittleEndian(bytes, mark.digest_high);
  AppendLittleEndian(bytes, mark.digest_low);
  AppendLittleEndian(bytes, Checksum(bytes, 0));
  return bytes;
}

// REQUIRED: what HeaderText made, behind magic and version.
CheckpointMark ParseMark(std::string_view bytes) {
  CheckpointMark mark;
  mark.head.last = Seq(TakeLittleEndian<uint64_t>(bytes));
  std::copy_n(bytes.begin(), mark.head.hash.size(), mark.head.hash.begin());
  bytes.remove_prefix(mark.head.hash.size());
  mark.head.epoch = Epoch(TakeLittleEndian<uint32_t>(bytes));
  mark.head.time_ms = TakeLittleEndian<int64_t>(bytes);
  mark.head.engine_number = TakeLittleEndian<uint16_t>(bytes);
  mark.digest_version = TakeLittleEndian<uint32_t>(bytes);
  mark.digest_high = TakeLittleEndian<uint64_t>(bytes);
  mark.digest_low = TakeLittleEndian<uint64_t>(bytes);
  return mark;
}

struct Files {
  std::vector<std::string> whole;
  std::vector<std::string> unfinished;  // A kill left them.
};

Result<Files> FilesIn(const std::string& dir) {
  Files files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dir, error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kPrefix)) continue;
    (entry.path().has_extension() ? files.unfinished : files.whole).push_back(entry.path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return FileFault("read the directory", dir, error.value());
  }
  return files;
}

Status Remove(std::span<const std::string> paths) {
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::remove(path, error) && error) return FileFault("remove", path, error.value());
  }
  return OkStatus();
}

}  // namespace

Result<std::vector<std::string>> ListCheckpoints(const std::string& dir) {
  ASSIGN_OR_RETURN(Files files, FilesIn(dir));
  std::sort(files.whole.rbegin(), files.whole.rend());  // The numbers are equally long.
  return files.whole;
}

Result<CheckpointWriter> CheckpointWriter::Begin(const std::string& dir,
                                                 const CheckpointMark& mark,
                                                 std::function<void()> rest) {
  RETURN_IF_ERROR(MakeDirectory(dir));
  ASSIGN_OR_RETURN(Files files, FilesIn(dir));
  RETURN_IF_ERROR(Remove(files.unfinished));
  std::string name = fmt::format("{}{:020}", kPrefix, mark.head.last.value());
  ASSIGN_OR_RETURN(FileWriter file, FileWriter::Create(dir + "/" + name));
  RETURN_IF_ERROR(file.Write(HeaderText(mark)));
  return CheckpointWriter(dir, std::move(name), std::move(file), std::move(rest));
}

Status CheckpointWriter::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kChunkBytes - chunk_.size());
    chunk_ += part;
    bytes.remove_prefix(part.size());
    if (chunk_.size() == kChunkBytes) RETURN_IF_ERROR(EndChunk());
  }
  return OkStatus();
}

Status CheckpointWriter::EndChunk() {
  std::string head = LittleEndian(static_cast<uint32_t>(chunk_.size()));
  AppendLittleEndian(head, Checksum(chunk_, ++chunks_));
  RETURN_IF_ERROR(file_.Write(head));
  RETURN_IF_ERROR(file_.Write(chunk_));
  chunk_.clear();
  RETURN_IF_ERROR(file_.Flush());
  if (rest_) rest_();
  return OkStatus();
}

Status CheckpointWriter::Commit() {
  if (!chunk_.empty()) RETURN_IF_ERROR(EndChunk());
  RETURN_IF_ERROR(EndChunk());  // The empty one.
  RETURN_IF_ERROR(file_.Commit());
  // Those of later events are of another log, or of what this one was before it was restored: they
  // would only be in the way of this one and the next.
  ASSIGN_OR_RETURN(std::vector<std::string> paths, ListCheckpoints(dir_));
  const auto own = std::find_if(paths.begin(), paths.end(), [&](const std::string& path) {
    return fs::path(path).filename() == name_;
  });
  Assert(own != paths.end(), "the checkpoint that was written is there");
  const size_t later = static_cast<size_t>(own - paths.begin());
  RETURN_IF_ERROR(Remove(std::span(paths).first(later)));
  return Remove(std::span(paths).subspan(std::min(later + kKept, paths.size())));
}

Result<CheckpointReader> CheckpointReader::Open(const std::string& path) {
  ASSIGN_OR_RETURN(FileReader file, FileReader::Open(path));
  CheckpointReader reader(std::move(file));
  RETURN_IF_ERROR(reader.ReadHeader());
  return reader;
}

Status CheckpointReader::Damaged(std::string_view why) const {
  return Status(StatusCode::kDataLoss,
                fmt::format("the checkpoint {} is damaged: {}", file_.path(), why));
}

Status CheckpointReader::ReadHeader() {
  std::string header(HeaderText({}).size(), '\0');
  RETURN_IF_ERROR(file_.Read(header.data(), header.size()));
  std::string_view rest = header;
  if (!rest.starts_with(kMagic)) return Damaged("it does not begin as one");
  rest.remove_prefix(kMagic.size());
  if (auto version = TakeLittleEndian<uint32_t>(rest); version != kVersion) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("the checkpoint {} has version {}, this build knows {}", file_.path(),
                              version, kVersion));
  }
  mark_ = ParseMark(rest);
  if (header != HeaderText(mark_)) return Damaged("its header fails its checksum");
  return OkStatus();
}

Status CheckpointReader::NextChunk() {
  std::string bytes(kChunkHeadBytes, '\0');
  RETURN_IF_ERROR(file_.Read(bytes.data(), bytes.size()));
  std::string_view head = bytes;
  const auto length = TakeLittleEndian<uint32_t>(head);
  const auto checksum = TakeLittleEndian<uint64_t>(head);
  if (length > kChunkBytesMax) return Damaged("a length is impossible");
  chunk_.resize(length);
  RETURN_IF_ERROR(file_.Read(chunk_.data(), chunk_.size()));
  used_ = 0;
  if (Checksum(chunk_, ++chunks_) == checksum) return OkStatus();
  return Damaged(fmt::format("it fails its checksum before byte {}", file_.offset()));
}

Status CheckpointReader::Read(char* bytes, size_t count) {
  while (count > 0) {
    if (used_ == chunk_.size()) {
      RETURN_IF_ERROR(NextChunk());
      if (chunk_.empty()) return Damaged("it holds less than was looked for");
    }
    const size_t part = std::min(count, chunk_.size() - used_);
    std::memcpy(bytes, chunk_.data() + used_, part);
    used_ += part;
    bytes += part;
    count -= part;
  }
  return OkStatus();
}

Status CheckpointReader::Finish() {
  if (used_ == chunk_.size()) RETURN_IF_ERROR(NextChunk());
  if (!chunk_.empty() || file_.offset() != file_.size()) {
    return Damaged("it holds more than was looked for");
  }
  return OkStatus();
}

}  // namespace updraft
