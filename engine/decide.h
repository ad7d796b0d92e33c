// May this happen, and what follows from it: the rules of the service.
//
// Decide reads the world and the command and records events, or refuses with a reason of
// refusals.h and records none. It is pure: the time is the turn's, what is random was put into the
// command before. A command that asks for what is so already succeeds and records nothing, so that
// every caller may try again.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/commands.h"
#include "engine/turn.h"

namespace updraft {

inline constexpr size_t kDevicesPerRegistrationMax = 1'000;
inline constexpr size_t kCustomModulesMax = 10;
inline constexpr size_t kNamedTargetsMax = 200;
inline constexpr size_t kFileTargetsMax = 10'000;
inline constexpr size_t kVerificationTargetsMax = 10;
inline constexpr size_t kSourceVersionsMax = 10;
inline constexpr size_t kTagsMax = 10;
inline constexpr size_t kTagBytesMax = 4'096;
inline constexpr size_t kUdiCharsMax = 4'096;
inline constexpr size_t kTasksPerOrderMax = 10;
inline constexpr uint32_t kTimeoutMinutesMax = 1'440;
inline constexpr int kDynamicMatchesMax = 10;

// Against hostile growth.
inline constexpr size_t kVersionsPerProductMax = 10'000;
inline constexpr size_t kModulesPerProductMax = 1'000;
inline constexpr size_t kModulesPerDeviceMax = 32;
inline constexpr size_t kReportedModuleBytesMax = 64;
inline constexpr int kNamingsPerDeviceDayMax = 20;
inline constexpr size_t kVersionBytesMax = 64;
// What stands for the versions past a bound.
inline constexpr std::string_view kOtherVersion = "(other)";

// Records that one event may touch.
inline constexpr size_t kChunkRecordsMax = 10'000;

// What an operator may set.
struct Limits {
  uint32_t verification_timeout_minutes = 1'440;
  uint32_t packages_max = 0;  // 0 is no limit, here and below.
  uint32_t devices_per_batch_max = 0;
  uint32_t repeats_per_second = 200;  // Notices to devices that came back, of all batches.
};

// With a token, only commands that create something.
Outcome Decide(Turn& turn, const Limits& limits, const Command& command,
               const ClientToken& token = {});

// Fires what is due at the turn's time, at most `most` timers; false when more is due.
bool FireTimers(Turn& turn, size_t most);

// Fires what is due of the records that a command is about to touch: for when FireTimers has not
// come so far yet.
void FireDueFor(Turn& turn, const Command& command);

// What goes on over many turns: walks that choose targets and sweeps that cancel. Keeps what a gray
// batch's survey has seen so far, which is not in the log: after a restart it begins anew.
class Work {
 public:
  // One bounded step of one batch. False when there is nothing to do.
  bool Step(Turn& turn);

 private:
  struct Survey {
    DeviceId cursor;
    std::vector<std::pair<uint64_t, DeviceId>> order;
  };
  void StepSurvey(Turn& turn, BatchId id);

  std::map<BatchId, Survey> surveys_;
  BatchId last_;
};

// Which pushes are due. Remembers only what fairness and the pace of repeats need.
class Pusher {
 public:
  // Records and returns at most `max` pushes.
  std::vector<Push> Take(Turn& turn, const Limits& limits, uint32_t max);
  // When the next push may be due; the far future when nothing waits.
  int64_t NextDue(const World& world) const;

  // Whether one more notice that no batch's pace counts may leave now; takes its place if so.
  bool TakeRepeat(const Turn& turn, const Limits& limits);
  int64_t next_repeat_ms() const { return (next_repeat_us_ + 999) / 1'000; }

 private:
  void TakeOf(Turn& turn, const Limits& limits, BatchId id, uint32_t max,
              std::vector<Push>& pushes);

  BatchId last_;
  int64_t next_repeat_us_ = 0;
};

// The notice for a task, at the turn's time.
Notice MakeNotice(const World& world, TaskId task, int64_t now_ms);

}  // namespace updraft
