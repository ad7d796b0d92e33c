// What the files of Decide share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/decide.h"
#include "engine/refusals.h"

namespace updraft {

// What one step of a walk or a sweep does, so that nobody waits long for the turn that it is in:
// the devices it looks at, and the tasks it makes or ends.
inline constexpr uint32_t kDevicesPerStep = 4'000;
inline constexpr size_t kTasksPerStep = 250;

Outcome DecideOn(Turn&, const CreateProduct&);
Outcome DecideOn(Turn&, const UpdateProduct&);
Outcome DecideOn(Turn&, const DeleteProduct&);
Outcome DecideOn(Turn&, const CreateModule&);
Outcome DecideOn(Turn&, const UpdateModule&);
Outcome DecideOn(Turn&, const DeleteModule&);
Outcome DecideOn(Turn&, const RegisterDevices&);
Outcome DecideOn(Turn&, const ImportVersions&);
Outcome DecideOn(Turn&, const DeleteDevice&);
Outcome DecideOn(Turn&, const DisableDevice&);
Outcome DecideOn(Turn&, const EnableDevice&);
Outcome DecideOn(Turn&, const CreateKey&);
Outcome DecideOn(Turn&, const ChangeKey&);
Outcome DecideOn(Turn&, const DeleteKey&);
Outcome DecideOn(Turn&, const Limits&, const CreatePackage&);
Outcome DecideOn(Turn&, const DeletePackage&);
Outcome DecideOn(Turn&, const Limits&, const CreateBatch&);
Outcome DecideOn(Turn&, const EditBatch&);
Outcome DecideOn(Turn&, const PauseBatch&);
Outcome DecideOn(Turn&, const ResumeBatch&);
Outcome DecideOn(Turn&, const StopBatch&);
Outcome DecideOn(Turn&, const CancelBatch&);
Outcome DecideOn(Turn&, const CancelDevices&);
Outcome DecideOn(Turn&, const ConfirmTasks&);
Outcome DecideOn(Turn&, const ReupgradeTasks&);
Outcome DecideOn(Turn&, const ReportVersion&);
Outcome DecideOn(Turn&, const ReportProgress&);
Outcome DecideOn(Turn&, const RequestPackage&);
Outcome DecideOn(Turn&, const ReportPresence&);
Outcome DecideOn(Turn&, const BrokerStarted&);
Outcome DecideOn(Turn&, const AcknowledgePushes&);
Outcome DecideOn(Turn&, const ConfirmClock&);

// A refusal: a reason of refusals.h, and for a person what is wrong and what to do.
Outcome Refuse(StatusCode code, std::string_view reason, std::string message);
inline Outcome RefuseInvalid(std::string_view reason, std::string message) {
  return Refuse(StatusCode::kInvalidArgument, reason, std::move(message));
}
inline Outcome RefuseState(std::string_view reason, std::string message) {
  return Refuse(StatusCode::kFailedPrecondition, reason, std::move(message));
}
inline Outcome RefuseUnknown(std::string_view reason, std::string message) {
  return Refuse(StatusCode::kNotFound, reason, std::move(message));
}
inline Outcome Done(Answer answer = {}) { return Outcome{OkStatus(), std::move(answer)}; }

// What a call with this token is told that was done before; nothing when it is to be done.
std::optional<Outcome> AnswerRepeat(const Turn&, const ClientToken&);
// Notes what the command with this token created; nothing when it has none.
void NoteToken(Turn&, const ClientToken&, const Answer&);

// Look-ups that refuse.
Result<ProductId> RequireProduct(const World&, std::string_view key);
Result<ModuleId> RequireModule(const World&, ProductId, std::string_view name);  // Registered.
Result<DeviceId> RequireDevice(const World&, const DeviceRef&);
Result<PackageId> RequirePackage(const World&, PackageId);
Result<BatchId> RequireBatch(const World&, BatchId);

#define REQUIRE_OR_REFUSE(lhs, expr) REQUIRE_OR_REFUSE_(UPDRAFT_CONCAT(found_, __LINE__), lhs, expr)
#define REQUIRE_OR_REFUSE_(found, lhs, expr)                      \
  auto found = (expr);                                            \
  if (!found.ok()) return Outcome{std::move(found).status(), {}}; \
  lhs = *std::move(found)

// Whether a device may report this version of this module, within the bounds of decide.h.
Status CheckReport(const World&, DeviceId, std::string_view module, std::string_view version);
// How many modules are known of the device.
size_t ModulesOf(const World&, DeviceId);
// Names the version or module if it is new, on behalf of `reporter` (0: an operator).
VersionId FindOrNameVersion(Turn&, ProductId, std::string_view text, DeviceId reporter);
ModuleId FindOrNameModule(Turn&, ProductId, std::string_view name, DeviceId reporter);

// 1 to 64 of letters, digits, point, underscore and hyphen: versions of packages, names of modules.
bool IsWord64(std::string_view text);
size_t CountChars(std::string_view utf8);
// 4 to 32 of letters, digits and - _ @ . : are a device's name.
bool IsDeviceName(std::string_view name);
// A word by which fielded devices find the fields of a notice. They look for it anywhere in the
// text, so that a version or a module of this name, or a tag of this key, would mislead them.
bool IsNoticeWord(std::string_view text);
// Fielded devices count braces without regard to quotes.
bool BracesBalance(std::string_view text);

// Joins devices to a batch in chunks: queued, in conflict, or taking over another open task.
// Devices that have an open task in the same batch are left alone. The cursor is that of a walk.
void ChooseTargets(Turn&, BatchId, const std::vector<DeviceId>& devices, DeviceId cursor,
                   bool walk_ended);
// How many of a gray batch's population are chosen: rounded down, but at least one.
uint64_t GrayShare(uint64_t population, uint32_t thousandths);
// The newest dynamic batch that wants the device after its report, if any.
void MatchDynamic(Turn&, DeviceId, ModuleId, VersionId);

// What is due of a batch or of an open task and its batch fires before a command looks at it.
void FireDueOf(Turn&, BatchId);
void FireDueOf(Turn&, TaskId);
void FailAttempt(Turn&, TaskId, TaskReason, std::string_view text);
void FailTask(Turn&, TaskId, TaskReason, std::string_view text = {});
void SucceedTask(Turn&, TaskId, TaskReason);
// All of one batch.
void CancelTasks(Turn&, const std::vector<TaskId>&, TaskReason);
// What follows from a task's end: the verdict of a verification, the end of the batch.
void AfterTasksEnded(Turn&, BatchId, bool by_cancel = false);
// A dynamic batch takes no more devices. Its open tasks go on.
void EndDynamic(Turn&, BatchId);
// Begins a sweep and takes its first step.
void BeginSweep(Turn&, BatchId, events::SweepCause, uint32_t states);
void StepSweep(Turn&, BatchId);

// A diff package would meet another version than it starts from.
bool DiffDoesNotFit(const World&, TaskId);
// Whether the batch lets notices leave now.
bool Delivers(const World&, BatchId);

}  // namespace updraft
