#include "adapters/wire/object_ids.h"

#include <cstdint>
#include <limits>
#include <set>
#include <string>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

const std::string kKey = "the key of one installation";
constexpr uint32_t kIdMax = std::numeric_limits<uint32_t>::max();

}  // namespace

TEST_CASE("an id goes out and comes back, for every kind of thing", "[object_ids]") {
  ObjectIds ids(kKey, 100);
  for (uint32_t id : {1u, 2u, 61u, 62u, 65535u, 1u << 31, kIdMax - 1, kIdMax, 0u}) {
    CAPTURE(id);
    CHECK(ids.ReadDevice(ids.Show(DeviceId(id))) == DeviceId(id));
    CHECK(ids.ReadTask(ids.Show(TaskId(id))) == TaskId(id));
    CHECK(ids.ReadBatch(ids.Show(BatchId(id))) == BatchId(id));
    CHECK(ids.ReadPackage(ids.Show(PackageId(id))) == PackageId(id));
  }
}

TEST_CASE("an id has 26 characters and ends in kind and engine", "[object_ids]") {
  ObjectIds ids(kKey, 100);
  for (uint32_t id = 1; id < 500; ++id) {
    std::string text = ids.Show(TaskId(id));
    CAPTURE(text);
    CHECK(text.size() == ObjectIds::kSize);
    CHECK(
        text.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
        std::string::npos);
  }
  CHECK(ids.Show(DeviceId(1)).substr(20) == "000100");
  CHECK(ids.Show(TaskId(1)).substr(20) == "010100");
  CHECK(ids.Show(BatchId(1)).substr(20) == "020100");
  CHECK(ids.Show(PackageId(1)).substr(20) == "030100");
  CHECK(ObjectIds(kKey, 0).Show(TaskId(1)).substr(20) == "010000");
  CHECK(ObjectIds(kKey, 9999).Show(TaskId(1)).substr(20) == "019999");
}

TEST_CASE("ids that were handed out stay true for ever", "[object_ids]") {
  ObjectIds ids(kKey, 1);
  CHECK(ids.Show(TaskId(1)) == "GhDisexjjbr5C9VV6iAX010001");
  CHECK(ids.Show(DeviceId(4294967295)) == "Sg8pGwQM24rHokPW94vt000001");
}

TEST_CASE("ids of neighbours, kinds, engines and keys have nothing in common", "[object_ids]") {
  std::set<std::string> heads;
  size_t made = 0;
  for (std::string key : {"key one", "key two"}) {
    for (uint32_t engine : {1u, 2u}) {
      ObjectIds ids(key, engine);
      for (uint32_t id = 1; id <= 200; ++id) {
        for (const std::string& text : {ids.Show(DeviceId(id)), ids.Show(TaskId(id)),
                                        ids.Show(BatchId(id)), ids.Show(PackageId(id))}) {
          heads.insert(text.substr(0, 8));
          ++made;
        }
      }
    }
  }
  CHECK(heads.size() == made);
}

TEST_CASE("a mistyped id is no id", "[object_ids]") {
  ObjectIds ids(kKey, 1);
  const std::string good = ids.Show(TaskId(7));
  REQUIRE(ids.ReadTask(good) == TaskId(7));
  for (size_t i = 0; i < good.size(); ++i) {
    for (char letter : std::string("0189AZaz-_ \n\xE4") + '\0') {
      std::string mistyped = good;
      mistyped[i] = letter;
      if (mistyped == good) continue;
      CAPTURE(mistyped);
      CHECK_FALSE(ids.ReadTask(mistyped).has_value());
    }
    if (i > 0 && good[i] != good[i - 1]) {
      std::string swapped = good;
      std::swap(swapped[i], swapped[i - 1]);
      CHECK_FALSE(ids.ReadTask(swapped).has_value());
    }
    CHECK_FALSE(ids.ReadTask(good.substr(0, i)).has_value());
    CHECK_FALSE(ids.ReadTask(good.substr(i + 1)).has_value());
  }
  CHECK_FALSE(ids.ReadTask(good + "0").has_value());
  CHECK_FALSE(ids.ReadTask("").has_value());
  CHECK_FALSE(ids.ReadTask(std::string(20, 'z') + "010001").has_value());
  CHECK_FALSE(ids.ReadTask(std::string(20, '0') + "010001").has_value());
}

TEST_CASE("an id of another kind, engine or installation is no id", "[object_ids]") {
  ObjectIds ids(kKey, 1);
  const std::string task = ids.Show(TaskId(7));
  CHECK_FALSE(ids.ReadDevice(task).has_value());
  CHECK_FALSE(ids.ReadBatch(task).has_value());
  CHECK_FALSE(ids.ReadPackage(task).has_value());
  CHECK_FALSE(ids.ReadBatch(task.substr(0, 20) + "020001").has_value());

  ObjectIds other_engine(kKey, 2);
  CHECK_FALSE(other_engine.ReadTask(task).has_value());
  CHECK_FALSE(other_engine.ReadTask(task.substr(0, 20) + "010002").has_value());
  CHECK_FALSE(ObjectIds("another key", 1).ReadTask(task).has_value());
}

}  // namespace updraft
