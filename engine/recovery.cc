#include "engine/recovery.h"

#include <algorithm>

#include <fmt/format.h>

#include "events/log/checkpoint_file.h"
#include "events/log/read_ahead.h"
#include "projections/evolve.h"
#include "projections/prefetch.h"
#include "projections/saved_world.h"
#include "projections/side_values.h"

namespace updraft {
namespace {

Digest DigestIn(events::DigestRecorded::Reader recorded) {
  return Digest(recorded.getHigh(), recorded.getLow());
}

bool EndsWithDigest(const CommitReader& commit) {
  return commit.events()[commit.event_count() - 1].isDigestRecorded();
}

// What of the log a checkpoint at the end of `commit` would hold.
Result<CheckpointMark> MarkAt(const CommitReader& commit) {
  if (!EndsWithDigest(commit)) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("event {} records no digest", commit.last()));
  }
  auto recorded = commit.events()[commit.event_count() - 1].getDigestRecorded();
  CheckpointMark mark;
  mark.head = HeadAfter(commit);
  mark.digest_version = recorded.getVersion();
  mark.digest_high = recorded.getHigh();
  mark.digest_low = recorded.getLow();
  return mark;
}

// The mark of the commit that ends with event `last`.
Result<CheckpointMark> MarkAt(const EventLog& log, Seq last) {
  std::optional<Result<CheckpointMark>> mark;
  Status read = log.Read(last, [&](const CommitReader& commit) {
    mark = MarkAt(commit);
    return Status(StatusCode::kAborted, "one is enough");
  });
  if (mark) return *mark;
  return read.ok()
             ? Status(StatusCode::kNotFound, fmt::format("the log ends before event {}", last))
             : read;
}

// False when it is of a later time than was asked for.
Result<bool> Load(const EventLog& log, const RecoveryOptions& options, const std::string& path,
                  Recovered& recovered) {
  ASSIGN_OR_RETURN(CheckpointReader reader, CheckpointReader::Open(path));
  const CheckpointMark& mark = reader.mark();
  if (options.to && mark.head.last > options.to) return false;
  if (mark.digest_version != kDigestVersion) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("it has digests of version {}, this build makes version {}",
                              mark.digest_version, kDigestVersion));
  }
  ASSIGN_OR_RETURN(CheckpointMark in_log, MarkAt(log, mark.head.last));
  if (mark != in_log) return Status(StatusCode::kFailedPrecondition, "it is of another log");
  auto world = std::make_unique<World>();
  RETURN_IF_ERROR(LoadWorld([&](char* bytes, size_t count) { return reader.Read(bytes, count); },
                            Digest(mark.digest_high, mark.digest_low), *world));
  RETURN_IF_ERROR(reader.Finish());
  // The event that says so lies before it and would not be read again.
  if (world->globals().schema_version > kSchemaVersion) {
    return Status(StatusCode::kFailedPrecondition, "a newer build made it");
  }
  recovered.world = std::move(world);
  recovered.head = mark.head;
  recovered.checkpoint = mark.head.last;
  recovered.digest_at = mark.head.last;
  return true;
}

// Begins with the newest checkpoint that is good, or with nothing.
void Begin(const EventLog& log, const RecoveryOptions& options, Recovered& recovered) {
  Result<std::vector<std::string>> paths = std::vector<std::string>();
  if (!options.checkpoint_dir.empty()) paths = ListCheckpoints(options.checkpoint_dir);
  if (!paths.ok()) {
    recovered.notices.push_back(fmt::format("no checkpoint is used: {}", paths.status().message()));
    return;
  }
  for (const std::string& path : *paths) {
    Result<bool> loaded = Load(log, options, path, recovered);
    if (loaded.ok() && *loaded) return;
    if (loaded.ok()) continue;
    recovered.notices.push_back(
        fmt::format("the checkpoint {} is passed over, so that starting takes longer: {}", path,
                    loaded.status().message()));
  }
}

