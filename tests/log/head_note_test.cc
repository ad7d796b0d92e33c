#include "events/log/head_note.h"

#include <catch2/catch.hpp>

namespace updraft {

TEST_CASE("a note of the head is read back", "[log]") {
  HeadNote note{.last = Seq(123456789012), .hash = Sha256("x")};
  Result<HeadNote> read = ParseHeadNote(FormatHeadNote(note));
  REQUIRE(read.ok());
  CHECK(read->last == note.last);
  CHECK(read->hash == note.hash);
}

TEST_CASE("a note with any byte changed or missing is none", "[log]") {
  const std::string text = FormatHeadNote({.last = Seq(42), .hash = Sha256("x")});
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] ^= 1;
    CHECK(ParseHeadNote(changed).status().code() == StatusCode::kDataLoss);
    CHECK_FALSE(ParseHeadNote(text.substr(0, i)).ok());
  }
  CHECK_FALSE(ParseHeadNote(text + "\n").ok());
}

}  // namespace updraft
