#include "adapters/packages/received_files.h"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "tests/packages/temporary_directory.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;

constexpr FileKind kPackage = FileKind::kPackage;

StoredFile File(char digit) {
  std::string sha256(64, digit);
  return {sha256.substr(0, 32), 2'097'152'000, std::string(32, digit), sha256};
}

struct Fixture {
  std::unique_ptr<ReceivedFiles> Open() { return *ReceivedFiles::Open(directory.path); }
  std::vector<fs::path> OnDisk() const {
    fs::directory_iterator files(directory.path + "/received");
    return {begin(files), end(files)};
  }

  TemporaryDirectory directory;
  std::unique_ptr<ReceivedFiles> received = Open();
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a received file is found by its key, after a restart too",
                 "[packages]") {
  REQUIRE(received->Put(kPackage, "ota/a b/../1.bin", File('a')).ok());
  received = Open();
  StoredFile found = *received->Get(kPackage, "ota/a b/../1.bin");
  CHECK(found.id == File('a').id);
  CHECK(found.size_bytes == File('a').size_bytes);
  CHECK(found.md5 == File('a').md5);
  CHECK(found.sha256 == File('a').sha256);
}

TEST_CASE_METHOD(Fixture, "nothing is found under another key or for another kind", "[packages]") {
  REQUIRE(received->Put(kPackage, "1.bin", File('a')).ok());
  CHECK(received->Get(kPackage, "2.bin").status().code() == StatusCode::kNotFound);
  CHECK(received->Get(kPackage, "").status().code() == StatusCode::kNotFound);
  CHECK(received->Get(FileKind::kDeviceList, "1.bin").status().code() == StatusCode::kNotFound);
}

TEST_CASE_METHOD(Fixture, "the last file under a key counts", "[packages]") {
  REQUIRE(received->Put(kPackage, "1.bin", File('a')).ok());
  REQUIRE(received->Put(kPackage, "1.bin", File('b')).ok());
  CHECK(received->Get(kPackage, "1.bin")->md5 == File('b').md5);
  CHECK(OnDisk().size() == 1);
}

TEST_CASE_METHOD(Fixture, "what was noted before a time is forgotten, and nothing else",
                 "[packages]") {
  REQUIRE(received->Put(kPackage, "1.bin", File('a')).ok());
  struct stat about;
  REQUIRE(stat(OnDisk()[0].c_str(), &about) == 0);
  int64_t noted_ms = about.st_mtim.tv_sec * 1'000 + about.st_mtim.tv_nsec / 1'000'000;
  CHECK(received->ForgetBefore(noted_ms).ok());
  CHECK(received->Get(kPackage, "1.bin").ok());
  CHECK(received->ForgetBefore(noted_ms + 1).ok());
  CHECK(received->Get(kPackage, "1.bin").status().code() == StatusCode::kNotFound);
}

TEST_CASE_METHOD(Fixture, "what was noted before a time is not found when later ones are wanted",
                 "[packages]") {
  REQUIRE(received->Put(kPackage, "1.bin", File('a')).ok());
  struct stat about;
  REQUIRE(stat(OnDisk()[0].c_str(), &about) == 0);
  int64_t noted_ms = about.st_mtim.tv_sec * 1'000 + about.st_mtim.tv_nsec / 1'000'000;
  CHECK(received->Get(kPackage, "1.bin", noted_ms).ok());
  CHECK(received->Get(kPackage, "1.bin", noted_ms + 1).status().code() == StatusCode::kNotFound);
}

TEST_CASE_METHOD(Fixture, "the files that are noted are listed by kind", "[packages]") {
  CHECK(received->FilesNoted(kPackage)->empty());
  REQUIRE(received->Put(kPackage, "1.bin", File('b')).ok());
  REQUIRE(received->Put(kPackage, "2.bin", File('a')).ok());
  REQUIRE(received->Put(FileKind::kDeviceList, "3.csv", File('c')).ok());
  CHECK(*received->FilesNoted(kPackage) == std::vector{File('a').id, File('b').id});
  CHECK(*received->FilesNoted(FileKind::kDeviceList) == std::vector{File('c').id});
}

TEST_CASE_METHOD(Fixture, "a damaged note is told as such", "[packages]") {
  REQUIRE(received->Put(kPackage, "1.bin", File('a')).ok());
  for (std::string_view damaged : {"", "x", "12 abc", "12 abc abc"}) {
    CAPTURE(damaged);
    std::ofstream(OnDisk()[0]) << damaged;
    CHECK(received->Get(kPackage, "1.bin").status().code() == StatusCode::kDataLoss);
  }
}

}  // namespace updraft
