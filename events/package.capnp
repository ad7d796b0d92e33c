# What may happen to a package (升级包): one version of one module of a product, and its file.
# The rules for change stand at the head of fleet.capnp.
@0xb1c6f0a7d2e49a02;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("updraft::events");

enum PackageKind {
  full @0;
  diff @1;
}

enum SignMethod {
  md5 @0;
  sha256 @1;
}

enum PackageStatus {
  needsNone @0;
  # Needs no verification, whatever a verification batch may say of it.
  unverified @1;
  verified @2;
  verifying @3;
  failed @4;
}

struct PackageCreated {
  package @0 :UInt32;
  module @1 :UInt32;
  name @2 :Text;
  target @3 :UInt32;
  # The version that the package brings.
  source @4 :UInt32;
  # The version that a diff package starts from; 0 for a full one.
  kind @5 :PackageKind;
  needsVerification @6 :Bool;
  signMethod @7 :SignMethod;
  sizeBytes @8 :UInt64;
  md5 @9 :Data;
  sha256 @10 :Data;
  file @11 :Text;
  # Where the package store keeps the bytes.
  suffix @12 :Text;
  description @13 :Text;
  udi @14 :Text;
  # Goes to the device as it is, for its own use.
}

struct PackageStatusChanged {
  package @0 :UInt32;
  status @1 :PackageStatus;
}

struct PackageDeleted {
  package @0 :UInt32;
}
