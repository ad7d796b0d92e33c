#include "adapters/cli/installation.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/wire/hmac.h"
#include "events/base/bytes.h"
#include "events/base/owned_fd.h"
#include "events/log/files.h"
#include "events/log/key_file.h"

namespace updraft {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kKeyBytes = 32;
constexpr size_t kSmallFileBytesMax = 1 << 20;

std::string Text(const Json& json, const char* key) {
  auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace

Result<std::string> ReadSmallFile(const std::string& path) {
  OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return FileFault("read", path, errno);
  std::string text;
  char buffer[4096];
  while (true) {
    ssize_t got = read(fd.get(), buffer, sizeof(buffer));
    if (got < 0) return FileFault("read", path, errno);
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kSmallFileBytesMax) {
      return Status(StatusCode::kInvalidArgument, fmt::format("'{}' is too large", path));
    }
  }
}

Status ReplaceFile(const std::string& path, std::string_view text, int mode) {
  std::string draft = path + ".new";
  OwnedFd fd(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (fd.get() < 0) return FileFault("write to", draft, errno);
  // The mode at creation is cut by the process's mask, and a leftover keeps its own.
  if (fchmod(fd.get(), static_cast<mode_t>(mode)) != 0) return FileFault("write to", draft, errno);
  while (!text.empty()) {
    ssize_t written = write(fd.get(), text.data(), text.size());
    if (written < 0) return FileFault("write to", draft, errno);
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(fd.get()) != 0) return FileFault("write to", draft, errno);
  if (rename(draft.c_str(), path.c_str()) != 0) return FileFault("replace", path, errno);
  return OkStatus();
}

Status Installation::Prepare() {
  RETURN_IF_ERROR(MakeDirectory(dir_));
  Status loaded = Load();
  if (loaded.code() != StatusCode::kNotFound) return loaded;
  if (std::filesystem::exists(log_dir())) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("the key file {} is missing: restore it from its backup; without it "
                              "the ids and links that were given out mean nothing any more",
                              installation_key_path()));
  }
  RETURN_IF_ERROR(WriteKeyFile(installation_key_path(), RandomBytes(kKeyBytes)));
  return Load();
}

Status Installation::Load() {
  ASSIGN_OR_RETURN(key_, ReadKeyFile(installation_key_path(), kKeyBytes));
  return OkStatus();
}

std::string Installation::KeyFor(std::string_view purpose) const {
  return Hmac(HmacHash::kSha256, key_, purpose);
}

Result<AccessKey> Installation::ReadAccessKey() const {
  ASSIGN_OR_RETURN(std::string text, ReadSmallFile(access_key_path()));
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  AccessKey key{Text(json, "AccessKeyId"), Text(json, "AccessKeySecret")};
  if (key.id.empty() || key.secret.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("'{}' holds no AccessKeyId and AccessKeySecret", access_key_path()));
  }
  return key;
}

Status Installation::WriteAccessKey(const AccessKey& key) const {
  Json json = {{"AccessKeyId", key.id}, {"AccessKeySecret", key.secret}};
  return ReplaceFile(access_key_path(), json.dump(2) + "\n", 0600);
}

Result<RunFile> Installation::ReadRunFile() const {
  ASSIGN_OR_RETURN(std::string text, ReadSmallFile(dir_ + "/run.json"));
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  RunFile run{Text(json, "http"), Text(json, "mqtt"), 0};
  if (run.http.empty()) {
    return Status(StatusCode::kNotFound, fmt::format("no service runs on '{}'", dir_));
  }
  run.pid = json.value("pid", 0);
  return run;
}

Status Installation::WriteRunFile(const RunFile& run) const {
  Json json = {{"http", run.http}, {"mqtt", run.mqtt}, {"pid", run.pid}};
  return ReplaceFile(dir_ + "/run.json", json.dump() + "\n", 0644);
}

void Installation::RemoveRunFile() const { unlink((dir_ + "/run.json").c_str()); }

}  // namespace updraft
