# What may happen to a task (升级作业): one device's part of a batch. The rules for change stand at
# the head of fleet.capnp.
@0xb1c6f0a7d2e49a04;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("updraft::events");

enum TaskState {
  confirm @0;
  # Waits for somebody to agree.
  queued @1;
  # Pending push (待推送).
  notified @2;
  # Pushed (已推送).
  inProgress @3;
  # Upgrading (升级中).
  succeeded @4;
  failed @5;
  canceled @6;
}

enum TaskReason {
  # Why a task is where it is, or why its last attempt failed.
  none @0;
  conflict @1;
  # The device's module has another open task.
  upgradeFailed @2;
  # The device said -1; the next three are its -2, -3 and -4.
  downloadFailed @3;
  verifyFailed @4;
  burnFailed @5;
  wrongVersion @6;
  # While upgrading, the device reported neither the source nor the target version.
  timeout @7;
  sourceMismatch @8;
  # A diff package's device runs another version than the diff starts from.
  byUser @9;
  overridden @10;
  # A later batch took the device over.
  scheduleEnd @11;
  deviceDeleted @12;
  targetReported @13;
  alreadyOnTarget @14;
}

enum PushKind {
  first @0;
  retry @1;
  repeat @2;
  # Came online again with the upgrade still to do. Not counted by the batch's pace.
}

struct TaskPushed {
  # Recorded before the notice leaves: a crash in between means that the device is told twice,
  # never that it is forgotten. Pushes are numbered from 1 in the log's order.
  task @0 :UInt32;
  kind @1 :PushKind;
}

struct TaskPulled {
  # The device asked, and was given a notice that counts as its push.
  task @0 :UInt32;
}

struct PushesAcknowledged {
  # The broker has taken every push up to this number.
  through @0 :UInt64;
}

struct UpgradeBegan {
  # The first progress report: the clock of the timeout starts, and never starts again.
  task @0 :UInt32;
  step @1 :Int8;
  timeoutMs @2 :Int64;
  # When it ends; 0 is never.
  text @3 :Bool;
  # The device's words are in the sidecar under this event's number.
}

struct ProgressReported {
  # A later one.
  task @0 :UInt32;
  step @1 :Int8;
  text @2 :Bool;
}

struct RetryPlanned {
  # An attempt failed and another follows. The state that is shown stays.
  task @0 :UInt32;
  reason @1 :TaskReason;
  dueMs @2 :Int64;
  text @3 :Bool;
}

struct RetryCameDue {
  task @0 :UInt32;
}

struct FailureNoted {
  # A further failure while a retry waits: it uses up no attempt.
  task @0 :UInt32;
  reason @1 :TaskReason;
  text @2 :Bool;
}

struct SourceLearned {
  # The device's version was unknown when it joined; this is what it ran.
  task @0 :UInt32;
  version @1 :UInt32;
}

struct TaskSucceeded {
  task @0 :UInt32;
  reason @1 :TaskReason;
}

struct TaskFailed {
  task @0 :UInt32;
  reason @1 :TaskReason;
  text @2 :Bool;
}

struct TasksCanceled {
  # At most 10,000 of one batch or one device.
  reason @0 :TaskReason;
  tasks @1 :List(UInt32);
}

struct TaskConfirmed {
  task @0 :UInt32;
}

struct TaskReopened {
  # Upgraded again by an operator: attempts, clock and progress are new.
  task @0 :UInt32;
}
