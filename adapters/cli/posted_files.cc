#include "adapters/cli/posted_files.h"

#include <unistd.h>

#include "adapters/wire/signed_url.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr int64_t kHourMs = 3'600'000;

// A file is made a package of within an hour or two, or never.
constexpr int64_t kFoundForMs = 24 * kHourMs;
// The difference is the time that a call has which found its upload at the last moment.
constexpr int64_t kForgottenAfterMs = kFoundForMs + kHourMs;

Status NoSuchUpload() {
  return Status(StatusCode::kNotFound,
                "nothing was uploaded with that ticket; upload the file, then name its URL");
}

// One upload on its way into the store.
class Sink : public UploadSink {
 public:
  Sink(std::unique_ptr<StoreWriter> writer, ReceivedFiles& received, FileKind kind, std::string key)
      : writer_(std::move(writer)), received_(received), kind_(kind), key_(std::move(key)) {}

  Status Write(std::string_view bytes) override { return writer_->Write(bytes); }
  Status Finish() override {
    ASSIGN_OR_RETURN(StoredFile file, writer_->Finish());
    return received_.Put(kind_, key_, file);
  }

 private:
  std::unique_ptr<StoreWriter> writer_;
  ReceivedFiles& received_;
  const FileKind kind_;
  const std::string key_;
};

}  // namespace

Result<std::unique_ptr<PostedFiles>> PostedFiles::Open(const std::string& directory,
                                                       std::string link_key, const Clock& clock) {
  ASSIGN_OR_RETURN(auto store, PackageStore::Open(directory));
  ASSIGN_OR_RETURN(auto received, ReceivedFiles::Open(directory));
  return std::unique_ptr<PostedFiles>(
      new PostedFiles(std::move(store), std::move(received), std::move(link_key), clock));
}

Result<UploadTarget> PostedFiles::BeginUpload(const UploadForm& form) {
  UploadTicket ticket;
  LinkState state =
      CheckUploadPolicy(link_key_, {form.policy, form.signature}, clock_.WallUs() / 1'000, ticket);
  if (state == LinkState::kForged || form.key != ticket.object_key) {
    return Status(StatusCode::kPermissionDenied, "SignatureDoesNotMatch",
                  "the form's policy, signature and key are not those that were issued together");
  }
  if (state == LinkState::kExpired) {
    return Status(StatusCode::kPermissionDenied, "AccessDenied",
                  "the ticket has expired; ask for a new one and upload within a minute");
  }
  FileKind kind =
      ticket.kind == UploadKind::kDeviceList ? FileKind::kDeviceList : FileKind::kPackage;
  RETURN_IF_ERROR(CheckSuffix(kind, form.key));
  ASSIGN_OR_RETURN(auto writer, store_->Begin(kind, FileBytesMax(kind)));
  UploadTarget target;
  target.bytes_max = FileBytesMax(kind);
  target.sink = std::make_unique<Sink>(std::move(writer), *received_, kind, form.key);
  return target;
}

Result<DownloadFile> PostedFiles::OpenDownload(std::string_view path, std::string_view raw_query) {
  DownloadLink link = CheckDownload(link_key_, path, raw_query, clock_.WallUs() / 1'000);
  if (link.state != LinkState::kOk) {
    return Status(StatusCode::kPermissionDenied,
                  link.state == LinkState::kExpired ? "the link has expired" : "not our link");
  }
  ASSIGN_OR_RETURN(PackageStore::OpenFile file,
                   store_->OpenToRead(FileKind::kPackage, link.file_id));
  return DownloadFile{std::move(file.fd), file.size_bytes, link.file_id};
}

Result<PostedPackage> PostedFiles::FindPackage(std::string_view object_key) {
  Result<StoredFile> file =
      received_->Get(FileKind::kPackage, object_key, clock_.WallUs() / 1'000 - kFoundForMs);
  if (!file.ok()) return NoSuchUpload();
  std::optional<std::string> md5 = HexDecode(file->md5);
  std::optional<std::string> sha256 = HexDecode(file->sha256);
  if (!md5 || !sha256) return NoSuchUpload();
  return PostedPackage{file->id, file->size_bytes, *md5, *sha256};
}

Result<std::string> PostedFiles::ReadDeviceList(std::string_view object_key) {
  Result<StoredFile> stored =
      received_->Get(FileKind::kDeviceList, object_key, clock_.WallUs() / 1'000 - kFoundForMs);
  if (!stored.ok()) return NoSuchUpload();
  ASSIGN_OR_RETURN(PackageStore::OpenFile file,
                   store_->OpenToRead(FileKind::kDeviceList, stored->id));
  std::string text(file.size_bytes, '\0');
  for (size_t got = 0; got < text.size();) {
    ssize_t more =
        pread(file.fd.get(), text.data() + got, text.size() - got, static_cast<off_t>(got));
    if (more <= 0) return Status(StatusCode::kInternal, "the device list cannot be read");
    got += static_cast<size_t>(more);
  }
  return text;
}

Result<size_t> PostedFiles::Sweep(const Needed& needed) {
  const int64_t before_ms = clock_.WallUs() / 1'000 - kForgottenAfterMs;
  RETURN_IF_ERROR(received_->ForgetBefore(before_ms));
  size_t removed = 0;
  for (FileKind kind : {FileKind::kPackage, FileKind::kDeviceList}) {
    std::set<std::string> kept;
    ASSIGN_OR_RETURN(std::vector<std::string> noted, received_->FilesNoted(kind));
    if (kind == FileKind::kPackage) {
      ASSIGN_OR_RETURN(kept, needed());
    }
    kept.insert(noted.begin(), noted.end());
    ASSIGN_OR_RETURN(std::vector<PackageStore::Entry> entries, store_->List(kind));
    for (const PackageStore::Entry& entry : entries) {
      if (entry.stored_at_ms >= before_ms || kept.contains(entry.id)) continue;
      ASSIGN_OR_RETURN(bool gone, store_->DeleteStoredBefore(kind, entry.id, before_ms));
      removed += gone ? 1 : 0;
    }
  }
  return removed;
}

}  // namespace updraft
