// Joins the three that know of files: the upload form that takes them in, the package store that
// keeps them by content, and the API that names them by the object key of their ticket.
//
// Thread-safety: any thread; calls block on the disk.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "adapters/http/downloads.h"
#include "adapters/http/uploads.h"
#include "adapters/openapi/package_files.h"
#include "adapters/packages/package_store.h"
#include "adapters/packages/received_files.h"
#include "engine/clock.h"

namespace updraft {

class PostedFiles : public PackageFiles {
 public:
  // Files are in `directory`; tickets and links are signed with `link_key`.
  static Result<std::unique_ptr<PostedFiles>> Open(const std::string& directory,
                                                   std::string link_key, const Clock& clock);

  // For ServeUploads and ServeDownloads.
  Result<UploadTarget> BeginUpload(const UploadForm& form);
  Result<DownloadFile> OpenDownload(std::string_view path, std::string_view raw_query);

  // An upload is found for a day.
  Result<PostedPackage> FindPackage(std::string_view object_key) override;
  Result<std::string> ReadDeviceList(std::string_view object_key) override;

  // Removes the files that nobody will ask for any more, and forgets the uploads that brought them;
  // how many files. A package's file is `needed` when a package has it, and is asked for after the
  // uploads were forgotten: a call that has just found its upload has an hour to make a package of
  // it.
  using Needed = std::function<Result<std::set<std::string>>()>;
  Result<size_t> Sweep(const Needed& needed);

 private:
  PostedFiles(std::unique_ptr<PackageStore> store, std::unique_ptr<ReceivedFiles> received,
              std::string link_key, const Clock& clock)
      : store_(std::move(store)),
        received_(std::move(received)),
        link_key_(std::move(link_key)),
        clock_(clock) {}

  const std::unique_ptr<PackageStore> store_;
  const std::unique_ptr<ReceivedFiles> received_;
  const std::string link_key_;
  const Clock& clock_;
};

}  // namespace updraft
