// A call of the console's API before it is known who makes it: query, headers, form and signature,
// and the reading of parameters of every kind. What a call then does is openapi's.
#include "adapters/openapi/parameters.h"
#include "adapters/wire/openapi_signature.h"
#include "events/base/assert.h"
#include "tests/fuzz/openapi_request.h"

namespace updraft {
namespace {

using openapi::Arguments;
using openapi::Parameter;

const std::vector<Parameter>& Listed() {
  static const std::vector<Parameter> parameters = {
      openapi::Text("ProductKey", "").Required(),
      openapi::Choice("TargetSelection", "", "ALL|SPECIFIC|GRAY"),
      openapi::Number("MaximumPerMinute", "", 10, 10'000),
      openapi::Flag("NeedPush", ""),
      openapi::Texts("SrcVersion", "", 10),
      openapi::Pairs("Tag", "", "Key", "Value", 10),
      openapi::NotBuilt("GroupId", "there are no groups"),
  };
  return parameters;
}

void ReadArguments(const Parameters& given) {
  Result<Arguments> arguments = Arguments::Read(Listed(), given);
  if (!arguments.ok()) {
    Assert(!arguments.status().message().empty(), "a refusal says why");
    return;
  }
  Assert(!arguments->Text("ProductKey").empty(), "what is required is there");
  std::optional<int64_t> number = arguments->Number("MaximumPerMinute");
  Assert(!number || (*number >= 10 && *number <= 10'000), "a number is in its range");
  Assert(arguments->Texts("SrcVersion").size() <= 10, "a list is bounded");
  Assert(arguments->Pairs("Tag").size() <= 10, "so are pairs");
  (void)arguments->Flag("NeedPush");
  (void)arguments->OptionalText("TargetSelection");
}

}  // namespace
}  // namespace updraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  HttpRequest request = ReadRequest(Text(data, size));
  Result<SignedCall> call = ParseSignedCall(request);
  if (!call.ok()) {
    Assert(!call.status().reason().empty(), "a refusal has a code");
    return 0;
  }
  // An HMAC that a fuzzer makes up.
  Assert(!VerifySignature(*call, ""), "an empty secret proves nothing");
  (void)VerifySignature(*call, "secret");
  ReadArguments(call->parameters);
  return 0;
}
