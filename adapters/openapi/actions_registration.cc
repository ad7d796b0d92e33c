// Registration of many devices: at once with names made up, or in two steps with names that are
// checked first.
#include <set>

#include "adapters/openapi/actions.h"
#include "adapters/openapi/lookups.h"
#include "adapters/wire/names.h"
#include "events/base/assert.h"
#include "projections/world.h"

namespace updraft::openapi {
namespace {

constexpr int64_t kDevicesMax = 1'000;
constexpr int64_t kApplyIdMax = int64_t{1} << 53;

Result<uint64_t> FindApplication(const Call& call) {
  auto id = static_cast<uint64_t>(*call.arguments.Number("ApplyId"));
  const Application* application = call.service.applications.Find(id);
  if (application == nullptr) {
    return ApiError("iot.device.DeviceApplyIsNotFound",
                    "there is no such application; they are forgotten when the server restarts, "
                    "their devices are not");
  }
  const Arguments& given = call.arguments;
  if (given.Text("ProductKey") != application->product_key) {
    return ApiError("iot.device.DeviceApplyIsNotFound", "the application is of another product");
  }
  return id;
}

// Registers an application's devices; it may be gone when that is done.
void Register(const CallPtr& call, uint64_t id, RegisterDevices command) {
  call->service.applications.Find(id)->state = ApplicationState::kRegistering;
  auto on_outcome = [call, id](const Outcome& outcome) {
    Application* application = call->service.applications.Find(id);
    if (application != nullptr) {
      application->state = outcome.ok() ? ApplicationState::kRegistered : ApplicationState::kFailed;
      if (outcome.ok()) {
        const auto& created = std::get<CreatedDevices>(outcome.answer);
        application->first = created.first;
        application->names.clear();
        for (const NewDevice& device : created.devices) application->names.push_back(device.name);
      }
    }
    if (!outcome.ok()) return call->Refuse(outcome.status);
    Json body;
    body["Data"]["ApplyId"] = id;
    call->Answer(body);
  };
  Status status = call->service.engine.Submit(std::move(command), on_outcome, call->by);
  if (status.ok()) return;
  call->service.applications.Find(id)->state = ApplicationState::kChecked;
  call->Refuse(status);
}

void OnBatchRegister(const CallPtr& call) {
  std::string key = call->arguments.Text("ProductKey");
  auto count = static_cast<size_t>(*call->arguments.Number("Count"));
  uint64_t id = call->service.applications.Add({.product_key = key});
  Register(call, id, RegisterDevices{key, std::vector<NewDevice>(count)});
}

// Names and nicknames to check; of the two lists the one with nicknames wins.
Arguments::PairList ReadNames(const Arguments& given) {
  Arguments::PairList names = given.Pairs("DeviceNameList");
  if (!names.empty()) return names;
  for (const std::string& name : given.Texts("DeviceName")) names.emplace_back(name, "");
  return names;
}

void OnBatchCheck(const CallPtr& call) {
  LookAndGoOn(call, [call](const World& world) -> Result<Next> {
    Application application{.product_key = call->arguments.Text("ProductKey")};
    ASSIGN_OR_RETURN(ProductId product, RequireProduct(world, application.product_key));
    Arguments::PairList names = ReadNames(call->arguments);
    if (names.empty()) {
      return ApiError("iot.device.NullDeviceName", "name the devices: DeviceName.1, …");
    }
    std::set<std::string> seen;
    for (auto& [name, nickname] : names) {
      bool taken = static_cast<bool>(world.names().Find(product, name));
      if (IsValidDeviceName(name) && !taken && seen.insert(name).second) {
        application.names.push_back(std::move(name));
        application.nicknames.push_back(std::move(nickname));
      } else {
        application.invalid_names.push_back(std::move(name));
      }
    }
    return Next([call, application = std::move(application)] {
      Json data;
      data["InvalidDeviceNameList"]["InvalidDeviceName"] = application.invalid_names;
      // As documented, an application is there only when every name is good.
      if (application.invalid_names.empty()) {
        data["ApplyId"] = call->service.applications.Add(application);
      }
      call->Answer({{"Data", data}});
    });
  });
}

void OnBatchRegisterWithApplyId(const CallPtr& call) {
  Result<uint64_t> id = FindApplication(*call);
  if (!id.ok()) return call->Refuse(id.status());
  const Application& application = *call->service.applications.Find(*id);
  if (application.state == ApplicationState::kRegistering ||
      application.state == ApplicationState::kRegistered) {
    Json body;  // Asked again: it is so already.
    body["Data"]["ApplyId"] = *id;
    return call->Answer(body);
  }
  RegisterDevices command{application.product_key, {}};
  for (size_t i = 0; i < application.names.size(); ++i) {
    command.devices.push_back({.name = application.names[i], .nickname = application.nicknames[i]});
  }
  Register(call, *id, std::move(command));
}

std::string_view StateWord(ApplicationState state) {
  switch (state) {
    case ApplicationState::kChecked:
      return "CHECK_SUCCESS";
    case ApplicationState::kRegistering:
      return "CREATE";
    case ApplicationState::kRegistered:
      return "CREATE_SUCCESS";
    case ApplicationState::kFailed:
      return "CREATE_FAILED";
  }
  Unreachable();
}

void OnQueryStatus(const CallPtr& call) {
  Result<uint64_t> id = FindApplication(*call);
  if (!id.ok()) return call->Refuse(id.status());
  const Application& application = *call->service.applications.Find(*id);
  Json data = {{"Status", StateWord(application.state)}};
  data["ValidList"]["Name"] = application.names;
  data["InvalidList"]["Name"] = application.invalid_names;
  call->Answer({{"Data", data}});
}

void OnQueryPage(const CallPtr& call) {
  auto id = static_cast<uint64_t>(*call->arguments.Number("ApplyId"));
  const Application* application = call->service.applications.Find(id);
  if (application == nullptr || application->state != ApplicationState::kRegistered) {
    return call->Refuse("iot.device.DeviceApplyIsNotFound",
                        "there is no such application, or its devices are not registered");
  }
  Page page = ReadPage(*call);
  Json list = Json::array();
  size_t total = application->names.size();
  for (size_t i = page.skip(); i < total && i < page.skip() + page.size; ++i) {
    DeviceId device(application->first.value() + static_cast<uint32_t>(i));
    std::string shown = call->service.ids.Show(device);
    list.push_back({{"DeviceName", application->names[i]},
                    {"DeviceSecret", call->service.PrivateOf(device).secret},
                    {"IotId", shown},
                    {"DeviceId", shown}});
  }
  Json body;
  body["ApplyDeviceList"]["ApplyDeviceInfo"] = std::move(list);
  PutPage(body, page, total);
  body["Page"] = page.number;
  call->Answer(body);
}

Parameter ApplyId() {
  return Number("ApplyId", "From the call that applied.", 1, kApplyIdMax)
      .Codes("iot.device.NullApplyId", "iot.device.InvalidFormattedApplyId")
      .Required()
      .Example("1295006");
}

}  // namespace

const std::vector<Action>& RegistrationActions() {
  static const std::vector<Action> kActions = {
      {.name = "BatchRegisterDevice",
       .about = "Registers devices with names made up. QueryPageByApplyId lists them.",
       .calls_per_second = 500,
       .run = OnBatchRegister,
       .parameters = {ProductKeyParameter().Required(),
                      Number("Count", "How many devices.", 1, kDevicesMax)
                          .Codes("MissingParameter", "iot.device.DeviceCountExceeded")
                          .Required()
                          .Example("100"),
                      ClientTokenParameter()}},
      {.name = "BatchCheckDeviceNames",
       .about = "Checks names for new devices. When all are good there is an ApplyId to register "
                "them by.",
       .calls_per_second = 500,
       .run = OnBatchCheck,
       .parameters = {ProductKeyParameter().Required(),
                      Texts("DeviceName", "The names.", kDevicesMax)
                          .Codes("iot.device.NullDeviceName", "iot.device.DeviceCountExceeded")
                          .Example("lamp-0001"),
                      Pairs("DeviceNameList",
                            "The names with nicknames; with them the others are not looked at.",
                            "DeviceName", "DeviceNickname", kDevicesMax)
                          .Codes("iot.device.NullDeviceName", "iot.device.DeviceCountExceeded")}},
      {.name = "BatchRegisterDeviceWithApplyId",
       .about = "Registers the devices whose names were checked: all of them or none.",
       .calls_per_second = 500,
       .run = OnBatchRegisterWithApplyId,
       .parameters = {ProductKeyParameter().Required(), ApplyId()}},
      {.name = "QueryBatchRegisterDeviceStatus",
       .about = "What became of an application: CHECK_SUCCESS, CREATE, CREATE_SUCCESS or "
                "CREATE_FAILED.",
       .calls_per_second = 500,
       .run = OnQueryStatus,
       .parameters = {ProductKeyParameter().Required(), ApplyId()}},
      {.name = "QueryPageByApplyId",
       .about = "The devices that an application registered.",
       .calls_per_second = 500,
       .run = OnQueryPage,
       .parameters = Join({ApplyId()}, RequiredPageParameters(50))},
  };
  return kActions;
}

}  // namespace updraft::openapi