Status FoldTail(const EventLog& log, const RecoveryOptions& options, Recovered& recovered) {
  const Status enough(StatusCode::kAborted, "as far as was asked");
  const Seq to = options.to ? options.to : log.head().last;
  if (recovered.head.last >= to) return OkStatus();
  const ReadAhead ahead(log);
  const EventLog& from = options.read_ahead ? static_cast<const EventLog&>(ahead) : log;
  Status read = from.Read(Seq(recovered.head.last.value() + 1), [&](const CommitReader& commit) {
    RETURN_IF_ERROR(Fold(*recovered.world, commit));
    recovered.head = HeadAfter(commit);
    if (EndsWithDigest(commit)) recovered.digest_at = commit.last();
    if (options.progress) RETURN_IF_ERROR(options.progress(commit.last()));
    return commit.last() >= to ? enough : OkStatus();
  });
  return recovered.head.last == to ? OkStatus() : read;
}

}  // namespace

Status Fold(World& world, const CommitReader& commit) {
  uint64_t seq = commit.header().first.value();
  capnp::List<events::Event>::Reader events = commit.events();
  Prefetcher prefetcher(world);
  for (uint32_t i = 0; i < events.size(); ++i) {
    if (i % Prefetcher::kEvents == 0) {
      prefetcher.Ask(events, i, std::min(i + Prefetcher::kEvents, events.size()));
    }
    events::Event::Reader event = events[i];
    if (event.isDigestRecorded()) {
      auto recorded = event.getDigestRecorded();
      Digest expected = DigestIn(recorded);
      if (recorded.getVersion() == kDigestVersion && expected != world.digest()) {
        return Status(StatusCode::kDataLoss,
                      fmt::format("event {} records the digest {}, but the events before it add up "
                                  "to {}: this build folds them otherwise than the one that wrote "
                                  "them",
                                  seq, expected.ToString(), world.digest().ToString()));
      }
    }
    if (event.isSchemaRaised() && event.getSchemaRaised().getVersion() > kSchemaVersion) {
      return Status(
          StatusCode::kFailedPrecondition,
          fmt::format("the log was written by the newer build '{}' (schema {}; this build "
                      "knows {}): run that build or a later one",
                      event.getSchemaRaised().getBuild().cStr(),
                      event.getSchemaRaised().getVersion(), kSchemaVersion));
    }
    Evolve(world, Seq(seq), commit.header().time_ms, event);
    ++seq;
  }
  return OkStatus();
}

Result<Recovered> Recover(const EventLog& log, const RecoveryOptions& options) {
  Recovered recovered;
  Begin(log, options, recovered);
  if (!recovered.world) recovered.world = std::make_unique<World>();
  RETURN_IF_ERROR(FoldTail(log, options, recovered));
  if (!options.names) return recovered;
  RETURN_IF_ERROR(log.ScanSide(kDeviceSideKeys, [&](std::string_view key, std::string_view value) {
    ApplySide(*recovered.world, key, std::string(value));
    return OkStatus();
  }));
  return recovered;
}

Result<uint64_t> MakeCheckpoint(const EventLog& log, RecoveryOptions options,
                                std::function<void()> rest) {
  ASSIGN_OR_RETURN(CheckpointMark mark, MarkAt(log, options.to));
  options.names = false;
  ASSIGN_OR_RETURN(Recovered recovered, Recover(log, options));
  Digest recorded(mark.digest_high, mark.digest_low);
  if (mark.head != recovered.head || recovered.world->digest() != recorded) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("event {} is not the last of its commit", options.to));
  }
  ASSIGN_OR_RETURN(CheckpointWriter writer,
                   CheckpointWriter::Begin(options.checkpoint_dir, mark, std::move(rest)));
  RETURN_IF_ERROR(SaveWorld(*recovered.world, [&](std::string_view bytes) {
    if (options.progress) RETURN_IF_ERROR(options.progress(mark.head.last));
    return writer.Write(bytes);
  }));
  RETURN_IF_ERROR(writer.Commit());
  return CheckpointWorth(*recovered.world);
}

uint64_t CheckpointWorth(const World& world) {
  return world.devices().size() + world.installed().size() + world.tasks().size();
}

}  // namespace updraft
