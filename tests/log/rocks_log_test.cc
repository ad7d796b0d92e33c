// What an operator may find: a directory that is missing, in use, damaged, not theirs, or full. The
// contract that all logs share is in log_contract_test.cc.
#include "events/log/rocks_log.h"

#include <algorithm>
#include <cerrno>
#include <fstream>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "events/base/bytes.h"
#include "events/log/files.h"
#include "events/log/key_file.h"
#include "events/log/rocks_database.h"
#include "tests/log/faulty_file_system.h"
#include "tests/log/sample_commits.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

// A directory for a log, and the log opened in it.
class Site {
 public:
  RocksLogOptions options() const {
    return {.dir = dir(), .create = true, .sidecar_key_path = key_path()};
  }
  std::string dir() const { return temp_ / "log"; }
  std::string key_path() const { return temp_ / "sidecar.key"; }
  std::string other(std::string_view name) const { return temp_ / name; }

  std::unique_ptr<RocksLog> Open() const { return Open(options()); }
  static std::unique_ptr<RocksLog> Open(const RocksLogOptions& options) {
    auto log = RocksLog::Open(options);
    REQUIRE(log.status().ToString() == "OK");
    return *std::move(log);
  }
  Status Refusal() const { return RocksLog::Open(options()).status(); }

  // What a kill -9 would leave of the log that is open now.
  void LeaveAsKilled(std::unique_ptr<RocksLog> log) const {
    fs::copy(dir(), other("copy"), fs::copy_options::recursive);
    log.reset();
    fs::remove_all(dir());
    fs::rename(other("copy"), dir());
  }

  // Paths of the files that end so, oldest first.
  std::vector<std::string> Files(std::string_view ending) const {
    std::vector<std::string> paths;
    for (const auto& entry : fs::directory_iterator(dir())) {
      if (std::string(entry.path()).ends_with(ending)) paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }

 private:
  TempDir temp_;
};

void Fill(EventLog& log, int count) {
  for (int i = 0; i < count; ++i) {
    REQUIRE(log.Append(After(log.head()), std::vector{SideWrite{"d1", "Bob's valve"}}).ok());
  }
}

// Changes one bit, counted from the end when `offset` is negative.
void FlipBit(const std::string& path, int64_t offset) {
  std::string bytes = *ReadFile(path);
  if (offset < 0) offset += static_cast<int64_t>(bytes.size());
  bytes[static_cast<size_t>(offset)] ^= 1;
  std::ofstream(path, std::ios::binary) << bytes;
}

// Acts as a user without rights to others' files, where the tests run as root.
class AsNobody {
 public:
  AsNobody() { REQUIRE((geteuid() != 0 || seteuid(65534) == 0)); }
  ~AsNobody() { (void)!seteuid(getuid()); }
};

}  // namespace

TEST_CASE("a log is made only when asked for", "[log]") {
  Site site;
  RocksLogOptions options = site.options();
  options.create = false;
  for (bool there : {false, true}) {
    if (there) fs::create_directory(site.dir());
    Status refused = RocksLog::Open(options).status();
    CHECK(refused.code() == StatusCode::kNotFound);
    CHECK_THAT(refused.message(), Contains(site.dir()));
    options.read_only = true;
    CHECK(RocksLog::Open(options).status().code() == StatusCode::kNotFound);
    options.read_only = false;
  }
  CHECK(fs::is_empty(site.dir()));
  options.dir = site.dir() + "/a/b";  // With the directories above it.
  options.create = true;
  CHECK(RocksLog::Open(options).ok());
}

TEST_CASE("a second engine on a directory is told so, with its name", "[log]") {
  Site site;
  auto log = site.Open();
  Status refused = site.Refusal();
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(refused.message(), Contains(site.dir()) && Contains("in use by another engine"));
  CHECK(log->Append(After({}), {}).ok());
  log.reset();
  CHECK(site.Open()->head().last == Seq(1));
}

