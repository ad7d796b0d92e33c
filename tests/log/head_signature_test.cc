#include "events/log/head_signature.h"

#include <filesystem>

#include <catch2/catch.hpp>

#include "events/log/memory_log.h"
#include "tests/log/sample_commits.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

HeadSigner Signer(const TempDir& temp) {
  Result<HeadSigner> signer = HeadSigner::LoadOrMake(temp / "engine.key");
  REQUIRE(signer.status().ToString() == "OK");
  return *signer;
}

LogHead SampleHead() { return HeadAfter(After({}, {.events = 7})); }

void Fill(EventLog& log, uint32_t commits, uint32_t task = 7) {
  for (uint32_t i = 0; i < commits; ++i) {
    REQUIRE(log.Append(After(log.head(), {.events = 2, .task = task}), {}).ok());
  }
}

}  // namespace

TEST_CASE("a signed head is read back from its text", "[log]") {
  TempDir temp;
  const SignedHead head = Signer(temp).Sign(SampleHead());
  const std::string text = FormatSignedHead(head);
  CHECK_THAT(text, Catch::StartsWith("updraft log head 1\nengine=3\nevent=7\nhash="));
  Result<SignedHead> parsed = ParseSignedHead(text);
  REQUIRE(parsed.status().ToString() == "OK");
  CHECK(parsed->head == SampleHead());
  CHECK(parsed->public_key == head.public_key);
}

TEST_CASE("the engine's key is made once and kept for its owner", "[log]") {
  TempDir temp;
  const SignedHead first = Signer(temp).Sign(SampleHead());
  CHECK(Signer(temp).Sign(SampleHead()).public_key == first.public_key);
  CHECK(std::filesystem::status(temp / "engine.key").permissions() == std::filesystem::perms(0600));
  TempDir other;
  CHECK(Signer(other).Sign(SampleHead()).public_key != first.public_key);
}

TEST_CASE("no changed byte of a signed head goes unnoticed", "[log]") {
  TempDir temp;
  const std::string text = FormatSignedHead(Signer(temp).Sign(SampleHead()));
  for (size_t i = 0; i < text.size(); ++i) {
    CAPTURE(i);
    for (char bit : {'\x01', '\x20'}) {
      std::string changed = text;
      changed[i] = static_cast<char>(changed[i] ^ bit);
      CHECK_FALSE(ParseSignedHead(changed).ok());
    }
    CHECK_FALSE(ParseSignedHead(text.substr(0, i)).ok());
  }
  CHECK_FALSE(ParseSignedHead(text + "\n").ok());
}

TEST_CASE("a head signed with another key than it names is refused", "[log]") {
  TempDir temp;
  TempDir other;
  SignedHead head = Signer(temp).Sign(SampleHead());
  head.public_key = Signer(other).Sign(SampleHead()).public_key;
  CHECK(ParseSignedHead(FormatSignedHead(head)).status().code() == StatusCode::kDataLoss);
  SignedHead later = Signer(temp).Sign(SampleHead());
  later.head.last = Seq(8);
  CHECK(ParseSignedHead(FormatSignedHead(later)).status().code() == StatusCode::kDataLoss);
}

TEST_CASE("a log is the same as its head, extends it, was cut or was rewritten", "[log]") {
  MemoryLog log;
  auto compare = [&](const LogHead& kept, const EventLog& its) {
    Result<HeadComparison> comparison = CompareWithLog(kept, its);
    REQUIRE(comparison.ok());
    return *comparison;
  };
  CHECK(compare({}, log) == HeadComparison::kSame);
  Fill(log, 3);
  const LogHead kept = log.head();
  CHECK(compare(kept, log) == HeadComparison::kSame);
  Fill(log, 2);
  CHECK(compare(kept, log) == HeadComparison::kExtends);
  CHECK(compare({}, log) == HeadComparison::kExtends);

  MemoryLog cut;
  Fill(cut, 2);
  CHECK(compare(kept, cut) == HeadComparison::kTruncated);
  CHECK(compare(kept, MemoryLog()) == HeadComparison::kTruncated);

  MemoryLog rewritten;
  Fill(rewritten, 3, /*task=*/8);
  CHECK(compare(kept, rewritten) == HeadComparison::kRewritten);
  Fill(rewritten, 1, 8);
  CHECK(compare(kept, rewritten) == HeadComparison::kRewritten);

  MemoryLog regrouped;  // The same events, but where a commit ended is another.
  REQUIRE(regrouped.Append(After({}, {.events = 7}), {}).ok());
  CHECK(compare(kept, regrouped) == HeadComparison::kRewritten);

  MemoryLog other;
  REQUIRE(other.Append(After({}, {.events = 9, .engine_number = 4}), {}).ok());
  CHECK(compare(kept, other) == HeadComparison::kOtherLog);
}

}  // namespace updraft
