#include "adapters/mqtt/credential_source.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "engine/refusals.h"
#include "events/log/event_log.h"
#include "projections/side_values.h"
#include "projections/world.h"

namespace updraft {
namespace {

// Waits for a look at the world.
template <class T>
Result<T> Look(Engine& engine, std::function<T(const World&)> look) {
  while (true) {
    auto seen = std::make_shared<std::promise<Result<T>>>();
    std::future<Result<T>> result = seen->get_future();
    Status status = engine.Read([seen, look](const World& world) -> Engine::Finish {
      return [seen, value = look(world)](const Status& durable) mutable {
        seen->set_value(durable.ok() ? Result<T>(std::move(value)) : Result<T>(durable));
      };
    });
    if (status.ok()) return result.get();
    if (status.reason() != refusal::kInboxFull) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// The devices whose ids differ in the last byte only lie together in the sidecar.
constexpr uint32_t kBlockDevices = 256;

std::string PrefixOfBlock(DeviceId first) {
  std::string key = SideKeyOfDevice(first);
  key.pop_back();
  return key;
}

}  // namespace

Result<CredentialSource::Extent> CredentialSource::ReadExtent() {
  struct Seen {
    DeviceId newest;
    std::vector<std::pair<std::string, bool>> products;  // Key, and whether it is deleted.
  };
  ASSIGN_OR_RETURN(Seen seen, Look<Seen>(engine_, [](const World& world) {
                     Seen all{world.devices().newest(), {}};
                     for (uint32_t i = 1; i <= world.products().size(); ++i) {
                       const Product& product = world.products()[ProductId(i)];
                       all.products.emplace_back(product.key, product.deleted);
                     }
                     return all;
                   }));
  Extent extent{seen.newest, {}};
  for (const auto& [key, deleted] : seen.products) {
    if (!deleted) {
      extent.products.push_back(ProductCredential(key, CredentialState::kEnabled, /*position=*/0));
    }
  }
  return extent;
}

Result<std::vector<CredentialSource::Fact>> CredentialSource::LookAt(
    const std::vector<DeviceId>& devices) {
  auto look = [&devices, known = product_keys_.size()](const World& world) {
    Facts facts;
    for (DeviceId id : devices) {
      Fact fact;
      if (world.devices().Has(id) && !world.devices()[id].deleted) {
        fact = {world.devices()[id].product, world.devices()[id].disabled};
      }
      facts.devices.push_back(fact);
    }
    for (size_t i = known; i < world.products().size(); ++i) {
      facts.new_product_keys.push_back(
          world.products()[ProductId(static_cast<uint32_t>(i + 1))].key);
    }
    return facts;
  };
  ASSIGN_OR_RETURN(Facts facts, Look<Facts>(engine_, look));
  std::move(facts.new_product_keys.begin(), facts.new_product_keys.end(),
            std::back_inserter(product_keys_));
  return std::move(facts.devices);
}

std::optional<CredentialRecord> CredentialSource::RecordOf(const Fact& fact,
                                                           std::string_view side_value,
                                                           uint64_t position) const {
  std::optional<DevicePrivate> device = DecodeDevicePrivate(side_value);
  if (!device || device->secret.size() > kSecretBytesMax) return std::nullopt;
  return DeviceCredential(product_keys_[fact.product.value() - 1], device->name,
                          fact.disabled ? CredentialState::kDisabled : CredentialState::kEnabled,
                          device->secret, position);
}

Result<std::vector<CredentialSource::DeviceRecord>> CredentialSource::ReadPage(DeviceId from,
                                                                               uint64_t position) {
  const uint32_t begin = from.value() / kPageDevices * kPageDevices;
  std::vector<DeviceId> devices;
  for (uint32_t i = 0; i < kPageDevices; ++i) devices.push_back(DeviceId(begin + i));
  ASSIGN_OR_RETURN(std::vector<Fact> facts, LookAt(devices));
  std::vector<DeviceRecord> records;
  for (uint32_t block = 0; block < kPageDevices; block += kBlockDevices) {
    auto block_facts = facts.begin() + block;
    if (std::all_of(block_facts, block_facts + kBlockDevices,
                    [](const Fact& fact) { return !fact.product; })) {
      continue;
    }
    RETURN_IF_ERROR(engine_.log().ScanSide(PrefixOfBlock(DeviceId(begin + block)),
                                           [&](std::string_view key, std::string_view value) {
                                             DeviceId device = DeviceOfSideKey(key);
                                             const Fact& fact = facts[device.value() - begin];
                                             if (!fact.product) return OkStatus();
                                             if (auto record = RecordOf(fact, value, position))
                                               records.push_back({device, *record});
                                             return OkStatus();
                                           }));
  }
  return records;
}

Result<std::vector<std::optional<CredentialRecord>>> CredentialSource::ReadDevices(
    const std::vector<DeviceId>& devices, uint64_t position) {
  ASSIGN_OR_RETURN(std::vector<Fact> facts, LookAt(devices));
  std::vector<std::optional<CredentialRecord>> records;
  for (size_t i = 0; i < devices.size(); ++i) {
    records.emplace_back();
    if (!facts[i].product) continue;
    Result<std::string> value = engine_.log().ReadSide(SideKeyOfDevice(devices[i]));
    // Deleted since the look.
    if (value.status().code() == StatusCode::kNotFound) continue;
    if (!value.ok()) return value.status();
    records.back() = RecordOf(facts[i], *value, position);
  }
  return records;
}

Result<std::string> CredentialSource::KeyOf(ProductId product) {
  if (product.value() > product_keys_.size()) {
    Result<std::vector<Fact>> looked = LookAt({});
    if (!looked.ok()) return looked.status();
  }
  if (!product || product.value() > product_keys_.size()) return std::string();
  return product_keys_[product.value() - 1];
}

}  // namespace updraft
