// What every answer of the API is wrapped in.
//
//   done       HTTP 200  {"RequestId":…,"Success":true, …the body's fields}
//   refused    HTTP 200  {"RequestId":…,"Success":false,"Code":"iot.…","ErrorMessage":…}
//   the gate   HTTP 4xx  {"RequestId":…,"Code":…,"Message":…,"HostId":…}
//
// The gate's are what never reached an action: signature, parameters missing, too many calls,
// service not available. SDKs throw on them and return the others. On success there is no `Code`:
// the older RPC clients take one for a failure.
//
// Thread-safety: pure, but for NewRequestId, which any thread may call.
#pragma once

#include <string>
#include <string_view>

#include "adapters/openapi/json.h"
#include "adapters/wire/http_message.h"
#include "events/base/status.h"

namespace updraft::openapi {

// A random UUID in capitals.
std::string NewRequestId();

// `body` is an object or null.
HttpResponse RenderDone(std::string_view request_id, const Json& body);

// By the status' reason: a code of the gate, a code of the API (`iot.…`) or a rule's name. Anything
// else is a fault of ours, told as iot.system.SystemException.
HttpResponse RenderRefusal(std::string_view request_id, std::string_view host_id,
                           const Status& status);

// The code that RenderRefusal gives.
std::string_view CodeOf(const Status& status);

}  // namespace updraft::openapi
