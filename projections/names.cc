#include "projections/names.h"

#include <cstring>

#include <absl/hash/hash.h>

#include "events/base/assert.h"

namespace updraft {
namespace {

// A name's bytes: its length, the product's id, itself.
constexpr size_t kHead = 1 + sizeof(uint32_t);

}  // namespace

// Names are found again across runs only through the sidecar, so the hash may differ in each; a
// shard is never walked.
size_t DeviceNames::Hash::operator()(const Key& key) const {
  return absl::HashOf(key.product.value(), absl::string_view(key.name.data(), key.name.size()));
}
size_t DeviceNames::Hash::operator()(DeviceId device) const {
  return (*this)(Key{names->ProductOf(device), names->Of(device)});
}
bool DeviceNames::Equal::operator()(const Key& key, DeviceId device) const {
  return names->ProductOf(device) == key.product && names->Of(device) == key.name;
}

DeviceNames::DeviceNames() {
  shards_.reserve(kShards);
  for (size_t i = 0; i < kShards; ++i) shards_.emplace_back(0, Hash{this}, Equal{this});
}

void DeviceNames::Add(ProductId product, DeviceId device, std::string_view name) {
  Assert(!name.empty() && name.size() <= kNameBytesMax, "a name of {} bytes", name.size());
  if (arena_used_ + kHead + name.size() > kArenaBytes) {
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
  place = static_cast<uint32_t>((arenas_.size() - 1) * kArenaBytes + arena_used_);
  char* to = &arenas_.back()[arena_used_];
  to[0] = static_cast<char>(name.size());
  uint32_t product_value = product.value();
  std::memcpy(to + 1, &product_value, sizeof(product_value));
  std::memcpy(to + kHead, name.data(), name.size());
  arena_used_ += kHead + name.size();
  bool fresh = shards_[ShardOf(Key{product, name})].insert(device).second;
  Assert(fresh, "no two devices of product {} have one name", product);
}

void DeviceNames::Erase(ProductId product, DeviceId device) {
  std::string_view name = Of(device);
  if (name.empty()) return;
  shards_[ShardOf(Key{product, name})].erase(device);
  std::memset(const_cast<char*>(name.data()), 0, name.size());
  places_[device.value() / kSegment][device.value() % kSegment] = 0;
}

DeviceId DeviceNames::Find(ProductId product, std::string_view name) const {
  Key key{product, name};
  const Shard& shard = shards_[ShardOf(key)];
  auto it = shard.find(key);
  return it == shard.end() ? DeviceId() : *it;
}

std::string_view DeviceNames::Of(DeviceId device) const {
  size_t index = device.value();
  if (index / kSegment >= places_.size()) return {};
  uint32_t place = places_[index / kSegment][index % kSegment];
  if (place == 0) return {};
  const char* at = &arenas_[place / kArenaBytes][place % kArenaBytes];
  return std::string_view(at + kHead, static_cast<uint8_t>(at[0]));
}

ProductId DeviceNames::ProductOf(DeviceId device) const {
  std::string_view name = Of(device);
  uint32_t product;
  std::memcpy(&product, name.data() - sizeof(product), sizeof(product));
  return ProductId(product);
}

}  // namespace updraft
