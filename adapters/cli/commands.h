// The commands of the `updraft` program. Each adds itself to the command line and, when it is the
// one that was asked for, runs and sets the exit code.
#pragma once

#include <CLI/CLI.hpp>

#include "adapters/cli/api_client.h"
#include "events/base/status.h"

namespace updraft {

// What `updraft` ends with. Kept stable: scripts match on them.
inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;      // The service said no, and why.
inline constexpr int kExitUsage = 2;        // The command line is wrong.
inline constexpr int kExitUnavailable = 3;  // The service or its data cannot be reached or used.
inline constexpr int kExitDamaged = 4;      // The log is not what it should be.

// Prints the status on stderr and gives the exit code that fits.
int Fail(const Status& status);

// --data, --endpoint, --access-key-id and --access-key-secret.
void AddClientOptions(CLI::App& command, ApiClientOptions& options);

void AddServe(CLI::App& app, int& exit_code);
void AddCall(CLI::App& app, int& exit_code);
void AddWatch(CLI::App& app, int& exit_code);
void AddFollow(CLI::App& app, int& exit_code);
void AddExplain(CLI::App& app, int& exit_code);
void AddReplay(CLI::App& app, int& exit_code);
void AddLog(CLI::App& app, int& exit_code);
void AddKey(CLI::App& app, int& exit_code);
void AddImport(CLI::App& app, int& exit_code);
void AddBrokerConfig(CLI::App& app, int& exit_code);

}  // namespace updraft
