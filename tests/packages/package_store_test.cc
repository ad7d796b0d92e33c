#include "adapters/packages/package_store.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/packages/temporary_directory.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;

constexpr FileKind kPackage = FileKind::kPackage;

struct Fixture {
  std::unique_ptr<PackageStore> Open() { return *PackageStore::Open(directory.path + "/files"); }
  size_t Count(std::string_view below) const {
    fs::directory_iterator files(directory.path + "/files/" + std::string(below)), end;
    return static_cast<size_t>(std::distance(files, end));
  }

  TemporaryDirectory directory;
  std::unique_ptr<PackageStore> store = Open();
};

Result<StoredFile> Store(PackageStore& store, std::string_view content, FileKind kind = kPackage) {
  ASSIGN_OR_RETURN(auto writer, store.Begin(kind, FileBytesMax(kind)));
  RETURN_IF_ERROR(writer->Write(content));
  return writer->Finish();
}

std::string ReadAll(const PackageStore::OpenFile& file) {
  std::string content(file.size_bytes, '\0');
  REQUIRE(pread(file.fd.get(), content.data(), content.size(), 0) ==
          static_cast<ssize_t>(content.size()));
  return content;
}

// Files of this process may have that many bytes and no more, as if the disk were full.
struct FileSizeLimit {
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit limit{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before); }
  rlimit before{};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a file is stored with its size and digests", "[packages]") {
  auto writer = *store->Begin(kPackage, 100);
  CHECK(writer->Write("a").ok());
  CHECK(writer->Write("").ok());
  CHECK(writer->Write("bc").ok());
  StoredFile file = *writer->Finish();
  CHECK(file.size_bytes == 3);
  CHECK(file.md5 == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(file.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(file.id == "ba7816bf8f01cfea414140de5dae2223");
  PackageStore::OpenFile open = *store->OpenToRead(kPackage, file.id);
  CHECK(open.size_bytes == 3);
  CHECK(ReadAll(open) == "abc");
  CHECK(Count("incoming") == 0);
}

TEST_CASE_METHOD(Fixture, "a file is there after the store is opened again", "[packages]") {
  std::string id = Store(*store, "abc")->id;
  store = Open();
  CHECK(ReadAll(*store->OpenToRead(kPackage, id)) == "abc");
}

TEST_CASE_METHOD(Fixture, "the same content is stored once", "[packages]") {
  std::string first = Store(*store, "abc")->id;
  CHECK(Store(*store, "abc")->id == first);
  CHECK(Count("packages") == 1);
  CHECK(Store(*store, "abd")->id != first);
  CHECK(Count("packages") == 2);
}

TEST_CASE_METHOD(Fixture, "kinds of files do not mix", "[packages]") {
  std::string id = Store(*store, "DeviceName\n", FileKind::kDeviceList)->id;
  CHECK(store->OpenToRead(FileKind::kDeviceList, id).ok());
  CHECK(store->OpenToRead(kPackage, id).status().code() == StatusCode::kNotFound);
}

TEST_CASE_METHOD(Fixture, "a file may have its most bytes and not one more", "[packages]") {
  auto exact = *store->Begin(kPackage, 4);
  CHECK(exact->Write("abc").ok());
  CHECK(exact->Write("d").ok());
  CHECK(exact->Finish()->size_bytes == 4);

  auto over = *store->Begin(kPackage, 4);
  CHECK(over->Write("abcd").ok());
  Status refused = over->Write("e");
  CHECK(refused.code() == StatusCode::kResourceExhausted);
  CHECK(refused.reason() == kFileTooLarge);
  CHECK(Count("incoming") == 0);  // Given up there and then.
  CHECK(over->Write("").reason() == kFileTooLarge);
  CHECK(over->Finish().status().reason() == kFileTooLarge);
  CHECK(Count("packages") == 1);
}

TEST_CASE("the console's bounds are these", "[packages]") {
  CHECK(FileBytesMax(FileKind::kPackage) == 2'097'152'000);
  CHECK(FileBytesMax(FileKind::kDeviceList) == 5'242'880);
}

TEST_CASE_METHOD(Fixture, "an empty file is refused", "[packages]") {
  Result<StoredFile> refused = Store(*store, "");
  CHECK(refused.status().code() == StatusCode::kInvalidArgument);
  CHECK(refused.status().reason() == kFileEmpty);
  CHECK(Count("packages") == 0);
  CHECK(Count("incoming") == 0);
}

TEST_CASE_METHOD(Fixture, "nothing is left of a file that is not finished", "[packages]") {
  {
    auto writer = *store->Begin(kPackage, 100);
    CHECK(writer->Write("abc").ok());
    CHECK(Count("incoming") == 1);
  }
  CHECK(Count("incoming") == 0);
  CHECK(Count("packages") == 0);
}

TEST_CASE_METHOD(Fixture, "a file is finished once", "[packages]") {
  auto writer = *store->Begin(kPackage, 100);
  CHECK(writer->Write("abc").ok());
  CHECK(writer->Finish().ok());
  CHECK(writer->Finish().status().code() == StatusCode::kFailedPrecondition);
  CHECK(writer->Write("d").code() == StatusCode::kFailedPrecondition);
  CHECK(Count("packages") == 1);
}

TEST_CASE_METHOD(Fixture, "what a crash left half taken in is removed", "[packages]") {
  std::ofstream(directory.path + "/files/incoming/1") << "half";
  CHECK(Count("incoming") == 1);
  store = Open();
  CHECK(Count("incoming") == 0);
  CHECK(Store(*store, "abc").ok());
}

TEST_CASE_METHOD(Fixture, "a full disk is named, and leaves nothing behind", "[packages]") {
  auto writer = *store->Begin(kPackage, 1 << 20);
  Status refused;
  {
    FileSizeLimit limit(4096);
    CHECK(writer->Write(std::string(4096, 'x')).ok());
    refused = writer->Write("x");
  }
  CHECK(refused.code() == StatusCode::kUnavailable);
  CHECK(refused.reason() == kDiskFull);
  CHECK(refused.message().find("cannot write") != std::string::npos);
  CHECK(writer->Write("x").reason() == kDiskFull);  // There is room again, but bytes are missing.
  CHECK(writer->Finish().status().reason() == kDiskFull);
  CHECK(Count("incoming") == 0);
  CHECK(Count("packages") == 0);
}

TEST_CASE_METHOD(Fixture, "a deleted file is gone, and whoever reads it reads on", "[packages]") {
  std::string id = Store(*store, "abc")->id;
  PackageStore::OpenFile open = *store->OpenToRead(kPackage, id);
  CHECK(store->Delete(kPackage, id).ok());
  CHECK(ReadAll(open) == "abc");
  CHECK(store->OpenToRead(kPackage, id).status().code() == StatusCode::kNotFound);
  CHECK(store->Delete(kPackage, id).code() == StatusCode::kNotFound);
}

TEST_CASE_METHOD(Fixture, "a file is deleted when it was stored before a time, not else",
                 "[packages]") {
  std::string id = Store(*store, "abc")->id;
  int64_t stored_ms = (*store->List(kPackage))[0].stored_at_ms;
  CHECK_FALSE(*store->DeleteStoredBefore(kPackage, id, stored_ms));
  CHECK(store->OpenToRead(kPackage, id).ok());
  CHECK(*store->DeleteStoredBefore(kPackage, id, stored_ms + 1));
  CHECK(store->OpenToRead(kPackage, id).status().code() == StatusCode::kNotFound);
  CHECK(store->DeleteStoredBefore(kPackage, id, 0).status().code() == StatusCode::kNotFound);
}

TEST_CASE_METHOD(Fixture, "an id from outside names nothing but a stored file", "[packages]") {
  Store(*store, "abc").status();
  std::ofstream(directory.path + "/files/packages/secret") << "s";
  for (std::string_view id :
       {"", ".", "..", "secret", "../../etc/passwd", "ba7816bf8f01cfea414140de5dae222",
        "ba7816bf8f01cfea414140de5dae22233", "BA7816BF8F01CFEA414140DE5DAE2223",
        "../packages/ba7816bf8f01cfea4141", "00000000000000000000000000000000"}) {
    CAPTURE(id);
    CHECK(store->OpenToRead(kPackage, id).status().code() == StatusCode::kNotFound);
    CHECK(store->Delete(kPackage, id).code() == StatusCode::kNotFound);
  }
  CHECK(Count("packages") == 2);
}

TEST_CASE_METHOD(Fixture, "stored files are listed, and nothing else", "[packages]") {
  CHECK(store->List(kPackage)->empty());
  std::string a = Store(*store, "abc")->id, b = Store(*store, "four")->id;
  std::ofstream(directory.path + "/files/packages/lost+found") << "";
  auto writer = *store->Begin(kPackage, 100);
  std::vector<PackageStore::Entry> list = *store->List(kPackage);
  REQUIRE(list.size() == 2);
  CHECK(list[0].id == std::min(a, b));
  CHECK(list[1].id == std::max(a, b));
  CHECK(list[0].size_bytes + list[1].size_bytes == 7);
  CHECK(list[0].stored_at_ms > 1'577'836'800'000);  // Milliseconds, and after 2020.
}

TEST_CASE_METHOD(Fixture, "files are taken in side by side", "[packages]") {
  std::vector<std::thread> threads;
  std::atomic<int> stored = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      auto writer = *store->Begin(kPackage, 1 << 20);
      bool ok = true;
      for (int k = 0; k < 50; ++k)
        ok = ok && writer->Write(std::string(100, char('a' + i % 4))).ok();
      if (ok && writer->Finish().ok()) ++stored;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(stored == 8);
  CHECK(Count("packages") == 4);
  CHECK(Count("incoming") == 0);
}

TEST_CASE("a directory that cannot be used is refused with its name", "[packages]") {
  auto refused = PackageStore::Open("/dev/null/files");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().code() == StatusCode::kUnavailable);
  CHECK(refused.status().message().find("/dev/null/files") != std::string::npos);
}

TEST_CASE("a file's suffix is of its kind, in any case", "[packages]") {
  for (std::string_view name : {"a.bin", "a.BIN", "a.b.Zip", ".bin", "a b.zip"}) {
    CAPTURE(name);
    CHECK(CheckSuffix(FileKind::kPackage, name).ok());
  }
  for (std::string_view name :
       {"", "bin", "a.bi", "a.bin ", "a.tar", "a.bin.gz", "a.csv", "abin"}) {
    CAPTURE(name);
    Status refused = CheckSuffix(FileKind::kPackage, name);
    CHECK(refused.code() == StatusCode::kInvalidArgument);
    CHECK(refused.reason() == kFileSuffixRefused);
    CHECK(refused.message() == "the file's name must end in .bin or .zip");
  }
  CHECK(CheckSuffix(FileKind::kDeviceList, "a.CSV").ok());
  CHECK(CheckSuffix(FileKind::kDeviceList, "a.bin").reason() == kFileSuffixRefused);
}

}  // namespace updraft
