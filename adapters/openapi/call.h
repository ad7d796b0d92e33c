// One call on its way through an action: what was asked, by whom, and how it is answered.
//
//   void OnQueryProduct(const CallPtr& call) {
//     Look(call, [call](const World& world) -> Result<Render> { … });
//   }
//
// Thread-safety: everything here is called on the engine's completion thread; the closures of Look
// run where the world is and touch nothing of a Call but what is constant.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "adapters/openapi/json.h"
#include "adapters/openapi/parameters.h"
#include "adapters/openapi/service.h"
#include "adapters/wire/http_message.h"
#include "engine/commands.h"

namespace updraft {
class World;
}

namespace updraft::openapi {

struct Call {
  Service& service;
  const Arguments arguments;
  const Origin origin;
  // Most likely a repeat by its ClientToken, which the engine answers without looking at the order:
  // files that the first call used may be gone.
  const bool repeat;
  const bool formal;  // Else a guest, who is shown no secrets.
  const std::string request_id;
  const std::string host_id;
  const HttpRespond respond;

  // The call is over; one of them, once.
  void Answer(const Json& body = {}) const;
  void Refuse(const Status& status) const;
  void Refuse(std::string_view code, std::string message) const;
};
using CallPtr = std::shared_ptr<const Call>;

// A refusal by one of the API's codes.
Status ApiError(std::string_view code, std::string message);

// Gives the engine a command. Refused, its refusal is the call's; done, `then` has the last word.
using Then = std::function<void(const Outcome&)>;
void Submit(const CallPtr& call, Command command, Then then);
// Answers with an empty body.
void Submit(const CallPtr& call, Command command);

// Makes an answer of what was seen; may read the sidecar.
using Render = std::function<Json()>;
// Looks at the world: `look` runs between two turns and must be short, the Render it returns runs
// afterwards. Its failure is the call's refusal.
void Look(const CallPtr& call, std::function<Result<Render>(const World&)> look);
// The same with more to do than to answer.
using Next = std::function<void()>;
void LookAndGoOn(const CallPtr& call, std::function<Result<Next>(const World&)> look);

}  // namespace updraft::openapi
