#include "adapters/http/multipart.h"

#include <vector>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

// Writes down what the parser tells.
struct Recorder final : MultipartVisitor {
  Status OnPart(std::string_view name, std::string_view file_name) override {
    parts.push_back({std::string(name), std::string(file_name), ""});
    return refuse == name ? Status(StatusCode::kPermissionDenied, "not that") : OkStatus();
  }
  Status OnBytes(std::string_view bytes) override {
    parts.back().bytes += bytes;
    return OkStatus();
  }

  struct Part {
    std::string name, file_name, bytes;
    bool operator==(const Part&) const = default;
  };
  std::vector<Part> parts;
  std::string refuse;
};
using Parts = std::vector<Recorder::Part>;

std::string Part(std::string_view name, std::string_view bytes) {
  return "Content-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" +
         std::string(bytes);
}

// What comes of `body`, fed in pieces of `step` bytes; nothing when it is malformed.
std::optional<Parts> Parse(std::string_view body, size_t step, std::string_view boundary = "B") {
  MultipartParser parser(boundary);
  Recorder recorder;
  for (size_t at = 0; at < body.size(); at += step) {
    Status fed = parser.Feed(body.substr(at, step), recorder);
    if (!fed.ok()) {
      CHECK(fed.reason() == kMalformedForm);
      return std::nullopt;
    }
  }
  if (!parser.done()) return std::nullopt;
  return recorder.parts;
}

// The same, cut in two at every place and in pieces of every size; all must agree.
std::optional<Parts> ParseAllWays(std::string_view body) {
  std::optional<Parts> whole = Parse(body, body.size());
  for (size_t step = 1; step < body.size(); ++step) {
    CAPTURE(step);
    CHECK(Parse(body, step) == whole);
  }
  for (size_t cut = 1; cut < body.size(); ++cut) {
    CAPTURE(cut);
    MultipartParser parser("B");
    Recorder recorder;
    Status fed = parser.Feed(body.substr(0, cut), recorder);
    if (fed.ok()) fed = parser.Feed(body.substr(cut), recorder);
    CHECK((fed.ok() && parser.done()) == whole.has_value());
    if (whole) CHECK(recorder.parts == *whole);
  }
  return whole;
}

}  // namespace

TEST_CASE("a form's parts are found however it is cut", "[http][multipart]") {
  struct Case {
    std::string body;
    Parts parts;
  };
  for (const Case& c : std::vector<Case>{
           {"--B\r\n" + Part("a", "1") + "\r\n--B\r\n" + Part("b", "two") + "\r\n--B--\r\n",
            {{"a", "", "1"}, {"b", "", "two"}}},
           {"--B\r\n" + Part("a", "") + "\r\n--B--", {{"a", "", ""}}},
           {"--B--", {}},
           {"preamble\r\n--B\r\n" + Part("a", "1") + "\r\n--B--epilogue --B\r\n", {{"a", "", "1"}}},
           {"--B \t\r\n" + Part("a", "1") + "\r\n--B--", {{"a", "", "1"}}},
           {"--B\r\nX: y\r\n" + Part("a", "1") + "\r\n--B--", {{"a", "", "1"}}},
           {"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.bin\"\r\n"
            "Content-Type: application/octet-stream\r\n\r\nbytes\r\n--B--",
            {{"f", "x.bin", "bytes"}}},
           // Bytes that look like the end of a part, and are not.
           {"--B\r\n" + Part("a", "\r\n-B\r\n--\r\n--\r\n-\r\r\n--b\n--B\r--B--B") + "\r\n--B--",
            {{"a", "", "\r\n-B\r\n--\r\n--\r\n-\r\r\n--b\n--B\r--B--B"}}},
           {"--B\r\n" + Part("a", "\r\n\r\n\r\n") + "\r\n--B--", {{"a", "", "\r\n\r\n\r\n"}}},
           {"--B\r\n" + Part("a", "\r\r\n\r") + "\r\n--B--", {{"a", "", "\r\r\n\r"}}},
           {"--B\r\n" + Part("a", std::string("\0\xff\r\n", 4)) + "\r\n--B--",
            {{"a", "", std::string("\0\xff\r\n", 4)}}},
       }) {
    CAPTURE(c.body);
    std::optional<Parts> parts = ParseAllWays(c.body);
    REQUIRE(parts.has_value());
    CHECK(*parts == c.parts);
  }
}

TEST_CASE("what is not a form is refused however it is cut", "[http][multipart]") {
  for (const std::string& body : std::vector<std::string>{
           "no boundary at all",
           "--B",
           "--B-",
           "--B\n" + Part("a", "1") + "\r\n--B--",
           "--BB\r\n" + Part("a", "1") + "\r\n--B--",
           "--B\r\n" + Part("a", "1"),
           "--B\r\n" + Part("a", "1") + "\r\n--B",
           "--B\r\n" + Part("a", "1") + "\r\n--B\r\n",
           "--B\r\n" + Part("a", "1") + "\n--B--",
           "--B\r\n" + Part("a", "1") + "\r\n--Bx--",
           "--B\r\n\r\n1\r\n--B--",
           "--B\r\nX: y\r\n\r\n1\r\n--B--",
           "--B\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n--B--",
           "--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n--B--",
           "--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--B--",
       }) {
    CAPTURE(body);
    CHECK_FALSE(ParseAllWays(body).has_value());
  }
}

