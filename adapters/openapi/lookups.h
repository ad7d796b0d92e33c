// Parameters that many actions have, and finding what they name. The world's part of each look-up
// runs where the world is. Errors: the API's codes.
#pragma once

#include <cstdint>
#include <string_view>

#include "adapters/openapi/call.h"
#include "adapters/openapi/parameters.h"
#include "projections/records.h"

namespace updraft {
class World;
}

namespace updraft::openapi {

// `ProductKey`, `FirmwareId` and `JobId`; add .Required().
Parameter ProductKeyParameter();
Parameter FirmwareIdParameter();
Parameter JobIdParameter();
Parameter ModuleNameParameter();
Parameter DeviceNameParameter();
// `IotId`, `ProductKey` and `DeviceName`, of which the first wins.
std::vector<Parameter> DeviceParameters();
// `CurrentPage` and `PageSize`.
std::vector<Parameter> PageParameters(int64_t size_max);
// `CurrentPage` and `PageSize` must be given.
std::vector<Parameter> RequiredPageParameters(int64_t size_max);

// Of an action that creates something: makes it safe to send again.
Parameter ClientTokenParameter();

std::vector<Parameter> Join(std::vector<Parameter> a, const std::vector<Parameter>& b);

// Off the call alone: ids that this server never gave are refused here.
Result<DeviceRef> ReadDevice(const Call& call);
Result<PackageId> ReadPackage(const Call& call);
Result<BatchId> ReadBatch(const Call& call);

Result<ProductId> RequireProduct(const World& world, std::string_view key);
Result<DeviceId> RequireDevice(const World& world, const DeviceRef& device);
// Not a deleted one.
Result<PackageId> RequirePackage(const World& world, PackageId package);
Result<BatchId> RequireBatch(const World& world, BatchId batch);
// Of a product; the default one when the name is empty.
Result<ModuleId> RequireModule(const World& world, ProductId product, std::string_view name);

struct Page {
  uint64_t number = 1;  // From 1.
  uint64_t size = 10;
  uint64_t skip() const { return (number - 1) * size; }
};
Page ReadPage(const Call& call);
// `CurrentPage`, `PageSize`, `PageCount` and `Total`.
void PutPage(Json& json, const Page& page, uint64_t total);

}  // namespace updraft::openapi
