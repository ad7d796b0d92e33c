#include "adapters/cli/commands.h"

#include <cstdio>

#include <fmt/format.h>

namespace updraft {

int Fail(const Status& status) {
  fmt::print(stderr, "updraft: {}\n", status.message());
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return kExitUsage;
    case StatusCode::kDataLoss:
      return kExitDamaged;
    case StatusCode::kOk:
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kPermissionDenied:
      return kExitRefused;
    case StatusCode::kNotFound:
    case StatusCode::kResourceExhausted:
    case StatusCode::kAborted:
    case StatusCode::kUnavailable:
    case StatusCode::kUnknown:
    case StatusCode::kInternal:
      return kExitUnavailable;
  }
  return kExitUnavailable;
}

void AddClientOptions(CLI::App& command, ApiClientOptions& options) {
  command.add_option("--data", options.data_dir,
                     "Data directory of a service on this machine: tells address and key");
  command.add_option("--endpoint", options.endpoint, "ADDR:PORT of the service");
  command.add_option("--access-key-id", options.access_key_id, "Who asks")
      ->envname("UPDRAFT_ACCESS_KEY_ID");
  // The command line is for all to see on the machine, the environment is not.
  command.add_option("--access-key-secret", options.access_key_secret, "And the proof")
      ->envname("UPDRAFT_ACCESS_KEY_SECRET");
}

}  // namespace updraft