TEST_CASE("a part's name is read as clients write it", "[http][multipart]") {
  struct Case {
    std::string_view disposition, name, file_name;
  };
  for (const Case& c : {
           Case{"form-data; name=a", "a", ""},
           Case{"form-data;name=\"a\"", "a", ""},
           Case{"FORM-DATA; NAME=\"a\" ; FileName=\"b c.bin\"", "a", "b c.bin"},
           Case{"form-data; filename=\"n; name=x\"; name=\"a\"", "a", "n; name=x"},
           Case{R"(form-data; name="a"; filename="q\"\\q")", "a", "q\"\\q"},
           Case{R"(form-data; name="a"; filename="C:\dir\f.bin")", "a", R"(C:\dir\f.bin)"},
           Case{"form-data; name=\"a\"; filename=\"\"", "a", ""},
           Case{"form-data; flag; name=\"a\"", "a", ""},
           Case{"form-data; name=\"\xE5\x9B\xBA\"", "\xE5\x9B\xBA", ""},
       }) {
    CAPTURE(c.disposition);
    std::string body =
        "--B\r\ncontent-disposition: " + std::string(c.disposition) + "\r\n\r\n1\r\n--B--";
    CHECK(Parse(body, body.size()) == Parts{{std::string(c.name), std::string(c.file_name), "1"}});
  }
}

TEST_CASE("a part's head is taken up to its bound and not past it", "[http][multipart]") {
  auto body = [](size_t head_bytes) {
    std::string head = "\r\nContent-Disposition: form-data; name=a\r\nX: ";
    head.resize(head_bytes, 'x');
    return "--B" + head + "\r\n\r\n1\r\n--B--";
  };
  constexpr size_t kMax = MultipartParser::kPartHeadBytesMax;
  CHECK(Parse(body(kMax), 100).has_value());
  CHECK_FALSE(Parse(body(kMax + 1), 100).has_value());
  CHECK_FALSE(Parse("--B\r\n" + std::string(kMax + 1, 'x'), 100).has_value());
  CHECK_FALSE(Parse("--B" + std::string(kMax + 1, ' '), 100).has_value());
}

TEST_CASE("a visitor's error ends the parse", "[http][multipart]") {
  MultipartParser parser("B");
  Recorder recorder;
  recorder.refuse = "a";
  Status refused =
      parser.Feed("--B\r\n" + Part("a", "1") + "\r\n--B\r\n" + Part("b", "2"), recorder);
  CHECK(refused.code() == StatusCode::kPermissionDenied);
  CHECK(recorder.parts.size() == 1);
}

TEST_CASE("a long part is passed on as it comes, not gathered", "[http][multipart]") {
  MultipartParser parser("B");
  Recorder recorder;
  REQUIRE(parser.Feed("--B\r\n" + Part("a", ""), recorder).ok());
  for (int i = 0; i < 100; ++i) {
    REQUIRE(parser.Feed(std::string(1000, 'x'), recorder).ok());
    CHECK(recorder.parts.back().bytes.size() > (i + 1) * 1000 - parser.closing_bytes());
  }
}

TEST_CASE("the parser's position is behind the head it has told of", "[http][multipart]") {
  struct AtPart final : MultipartVisitor {
    Status OnPart(std::string_view, std::string_view) override {
      position = parser.position();
      return OkStatus();
    }
    Status OnBytes(std::string_view) override { return OkStatus(); }
    MultipartParser parser{"B"};
    uint64_t position = 0;
  } visitor;
  std::string head = "--B\r\n" + Part("a", "");
  REQUIRE(visitor.parser.Feed(head + "12345\r\n--B--", visitor).ok());
  CHECK(visitor.position == head.size());
  CHECK(visitor.parser.closing_bytes() == std::string_view("\r\n--B--").size());
}

TEST_CASE("a boundary is read from the content type, or refused", "[http][multipart]") {
  CHECK(BoundaryOf("multipart/form-data; boundary=abc") == "abc");
  CHECK(BoundaryOf("Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b\"") == "a b");
  CHECK(BoundaryOf("multipart/form-data; boundary=" + std::string(70, 'b')) ==
        std::string(70, 'b'));
  CHECK_FALSE(BoundaryOf("multipart/form-data; boundary=" + std::string(71, 'b')).has_value());
  CHECK_FALSE(BoundaryOf("multipart/form-data; boundary=").has_value());
  CHECK_FALSE(BoundaryOf("multipart/form-data").has_value());
  CHECK_FALSE(BoundaryOf("multipart/mixed; boundary=a").has_value());
  CHECK_FALSE(BoundaryOf("").has_value());
}

}  // namespace updraft
