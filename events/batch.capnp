# What may happen to a batch (升级批次): one effort to move chosen devices of a product to one
# package. The rules for change stand at the head of fleet.capnp.
@0xb1c6f0a7d2e49a03;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("updraft::events");

enum BatchScope {
  all @0;
  specific @1;
  gray @2;
}

enum BatchStatus {
  planned @0;
  # Its start time is not reached.
  inProgress @1;
  completed @2;
  canceled @3;
}

struct Tag {
  key @0 :Text;
  value @1 :Text;
}

struct BatchCreated {
  batch @0 :UInt32;
  package @1 :UInt32;
  verifies @2 :Bool;
  # A verification batch: its devices' outcome decides on the package.
  dynamic @3 :Bool;
  # Later reports that match join; else the devices of this moment only.
  onlyNewReports @4 :Bool;
  # Dynamic mode 2: of the devices of this moment, none joins before it reports anew.
  scope @5 :BatchScope;
  grayThousandths @6 :UInt32;
  # Of a percent: 33.33 % is 33,330.
  sources @7 :List(UInt32);
  # Versions that a device must run to be chosen; empty is any.
  frontier @8 :UInt32;
  # The newest device at creation: the walk that chooses targets ends there.
  pushPerMinute @9 :UInt32;
  # Most notices in any 60 seconds; 0 is no limit.
  timeoutMinutes @10 :UInt32;
  # From the first progress report; 0 is none.
  retryCount @11 :UInt8;
  retryMinutes @12 :UInt32;
  override @13 :Bool;
  # A device's other open task is cancelled for this batch; else this one's fails.
  startMs @14 :Int64;
  # 0: at once.
  endMs @15 :Int64;
  # 0: never forced to end.
  needPush @16 :Bool;
  needConfirm @17 :Bool;
  multiModule @18 :Bool;
  # Accepted and shown; the rule is one open task per device and module in any case.
  tags @19 :List(Tag);
  walk @20 :Bool;
  # Targets follow in chunks from a walk over the device ids up to `frontier`.
  sourceGiven @21 :Bool;
  # Source versions were part of the order, or are the diff package's own: a failed task may be
  # retried by itself.
}

struct GrayCut {
  # Of a gray batch's population those devices are chosen whose place in the order is not after
  # this one. Found once, from names that may be erased later, and so recorded.
  batch @0 :UInt32;
  hash @1 :UInt64;
  device @2 :UInt32;
  population @3 :UInt32;
}

struct TargetsChosen {
  # Devices join the batch, each with a task: `firstTask` and up, `queued` first.
  batch @0 :UInt32;
  firstTask @1 :UInt32;
  queued @2 :List(UInt32);
  conflicted @3 :List(UInt32);
  # Devices whose module has another open task that this batch may not end: their task has failed.
  overridden @4 :List(UInt32);
  # Tasks of other batches that end as cancelled, so that devices of `queued` can join.
  cursor @5 :UInt32;
  # The walk has seen the devices up to this one; 0 outside a walk.
  walkEnded @6 :Bool;
}

struct BatchStarted {
  # The scheduled start is reached.
  batch @0 :UInt32;
}

struct BatchEdited {
  batch @0 :UInt32;
  pushPerMinute @1 :UInt32;
  timeoutMinutes @2 :UInt32;
  # Of tasks that begin later.
  sources @3 :List(UInt32);
  tags @4 :List(Tag);
}

struct BatchPaused {
  batch @0 :UInt32;
}

struct BatchResumed {
  batch @0 :UInt32;
}

struct BatchStopped {
  # Nothing joins any more and what is scheduled does not start. Open tasks go on.
  batch @0 :UInt32;
}

enum SweepCause {
  byUser @0;
  scheduleEnd @1;
}

struct SweepBegan {
  # The batch's open tasks in these states are being cancelled, oldest first, in bounded steps.
  batch @0 :UInt32;
  cause @1 :SweepCause;
  confirm @2 :Bool;
  queued @3 :Bool;
  notified @4 :Bool;
  inProgress @5 :Bool;
}

struct SweepEnded {
  batch @0 :UInt32;
}

struct BatchEnded {
  # No task is open and none will join.
  batch @0 :UInt32;
  status @1 :BatchStatus;
}

struct BatchReopened {
  # A task of an ended batch is upgraded again.
  batch @0 :UInt32;
}
