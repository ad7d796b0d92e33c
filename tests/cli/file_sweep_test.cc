// Uploaded files that nobody will ask for are removed, and no others.
#include "adapters/cli/file_sweep.h"

#include <chrono>
#include <future>

#include <catch2/catch.hpp>

#include "adapters/wire/signed_url.h"
#include "events/log/memory_log.h"
#include "tests/packages/temporary_directory.h"

namespace updraft {
namespace {

using std::chrono::hours;

constexpr const char* kLinkKey = "link key";

// The machine's clock, which is the files' too, turned ahead by hand.
class AheadClock : public Clock {
 public:
  int64_t WallUs() const override { return SystemClock().WallUs() + ahead_us_; }
  int64_t MonotonicUs() const override { return SystemClock().MonotonicUs(); }
  void Turn(std::chrono::microseconds by) { ahead_us_ += by.count(); }

 private:
  int64_t ahead_us_ = 0;
};

class Site {
 public:
  Site() : files_(*PostedFiles::Open(directory_.path, kLinkKey, clock_)) {}

  AheadClock& clock() { return clock_; }
  PostedFiles& files() { return *files_; }

  // Posts a file as a form does.
  void Post(const std::string& object_key, std::string_view content,
            UploadKind kind = UploadKind::kPackageFile) {
    UploadPolicy policy =
        SignUploadTicket(kLinkKey, {object_key, kind, clock_.WallUs() / 1'000 + 60'000});
    UploadForm form;
    form.key = object_key;
    form.policy = policy.policy;
    form.signature = policy.signature;
    Result<UploadTarget> target = files_->BeginUpload(form);
    REQUIRE(target.status().ToString() == "OK");
    REQUIRE(target->sink->Write(content).ok());
    REQUIRE(target->sink->Finish().ok());
  }

  // How many files a sweep removes when packages have these.
  size_t Sweep(const std::set<std::string>& needed = {}) {
    Result<size_t> removed =
        files_->Sweep([&]() -> Result<std::set<std::string>> { return needed; });
    REQUIRE(removed.status().ToString() == "OK");
    return *removed;
  }

 private:
  TemporaryDirectory directory_;
  AheadClock clock_;
  std::unique_ptr<PostedFiles> files_;
};

}  // namespace

TEST_CASE("an upload that no package was made of is removed after a day and an hour", "[cli]") {
  Site site;
  site.Post("a.bin", "abc");
  site.Post("list.csv", "DeviceName\n", UploadKind::kDeviceList);
  CHECK(site.Sweep() == 0);
  site.clock().Turn(hours(23));
  CHECK(site.files().FindPackage("a.bin").ok());
  site.clock().Turn(hours(1) + std::chrono::minutes(1));
  CHECK(site.files().FindPackage("a.bin").status().code() == StatusCode::kNotFound);
  CHECK(site.files().ReadDeviceList("list.csv").status().code() == StatusCode::kNotFound);
  CHECK(site.Sweep() == 0);  // Who found it a minute ago may be about to use it.
  site.clock().Turn(hours(1));
  CHECK(site.Sweep() == 2);
  CHECK(site.Sweep() == 0);
}

TEST_CASE("a package's file stays for as long as a package has it", "[cli]") {
  Site site;
  site.Post("a.bin", "abc");
  const std::string file = site.files().FindPackage("a.bin")->file;
  site.clock().Turn(hours(24 * 365));
  CHECK(site.Sweep({file}) == 0);
  CHECK(site.Sweep({"another"}) == 1);
}

TEST_CASE("a file that came in again is as new as its last upload", "[cli]") {
  Site site;
  site.Post("a.bin", "abc");
  const std::string file = site.files().FindPackage("a.bin")->file;
  // The note of the second upload names it, however old the file looks.
  site.Post("b.bin", "abc");
  CHECK(site.files().FindPackage("b.bin")->file == file);
  CHECK(site.Sweep() == 0);
}

TEST_CASE("while it is not known what packages have, nothing is removed", "[cli]") {
  Site site;
  site.Post("a.bin", "abc");
  site.clock().Turn(hours(48));
  Result<size_t> removed = site.files().Sweep([]() -> Result<std::set<std::string>> {
    return Status(StatusCode::kUnavailable, "the engine is stopping");
  });
  CHECK(removed.status().code() == StatusCode::kUnavailable);
  CHECK(site.Sweep() == 1);
}

TEST_CASE("the files of all packages are asked for, page by page", "[cli]") {
  auto opened = Engine::OpenWith({}, std::make_unique<MemoryLog>(), SystemClock());
  REQUIRE(opened.ok());
  Engine& engine = **opened;
  auto ask = [&](Command command) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    REQUIRE(engine
                .Submit(std::move(command),
                        [promise](const Outcome& outcome) { promise->set_value(outcome); })
                .ok());
    return promise->get_future().get();
  };
  CHECK(FilesOfPackages(engine)->empty());
  REQUIRE(ask(CreateProduct{.name = "product", .product_key = "a1pk"}).ok());
  CreatePackage order;
  order.product_key = "a1pk";
  order.size_bytes = 1;
  order.md5 = std::string(16, 'm');
  order.sha256 = std::string(32, 's');
  constexpr int kPackages = 2'001;
  PackageId last;
  for (int i = 1; i <= kPackages; ++i) {
    order.name = "package_" + std::to_string(i);
    order.target_version = std::to_string(i);
    order.file = "file-" + std::to_string(i);
    Outcome made = ask(order);
    REQUIRE(made.status.ToString() == "OK");
    last = std::get<CreatedPackage>(made.answer).package;
  }
  CHECK(FilesOfPackages(engine)->size() == kPackages);
  REQUIRE(ask(DeletePackage{last}).ok());
  std::set<std::string> files = *FilesOfPackages(engine);
  CHECK(files.size() == kPackages - 1);
  CHECK_FALSE(files.contains(order.file));
  engine.Stop();
  CHECK_FALSE(FilesOfPackages(engine).ok());
}

}  // namespace updraft
