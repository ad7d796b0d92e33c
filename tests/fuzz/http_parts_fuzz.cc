// The pure parts of HTTP, where more can be checked than that nothing breaks: a range against a
// file's size, a multipart form cut in two ways, a request's target and framing. The first byte
// chooses.
#include <string>
#include <vector>

#include "adapters/http/byte_range.h"
#include "adapters/http/multipart.h"
#include "adapters/http/request_head.h"
#include "adapters/packages/file_kind.h"
#include "adapters/wire/signed_url.h"
#include "events/base/assert.h"
#include "tests/fuzz/fuzz.h"

namespace updraft {
namespace {

// `SIZE VALUE`
void Range(std::string_view text) {
  uint64_t file_size = 0;
  for (char digit : TakeUntil(text, " ")) file_size = file_size * 10 + static_cast<uint8_t>(digit);
  ByteRange range = SelectRange(text, file_size);
  switch (range.kind) {
    case ByteRange::Kind::kWhole:
      Assert(range.first == 0 && range.size == file_size, "the whole file is all of it");
      return;
    case ByteRange::Kind::kPart:
      Assert(range.size > 0 && range.first < file_size && range.size <= file_size - range.first,
             "a part is of the file: {}+{} of {}", range.first, range.size, file_size);
      return;
    case ByteRange::Kind::kUnsatisfiable:
      Assert(range.size == 0, "what cannot be had is nothing");
      return;
  }
}

// What a parser told, with the cuts between bytes forgotten.
class Told final : public MultipartVisitor {
 public:
  Status OnPart(std::string_view name, std::string_view file_name) override {
    text.append("\npart ").append(name).append(" ").append(file_name).append("\n");
    return OkStatus();
  }
  Status OnBytes(std::string_view bytes) override {
    text.append(bytes);
    return OkStatus();
  }

  std::string text;
};

struct Parsed {
  std::string text;
  bool ok = false;
  bool done = false;
};

Parsed ParseForm(std::string_view boundary, std::string_view body, size_t piece) {
  MultipartParser parser(boundary);
  Told told;
  bool ok = true;
  while (ok && !body.empty()) {
    ok = parser.Feed(body.substr(0, piece), told).ok();
    body.remove_prefix(std::min(piece, body.size()));
  }
  return {told.text, ok, parser.done()};
}

// `PIECE CONTENT-TYPE`, a line break, the body.
void Form(std::string_view text) {
  size_t piece = TakeByte(text) + size_t{1};
  std::optional<std::string> boundary = BoundaryOf(TakeUntil(text, "\n"));
  if (!boundary) return;
  Assert(!boundary->empty() && boundary->size() <= 70, "a boundary is bounded");
  Parsed whole = ParseForm(*boundary, text, text.size() + 1);
  Parsed cut = ParseForm(*boundary, text, piece);
  Assert(whole.ok == cut.ok && whole.done == cut.done, "a form is good however it is cut");
  // Of a malformed one the cut decides how much was told before it showed.
  if (whole.ok) Assert(whole.text == cut.text, "a form says the same however it is cut");
}

// The target, a line break, headers as `NAME:VALUE` lines.
void Head(std::string_view text) {
  std::string_view url = TakeUntil(text, "\n");
  std::vector<HttpHeader> headers;
  while (!text.empty()) {
    std::string_view value = TakeUntil(text, "\n");
    std::string_view name = TakeUntil(value, ":");
    headers.push_back({std::string(name), std::string(value)});
  }
  if (CheckHead(url, headers)) return;
  Assert(ParseTarget(url) && ParseTarget(url)->path.starts_with('/'), "a good head has a path");
  std::optional<Framing> framing = ParseFraming(headers);
  Assert(framing && (!framing->chunked || framing->content_length == 0), "and a body of one kind");
}

// A link with the key that it may have been signed with.
void Link(std::string_view text) {
  std::string_view path = TakeUntil(text, "?");
  DownloadLink link = CheckDownload("key", path, text, 0);
  Assert(link.state == LinkState::kForged || text.size() > 32, "a link has a signature");
  UploadTicket ticket;
  std::string_view policy = TakeUntil(text, "&");
  (void)CheckUploadPolicy("key", {std::string(policy), std::string(text)}, 0, ticket);
  (void)CheckSuffix(FileKind::kPackage, path);
  (void)CheckSuffix(FileKind::kDeviceList, path);
}

}  // namespace
}  // namespace updraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view text = Text(data, size);
  switch (TakeByte(text)) {
    case 'r':
      Range(text);
      break;
    case 'f':
      Form(text);
      break;
    case 'h':
      Head(text);
      break;
    default:
      Link(text);
      break;
  }
  return 0;
}
