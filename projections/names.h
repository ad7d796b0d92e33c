// The names of devices, beside the world: filled from the sidecar, never part of the digest, empty
// in a world that was made from a log without its sidecar.
//
// A name costs its bytes, one for its length and one or two for its product, a reference of four,
// and a slot of five in one of many small hash tables, which are four fifths full as a rule and
// grow by a fifth: no insertion rehashes more than a small part, and no fleet is of an unlucky
// size.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "events/base/ids.h"

namespace updraft {

class DeviceNames {
 public:
  static constexpr size_t kNameBytesMax = 128;

  DeviceNames() = default;
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

  // What Find waits for, asked for ahead: three steps, each of which finds near what the one before
  // asked for. They may be wrong, which only makes Find slower.
  //
  // Returns the name's hash, for the next.
  uint64_t PrefetchSlot(ProductId product, std::string_view name) const;
  // The device that is likely found; 0 when there is none.
  DeviceId PrefetchPlace(uint64_t hash) const;
  // REQUIRED: PrefetchPlace returned it.
  void PrefetchName(DeviceId device) const;

 private:
  static constexpr size_t kShards = 4'096;
  static constexpr size_t kArenaBytes = 1 << 20;

  struct Key {
    ProductId product;
    std::string_view name;
  };
  // A hash table whose collisions lie in the slots that follow. A slot is an id and, behind all
  // ids, a byte of its hash, 0 where it is empty; the rest of the hash is worked out from the name
  // again.
  struct Shard {
    std::unique_ptr<uint32_t[]> slots;
    uint32_t size = 0;
    uint32_t capacity = 0;

    uint8_t* tags() const { return reinterpret_cast<uint8_t*>(slots.get() + capacity); }
    uint32_t Home(uint64_t hash) const {
      return static_cast<uint32_t>((hash >> 32) * capacity >> 32);
    }
    uint32_t After(uint32_t slot) const { return slot + 1 == capacity ? 0 : slot + 1; }
  };
  static uint64_t HashOf(const Key& key);
  static uint8_t TagOf(uint64_t hash) { return static_cast<uint8_t>(1 + (hash >> 12) % 255); }

  Shard& ShardOf(uint64_t hash) { return shards_[hash % kShards]; }
  const Shard& ShardOf(uint64_t hash) const { return shards_[hash % kShards]; }
  Key KeyOf(DeviceId device) const;
  // The slot with the key, or the empty one where it would go. REQUIRED: the shard has an empty
  // one.
  uint32_t SlotOf(const Shard& shard, uint64_t hash, const Key& key) const;
  void Grow(Shard& shard) const;
  void Clear(Shard& shard, uint32_t slot) const;

  std::vector<std::unique_ptr<char[]>> arenas_;
  size_t arena_used_ = kArenaBytes;
  // Where the name of device id begins: arena and offset in one number; 0 is none. A name's bytes
  // are its length, its product in groups of seven bits, and itself.
  static constexpr size_t kSegment = 4096;
  std::vector<std::unique_ptr<uint32_t[]>> places_;
  std::vector<Shard> shards_{kShards};
};

}  // namespace updraft