TEST_CASE("a log that is read only sees what was there and accepts nothing", "[log]") {
  Site site;
  auto writer = site.Open();
  Fill(*writer, 3);
  auto reader = site.Open({.dir = site.dir(), .read_only = true});
  Fill(*writer, 2);
  CHECK(reader->head().last == Seq(3));
  CHECK(ReadAll(*reader).commits.size() == 3);
  CHECK(reader->Append(After(reader->head()), {}).code() == StatusCode::kFailedPrecondition);
  CHECK(reader->Confirm().code() == StatusCode::kFailedPrecondition);
  CHECK(reader->ReadSide("d1").status().code() == StatusCode::kFailedPrecondition);

  auto with_key =
      site.Open({.dir = site.dir(), .read_only = true, .sidecar_key_path = site.key_path()});
  CHECK(with_key->head().last == Seq(5));
  CHECK(*with_key->ReadSide("d1") == "Bob's valve");
  Fill(*writer, 1);
}

TEST_CASE("a log with a sidecar is not opened without its own key", "[log]") {
  Site site;
  Fill(*site.Open(), 1);
  const std::string saved = *ReadFile(site.key_path());
  auto refused = [&] {
    Status status = site.Refusal();
    CHECK_THAT(status.message(), Contains(site.key_path()));
    return status.code();
  };
  fs::remove(site.key_path());
  CHECK(refused() == StatusCode::kFailedPrecondition);
  CHECK_FALSE(fs::exists(site.key_path()));
  std::ofstream(site.key_path()) << "nonsense";
  CHECK(refused() == StatusCode::kDataLoss);
  fs::remove(site.key_path());
  REQUIRE(WriteKeyFile(site.key_path(), RandomBytes(32)).ok());
  CHECK(refused() == StatusCode::kFailedPrecondition);
  std::ofstream(site.key_path()) << saved;
  CHECK(*site.Open()->ReadSide("d1") == "Bob's valve");

  RocksLogOptions without = site.options();
  without.sidecar_key_path = "";
  CHECK(RocksLog::Open(without).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("a key file that an interrupted making left behind is used", "[log]") {
  Site site;
  const std::string key = RandomBytes(32);
  fs::create_directory(site.dir());
  REQUIRE(RocksDatabase::Open({.dir = site.dir(), .make = true}).ok());  // It got so far.
  REQUIRE(WriteKeyFile(site.key_path(), key).ok());
  Fill(*site.Open(), 1);
  CHECK(*ReadKeyFile(site.key_path(), 32) == key);
}

TEST_CASE("no file of the log holds a name", "[log]") {
  Site site;
  auto log = site.Open();
  Fill(*log, 1);
  log.reset();
  Fill(*site.Open(), 1);  // Opened again: in tables as well.
  for (const std::string& path : site.Files("")) {
    CHECK((*ReadFile(path)).find("Bob's valve") == std::string::npos);
  }
}

TEST_CASE("what was erased is on no disk after a purge", "[log]") {
  Site site;
  auto log = site.Open();
  const std::string large = RandomBytes(1 << 20);
  REQUIRE(log->Append(After({}), std::vector{SideWrite{"t1", large}, {"t2", "stays"}}).ok());
  REQUIRE(log->Append(After(log->head()), std::vector{SideWrite{"t1", std::nullopt}}).ok());
  auto bytes = [&] {
    uint64_t sum = 0;
    for (const std::string& path : site.Files("")) sum += fs::file_size(path);
    return sum;
  };
  CHECK(bytes() > large.size());
  CHECK(log->has_erased());
  log.reset();
  log = site.Open();
  CHECK(log->has_erased());  // It is not forgotten that there is something to forget.
  REQUIRE(log->PurgeErased().ok());
  CHECK_FALSE(log->has_erased());
  CHECK(bytes() < large.size());
  CHECK(*log->ReadSide("t2") == "stays");
  Fill(*log, 1);
  CHECK_FALSE(log->has_erased());
  log.reset();
  CHECK_FALSE(site.Open()->has_erased());
}

TEST_CASE("a log is not begun anew where its key tells that it was there", "[log]") {
  Site site;
  Fill(*site.Open(), 1);
  for (bool with_directory : {true, false}) {
    fs::remove_all(site.dir());
    if (with_directory) fs::create_directory(site.dir());
    Status refused = site.Refusal();
    CHECK(refused.code() == StatusCode::kDataLoss);
    CHECK_THAT(refused.message(), Contains(site.key_path()) && Contains(site.dir()));
  }
  fs::remove(site.key_path());
  Fill(*site.Open(), 1);
}

TEST_CASE("a log of a newer format is refused, and the newer build named as the way out", "[log]") {
  Site site;
  Fill(*site.Open(), 1);
  {
    auto database = RocksDatabase::Open({.dir = site.dir()});
    REQUIRE(database.ok());
    RocksDatabase::Record record{Column::kMeta, "format", "2"};
    REQUIRE((*database)->Write(std::span(&record, 1)).ok());
  }
  Status refused = site.Refusal();
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(refused.message(), Contains(site.dir()) && Contains("format 2") &&
                                    Contains("up to 1") && Contains("newer build"));
}

TEST_CASE("a file that is missing is noticed and named, each of them", "[log]") {
  Site site;
  Fill(*site.Open(), 2);
  Fill(*site.Open(), 2);  // Opened again: what came first is in tables now.
  fs::copy(site.dir(), site.other("whole"));
  auto put_back = [&] {
    fs::remove_all(site.dir());
    fs::copy(site.other("whole"), site.dir());
  };
  for (std::string_view ending : {".sst", ".log", "CURRENT", "MANIFEST"}) {
    put_back();
    for (const auto& entry : fs::directory_iterator(site.other("whole"))) {
      const std::string name = entry.path().filename();
      if (name.find(ending) == name.npos) continue;
      CAPTURE(name);
      put_back();
      REQUIRE(fs::remove(site.dir() + "/" + name));
      for (bool read_only : {true, false}) {
        RocksLogOptions options = site.options();
        options.read_only = read_only;
        Status refused = RocksLog::Open(options).status();
        CHECK(refused.code() == StatusCode::kDataLoss);
        CHECK_THAT(refused.message(),
                   Contains(site.dir()) && Contains(ending == ".log" ? "write-ahead" : name));
      }
    }
  }
  put_back();
  CHECK(site.Open()->head().last == Seq(4));
}

TEST_CASE("a log without its note of the head is opened, and says so", "[log]") {
  Site site;
  Fill(*site.Open(), 2);
  fs::remove(site.dir() + "/HEAD");
  auto log = site.Open();
  CHECK(log->head().last == Seq(2));
  REQUIRE(log->notices().size() == 1);
  CHECK_THAT(log->notices()[0], Contains("HEAD was missing"));
  log.reset();
  CHECK(site.Open()->notices().empty());
  FlipBit(site.dir() + "/HEAD", 7);
  CHECK_THAT(site.Refusal().message(), Contains(site.dir() + "/HEAD is damaged"));
}

TEST_CASE("a torn record at the end is cut and said so", "[log]") {
  Site site;
  auto log = site.Open();
  Fill(*log, 3);
  site.LeaveAsKilled(std::move(log));
  const std::string wal = site.Files(".log").back();
  fs::resize_file(wal, fs::file_size(wal) - 5);
  auto reader = site.Open({.dir = site.dir(), .read_only = true});
  CHECK(reader->head().last == Seq(2));  // Only looked at, nothing cut.
  reader.reset();
  log = site.Open();
  CHECK(log->head().last == Seq(2));
  REQUIRE(log->notices().size() == 1);
  CHECK_THAT(log->notices()[0], Contains("cut ") && Contains(wal));
  Fill(*log, 1);
}

TEST_CASE("a write-ahead log that lost what the note of the head knows is refused", "[log]") {
  Site site;
  Fill(*site.Open(), 3);
  const std::string wal = site.Files(".log").back();
  fs::resize_file(wal, fs::file_size(wal) - 5);
  for (int attempt = 0; attempt < 3; ++attempt) {
    Status refused = site.Refusal();
    CHECK(refused.code() == StatusCode::kDataLoss);
    CHECK_THAT(refused.message(), Contains("ends at event 2") && Contains("HEAD notes event 3"));
  }
  fs::remove(site.dir() + "/HEAD");  // As the message offers.
  CHECK(site.Open()->head().last == Seq(2));
}

TEST_CASE("damage in the middle of a write-ahead log is refused by name", "[log]") {
  Site site;
  auto log = site.Open();
  Fill(*log, 3);
  site.LeaveAsKilled(std::move(log));
  const std::string wal = site.Files(".log").back();
  FlipBit(wal, static_cast<int64_t>(fs::file_size(wal) / 2));
  for (bool cut : {false, true}) {
    RocksLogOptions options = site.options();
    options.cut_damaged_tail = cut;
    Status refused = RocksLog::Open(options).status();
    CHECK(refused.code() == StatusCode::kDataLoss);
    CHECK_THAT(refused.message(), Contains(wal) && Contains("restore the directory"));
  }
}

TEST_CASE("a last record that fails its checksum is cut only when the operator says so", "[log]") {
  Site site;
  auto log = site.Open();
  Fill(*log, 3);
  site.LeaveAsKilled(std::move(log));
  const std::string wal = site.Files(".log").back();
  FlipBit(wal, -5);
  Status refused = site.Refusal();
  CHECK(refused.code() == StatusCode::kDataLoss);
  CHECK_THAT(refused.message(), Contains(wal) && Contains("cut-damaged-tail"));
  RocksLogOptions options = site.options();
  options.cut_damaged_tail = true;
  log = site.Open(options);
  CHECK(log->head().last == Seq(2));
  CHECK(log->notices().size() == 1);
}

TEST_CASE("a damaged table is noticed when it is read, and named", "[log]") {
  Site site;
  auto log = site.Open();
  REQUIRE(log->Append(BigAfter({}, 200000), {}).ok());  // Larger than a block of the table.
  Fill(*log, 2);
  log.reset();
  Fill(*site.Open(), 1);
  const std::vector<std::string> tables = site.Files(".sst");
  const std::string largest = *std::max_element(
      tables.begin(), tables.end(),
      [](const auto& a, const auto& b) { return fs::file_size(a) < fs::file_size(b); });
  FlipBit(largest, 50);
  log = site.Open();  // It looks at the last commits only.
  ReadLog read = ReadAll(*log);
  CHECK(read.status.code() == StatusCode::kDataLoss);
  CHECK_THAT(read.status.message(), Contains(largest) && Contains("damaged at event 1"));
  CHECK(ReadAll(*log, Seq(3)).status.ok());
}

TEST_CASE("a directory or file of another user is refused by name", "[log]") {
  Site site;
  Fill(*site.Open(), 1);
  Fill(*site.Open(), 1);
  const auto all = fs::perms(0777);
  fs::permissions(fs::path(site.dir()).parent_path(), all);
  for (const std::string& path : site.Files("")) fs::permissions(path, all);
  fs::permissions(site.key_path(), all);
  auto refused = [&](const std::string& name) {
    AsNobody nobody;
    Status status = site.Refusal();
    CHECK(status.code() == StatusCode::kPermissionDenied);
    CHECK_THAT(status.message(), Contains(name));
  };
  fs::permissions(site.dir(), fs::perms(0700));
  refused(site.dir());
  fs::permissions(site.dir(), fs::perms(0555));
  refused(site.dir());
  fs::permissions(site.dir(), all);
  const std::string table = site.Files(".sst").front();
  fs::permissions(table, fs::perms(0));
  refused(table);
  fs::permissions(table, all);
  fs::permissions(site.key_path(), fs::perms(0));
  refused(site.key_path());
}

TEST_CASE("a full disk is told as such, at work and at opening", "[log]") {
  Site site;
  FaultyFileSystem disk;
  RocksLogOptions options = site.options();
  options.env = disk.env();
  auto log = site.Open(options);
  Fill(*log, 1);
  disk.FailWrite(1, FaultyFileSystem::Failure::kDiskFull);
  Status refused = log->Append(After(log->head()), {});
  CHECK(refused.code() == StatusCode::kDataLoss);
  CHECK_THAT(refused.message(), Contains(site.dir()) && Contains("disk is full"));
  log.reset();
  refused = RocksLog::Open(options).status();
  CHECK(refused.code() == StatusCode::kResourceExhausted);
  CHECK_THAT(refused.message(), Contains(site.dir()) && Contains("free space"));
  disk.Heal();
  CHECK(site.Open(options)->head().last == Seq(1));
}

TEST_CASE("the faults of the machine are told with the way out", "[log]") {
  auto told = [](int error, StatusCode code, const std::string& way_out) {
    Status status = FileFault("write to", "/data/log", error);
    CHECK(status.code() == code);
    CHECK_THAT(status.message(), Contains("cannot write to /data/log: ") && Contains(way_out));
  };
  told(EROFS, StatusCode::kFailedPrecondition, "mount it for writing");
  told(ENOSPC, StatusCode::kResourceExhausted, "free space");
  told(EACCES, StatusCode::kPermissionDenied, "give it to the user that runs this");
  told(EIO, StatusCode::kDataLoss, "the disk fails");
  told(ENOENT, StatusCode::kNotFound, "No such file");
  told(EMFILE, StatusCode::kUnavailable, "Too many open files");
}

}  // namespace updraft
