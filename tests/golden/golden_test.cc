// The logs of released schemas, replayed. README.md beside says what lies here and why.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <capnp/dynamic.h>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "events/base/format.h"
#include "events/log/audit.h"
#include "events/log/export_file.h"
#include "events/log/key_file.h"
#include "tests/golden/history.h"
#include "tests/log/forged_log.h"

namespace updraft {
namespace {

using Catch::Contains;

// Digests are noted for so many commits' ends, and the last.
constexpr uint64_t kCommitsBetween = 10;

std::string PathOf(uint32_t schema, std::string_view kind) {
  const char* directory = std::getenv("UPDRAFT_GOLDEN");
  REQUIRE(directory != nullptr);
  return fmt::format("{}/schema-{}.{}", directory, schema, kind);
}

std::unique_ptr<ExportFile> OpenGolden(uint32_t schema) {
  Result<SideCipher> key = SideCipher::FromFile(PathOf(schema, "key"));
  INFO("no golden log of schema " << schema << "? README.md in tests/golden tells how to make it");
  REQUIRE(key.status().ToString() == "OK");
  auto file = ExportFile::Open(PathOf(schema, "export"), *std::move(key));
  REQUIRE(file.status().ToString() == "OK");
  return *std::move(file);
}

// By the last event of some commits.
using Digests = std::map<uint64_t, std::string>;

Digests ReadDigests(uint32_t schema) {
  std::ifstream in(PathOf(schema, "digests"));
  std::string word;
  uint32_t version = 0;
  in >> word >> version;
  // Who raises it writes these files anew, once, with every field's old meaning in mind.
  REQUIRE(version == kDigestVersion);
  Digests digests;
  for (uint64_t event = 0; in >> event >> word;) digests[event] = word;
  REQUIRE(digests.size() >= 4);
  return digests;
}

Digests FoldDigests(const EventLog& log) {
  World world;
  Digests digests;
  uint64_t commits = 0;
  Audit audit =
      VerifyLog(log, {.visit = [&](const CommitReader& commit) {
                  Status folded = Fold(world, commit);
                  if (++commits % kCommitsBetween == 0 || commit.last() == log.head().last) {
                    digests[commit.last().value()] = world.digest().ToString();
                  }
                  return folded;
                }});
  CHECK(audit.verdict.ToString() == "OK");
  CHECK(world.digest() == world.ComputeDigest());
  return digests;
}

void AddKinds(const EventLog& log, std::set<std::string>& kinds) {
  REQUIRE(log.Read(Seq(1),
                   [&](const CommitReader& commit) {
                     for (events::Event::Reader event : commit.events()) {
                       capnp::DynamicStruct::Reader dynamic = event;
                       KJ_IF_MAYBE (field, dynamic.which()) {
                         kinds.insert(field->getProto().getName().cStr());
                       }
                     }
                     return OkStatus();
                   })
              .ok());
}

// Why this build does not open the log.
Status RefusalOf(const EventLog& log) { return Core({.build = "this"}).Recover(log); }

std::set<std::string> AllKinds() {
  std::set<std::string> kinds;
  for (auto field : capnp::Schema::from<events::Event>().getUnionFields()) {
    kinds.insert(field.getProto().getName().cStr());
  }
  return kinds;
}

}  // namespace

TEST_CASE("the log of every released schema adds up to what it added up to then", "[golden]") {
  for (uint32_t schema = 1; schema <= kSchemaVersion; ++schema) {
    CAPTURE(schema);
    auto log = OpenGolden(schema);
    CHECK(FoldDigests(*log) == ReadDigests(schema));
  }
}

TEST_CASE("the golden logs hold every kind of event that there is", "[golden]") {
  std::set<std::string> kinds;
  for (uint32_t schema = 1; schema <= kSchemaVersion; ++schema) {
    AddKinds(*OpenGolden(schema), kinds);
  }
  CHECK(kinds == AllKinds());
}

TEST_CASE("this build goes on with the log of every released schema", "[golden]") {
  for (uint32_t schema = 1; schema <= kSchemaVersion; ++schema) {
    CAPTURE(schema);
    MemoryLog log;
    REQUIRE(OpenGolden(schema)->Import(log).ok());
    Core core({.build = "later"});
    REQUIRE(core.Recover(log).ToString() == "OK");
    // Names are read as they were written.
    CHECK(FindDevice(core.world(), Fleet::kProductKey, "kitchen"));
    CommitJob reign = core.BeginReign(log.head().time_ms);
    REQUIRE(log.Append(reign.commit, reign.side).ok());
    CHECK(core.world().globals().schema_version == kSchemaVersion);
    core.BeginTurn(log.head().time_ms);
    Command next = CreateProduct{.name = "later"};
    FillIn(next);
    CHECK(core.Execute(next, KeyId()).ok());
    std::optional<CommitJob> job = core.EndTurnWithDigest();
    REQUIRE(job.has_value());
    REQUIRE(log.Append(job->commit, job->side).ok());
    FoldDigests(log);
  }
}

TEST_CASE("a log of a newer schema is refused by the name of the build that wrote it", "[golden]") {
  MemoryLog newer;
  REQUIRE(CopyForged(*OpenGolden(1), newer, [](Seq, events::Event::Builder event) {
            if (!event.isSchemaRaised()) return;
            event.getSchemaRaised().setVersion(kSchemaVersion + 1);
            event.getSchemaRaised().setBuild("9.9");
          }).ok());
  Status refused = RefusalOf(newer);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(refused.message()), Contains("'9.9'") && Contains("run that build"));
}

