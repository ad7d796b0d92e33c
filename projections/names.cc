#include "projections/names.h"

#include <algorithm>
#include <cstring>

#include <absl/hash/hash.h>

#include "events/base/assert.h"

namespace updraft {
namespace {

// A name's length, and its product in groups of seven bits.
constexpr size_t kHeadMax = 1 + 5;

size_t WriteHead(char* to, size_t size, uint32_t product) {
  size_t at = 0;
  to[at++] = static_cast<char>(size);
  for (; product >= 0x80; product >>= 7) to[at++] = static_cast<char>(product | 0x80);
  to[at++] = static_cast<char>(product);
  return at;
}

// A shard is at most so full.
bool IsFull(uint32_t size, uint32_t capacity) { return uint64_t{size} * 10 >= capacity * 9ull; }

}  // namespace

// Names are found again across runs only through the sidecar, so the hash may differ in each; a
// shard is never walked but to grow.
uint64_t DeviceNames::HashOf(const Key& key) {
  return absl::HashOf(key.product.value(), absl::string_view(key.name.data(), key.name.size()));
}

void DeviceNames::Add(ProductId product, DeviceId device, std::string_view name) {
  Assert(!name.empty() && name.size() <= kNameBytesMax, "a name of {} bytes", name.size());
  if (arena_used_ + kHeadMax + name.size() > kArenaBytes) {
    arenas_.push_back(std::make_unique<char[]>(kArenaBytes));
    // Place 0 means none, so the first byte of the first arena stays free.
    arena_used_ = 1;
  }
  size_t index = device.value();
  while (places_.size() <= index / kSegment) {
    places_.push_back(std::make_unique<uint32_t[]>(kSegment));
  }
  uint32_t& place = places_[index / kSegment][index % kSegment];
  Assert(place == 0, "device {} has a name", device);

  const Key key{product, name};
  const uint64_t hash = HashOf(key);
  Shard& shard = ShardOf(hash);
  if (IsFull(shard.size + 1, shard.capacity)) Grow(shard);
  const uint32_t slot = SlotOf(shard, hash, key);
  Assert(shard.tags()[slot] == 0, "no two devices of product {} have one name", product);
  shard.slots[slot] = device.value();
  shard.tags()[slot] = TagOf(hash);
  ++shard.size;

  place = static_cast<uint32_t>((arenas_.size() - 1) * kArenaBytes + arena_used_);
  char* to = &arenas_.back()[arena_used_];
  to += WriteHead(to, name.size(), product.value());
  std::memcpy(to, name.data(), name.size());
  arena_used_ = static_cast<size_t>(to + name.size() - arenas_.back().get());
}

void DeviceNames::Erase(ProductId product, DeviceId device) {
  std::string_view name = Of(device);
  if (name.empty()) return;
  const Key key{product, name};
  const uint64_t hash = HashOf(key);
  Shard& shard = ShardOf(hash);
  Clear(shard, SlotOf(shard, hash, key));
  --shard.size;
  std::memset(const_cast<char*>(name.data()), 0, name.size());
  places_[device.value() / kSegment][device.value() % kSegment] = 0;
}

DeviceId DeviceNames::Find(ProductId product, std::string_view name) const {
  const Key key{product, name};
  const uint64_t hash = HashOf(key);
  const Shard& shard = ShardOf(hash);
  if (shard.size == 0) return DeviceId();
  const uint32_t slot = SlotOf(shard, hash, key);
  return shard.tags()[slot] == 0 ? DeviceId() : DeviceId(shard.slots[slot]);
}

uint32_t DeviceNames::SlotOf(const Shard& shard, uint64_t hash, const Key& key) const {
  const uint8_t* tags = shard.tags();
  const uint8_t tag = TagOf(hash);
  uint32_t slot = shard.Home(hash);
  for (; tags[slot] != 0; slot = shard.After(slot)) {
    if (tags[slot] != tag) continue;
    const Key found = KeyOf(DeviceId(shard.slots[slot]));
    if (found.name == key.name && found.product == key.product) break;
  }
  return slot;
}

void DeviceNames::Grow(Shard& shard) const {
  Shard larger{.size = shard.size, .capacity = std::max(8u, shard.capacity + shard.capacity / 5)};
  larger.slots = std::make_unique<uint32_t[]>(larger.capacity + (larger.capacity + 3) / 4);
  for (uint32_t i = 0; i < shard.capacity; ++i) {
    if (shard.tags()[i] == 0) continue;
    const uint64_t hash = HashOf(KeyOf(DeviceId(shard.slots[i])));
    uint32_t slot = larger.Home(hash);
    while (larger.tags()[slot] != 0) slot = larger.After(slot);
    larger.slots[slot] = shard.slots[i];
    larger.tags()[slot] = shard.tags()[i];
  }
  shard = std::move(larger);
}

// What lies behind the slot and would no more be found is moved up.
void DeviceNames::Clear(Shard& shard, uint32_t slot) const {
  uint8_t* tags = shard.tags();
  for (uint32_t next = shard.After(slot); tags[next] != 0; next = shard.After(next)) {
    const uint32_t home = shard.Home(HashOf(KeyOf(DeviceId(shard.slots[next]))));
    const bool behind = slot < next ? slot < home && home <= next : slot < home || home <= next;
    if (behind) continue;
    shard.slots[slot] = shard.slots[next];
    tags[slot] = tags[next];
    slot = next;
  }
  tags[slot] = 0;
}

DeviceNames::Key DeviceNames::KeyOf(DeviceId device) const {
  const size_t index = device.value();
  if (index / kSegment >= places_.size()) return {};
  const uint32_t place = places_[index / kSegment][index % kSegment];
  if (place == 0) return {};
  const char* at = &arenas_[place / kArenaBytes][place % kArenaBytes];
  const auto size = static_cast<uint8_t>(*at++);
  uint32_t product = 0;
  for (int shift = 0;; shift += 7) {
    const auto group = static_cast<uint8_t>(*at++);
    product |= uint32_t{group & 0x7fu} << shift;
    if (group < 0x80) break;
  }
  return {ProductId(product), std::string_view(at, size)};
}

std::string_view DeviceNames::Of(DeviceId device) const { return KeyOf(device).name; }

uint64_t DeviceNames::PrefetchSlot(ProductId product, std::string_view name) const {
  const uint64_t hash = HashOf({product, name});
  const Shard& shard = ShardOf(hash);
  if (shard.capacity == 0) return hash;
  const uint32_t home = shard.Home(hash);
  __builtin_prefetch(&shard.slots[home]);
  __builtin_prefetch(&shard.tags()[home]);
  return hash;
}

DeviceId DeviceNames::PrefetchPlace(uint64_t hash) const {
  const Shard& shard = ShardOf(hash);
  if (shard.size == 0) return DeviceId();
  const uint8_t* tags = shard.tags();
  uint32_t slot = shard.Home(hash);
  while (tags[slot] != 0 && tags[slot] != TagOf(hash)) slot = shard.After(slot);
  if (tags[slot] == 0) return DeviceId();
  const uint32_t device = shard.slots[slot];
  __builtin_prefetch(&places_[device / kSegment][device % kSegment]);
  return DeviceId(device);
}

void DeviceNames::PrefetchName(DeviceId device) const {
  const uint32_t place = places_[device.value() / kSegment][device.value() % kSegment];
  __builtin_prefetch(&arenas_[place / kArenaBytes][place % kArenaBytes]);
}

}  // namespace updraft
