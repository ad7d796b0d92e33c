// Devices: one by one and in pages.
#include "adapters/openapi/actions.h"
#include "adapters/openapi/lookups.h"
#include "engine/view.h"
#include "projections/world.h"

namespace updraft::openapi {
namespace {

constexpr int64_t kDevicesPerPageMax = 50;
constexpr int64_t kDeviceStatesMax = 50;

std::string_view StatusOf(const World& world, DeviceId id) {
  const Device& device = world.devices()[id];
  if (device.disabled) return "DISABLE";
  if (device.activated == 0) return "UNACTIVE";
  return world.IsOnline(id) ? "ONLINE" : "OFFLINE";
}

// What of a device's record an answer tells.
struct DeviceView {
  DeviceId id;
  std::string_view status;
  std::string product_key;
  Device record;
};

DeviceView ViewDevice(const World& world, DeviceId id) {
  const Device& device = world.devices()[id];
  return {id, StatusOf(world, id), world.products()[device.product].key, device};
}

// When it last came online, as far as that is known: while it is connected.
int64_t OnlineSince(const DeviceView& view) {
  return view.status == "ONLINE" ? int64_t{view.record.presence_changed} : 0;
}

// Names and secrets lie in the sidecar; a guest is shown no secret.
void PutPrivate(const Call& call, DeviceId id, Json& json) {
  DevicePrivate about = call.service.PrivateOf(id);
  json["DeviceName"] = about.name;
  if (call.formal) PutText(json, "DeviceSecret", about.secret);
  PutText(json, "Nickname", about.nickname);
}

void OnRegisterDevice(const CallPtr& call) {
  const Arguments& given = call->arguments;
  std::string key = given.Text("ProductKey");
  NewDevice device{.name = given.Text("DeviceName"), .nickname = given.Text("Nickname")};
  Submit(call, RegisterDevices{key, {std::move(device)}}, [call, key](const Outcome& outcome) {
    const auto& created = std::get<CreatedDevices>(outcome.answer);
    const NewDevice& made = created.devices.front();
    Json data = {{"ProductKey", key},
                 {"DeviceName", made.name},
                 {"DeviceSecret", made.secret},
                 {"IotId", call->service.ids.Show(created.first)}};
    PutText(data, "Nickname", made.nickname);
    call->Answer({{"Data", data}});
  });
}

void OnQueryDevice(const CallPtr& call) {
  DeviceId after;
  if (call->arguments.Has("NextToken")) {
    std::optional<DeviceId> token = call->service.ids.ReadDevice(call->arguments.Text("NextToken"));
    if (!token) {
      return call->Refuse("iot.common.InvalidPageParams", "NextToken is none that we gave");
    }
    after = *token;
  }
  Look(call, [call, after](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(ProductId product, RequireProduct(world, call->arguments.Text("ProductKey")));
    Page page = ReadPage(*call);
    const auto& ids = world.IndexOf(product).devices;
    std::vector<DeviceView> devices;
    auto in_class = [&](DeviceId id) { return world.devices()[id].deleted ? ids.kNone : 0; };
    auto visit = [&](DeviceId id) { devices.push_back(ViewDevice(world, id)); };
    if (after) {
      ids.PageAfter(1, after, page.size, in_class, visit);
    } else {
      ids.Page(1, page.skip(), page.size, in_class, visit);
    }
    return Render([call, page, total = ids.total(), devices = std::move(devices)] {
      Json list = Json::array();
      for (const DeviceView& view : devices) {
        Json json = {{"IotId", call->service.ids.Show(view.id)},
                     {"DeviceId", call->service.ids.Show(view.id)},
                     {"ProductKey", view.product_key},
                     {"DeviceStatus", view.status}};
        PutPrivate(*call, view.id, json);
        json["GmtCreate"] = GmtTime(view.record.created);
        json["UtcCreate"] = UtcTime(view.record.created);
        list.push_back(std::move(json));
      }
      Json body;
      body["Data"]["DeviceInfo"] = std::move(list);
      PutPage(body, page, total);
      body["Page"] = page.number;
      if (devices.size() == page.size) {
        body["NextToken"] = call->service.ids.Show(devices.back().id);
      }
      return body;
    });
  });
}

void OnQueryDeviceDetail(const CallPtr& call) {
  Result<DeviceRef> ref = ReadDevice(*call);
  if (!ref.ok()) return call->Refuse(ref.status());
  Look(call, [call, ref = *ref](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(DeviceId id, RequireDevice(world, ref));
    const Product& product = world.products()[world.devices()[id].product];
    ModuleId module = world.FindModule(world.devices()[id].product, kDefaultModule);
    VersionId version = world.VersionOf(id, module);
    return Render([call, view = ViewDevice(world, id), name = product.name,
                   node_type = product.node_type,
                   version = version ? world.versions()[version].text : std::string()] {
      Json data = {{"IotId", call->service.ids.Show(view.id)},
                   {"ProductKey", view.product_key},
                   {"ProductName", name},
                   {"Status", view.status},
                   {"NodeType", node_type},
                   {"Owner", true}};
      PutPrivate(*call, view.id, data);
      PutText(data, "FirmwareVersion", version);
      data["GmtCreate"] = GmtTime(view.record.created);
      data["UtcCreate"] = UtcTime(view.record.created);
      if (view.record.activated != 0) data["GmtActive"] = GmtTime(view.record.activated);
      PutTime(data, "UtcActive", view.record.activated);
      if (OnlineSince(view) != 0) data["GmtOnline"] = GmtTime(OnlineSince(view));
      PutTime(data, "UtcOnline", OnlineSince(view));
      return Json{{"Data", data}};
    });
  });
}

void OnGetDeviceStatus(const CallPtr& call) {
  Result<DeviceRef> ref = ReadDevice(*call);
  if (!ref.ok()) return call->Refuse(ref.status());
  Look(call, [ref = *ref](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(DeviceId id, RequireDevice(world, ref));
    return Render(
        [status = StatusOf(world, id), since = int64_t{world.devices()[id].presence_changed}] {
          Json data = {{"Status", status}};
          if (since != 0) data["Timestamp"] = since;
          return Json{{"Data", data}};
        });
  });
}

// The devices of a call that names several, by id or by name; ids win.
Result<std::vector<DeviceRef>> ReadDevices(const Call& call) {
  const Arguments& given = call.arguments;
  std::vector<DeviceRef> refs;
  for (const std::string& text : given.Texts("IotId")) {
    std::optional<DeviceId> id = call.service.ids.ReadDevice(text);
    if (!id) return ApiError("iot.device.InvalidIoTId", "IotId is no id of a device here");
    refs.push_back({.id = *id});
  }
  if (!refs.empty()) return refs;
  if (!given.Has("ProductKey")) {
    return ApiError("iot.prod.NullProductKey", "give IotId.N, or ProductKey and DeviceName.N");
  }
  for (const std::string& name : given.Texts("DeviceName")) {
    refs.push_back({.product_key = given.Text("ProductKey"), .name = name});
  }
  if (refs.empty()) {
    return ApiError("iot.device.NullDeviceName", "give IotId.N, or ProductKey and DeviceName.N");
  }
  return refs;
}

void OnBatchGetDeviceState(const CallPtr& call) {
  Result<std::vector<DeviceRef>> refs = ReadDevices(*call);
  if (!refs.ok()) return call->Refuse(refs.status());
  Look(call, [call, refs = *refs](const World& world) -> Result<Render> {
    std::vector<std::pair<DeviceView, std::string>> devices;
    for (const DeviceRef& ref : refs) {
      ASSIGN_OR_RETURN(DeviceId id, RequireDevice(world, ref));
      devices.emplace_back(ViewDevice(world, id), DeviceName(world, id));
    }
    return Render([call, devices = std::move(devices)] {
      Json list = Json::array();
      for (const auto& [view, name] : devices) {
        Json json = {{"IotId", call->service.ids.Show(view.id)},
                     {"DeviceId", call->service.ids.Show(view.id)},
                     {"DeviceName", name},
                     {"Status", view.status}};
        PutTime(json, "LastOnlineTime", OnlineSince(view));
        list.push_back(std::move(json));
      }
      Json body;
      body["DeviceStatusList"]["DeviceStatus"] = std::move(list);
      return body;
    });
  });
}

constexpr std::string_view kOfLora = "Of LoRaWAN, which devices here do not speak.";

// DeleteDevice, DisableThing, EnableThing.
template <class Order>
void OnDevice(const CallPtr& call) {
  Result<DeviceRef> ref = ReadDevice(*call);
  if (!ref.ok()) return call->Refuse(ref.status());
  Submit(call, Order{*std::move(ref)});
}

}  // namespace

const std::vector<Action>& DeviceActions() {
  static const std::vector<Action> kActions = {
      {.name = "RegisterDevice",
       .about = "Registers a device. Its secret, and its name when none is given, are made up.",
       .calls_per_second = 500,
       .run = OnRegisterDevice,
       .parameters = {ProductKeyParameter().Required(),
                      Text("DeviceName", "4 to 32 letters, digits or any of - _ @ . :", 1, 64)
                          .Codes("iot.device.NullDeviceName",
                                 "iot.device.InvalidFormattedDeviceName")
                          .Example("lamp-0001"),
                      Text("Nickname", "4 to 64 characters.", 4, 64), Ignored("AppKey", kOfLora),
                      Ignored("DevEui", kOfLora), Ignored("JoinEui", kOfLora),
                      Ignored("LoraNodeType", kOfLora), Ignored("PinCode", kOfLora),
                      ClientTokenParameter()}},
      {.name = "QueryDevice",
       .about = "The devices of a product, in the order of their registration. With NextToken the "
                "page begins behind the last one, and CurrentPage is not looked at.",
       .audience = Audience::kGuest,
       .calls_per_second = 50,
       .run = OnQueryDevice,
       .parameters =
           Join({ProductKeyParameter().Required(), Text("NextToken", "From the answer before.")},
                PageParameters(kDevicesPerPageMax))},
      {.name = "QueryDeviceDetail",
       .about = "A device. Guests are not shown its secret.",
       .audience = Audience::kGuest,
       .calls_per_second = 500,
       .run = OnQueryDeviceDetail,
       .parameters = DeviceParameters()},
      {.name = "GetDeviceStatus",
       .about = "Whether a device is ONLINE, OFFLINE, UNACTIVE (was never there) or DISABLE.",
       .audience = Audience::kGuest,
       .calls_per_second = 50,
       .run = OnGetDeviceStatus,
       .parameters = DeviceParameters()},
      {.name = "BatchGetDeviceState",
       .about = "The status of up to 50 devices.",
       .audience = Audience::kGuest,
       .calls_per_second = 50,
       .run = OnBatchGetDeviceState,
       .parameters = {Texts("IotId", "Ids of devices; with them the others are not looked at.",
                            kDeviceStatesMax)
                          .Codes("iot.device.InvalidIoTId", "iot.device.DeviceCountExceeded"),
                      ProductKeyParameter(),
                      Texts("DeviceName", "Names of devices.", kDeviceStatesMax)
                          .Codes("iot.device.NullDeviceName", "iot.device.DeviceCountExceeded")
                          .Example("lamp-0001")}},
      {.name = "DeleteDevice",
       .about = "Deletes a device for good, its name and secret with it. Open tasks are cancelled.",
       .calls_per_second = 100,
       .run = OnDevice<DeleteDevice>,
       .parameters = DeviceParameters()},
      {.name = "DisableThing",
       .about = "Lets a device connect no more. Its tasks wait.",
       .calls_per_second = 100,
       .run = OnDevice<DisableDevice>,
       .parameters = DeviceParameters()},
      {.name = "EnableThing",
       .about = "Lets a disabled device connect again.",
       .calls_per_second = 100,
       .run = OnDevice<EnableDevice>,
       .parameters = DeviceParameters()},
  };
  return kActions;
}

}  // namespace updraft::openapi
