#include "adapters/openapi/call.h"

#include <utility>

#include "adapters/openapi/envelope.h"
#include "events/base/log_line.h"

namespace updraft::openapi {

void Call::Answer(const Json& body) const { respond(RenderDone(request_id, body)); }

void Call::Refuse(const Status& status) const {
  if (CodeOf(status) == "iot.system.SystemException") {
    LogError("a call failed", {{"request_id", request_id}, {"why", status.ToString()}});
  }
  service.refusals.Count(CodeOf(status));
  respond(RenderRefusal(request_id, host_id, status));
}

void Call::Refuse(std::string_view code, std::string message) const {
  Refuse(ApiError(code, std::move(message)));
}

Status ApiError(std::string_view code, std::string message) {
  return Status(StatusCode::kInvalidArgument, code, std::move(message));
}

void Submit(const CallPtr& call, Command command, Then then) {
  auto on_outcome = [call, then = std::move(then)](const Outcome& outcome) {
    if (!outcome.ok()) return call->Refuse(outcome.status);
    then(outcome);
  };
  Status status =
      call->service.engine.Submit(std::move(command), std::move(on_outcome), call->origin);
  if (!status.ok()) call->Refuse(status);
}

void Submit(const CallPtr& call, Command command) {
  Submit(call, std::move(command), [call](const Outcome&) { call->Answer(); });
}

void Look(const CallPtr& call, std::function<Result<Render>(const World&)> look) {
  LookAndGoOn(call, [call, look = std::move(look)](const World& world) -> Result<Next> {
    ASSIGN_OR_RETURN(Render render, look(world));
    return Next([call, render = std::move(render)] { call->Answer(render()); });
  });
}

void LookAndGoOn(const CallPtr& call, std::function<Result<Next>(const World&)> look) {
  auto read = [call, look = std::move(look)](const World& world) -> Engine::Finish {
    Result<Next> next = look(world);
    return [call, next = std::move(next)](const Status& status) {
      if (!status.ok()) return call->Refuse(status);
      if (!next.ok()) return call->Refuse(next.status());
      (*next)();
    };
  };
  Status status = call->service.engine.Read(std::move(read));
  if (!status.ok()) call->Refuse(status);
}

}  // namespace updraft::openapi
