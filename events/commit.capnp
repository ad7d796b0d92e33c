# What the log holds: commits, each a run of events that became durable together, chained by hash.
# The rules for change stand at the head of fleet.capnp.
@0xb1c6f0a7d2e49a05;
using Cxx = import "/capnp/c++.capnp";
using Fleet = import "fleet.capnp";
using Package = import "package.capnp";
using Batch = import "batch.capnp";
using Task = import "task.capnp";
$Cxx.namespace("updraft::events");

struct Commit {
  firstSeq @0 :UInt64;
  # Number of the first event; they count from 1 without a gap.
  timeMs @1 :Int64;
  # The log's time when its events were decided: never before the former commit's.
  epoch @2 :UInt32;
  # The reign of the writer; grows with each start of an engine on this log.
  engineNumber @3 :UInt16;
  previousHash @4 :Data;
  # SHA-256 over the bytes of the commit before; 32 zero bytes in the first.
  events @5 :List(Event);
}

struct EngineStarted {
  build @0 :Text;
}

struct SchemaRaised {
  # From here on the log may hold what schema `version` brought; older builds must refuse it.
  version @0 :UInt32;
  build @1 :Text;
}

struct DigestRecorded {
  # The digest of the world as it was before this event.
  version @0 :UInt32;
  high @1 :UInt64;
  low @2 :UInt64;
}

struct ClockConfirmed {
  # An operator confirmed a clock that was far ahead of the log when the engine started.
}

struct Event {
  by @54 :UInt32;
  # The console key whose command this follows from; 0: a device, a timer or the engine itself.

  union {
    engineStarted @0 :EngineStarted;
    schemaRaised @1 :SchemaRaised;
    digestRecorded @2 :DigestRecorded;
    clockConfirmed @3 :ClockConfirmed;

    productCreated @4 :Fleet.ProductCreated;
    productUpdated @5 :Fleet.ProductUpdated;
    productDeleted @6 :Fleet.ProductDeleted;
    moduleNamed @7 :Fleet.ModuleNamed;
    moduleCreated @8 :Fleet.ModuleCreated;
    moduleUpdated @9 :Fleet.ModuleUpdated;
    moduleDeleted @10 :Fleet.ModuleDeleted;
    versionNamed @11 :Fleet.VersionNamed;
    devicesRegistered @12 :Fleet.DevicesRegistered;
    deviceUpdated @13 :Fleet.DeviceUpdated;
    deviceDeleted @14 :Fleet.DeviceDeleted;
    deviceDisabled @15 :Fleet.DeviceDisabled;
    deviceEnabled @16 :Fleet.DeviceEnabled;
    brokerEpochBegan @17 :Fleet.BrokerEpochBegan;
    deviceOnline @18 :Fleet.DeviceOnline;
    deviceOffline @19 :Fleet.DeviceOffline;
    deviceSettled @20 :Fleet.DeviceSettled;
    versionReported @21 :Fleet.VersionReported;
    keyCreated @22 :Fleet.KeyCreated;
    keyChanged @23 :Fleet.KeyChanged;
    keyDeleted @24 :Fleet.KeyDeleted;

    packageCreated @25 :Package.PackageCreated;
    packageStatusChanged @26 :Package.PackageStatusChanged;
    packageDeleted @27 :Package.PackageDeleted;

    batchCreated @28 :Batch.BatchCreated;
    grayCut @29 :Batch.GrayCut;
    targetsChosen @30 :Batch.TargetsChosen;
    batchStarted @31 :Batch.BatchStarted;
    batchEdited @32 :Batch.BatchEdited;
    batchPaused @33 :Batch.BatchPaused;
    batchResumed @34 :Batch.BatchResumed;
    batchStopped @35 :Batch.BatchStopped;
    sweepBegan @36 :Batch.SweepBegan;
    sweepEnded @37 :Batch.SweepEnded;
    batchEnded @38 :Batch.BatchEnded;
    batchReopened @39 :Batch.BatchReopened;

    taskPushed @40 :Task.TaskPushed;
    taskPulled @41 :Task.TaskPulled;
    pushesAcknowledged @42 :Task.PushesAcknowledged;
    upgradeBegan @43 :Task.UpgradeBegan;
    progressReported @44 :Task.ProgressReported;
    retryPlanned @45 :Task.RetryPlanned;
    retryCameDue @46 :Task.RetryCameDue;
    failureNoted @47 :Task.FailureNoted;
    sourceLearned @48 :Task.SourceLearned;
    taskSucceeded @49 :Task.TaskSucceeded;
    taskFailed @50 :Task.TaskFailed;
    tasksCanceled @51 :Task.TasksCanceled;
    taskConfirmed @52 :Task.TaskConfirmed;
    taskReopened @53 :Task.TaskReopened;

    clientTokenUsed @55 :Fleet.ClientTokenUsed;
    versionsImported @56 :Fleet.VersionsImported;
  }
}
