#include "adapters/wire/device_payload.h"

#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

namespace updraft {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

Status Malformed(std::string_view reason, std::string message) {
  return Status(StatusCode::kInvalidArgument, reason, std::move(message));
}

Status WrongType(std::string_view field) {
  return Malformed("wrong_type", fmt::format("{} is not of its type", field));
}

// The document's outermost object, valid until this thread parses the next message.
Result<object> ParseDocument(std::string_view payload) {
  thread_local simdjson::dom::parser parser;
  if (payload.size() > kPayloadMaxBytes) {
    return Malformed("too_large", fmt::format("the payload has {} bytes", payload.size()));
  }
  element document;
  simdjson::error_code error = parser.parse(payload.data(), payload.size()).get(document);
  if (error == simdjson::UTF8_ERROR) return Malformed("bad_utf8", "the payload is not UTF-8");
  if (error) return Malformed("not_json", simdjson::error_message(error));
  object root;
  if (document.get(root)) return WrongType("the document");
  return root;
}

Result<object> ReadParams(object root) {
  element found;
  if (root["params"].get(found)) return Malformed("missing_params", "params is missing");
  object params;
  if (found.get(params)) return WrongType("params");
  return params;
}

// Of text that is UTF-8 already: no control characters, of neither ASCII nor Latin-1.
bool IsPrintable(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return false;
    if (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) return false;
  }
  return true;
}

Result<std::string> ReadVersion(object params) {
  element found;
  if (params["version"].get(found)) return Malformed("missing_version", "version is missing");
  std::string_view version;
  if (found.get(version)) return WrongType("version");
  if (version.empty() || version.size() > kVersionMaxBytes || !IsPrintable(version)) {
    return Malformed("bad_version", "a version is 1 to 64 printable bytes");
  }
  return std::string(version);
}

Result<std::string> ReadModule(object params) {
  element found;
  if (params["module"].get(found)) return std::string(kDefaultModule);
  std::string_view module;
  if (found.get(module)) return WrongType("module");
  if (module.size() > kModuleMaxBytes || !IsPrintable(module)) {
    return Malformed("bad_module", "a module's name is at most 64 printable bytes");
  }
  return std::string(module.empty() ? kDefaultModule : module);
}

// A number, or all of a string that spells one.
std::optional<double> NumberOf(element value) {
  double number = 0;
  std::string_view text;
  if (value.get(text)) {
    if (value.get(number)) return std::nullopt;
    return number;
  }
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Status ReadStep(object params, ProgressMessage& progress) {
  element found;
  if (params["step"].get(found)) return Malformed("missing_step", "step is missing");
  std::optional<double> step = NumberOf(found);
  if (!step || !std::isfinite(*step) || std::trunc(*step) != *step || *step < -4) {
    return Malformed("bad_step", "a step is a whole number from -4 on");
  }
  progress.step_was_above_100 = *step > 100;
  progress.step = progress.step_was_above_100 ? 100 : static_cast<int>(*step);
  return OkStatus();
}

// The length of the first `count` code points of `text`.
size_t LengthOfCodePoints(std::string_view text, size_t count) {
  size_t length = 0;
  while (length < text.size()) {
    bool is_continuation = (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80;
    if (!is_continuation && count-- == 0) break;
    ++length;
  }
  return length;
}

Status ReadDesc(object params, ProgressMessage& progress) {
  element found;
  if (params["desc"].get(found)) return OkStatus();
  std::string_view desc;
  if (found.get(desc)) return WrongType("desc");
  progress.desc = desc.substr(0, LengthOfCodePoints(desc, kDescMaxCodePoints));
  progress.desc_was_cut = progress.desc.size() < desc.size();
  return OkStatus();
}

// As JSON text, so that the answer's id is of the same type.
Result<std::string> ReadId(object root) {
  element found;
  if (root["id"].get(found)) return std::string();
  if (!found.is_string() && !found.is_number()) return WrongType("id");
  std::string_view text;
  if (!found.get(text) && text.size() > kMessageIdMaxBytes) {
    return Malformed("bad_id", fmt::format("the id has {} bytes", text.size()));
  }
  return simdjson::to_string(found);
}

Result<PullMessage> ReadPull(object root) {
  PullMessage pull;
  ASSIGN_OR_RETURN(object params, ReadParams(root));
  ASSIGN_OR_RETURN(pull.id_json, ReadId(root));
  ASSIGN_OR_RETURN(pull.module, ReadModule(params));
  return pull;
}

bool Has(object root, std::string_view key) { return !root[key].error(); }

}  // namespace

Result<InformMessage> ParseInform(std::string_view payload) {
  InformMessage inform;
  ASSIGN_OR_RETURN(object root, ParseDocument(payload));
  ASSIGN_OR_RETURN(object params, ReadParams(root));
  ASSIGN_OR_RETURN(inform.version, ReadVersion(params));
  ASSIGN_OR_RETURN(inform.module, ReadModule(params));
  return inform;
}

Result<ProgressMessage> ParseProgress(std::string_view payload) {
  ProgressMessage progress;
  ASSIGN_OR_RETURN(object root, ParseDocument(payload));
  ASSIGN_OR_RETURN(object params, ReadParams(root));
  RETURN_IF_ERROR(ReadStep(params, progress));
  RETURN_IF_ERROR(ReadDesc(params, progress));
  ASSIGN_OR_RETURN(progress.module, ReadModule(params));
  return progress;
}

Result<PullMessage> ParsePull(std::string_view payload) {
  ASSIGN_OR_RETURN(object root, ParseDocument(payload));
  return ReadPull(root);
}

Result<PullMessage> ParseLegacyRequest(std::string_view payload) {
  ASSIGN_OR_RETURN(object root, ParseDocument(payload));
  if (!Has(root, "params") && (Has(root, "code") || Has(root, "data"))) {
    return Malformed("own_answer", "an answer on the topic of requests");
  }
  return ReadPull(root);
}

}  // namespace updraft
