#include "adapters/mqtt/roster.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "projections/world.h"

namespace updraft {
namespace {

// No name of either kind holds a slash.
uint64_t HashOf(std::string_view product_key, std::string_view device_name) {
  return std::hash<std::string>()(fmt::format("{}/{}", product_key, device_name));
}

}  // namespace

void NamedDevices::Add(std::string_view product_key, std::string_view device_name) {
  hashes_.insert(HashOf(product_key, device_name));
}

bool NamedDevices::Has(std::string_view product_key, std::string_view device_name) const {
  return hashes_.contains(HashOf(product_key, device_name));
}

void Roster::Begin(std::string request) {
  request_ = std::move(request);
  named_ = std::make_shared<NamedDevices>();
}

void Roster::Named(std::string_view product_key, std::string_view device_name) {
  if (!request_.empty()) named_->Add(product_key, device_name);
}

std::shared_ptr<const NamedDevices> Roster::End(const RosterAnswer& answer) {
  if (request_.empty() || answer.request != request_) return nullptr;
  request_.clear();
  return std::move(named_);
}

RosterPage FindGone(const World& world, const NamedDevices& named, uint64_t epoch, DeviceId from,
                    uint32_t count) {
  RosterPage page;
  if (world.globals().broker_run == 0 || world.globals().broker_epoch != epoch) return page;
  uint64_t end = std::min<uint64_t>(uint64_t{from.value()} + count, world.devices().size() + 1);
  for (uint64_t i = from.value(); i < end; ++i) {
    DeviceId id(static_cast<uint32_t>(i));
    const Device& device = world.devices()[id];
    if (device.deleted || !world.IsOnline(id)) continue;
    const std::string& product_key = world.products()[device.product].key;
    const std::string_view name = world.names().Of(id);
    if (named.Has(product_key, name)) continue;
    page.gone.push_back(
        {.device = {.id = id, .product_key = product_key, .name = std::string(name)},
         .online = false,
         .broker_epoch = epoch,
         .generation = device.generation});
  }
  if (end <= world.devices().size()) page.next = DeviceId(static_cast<uint32_t>(end));
  return page;
}

}  // namespace updraft
