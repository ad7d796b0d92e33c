// The names of devices, beside the world: filled from the sidecar, never part of the digest, empty
// in a world that was made from a log without its sidecar.
//
// A name costs its bytes, a length byte, a reference and a slot of one of many small hash tables,
// so that no insertion rehashes more than a small part.
//
// Thread-safety: none.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_set.h>

#include "events/base/ids.h"

namespace updraft {

class DeviceNames {
 public:
  static constexpr size_t kNameBytesMax = 128;

  DeviceNames();
  DeviceNames(const DeviceNames&) = delete;
  DeviceNames& operator=(const DeviceNames&) = delete;

  // REQUIRED: the device has no name yet, and no other device of the product has this one;
  // 0 < name.size() <= kNameBytesMax.
  void Add(ProductId product, DeviceId device, std::string_view name);
  // The name's bytes are overwritten.
  void Erase(ProductId product, DeviceId device);

  DeviceId Find(ProductId product, std::string_view name) const;
  // Empty when unknown. Valid until the next Erase.
  std::string_view Of(DeviceId device) const;

 private:
  static constexpr size_t kShards = 1024;
  static constexpr size_t kArenaBytes = 1 << 20;

  struct Key {
    ProductId product;
    std::string_view name;
  };
  // A slot holds the ids; hash and equality look the name up.
  struct Hash {
    using is_transparent = void;
    const DeviceNames* names;
    size_t operator()(const Key& key) const;
    size_t operator()(DeviceId device) const;
  };
  struct Equal {
    using is_transparent = void;
    const DeviceNames* names;
    bool operator()(DeviceId a, DeviceId b) const { return a == b; }
    bool operator()(const Key& key, DeviceId device) const;
    bool operator()(DeviceId device, const Key& key) const { return (*this)(key, device); }
  };
  using Shard = absl::flat_hash_set<DeviceId, Hash, Equal>;

  size_t ShardOf(const Key& key) const { return Hash{this}(key) / 7 % kShards; }
  ProductId ProductOf(DeviceId device) const;

  std::vector<std::unique_ptr<char[]>> arenas_;
  size_t arena_used_ = kArenaBytes;
  // Where the name of device id begins: arena and offset in one number; 0 is none. A name's bytes
  // are its length, its product (4 bytes) and itself.
  static constexpr size_t kSegment = 4096;
  std::vector<std::unique_ptr<uint32_t[]>> places_;
  std::vector<Shard> shards_;
};

}  // namespace updraft
