#include "adapters/http/multipart.h"

#include <algorithm>

#include <strings.h>

#include "events/base/assert.h"

namespace updraft {
namespace {

constexpr size_t kBoundaryBytesMax = 70;
constexpr std::string_view kLineBreak = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

Status Malformed(std::string what) {
  return Status(StatusCode::kInvalidArgument, kMalformedForm, std::move(what));
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         strncasecmp(text.data(), prefix.data(), prefix.size()) == 0;
}

void SkipBlanks(std::string_view& text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
}

// Takes a token or a quoted string off the front of `text`. Only \" and \\ are escapes: browsers
// send a Windows path's backslashes as they are. Nothing when a quote is not closed.
std::optional<std::string> TakeValue(std::string_view& text) {
  std::string value;
  if (!text.starts_with('"')) {
    size_t end = std::min(text.find_first_of("; \t"), text.size());
    value = text.substr(0, end);
    text.remove_prefix(end);
    return value;
  }
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    bool escape =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    value += text[escape ? ++i : i];
  }
  return std::nullopt;
}

// The parameter `name` of a header's value "kind; a=b; c="d"". Nothing when it is not there.
std::optional<std::string> Parameter(std::string_view value, std::string_view name) {
  value.remove_prefix(std::min(value.find(';'), value.size()));
  while (value.starts_with(';')) {
    value.remove_prefix(1);
    SkipBlanks(value);
    size_t equals = value.find_first_of("=;");
    if (equals == value.npos || value[equals] == ';') {
      value.remove_prefix(std::min(equals, value.size()));
      continue;
    }
    std::string_view found = value.substr(0, equals);
    value.remove_prefix(equals + 1);
    std::optional<std::string> text = TakeValue(value);
    if (!text) return std::nullopt;
    if (found.size() == name.size() && StartsWithIgnoringCase(found, name)) return text;
    SkipBlanks(value);
  }
  return std::nullopt;
}

// The value of the header `name` in a part's head.
std::string_view HeaderOf(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    std::string_view line = head.substr(0, head.find(kLineBreak));
    head.remove_prefix(std::min(line.size() + kLineBreak.size(), head.size()));
    if (!StartsWithIgnoringCase(line, name) || line.substr(name.size(), 1) != ":") continue;
    line.remove_prefix(name.size() + 1);
    SkipBlanks(line);
    return line;
  }
  return "";
}

}  // namespace

std::optional<std::string> BoundaryOf(std::string_view content_type) {
  if (!StartsWithIgnoringCase(content_type, "multipart/form-data")) return std::nullopt;
  std::optional<std::string> boundary = Parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kBoundaryBytesMax) return std::nullopt;
  return boundary;
}

MultipartParser::MultipartParser(std::string_view boundary)
    : delimiter_("\r\n--" + std::string(boundary)),
      // The first boundary may be the body's first line: as if a line break stood before it.
      buffer_(kLineBreak) {}

Status MultipartParser::Feed(std::string_view bytes, MultipartVisitor& visitor) {
  fed_ += bytes.size();
  buffer_.append(bytes);
  while (true) {
    ASSIGN_OR_RETURN(bool more, Step(visitor));
    if (!more) return OkStatus();
  }
}

Result<bool> MultipartParser::Step(MultipartVisitor& visitor) {
  switch (state_) {
    case State::kPreamble:
    case State::kPartBody:
      return TakePartBody(visitor);
    case State::kAfterDelimiter:
      return SkipDelimiterEnd();
    case State::kPartHead:
      return TakePartHead(visitor);
    case State::kDone:
      buffer_.clear();
      return false;
  }
  Unreachable();
}

Result<bool> MultipartParser::TakePartBody(MultipartVisitor& visitor) {
  size_t delimiter = buffer_.find(delimiter_);
  bool found = delimiter != buffer_.npos;
  // Without one, all but what could be its beginning belongs to the part.
  size_t keep = std::min(buffer_.size(), delimiter_.size() - 1);
  size_t bytes = found ? delimiter : buffer_.size() - keep;
  if (state_ == State::kPartBody && bytes > 0) {
    RETURN_IF_ERROR(visitor.OnBytes(std::string_view(buffer_).substr(0, bytes)));
  }
  Consume(found ? delimiter + delimiter_.size() : bytes);
  if (found) state_ = State::kAfterDelimiter;
  return found;
}

Result<bool> MultipartParser::SkipDelimiterEnd() {
  size_t line_end = buffer_.find_first_not_of(" \t");
  if (line_end == buffer_.npos || buffer_.size() - line_end < 2) {
    if (buffer_.size() > kPartHeadBytesMax) return Malformed("a boundary's line does not end");
    return false;
  }
  std::string_view end = std::string_view(buffer_).substr(line_end, 2);
  if (line_end == 0 && end == "--") {
    state_ = State::kDone;
    return true;
  }
  if (end != kLineBreak) return Malformed("a boundary is not alone on its line");
  Consume(line_end);  // The line break stays: a head without headers ends with it at once.
  state_ = State::kPartHead;
  return true;
}

Result<bool> MultipartParser::TakePartHead(MultipartVisitor& visitor) {
  size_t end = buffer_.find(kHeadEnd);
  if (std::min(end, buffer_.size()) > kPartHeadBytesMax) {
    return Malformed("a part's head is too long");
  }
  if (end == buffer_.npos) return false;
  std::string head = buffer_.substr(0, end);
  std::string_view disposition = HeaderOf(head, "Content-Disposition");
  std::optional<std::string> name = Parameter(disposition, "name");
  if (!StartsWithIgnoringCase(disposition, "form-data") || !name) {
    return Malformed("a part has no name");
  }
  Consume(end + kHeadEnd.size());
  RETURN_IF_ERROR(visitor.OnPart(*name, Parameter(disposition, "filename").value_or("")));
  state_ = State::kPartBody;
  return true;
}

}  // namespace updraft
