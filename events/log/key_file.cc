#include "events/log/key_file.h"

#include <cerrno>

#include <fmt/format.h>
#include <unistd.h>

#include "events/base/bytes.h"
#include "events/log/files.h"

namespace updraft {

Result<std::string> ReadKeyFile(const std::string& path, size_t bytes) {
  ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  if (text.ends_with('\n')) text.pop_back();
  std::optional<std::string> key = HexDecode(text);
  if (!key.has_value() || key->size() != bytes) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("{} holds no key: one line of {} hex digits is wanted; restore it "
                              "from its backup",
                              path, 2 * bytes));
  }
  return *std::move(key);
}

Status WriteKeyFile(const std::string& path, std::string_view key) {
  if (access(path.c_str(), F_OK) == 0) return FileFault("make the key file", path, EEXIST);
  ASSIGN_OR_RETURN(FileWriter file, FileWriter::Create(path));
  RETURN_IF_ERROR(file.Write(HexLower(key) + "\n"));
  return file.Commit();
}

}  // namespace updraft
