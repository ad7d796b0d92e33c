#include "adapters/cli/broker_files.h"

#include <filesystem>

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/broker_plugin/broker_config.h"
#include "adapters/cli/installation.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr const char* kPluginName = "updraft_broker_plugin.so";

std::string UserName() {
  passwd* user = getpwuid(geteuid());
  return user == nullptr ? std::string() : std::string(user->pw_name);
}

}  // namespace

Status BrokerFiles::Prepare() const {
  std::error_code error;
  for (const std::string& dir : {dir_, credentials_dir()}) {
    std::filesystem::create_directories(dir, error);
    if (error) {
      return Status(StatusCode::kUnavailable,
                    fmt::format("cannot make '{}': {}", dir, error.message()));
    }
  }
  if (std::filesystem::exists(password_path())) return OkStatus();
  return ReplaceFile(password_path(), HexLower(RandomBytes(24)) + "\n", 0640);
}

Result<std::string> BrokerFiles::ReadPassword() const {
  ASSIGN_OR_RETURN(std::string text, ReadSmallFile(password_path()));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Result<std::string> BrokerFiles::MakeConfig(const std::string& host, uint16_t port) const {
  BrokerConfigOptions options;
  options.plugin = FindPlugin();
  if (!std::filesystem::exists(options.plugin)) {
    return Status(
        StatusCode::kNotFound,
        fmt::format("the broker's plugin is not at '{}'; build or install it", options.plugin));
  }
  options.credentials = std::filesystem::absolute(credentials_dir());
  options.engine_password_file = std::filesystem::absolute(password_path());
  BrokerListener listener;
  listener.address = host;
  listener.port = port;
  options.listeners = {listener};
  options.persistence_directory = std::filesystem::absolute(dir_).string();
  // The private broker is whoever the service is: it reads what the service writes.
  options.user = UserName();
  std::error_code error;
  auto size = std::filesystem::file_size(options.plugin, error);
  auto written = std::filesystem::last_write_time(options.plugin, error).time_since_epoch().count();
  return fmt::format("# plugin: {} bytes of {}\n{}", size, written, BrokerConfig(options));
}

std::string BrokerFiles::ReadConfig() const {
  Result<std::string> text = ReadSmallFile(config_path());
  return text.ok() ? *std::move(text) : std::string();
}

Status BrokerFiles::WriteConfig(const std::string& config) const {
  return ReplaceFile(config_path(), config, 0600);
}

std::string FindPlugin() {
  std::error_code error;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const char* place :
       {"adapters/broker_plugin", "../lib/updraft", "../lib/x86_64-linux-gnu/updraft",
        "../lib/aarch64-linux-gnu/updraft"}) {
    std::filesystem::path path = (self.parent_path() / place / kPluginName).lexically_normal();
    if (std::filesystem::exists(path, error)) return path;
  }
  return std::string("/usr/lib/updraft/") + kPluginName;
}

}  // namespace updraft
