#include "adapters/cli/local_log.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include "adapters/cli/installation.h"
#include "engine/core.h"
#include "events/log/rocks_log.h"
#include "events/log/side_keys.h"
#include "projections/evolve.h"

namespace updraft {

Result<std::unique_ptr<EventLog>> OpenLocalLog(const std::string& data_dir, NamesKey key) {
  Installation installation(data_dir);
  if (!std::filesystem::exists(installation.log_dir())) {
    return Status(StatusCode::kNotFound,
                  fmt::format("'{}' is no data directory of Updraft: it has no log", data_dir));
  }
  RocksLogOptions options{.dir = installation.log_dir(), .read_only = true};
  if (key == NamesKey::kNeeded || std::filesystem::exists(installation.sidecar_key_path())) {
    options.sidecar_key_path = installation.sidecar_key_path();
  }
  ASSIGN_OR_RETURN(auto log, RocksLog::Open(options));
  return std::unique_ptr<EventLog>(std::move(log));
}

Result<ObjectIds> LocalObjectIds(const std::string& data_dir, const EventLog& log) {
  Installation installation(data_dir);
  RETURN_IF_ERROR(installation.Load());
  return ObjectIds(installation.KeyFor("object ids"), log.head().engine_number);
}

Result<FoldProgress> FoldLog(const EventLog& log, const FoldEnd& end, World& world,
                             const std::function<void(const FoldProgress&)>& progress) {
  FoldProgress at;
  at.last = log.head().last;
  constexpr uint64_t kEventsBetween = 100'000;
  uint64_t told = 0;
  bool ended = false;
  // Stops the reading without being a failure.
  const Status stop(StatusCode::kAborted, "far enough");
  Status status = log.Read(Seq(1), [&](const CommitReader& commit) -> Status {
    const CommitHeader& header = commit.header();
    bool past =
        (end.seq && header.first > *end.seq) || (end.time_ms && header.time_ms > *end.time_ms);
    if (past) {
      ended = true;
      return stop;
    }
    if (end.seq && commit.last() > *end.seq) {
      // Within a commit: its first events only.
      uint64_t seq = header.first.value();
      for (events::Event::Reader event : commit.events()) {
        if (seq > end.seq->value()) break;
        Evolve(world, Seq(seq++), header.time_ms, event);
      }
      at.at = *end.seq;
    } else {
      RETURN_IF_ERROR(Fold(world, commit));
      at.at = commit.last();
    }
    at.time_ms = header.time_ms;
    if (progress && at.at.value() - told >= kEventsBetween) {
      told = at.at.value();
      progress(at);
    }
    return OkStatus();
  });
  if (!status.ok() && !ended) return status;
  Status named = log.ScanSide(kDeviceSideKeys, [&](std::string_view key, std::string_view value) {
    ApplySide(world, key, std::string(value));
    return OkStatus();
  });
  // Without their key names stay unknown, and all else is as true.
  if (!named.ok() && named.code() != StatusCode::kFailedPrecondition) return named;
  return at;
}

void DrawProgress(std::string_view what, uint64_t done, uint64_t all) {
  if (isatty(STDERR_FILENO) != 1 || all == 0) return;
  constexpr uint64_t kWidth = 40;
  uint64_t bars = std::min(kWidth, done * kWidth / all);
  fmt::print(stderr, "\r\x1b[2K{} [{}{}] {}%", what, std::string(bars, '#'),
             std::string(kWidth - bars, ' '), done * 100 / all);
  std::fflush(stderr);
}

void EndProgress() {
  if (isatty(STDERR_FILENO) == 1) fmt::print(stderr, "\r\x1b[2K");
}

std::string ShowTime(int64_t ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<time_t>(ms / 1'000)),
                     ms % 1'000);
}

std::optional<int64_t> ReadTime(std::string_view text) {
  std::string copy(text);
  tm parts = {};
  const char* rest = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  int64_t ms = int64_t{timegm(&parts)} * 1'000;
  if (*rest == '.') {
    int fraction = 0;
    int read = 0;
    if (std::sscanf(rest, ".%3d%n", &fraction, &read) != 1 || read != 4) return std::nullopt;
    ms += fraction;
    rest += read;
  }
  if (*rest == 'Z') ++rest;
  return *rest == '\0' ? std::optional(ms) : std::nullopt;
}

}  // namespace updraft
