// Registration of many devices: at once with names made up, or in two steps with names that are
// checked first.
#include <optional>
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

uint64_t ApplyIdOf(const Call& call) {
  return static_cast<uint64_t>(*call.arguments.Number("ApplyId"));
}

Status NoApplication() {
  return ApiError("iot.device.DeviceApplyIsNotFound",
                  "there is no such application; names that were checked and not registered are "
                  "forgotten when the server restarts: check them again");
}

Json ApplyIdBody(uint64_t id) {
  Json body;
  body["Data"]["ApplyId"] = id;
  return body;
}

// What an application registered.
struct Registered {
  DeviceId first;
  std::vector<std::string> names;  // Empty of those deleted since.
  std::string product_key;
};

// Nothing when it registered none yet.
std::optional<Registered> FindRegistered(const World& world, uint64_t application) {
  RegistrationId id = world.FindRegistration(application);
  if (!id) return std::nullopt;
  const Registration& registration = world.registrations()[id];
  Registered registered{.first = registration.first};
  registered.product_key = world.products()[world.devices()[registration.first].product].key;
  for (uint32_t i = 0; i < registration.count; ++i) {
    registered.names.emplace_back(world.names().Of(DeviceId(registration.first.value() + i)));
  }
  return registered;
}

// The application of a call that names its product as well, if it is that product's.
Result<Application*> FindChecked(const Call& call) {
  Application* application = call.service.applications.Find(ApplyIdOf(call));
  bool fits =
      application != nullptr && application->product_key == call.arguments.Text("ProductKey");
  if (!fits) return NoApplication();
  return application;
}

void OnBatchRegister(const CallPtr& call) {
  RegisterDevices command{
      .product_key = call->arguments.Text("ProductKey"),
      .devices = std::vector<NewDevice>(static_cast<size_t>(*call->arguments.Number("Count"))),
      .application = call->service.applications.NewId()};
  Submit(call, std::move(command), [call](const Outcome& outcome) {
    call->Answer(ApplyIdBody(std::get<CreatedDevices>(outcome.answer).application));
  });
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

// Registers an application's devices; it may be forgotten when that is done.
void RegisterChecked(const CallPtr& call) {
  Result<Application*> application = FindChecked(*call);
  if (!application.ok()) return call->Refuse(application.status());
  uint64_t id = ApplyIdOf(*call);
  RegisterDevices command{.product_key = (*application)->product_key, .application = id};
  for (size_t i = 0; i < (*application)->names.size(); ++i) {
    command.devices.push_back(
        {.name = (*application)->names[i], .nickname = (*application)->nicknames[i]});
  }
  (*application)->state = ApplicationState::kRegistering;
  auto on_outcome = [call, id](const Outcome& outcome) {
    if (Application* gone_on = call->service.applications.Find(id); gone_on != nullptr) {
      gone_on->state = outcome.ok() ? ApplicationState::kRegistered : ApplicationState::kFailed;
    }
    if (!outcome.ok()) return call->Refuse(outcome.status);
    call->Answer(ApplyIdBody(id));
  };
  Status status = call->service.engine.Submit(std::move(command), on_outcome, call->origin);
  if (status.ok()) return;
  (*application)->state = ApplicationState::kChecked;
  call->Refuse(status);
}

void OnBatchRegisterWithApplyId(const CallPtr& call) {
  LookAndGoOn(call, [call](const World& world) -> Result<Next> {
    std::optional<Registered> registered = FindRegistered(world, ApplyIdOf(*call));
    if (!registered) return Next([call] { RegisterChecked(call); });
    if (registered->product_key != call->arguments.Text("ProductKey")) return NoApplication();
    // Asked again: it is so already.
    return Next([call] { call->Answer(ApplyIdBody(ApplyIdOf(*call))); });
  });
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

void AnswerStatus(const Call& call, ApplicationState state, const std::vector<std::string>& names,
                  const std::vector<std::string>& invalid_names) {
  Json data = {{"Status", StateWord(state)}};
  data["ValidList"]["Name"] = names;
  data["InvalidList"]["Name"] = invalid_names;
  call.Answer({{"Data", data}});
}

void OnQueryStatus(const CallPtr& call) {
  LookAndGoOn(call, [call](const World& world) -> Result<Next> {
    std::optional<Registered> registered = FindRegistered(world, ApplyIdOf(*call));
    if (!registered) {
      return Next([call] {
        Result<Application*> found = FindChecked(*call);
        if (!found.ok()) return call->Refuse(found.status());
        AnswerStatus(*call, (*found)->state, (*found)->names, (*found)->invalid_names);
      });
    }
    if (registered->product_key != call->arguments.Text("ProductKey")) return NoApplication();
    std::erase(registered->names, "");
    return Next([call, names = std::move(registered->names)] {
      AnswerStatus(*call, ApplicationState::kRegistered, names, {});
    });
  });
}

void OnQueryPage(const CallPtr& call) {
  Look(call, [call](const World& world) -> Result<Render> {
    std::optional<Registered> registered = FindRegistered(world, ApplyIdOf(*call));
    if (!registered) return NoApplication();
    return Render([call, registered = *std::move(registered)] {
      Page page = ReadPage(*call);
      Json list = Json::array();
      size_t total = registered.names.size();
      for (size_t i = page.skip(); i < total && i < page.skip() + page.size; ++i) {
        if (registered.names[i].empty()) continue;
        DeviceId device(registered.first.value() + static_cast<uint32_t>(i));
        std::string shown = call->service.ids.Show(device);
        list.push_back({{"DeviceName", registered.names[i]},
                        {"DeviceSecret", call->service.PrivateOf(device).secret},
                        {"IotId", shown},
                        {"DeviceId", shown}});
      }
      Json body;
      body["ApplyDeviceList"]["ApplyDeviceInfo"] = std::move(list);
      PutPage(body, page, total);
      body["Page"] = page.number;
      return body;
    });
  });
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
