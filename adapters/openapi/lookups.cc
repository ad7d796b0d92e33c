#include "adapters/openapi/lookups.h"

#include <fmt/format.h>

#include "engine/refusals.h"
#include "engine/view.h"
#include "events/base/assert.h"
#include "projections/world.h"

namespace updraft::openapi {
namespace {

// Page numbers beyond what any list has.
constexpr int64_t kPageNumberMax = 1'000'000'000;
constexpr std::string_view kPageCode = "iot.common.InvalidPageParams";

Status Unknown(std::string_view reason, std::string message) {
  return Status(StatusCode::kNotFound, reason, std::move(message));
}

}  // namespace

Parameter ProductKeyParameter() {
  return Text("ProductKey", "The product's key.", 1, 64)
      .Codes("iot.prod.NullProductKey", "iot.prod.InvalidFormattedProductkey")
      .Example("a1BcDeFgHiJ");
}

Parameter FirmwareIdParameter() {
  return Text("FirmwareId", "The package's id.")
      .Codes("iot.firmware.NullFirmwareId", "iot.firmware.InvalidFirmwareId")
      .Example("s8SSHiKjpBfrM3BSN0z803");
}

Parameter JobIdParameter() {
  return Text("JobId", "The batch's id.")
      .Codes("iot.firmware.NullOTAJobId", "iot.firmware.InvalidOTAJobId")
      .Example("wahVIzGkCMuAUE2gDERM02");
}

Parameter ModuleNameParameter() {
  return Text("ModuleName", "The module's name.", 1, 64)
      .Codes("iot.firmware.IncorrectFormattedModuleName",
             "iot.firmware.IncorrectFormattedModuleName")
      .Example("wifi");
}

Parameter DeviceNameParameter() {
  return Text("DeviceName", "The device's name.", 1, 64)
      .Codes("iot.device.NullDeviceName", "iot.device.InvalidFormattedDeviceName")
      .Example("lamp-0001");
}

std::vector<Parameter> DeviceParameters() {
  return {Text("IotId", "The device's id; with it the other two are not looked at.")
              .Codes("iot.device.InvalidIoTId", "iot.device.InvalidIoTId"),
          ProductKeyParameter(), DeviceNameParameter()};
}

std::vector<Parameter> PageParameters(int64_t size_max) {
  return {Number("CurrentPage", "Which page, from 1.", 1, kPageNumberMax)
              .Default("1")
              .Codes(kPageCode, kPageCode),
          Number("PageSize", "How many to a page.", 1, size_max)
              .Default("10")
              .Codes(kPageCode, kPageCode)};
}

std::vector<Parameter> RequiredPageParameters(int64_t size_max) {
  std::vector<Parameter> parameters = PageParameters(size_max);
  for (Parameter& parameter : parameters) parameter = parameter.Default("").Required();
  parameters[0] = parameters[0].Example("1");
  parameters[1] = parameters[1].Example("10");
  return parameters;
}

Parameter ClientTokenParameter() {
  return Text("ClientToken",
              "The same call with the same token is done once within 24 hours (while no 100,000 "
              "newer ones came), also over restarts, and answered as the first time.",
              1, 64)
      .Ours();
}

std::vector<Parameter> Join(std::vector<Parameter> a, const std::vector<Parameter>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Result<DeviceRef> ReadDevice(const Call& call) {
  const Arguments& arguments = call.arguments;
  if (arguments.Has("IotId")) {
    std::optional<DeviceId> id = call.service.ids.ReadDevice(arguments.Text("IotId"));
    if (!id) return ApiError("iot.device.InvalidIoTId", "IotId is no id of a device here");
    return DeviceRef{.id = *id};
  }
  if (!arguments.Has("ProductKey")) {
    return ApiError("iot.prod.NullProductKey", "give IotId, or ProductKey and DeviceName");
  }
  if (!arguments.Has("DeviceName")) {
    return ApiError("iot.device.NullDeviceName", "give IotId, or ProductKey and DeviceName");
  }
  return DeviceRef{.product_key = arguments.Text("ProductKey"),
                   .name = arguments.Text("DeviceName")};
}

Result<PackageId> ReadPackage(const Call& call) {
  std::optional<PackageId> id = call.service.ids.ReadPackage(call.arguments.Text("FirmwareId"));
  if (id) return *id;
  return ApiError("iot.firmware.InvalidFirmwareId", "FirmwareId is no id of a package here");
}

Result<BatchId> ReadBatch(const Call& call) {
  std::optional<BatchId> id = call.service.ids.ReadBatch(call.arguments.Text("JobId"));
  if (id) return *id;
  return ApiError("iot.firmware.InvalidOTAJobId", "JobId is no id of a batch here");
}

Result<ProductId> RequireProduct(const World& world, std::string_view key) {
  if (ProductId id = world.FindProduct(key)) return id;
  return Unknown(refusal::kUnknownProduct, fmt::format("there is no product '{}'", key));
}

Result<DeviceId> RequireDevice(const World& world, const DeviceRef& device) {
  if (!device.id) RETURN_IF_ERROR(RequireProduct(world, device.product_key).status());
  DeviceId id = device.id ? device.id : FindDevice(world, device.product_key, device.name);
  if (world.devices().Has(id) && !world.devices()[id].deleted) return id;
  return Unknown(refusal::kUnknownDevice, device.id ? "the device was deleted"
                                                    : fmt::format("product '{}' has no device '{}'",
                                                                  device.product_key, device.name));
}

Result<PackageId> RequirePackage(const World& world, PackageId package) {
  if (world.packages().Has(package) && !world.packages()[package].deleted) return package;
  return Unknown(refusal::kUnknownPackage, "there is no such package; it may have been deleted");
}

Result<BatchId> RequireBatch(const World& world, BatchId batch) {
  if (world.batches().Has(batch)) return batch;
  return Unknown(refusal::kUnknownBatch, "there is no such batch");
}

Result<ModuleId> RequireModule(const World& world, ProductId product, std::string_view name) {
  if (ModuleId id = world.FindModule(product, name.empty() ? kDefaultModule : name)) return id;
  return Unknown(refusal::kUnknownModule, fmt::format("the product has no module '{}'", name));
}

Page ReadPage(const Call& call) {
  return {static_cast<uint64_t>(*call.arguments.Number("CurrentPage")),
          static_cast<uint64_t>(*call.arguments.Number("PageSize"))};
}

void PutPage(Json& json, const Page& page, uint64_t total) {
  json["CurrentPage"] = page.number;
  json["PageSize"] = page.size;
  json["PageCount"] = (total + page.size - 1) / page.size;
  json["Total"] = total;
}

}  // namespace updraft::openapi
