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
