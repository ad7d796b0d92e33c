#include "adapters/openapi/openapi.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "adapters/openapi/actions.h"
#include "adapters/openapi/call.h"
#include "adapters/openapi/call_guard.h"
#include "adapters/openapi/envelope.h"
#include "adapters/openapi/not_built.h"
#include "adapters/openapi/service.h"
#include "adapters/wire/openapi_signature.h"
#include "projections/world.h"

namespace updraft {
namespace {

using openapi::Action;
using openapi::Arguments;
using openapi::Audience;
using openapi::CallGuard;

constexpr std::string_view kApiVersion = "2018-01-20";

// A call before it is known who makes it.
struct Incoming {
  SignedCall signed_call;
  const Action* action = nullptr;
  ClientToken token;
  std::string request_id;
  std::string host_id;
  HttpRespond respond;
  OpenApi::Admitted admitted;  // What to do in place of the action's function.
  openapi::RefusalCounts* refusals = nullptr;

  void Refuse(const Status& status) const {
    refusals->Count(openapi::CodeOf(status));
    respond(openapi::RenderRefusal(request_id, host_id, status));
  }
};
using IncomingPtr = std::shared_ptr<const Incoming>;

Status Refused(StatusCode code, std::string_view reason, std::string message) {
  return Status(code, reason, std::move(message));
}

// The stream of events is guarded as an action is, though it is none.
const Action& FollowAction() {
  static const Action kFollow = {.name = "FollowEvents", .about = "GET /events", .ours = true};
  return kFollow;
}

std::string NoSuchAction(const Incoming& incoming) {
  const std::string& name = incoming.signed_call.action;
  std::string message = fmt::format("there is no action '{}' here", name);
  std::string_view nearest = openapi::NearestAction(name);
  std::string_view why = openapi::WhyNotBuilt(name);
  if (incoming.admitted) return message + "; this is FollowEvents";
  if (!why.empty()) return message + fmt::format(": {}", why);
  if (!nearest.empty()) return message + fmt::format("; did you mean {}?", nearest);
  return message + "; `updraft call --list` shows all";
}

Result<const Action*> Route(const Incoming& incoming) {
  const SignedCall& call = incoming.signed_call;
  if (call.version != kApiVersion) {
    return Refused(StatusCode::kInvalidArgument, "InvalidVersion",
                   fmt::format("this is version {} of the API", kApiVersion));
  }
  const Action* action = incoming.admitted ? &FollowAction() : openapi::FindAction(call.action);
  if (action != nullptr && action->name == call.action) return action;
  return Refused(StatusCode::kNotFound, "InvalidAction.NotFound", NoSuchAction(incoming));
}

// What the world says of the caller.
struct Caller {
  KeyId key;  // 0: nobody.
  bool enabled = false;
  bool formal = false;
  bool repeat = false;  // Its token is known, though perhaps too old.
};

// A call with a token is the same as another one when key, action and token are; both then ask for
// the same if all other parameters are equal.
ClientToken TokenOf(const SignedCall& call, const Action& action) {
  auto takes = [](const openapi::Parameter& parameter) { return parameter.name == "ClientToken"; };
  auto token = call.parameters.find("ClientToken");
  bool has = token != call.parameters.end() && !token->second.empty() &&
             std::any_of(action.parameters.begin(), action.parameters.end(), takes);
  if (!has) return {};
  return {
      Fingerprint::Of(fmt::format("{}\n{}\n{}", call.access_key_id, call.action, token->second)),
      Fingerprint::Of(EncodeParameters(call.parameters))};
}

}  // namespace

struct OpenApi::State {
  openapi::Service service;
  CallGuard guard;
  std::map<KeyId, std::string> secrets;  // Of keys that called.

