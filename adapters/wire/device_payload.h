// The JSON that a device sends.
//
// Fielded clients differ: `id` is a number, a string or the same each time, `step` is a string or a
// number, there are blanks between the items, `method` and `version` beside `params` come and go.
// All that is taken. What is not the message's meaning is not looked at; of a key that comes twice
// the first counts.
//
// Errors: INVALID_ARGUMENT with a reason word for a metric; nothing of the message is used then.
//   too_large        over kPayloadMaxBytes, refused unread
//   bad_utf8         the text is not UTF-8
//   not_json         it is not one whole JSON document, or has a number beyond 64 bits
//   wrong_type       a field is not of its type, or the document or `params` no object
//   missing_params   and missing_version, missing_step: the field is not there
//   bad_version      empty, over kVersionMaxBytes or with control characters
//   bad_module       over kModuleMaxBytes or with control characters
//   bad_step         no whole number, or below -4
//   bad_id           over kMessageIdMaxBytes
//   own_answer       not malformed: see ParseLegacyRequest
//
// Thread-safety: any thread; each has its own memory for parsing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "events/base/status.h"

namespace updraft {

inline constexpr size_t kPayloadMaxBytes = 256 * 1024;
inline constexpr size_t kVersionMaxBytes = 64;
inline constexpr size_t kModuleMaxBytes = 64;
inline constexpr size_t kDescMaxCodePoints = 128;
inline constexpr size_t kMessageIdMaxBytes = 64;

// The module that a message means when it names none, or an empty one.
inline constexpr std::string_view kDefaultModule = "default";

// `{"id":1, "params":{"version":"1.0.0","module":"mcu"}}`
struct InformMessage {
  std::string version;
  std::string module;
};
Result<InformMessage> ParseInform(std::string_view payload);

// `{"id":2, "params":{"step":"-3","desc":"","module":"default"}}`
struct ProgressMessage {
  // 0 to 100 percent, or -1 to -4: upgrade, download, verification or burning failed.
  int step = 0;
  // The device said more than 100; a C client does where a package's size is wrong.
  bool step_was_above_100 = false;
  std::string desc;  // At most kDescMaxCodePoints of what was sent; any text.
  bool desc_was_cut = false;
  std::string module;
};
Result<ProgressMessage> ParseProgress(std::string_view payload);

// A pull: `{"id":"123","version":"1.0","params":{"module":"MCU"},"method":"…"}`
struct PullMessage {
  std::string id_json;  // The id as JSON text, `7` or `"7"`; empty when there is none.
  std::string module;
};
Result<PullMessage> ParsePull(std::string_view payload);

// A pull of the old kind, `{"id":"0","params":{"version":"1.0.0"}}`. Its answer goes to the topic
// that it came from and so comes back to whoever listens there: a document without `params` but
// with `code` or `data` is refused as own_answer and is to be dropped in silence.
Result<PullMessage> ParseLegacyRequest(std::string_view payload);

}  // namespace updraft
