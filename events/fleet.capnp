# What may happen to products, their modules and versions, devices, and console keys.
#
# These structs are the log's format and are kept for ever. Only add: a new field takes the next
# ordinal, and its default must mean what the engine did before the field existed. Never renumber,
# never reuse. Times are UTC, in milliseconds since 1970. A name of a device, a nickname, a secret
# and free text never stand here: they lie in the sidecar, where they can be erased; an event holds
# the dense id and, at most, a salted commitment to them.
@0xb1c6f0a7d2e49a01;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("updraft::events");

struct ProductCreated {
  product @0 :UInt32;
  productKey @1 :Text;
  name @2 :Text;
  nodeType @3 :UInt8;
  dataFormat @4 :UInt8;
  authType @5 :Text;
  description @6 :Text;
  # The product's secret is in the sidecar.
}

struct ProductUpdated {
  product @0 :UInt32;
  name @1 :Text;
  description @2 :Text;
  dynamicRegistration @3 :Bool;
  # Whether a registered device may fetch its secret with the product's.
}

struct ProductDeleted {
  product @0 :UInt32;
}

struct ModuleNamed {
  # A module's name turned up for the first time: created by an operator, or in a device's report.
  module @0 :UInt32;
  product @1 :UInt32;
  name @2 :Text;
  device @3 :UInt32;
  # Whose report brought it; 0 when an operator did.
}

struct ModuleCreated {
  # An operator made the module known; only such modules can have packages.
  module @0 :UInt32;
  alias @1 :Text;
  description @2 :Text;
  name @3 :Text;
  # As the operator spells it, whatever the spelling of the report that named it.
}

struct ModuleUpdated {
  module @0 :UInt32;
  alias @1 :Text;
  description @2 :Text;
}

struct ModuleDeleted {
  module @0 :UInt32;
}

struct VersionNamed {
  # A version string turned up for the first time in a product.
  version @0 :UInt32;
  product @1 :UInt32;
  text @2 :Text;
  device @3 :UInt32;
  # Whose report brought it; 0 when an operator did.
}

struct DevicesRegistered {
  # Devices `first`, `first` + 1, … of one product; at most 1,000.
  first @0 :UInt32;
  product @1 :UInt32;
  commitments @2 :Data;
  # 16 bytes a device: the head of SHA-256 over the salt, name and secret that the sidecar holds.
  application @3 :UInt64;
  # By what the console asks what became of them; 0 when they were not applied for. Schema 2.
}

struct DeviceUpdated {
  # Its nickname or secret in the sidecar is another.
  device @0 :UInt32;
  commitment @1 :Data;
}

struct DeviceDeleted {
  device @0 :UInt32;
}

struct DeviceDisabled {
  device @0 :UInt32;
}

struct DeviceEnabled {
  device @0 :UInt32;
}

struct BrokerEpochBegan {
  # The broker began a run: every connection of the former run is gone.
  epoch @0 :UInt64;
}

struct DeviceOnline {
  device @0 :UInt32;
  generation @1 :UInt32;
  # Grows with each connection of the broker's run.
}

struct DeviceOffline {
  device @0 :UInt32;
}

struct DeviceSettled {
  # Online long enough, or its first report came: what waits for the device may be pushed.
  device @0 :UInt32;
}

struct VersionReported {
  # A module of a device runs another version than before. A repeated report makes no event.
  device @0 :UInt32;
  module @1 :UInt32;
  version @2 :UInt32;
}

struct KeyCreated {
  key @0 :UInt32;
  accessKeyId @1 :Text;
  formal @2 :Bool;
  # A formal user may do all; a guest reads products and devices only.
  note @3 :Text;
}

struct KeyChanged {
  key @0 :UInt32;
  formal @1 :Bool;
  enabled @2 :Bool;
}

struct KeyDeleted {
  key @0 :UInt32;
}

struct VersionsImported {
  # What a module of these devices ran before they moved here, as an import tells; none of them had
  # reported a version of it. At most 1,000. Schema 2.
  module @0 :UInt32;
  version @1 :UInt32;
  devices @2 :List(UInt32);
}

enum Creation {
  nothing @0;
  # Nothing that has an id of its own to tell.
  product @1;
  devices @2;
  package @3;
  batch @4;
  key @5;
}

struct ClientTokenUsed {
  # The command of the events before it in this commit came with a token of the caller's: who sends
  # the same again within 24 hours is told what was created then, and nothing is created. Schema 2.
  callHigh @0 :UInt64;
  callLow @1 :UInt64;
  # The head of SHA-256 over the caller, the action and the token.
  orderHigh @2 :UInt64;
  orderLow @3 :UInt64;
  # Likewise over all that was asked: the same token with another order is refused.
  creation @4 :Creation;
  first @5 :UInt32;
  count @6 :UInt32;
  # The id of what was created; of devices the first and how many follow.
  warning @7 :Text;
  # What the answer said beside it.
}