TEST_CASE("a build that folds otherwise names the commit where digests first differ", "[golden]") {
  auto golden = OpenGolden(1);
  std::vector<uint64_t> recorded;
  REQUIRE(CopyForged(*golden, *std::make_unique<MemoryLog>(), [&](Seq seq, auto event) {
            if (event.isDigestRecorded()) recorded.push_back(seq.value());
          }).ok());
  REQUIRE(recorded.size() >= 3);
  for (uint64_t changed : recorded) {
    CAPTURE(changed);
    MemoryLog forged;
    std::string was;
    std::string is;
    REQUIRE(CopyForged(*golden, forged, [&](Seq seq, events::Event::Builder event) {
              if (seq != Seq(changed)) return;
              auto digest = event.getDigestRecorded();
              was = Digest(digest.getHigh(), digest.getLow()).ToString();
              digest.setHigh(~digest.getHigh());
              is = Digest(digest.getHigh(), digest.getLow()).ToString();
            }).ok());
    Status refused = RefusalOf(forged);
    CHECK(refused.code() == StatusCode::kDataLoss);
    CHECK_THAT(std::string(refused.message()),
               Contains(fmt::format("event {} ", changed)) && Contains(was) && Contains(is));
    Audit audit = VerifyLog(forged, {.visit = [world = std::make_shared<World>()](const auto& c) {
                              return Fold(*world, c);
                            }});
    CHECK(audit.verdict.ToString() == refused.ToString());
    CHECK(audit.head.last < Seq(changed));
  }
}

// Writes the golden log of this build's schema; see README.md.
TEST_CASE("make the golden log of this schema", "[.make]") {
  REQUIRE_FALSE(std::filesystem::exists(PathOf(kSchemaVersion, "export")));
  Fleet fleet;
  LiveThroughEverything(fleet);
  MemoryLog log;
  CopyLog(fleet.log(), log);
  AppendFormerKinds(log);
  std::set<std::string> kinds;
  AddKinds(log, kinds);
  REQUIRE(kinds == AllKinds());

  const std::string key = RandomBytes(SideCipher::kKeyBytes);
  REQUIRE(WriteKeyFile(PathOf(kSchemaVersion, "key"), key).ok());
  const SideCipher names(key);
  REQUIRE(WriteExport(log, PathOf(kSchemaVersion, "export"), {.names = &names}).ok());
  std::ofstream out(PathOf(kSchemaVersion, "digests"));
  out << "digest-version " << kDigestVersion << '\n';
  for (const auto& [event, digest] : FoldDigests(log)) out << event << ' ' << digest << '\n';
}

}  // namespace updraft
