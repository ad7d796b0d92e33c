// Reads a multipart/form-data body piece by piece, however it is cut, with constant memory. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/base/status.h"

namespace updraft {

// The boundary a Content-Type names; nothing when it is not multipart/form-data or names none that
// may be one (1 to 70 characters, RFC 2046).
std::optional<std::string> BoundaryOf(std::string_view content_type);

// What the parser finds, in order. An error ends the parse and is passed through.
class MultipartVisitor {
 public:
  // A part begins. `file_name` is empty where the client gave none. Both die with the call.
  virtual Status OnPart(std::string_view name, std::string_view file_name) = 0;
  // Bytes of the last part. They die with the call.
  virtual Status OnBytes(std::string_view bytes) = 0;

 protected:
  ~MultipartVisitor() = default;
};

class MultipartParser {
 public:
  static constexpr size_t kPartHeadBytesMax = 8 * 1024;

  explicit MultipartParser(std::string_view boundary);

  // Takes the next bytes of the body. INVALID_ARGUMENT (kMalformedForm) when they do not go on as a
  // form does; the visitor's error otherwise. Not to be called again after an error.
  Status Feed(std::string_view bytes, MultipartVisitor& visitor);

  // The closing boundary has been seen; what follows it is ignored.
  bool done() const { return state_ == State::kDone; }

  // Bytes of the body up to the end of what the visitor was told of last.
  uint64_t position() const { return fed_ - buffer_.size(); }
  // Bytes of the closing boundary, without a line break behind it.
  size_t closing_bytes() const { return delimiter_.size() + 2; }

 private:
  enum class State { kPreamble, kAfterDelimiter, kPartHead, kPartBody, kDone };

  // One step on from the front of the buffer. False when more bytes are needed for it.
  Result<bool> Step(MultipartVisitor& visitor);
  Result<bool> SkipDelimiterEnd();
  Result<bool> TakePartHead(MultipartVisitor& visitor);
  Result<bool> TakePartBody(MultipartVisitor& visitor);
  void Consume(size_t bytes) { buffer_.erase(0, bytes); }

  const std::string delimiter_;  // CR LF, two dashes and the boundary.
  State state_ = State::kPreamble;
  uint64_t fed_ = 0;
  std::string buffer_;  // Fed and not yet told of.
};

inline constexpr std::string_view kMalformedForm = "MALFORMED_FORM";

}  // namespace updraft