  Status Admit(const Incoming& incoming, const Caller& caller);
  void Begin(HttpRequest request, std::shared_ptr<Incoming> incoming);
  void Run(const IncomingPtr& incoming, const Caller& caller);
};

Status OpenApi::State::Admit(const Incoming& incoming, const Caller& caller) {
  if (!caller.key) {
    return Refused(StatusCode::kNotFound, "InvalidAccessKeyId.NotFound",
                   fmt::format("there is no access key '{}'", incoming.signed_call.access_key_id));
  }
  std::string& secret = secrets[caller.key];
  if (secret.empty()) secret = service.Side(SideKeyOfKey(caller.key));
  uint32_t rate = incoming.action->calls_per_second * service.options.rate_factor;
  RETURN_IF_ERROR(
      guard.Admit(incoming.signed_call, caller.key, secret, rate, service.options.wall_now_ms()));
  if (!caller.enabled) {
    return Refused(StatusCode::kPermissionDenied, "InvalidAccessKeyId.Inactive",
                   "the access key is disabled");
  }
  if (!caller.formal && incoming.action->audience == Audience::kFormal) {
    return Refused(StatusCode::kPermissionDenied, "iot.common.AuthActionPermissionDeny",
                   "a guest may only look at products and devices; ask an operator to promote "
                   "this access key (updraft key promote) to a formal one");
  }
  return OkStatus();
}

void OpenApi::State::Run(const IncomingPtr& incoming, const Caller& caller) {
  if (Status status = Admit(*incoming, caller); !status.ok()) return incoming->Refuse(status);
  if (incoming->admitted) return incoming->admitted(caller.key, incoming->signed_call.parameters);
  Result<Arguments> arguments =
      Arguments::Read(incoming->action->parameters, incoming->signed_call.parameters);
  if (!arguments.ok()) return incoming->Refuse(arguments.status());
  incoming->action->run(std::make_shared<const openapi::Call>(openapi::Call{
      service, *std::move(arguments), Origin(caller.key, incoming->token), caller.repeat,
      caller.formal, incoming->request_id, incoming->host_id, incoming->respond}));
}

OpenApi::OpenApi(Engine& engine, PackageFiles& files, OpenApiOptions options)
    : state_(new State{openapi::Service{engine,
                                        files,
                                        options,
                                        ObjectIds(options.object_id_key, options.engine_number),
                                        {},
                                        {},
                                        {}},
                       {},
                       {}}) {}

OpenApi::~OpenApi() = default;

void OpenApi::HandleDeviceLists(HttpRequest request, HttpRespond respond) {
  std::string name = request.path.substr(request.path.rfind('/') + 1);
  std::optional<std::string> csv = name == "template.csv"
                                       ? std::optional(std::string(openapi::kDeviceListTemplate))
                                       : state_->service.list_reports.Find(name);
  if (!csv) return respond({.status = 404});
  respond({.headers = {{"Content-Type", "text/csv; charset=utf-8"}}, .body = *std::move(csv)});
}

std::map<std::string, uint64_t, std::less<>> OpenApi::Refusals() const {
  return state_->service.refusals.Get();
}

void OpenApi::Handle(HttpRequest request, HttpRespond respond) {
  auto incoming = std::make_shared<Incoming>();
  incoming->respond = std::move(respond);
  state_->Begin(std::move(request), std::move(incoming));
}

void OpenApi::Follow(HttpRequest request, Admitted admitted, HttpRespond refuse) {
  auto incoming = std::make_shared<Incoming>();
  incoming->respond = std::move(refuse);
  incoming->admitted = std::move(admitted);
  state_->Begin(std::move(request), std::move(incoming));
}

void OpenApi::State::Begin(HttpRequest request, std::shared_ptr<Incoming> incoming) {
  incoming->request_id = openapi::NewRequestId();
  incoming->host_id = request.Header("host");
  incoming->refusals = &service.refusals;
  Result<SignedCall> call = ParseSignedCall(request);
  if (!call.ok()) return incoming->Refuse(call.status());
  incoming->signed_call = *std::move(call);
  Result<const Action*> action = Route(*incoming);
  if (!action.ok()) return incoming->Refuse(action.status());
  incoming->action = *action;
  incoming->token = TokenOf(incoming->signed_call, **action);
  Status status = CallGuard::CheckTime(incoming->signed_call, service.options.wall_now_ms());
  if (!status.ok()) return incoming->Refuse(status);

  status = service.engine.Read([this, incoming](const World& world) {
    Caller caller;
    caller.key = world.FindKey(incoming->signed_call.access_key_id);
    caller.repeat = incoming->token.call && world.FindToken(incoming->token.call, 0) != nullptr;
    if (caller.key) {
      caller.enabled = world.keys()[caller.key].enabled;
      caller.formal = world.keys()[caller.key].formal;
    }
    return [this, incoming, caller](const Status& durable) {
      if (!durable.ok()) return incoming->Refuse(durable);
      Run(incoming, caller);
    };
  });
  if (!status.ok()) incoming->Refuse(status);
}

}  // namespace updraft
