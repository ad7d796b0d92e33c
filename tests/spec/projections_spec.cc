// The parts that the world is made of.
#include <map>
#include <random>
#include <set>

#include "engine/clock.h"
#include "tests/spec/spec.h"

namespace updraft {

TEST_CASE("who runs a version is found as by asking every device", "[projections]") {
  constexpr int kDevices = 1'500;  // Some blocks, and a part of one.
  std::mt19937 random(5);
  Spec s;
  s.CheckSeldom();
  s.Ok(CreateProduct{.name = "product", .product_key = "a1pk"});
  for (int begin = 0; begin < kDevices; begin += 500) {
    RegisterDevices devices{.product_key = "a1pk"};
    for (int i = begin; i < begin + 500; ++i) {
      devices.devices.push_back({.name = "dev-" + std::to_string(i)});
    }
    s.Ok(devices);
  }
  auto any = [&] { return DeviceRef{.id = DeviceId(random() % kDevices + 1)}; };
  for (const char* module : {"default", "wifi"}) {
    for (int i = 0; i < 900; ++i) {
      // One version that many run, and three that few do.
      int version = random() % 50 == 0 ? static_cast<int>(random() % 3) + 1 : 0;
      s.Ok(ReportVersion{any(), module, "1.0." + std::to_string(version)});
    }
  }
  for (int i = 0; i < 40; ++i) s.When(DeleteDevice{any()});

  const World& w = s.world();
  for (const char* name : {"default", "wifi"}) {
    ModuleId module = w.FindModule(ProductId(1), name);
    for (const std::vector<const char*>& texts : std::vector<std::vector<const char*>>{
             {"1.0.0"}, {"1.0.1"}, {"1.0.3", "1.0.2"}, {"1.0.1", "1.0.0"}, {}}) {
      std::vector<VersionId> versions;
      for (const char* text : texts) versions.push_back(w.FindVersion(ProductId(1), text));
      std::vector<DeviceId> found, expected;
      for (DeviceId at; (at = w.NextRunning(module, versions, at));) found.push_back(at);
      for (uint32_t i = 1; i <= kDevices; ++i) {
        VersionId runs = w.VersionOf(DeviceId(i), module);
        bool wanted = std::find(versions.begin(), versions.end(), runs) != versions.end();
        if (runs && wanted && !w.devices()[DeviceId(i)].deleted) expected.push_back(DeviceId(i));
      }
      CAPTURE(name, texts);
      CHECK(found == expected);
    }
  }
  s.CheckReplay();
}

TEST_CASE("a page of a class is what going through all ids would give", "[projections]") {
  std::mt19937 random(3);
  PagedIds<TaskId, 3> paged;
  std::map<TaskId, int> model;
  uint32_t id = 0;
  for (int i = 0; i < 9'000; ++i) {
    id += random() % 50 == 0 ? 7 : 1;  // Long runs of neighbours, and gaps.
    int in_class = static_cast<int>(random() % 3);
    paged.Append(TaskId(id), in_class);
    model[TaskId(id)] = in_class;
  }
  auto class_of = [&](TaskId task) { return model.at(task); };
  for (int round = 0; round < 60; ++round) {
    for (int moves = 0; moves < 50; ++moves) {
      auto it = model.lower_bound(TaskId(random() % id + 1));
      int to = static_cast<int>(random() % 4) - 1;  // -1: out of all classes.
      paged.Move(it->first, it->second, to);
      it->second = to;
    }
    uint32_t classes = random() % 8;
    uint64_t skip = random() % 4'000;
    TaskId after(random() % id);
    std::vector<TaskId> page, cursor, want_page, want_cursor, all;
    for (auto [task, in_class] : model) {
      if (in_class == PagedIds<TaskId, 3>::kNone || (classes >> in_class & 1) == 0) continue;
      all.push_back(task);
      if (all.size() > skip && want_page.size() < 20) want_page.push_back(task);
      if (task > after && want_cursor.size() < 20) want_cursor.push_back(task);
    }
    paged.Page(classes, skip, 20, class_of, [&](TaskId task) { page.push_back(task); });
    paged.PageAfter(classes, after, 20, class_of, [&](TaskId task) { cursor.push_back(task); });
    REQUIRE(page == want_page);
    REQUIRE(cursor == want_cursor);
    uint32_t counted = 0;
    for (int c = 0; c < 3; ++c) counted += (classes >> c & 1) != 0 ? paged.counts()[c] : 0;
    REQUIRE(counted == all.size());
  }
}

TEST_CASE("device names are found by product, also after others were erased", "[projections]") {
  DeviceNames names;
  for (uint32_t i = 1; i <= 20'000; ++i) {
    names.Add(ProductId(1 + i % 2), DeviceId(i), "name-" + std::to_string(i / 2));
  }
  CHECK(names.Find(ProductId(1), "name-5") == DeviceId(10));
  CHECK(names.Find(ProductId(2), "name-5") == DeviceId(11));
  CHECK_FALSE(names.Find(ProductId(3), "name-5"));
  names.Erase(ProductId(1), DeviceId(10));
  names.Erase(ProductId(1), DeviceId(10));  // Again is nothing.
  CHECK_FALSE(names.Find(ProductId(1), "name-5"));
  CHECK(names.Of(DeviceId(10)).empty());
  CHECK(names.Of(DeviceId(11)) == "name-5");
  CHECK(names.Of(DeviceId(99'999'999)).empty());
  names.Add(ProductId(1), DeviceId(20'001), "name-5");
  CHECK(names.Find(ProductId(1), "name-5") == DeviceId(20'001));
  std::string longest(DeviceNames::kNameBytesMax, 'x');
  names.Add(ProductId(1), DeviceId(20'002), longest);
  CHECK(names.Of(DeviceId(20'002)) == longest);
}

TEST_CASE("timers come up in order, near and far", "[projections]") {
  std::mt19937_64 random(17);
  Timers timers;
  std::multiset<Timer> expected;
  int64_t now_ms = Spec::kStartMs;
  for (int i = 0; i < 50'000; ++i) {
    if (random() % 5 < 3) {
      // At once, within the hour, within a month.
      int64_t ahead_ms = static_cast<int64_t>(random() % 3 == 0   ? random() % 5
                                              : random() % 2 == 0 ? random() % 3'600'000
                                                                  : random() % 2'592'000'000);
      Timer timer{now_ms + ahead_ms, static_cast<TimerKind>(random() % 5),
                  static_cast<uint32_t>(random())};
      timers.Arm(timer);
      expected.insert(timer);
    } else if (!expected.empty()) {
      REQUIRE(timers.top() == *expected.begin());
      now_ms = std::max(now_ms, timers.top().due_ms);
      timers.Pop();
      expected.erase(expected.begin());
    }
    REQUIRE(timers.empty() == expected.empty());
  }
  for (; !expected.empty(); expected.erase(expected.begin()), timers.Pop()) {
    REQUIRE(timers.top() == *expected.begin());
  }
  CHECK(timers.empty());
}

TEST_CASE("a set of ids is what a set of numbers would be", "[projections]") {
  std::mt19937 random(13);
  IdSet<TaskId> ids, again;
  std::set<uint32_t> expected;
  CHECK(ids.empty());
  for (int i = 0; i < 20'000; ++i) {
    // Near each other, at the ends of pages, and far away.
    uint32_t id = random() % 3 == 0 ? random() : 1'000 + random() % 50;
    if (random() % 2 == 0) {
      ids.Insert(TaskId(id));
      expected.insert(id);
    } else {
      uint32_t gone = random() % 2 == 0 || expected.empty() ? id : *expected.begin();
      ids.Erase(TaskId(gone));
      expected.erase(gone);
    }
    REQUIRE(ids.empty() == expected.empty());
    if (!expected.empty()) REQUIRE(ids.First() == TaskId(*expected.begin()));
  }
  std::vector<uint32_t> listed;
  ids.ForEach([&](TaskId id) { listed.push_back(id.value()); });
  CHECK(listed == std::vector<uint32_t>(expected.begin(), expected.end()));
  CHECK_FALSE(ids == again);
  for (uint32_t id : expected) again.Insert(TaskId(id));
  CHECK(ids == again);
  again.Clear();
  CHECK(again.empty());
}

TEST_CASE("names come and go as in a map", "[projections]") {
  std::mt19937 random(11);
  DeviceNames names;
  std::map<std::pair<uint32_t, std::string>, DeviceId> expected;
  for (uint32_t i = 1; i <= 60'000; ++i) {
    // Products whose ids take one, two and five bytes.
    uint32_t product = random() % 2 == 0 ? 1 : random() % 3 == 0 ? UINT32_MAX : 200 + random() % 90;
    std::pair key{product, "d" + std::to_string(random() % 30'000)};
    auto it = expected.find(key);
    CHECK(names.Find(ProductId(product), key.second) ==
          (it == expected.end() ? DeviceId() : it->second));
    if (it == expected.end()) {
      names.Add(ProductId(product), DeviceId(i), key.second);
      expected[key] = DeviceId(i);
    } else {
      names.Erase(ProductId(product), it->second);
      expected.erase(it);
    }
  }
  for (const auto& [key, id] : expected) {
    CHECK(names.Find(ProductId(key.first), key.second) == id);
    CHECK(names.Of(id) == key.second);
  }
}

TEST_CASE("log time goes with the monotonic clock and is drawn to the wall clock",
          "[projections]") {
  constexpr int64_t kSecondUs = 1'000'000;
  LogTime time(5'000, 10 * kSecondUs, 0);
  CHECK(time.Advance(10 * kSecondUs, 0) == 10'000);
  CHECK(time.Advance(11 * kSecondUs, kSecondUs) == 11'000);
  // The wall clock jumps ahead, then back: one part in twenty, and never backwards.
  CHECK(time.Advance(100 * kSecondUs, 2 * kSecondUs) == 12'050);
  int64_t before = 12'050;
  for (int second = 3; second < 50; ++second) {
    int64_t now = time.Advance(0, second * kSecondUs);
    REQUIRE(now >= before + 950);
    before = now;
  }
  LogTime behind(20'000, 10 * kSecondUs, 7 * kSecondUs);  // The log is ahead of the wall clock.
  CHECK(behind.Advance(10 * kSecondUs, 7 * kSecondUs) == 20'000);
  CHECK(behind.UntilUs(20'001) == 1'000);
  CHECK(behind.UntilUs(19'000) == 0);
}

TEST_CASE("times in six bytes and numbers in five keep what they are given", "[projections]") {
  for (int64_t ms : {int64_t{0}, int64_t{1}, Spec::kStartMs, (int64_t{1} << 48) - 1}) {
    CHECK(static_cast<int64_t>(Ms48(ms)) == ms);
  }
  for (uint64_t seq :
       {uint64_t{0}, uint64_t{1}, uint64_t{0x12'3456'789A}, (uint64_t{1} << 40) - 1}) {
    CHECK(static_cast<Seq>(Seq40(Seq(seq))) == Seq(seq));
  }
}

TEMPLATE_TEST_CASE("a record at its defaults adds nothing to the digest", "[projections]", Product,
                   Module, Version, Device, Installed, Package, Batch, Task, Key, Globals,
                   PushInDoubt) {
  CHECK(DigestOf(7, TestType{}) == Digest());
}

TEST_CASE("digests are sums: order does not matter, what is taken out is gone", "[projections]") {
  Digest a(1, ~uint64_t{0}), b(~uint64_t{0}, 5), c(3, 9);
  Digest forward = a, backward = c;
  forward.Add(b);
  forward.Add(c);
  backward.Add(b);
  backward.Add(a);
  CHECK(forward == backward);
  forward.Subtract(a);
  forward.Subtract(c);
  CHECK(forward == b);
  Digest carried = a;
  carried.Add(Digest(0, 1));
  CHECK(carried == Digest(2, 0));
  carried.Subtract(Digest(0, 1));
  CHECK(carried == a);
}

TEST_CASE("a field's term depends on its record, its number and its value", "[projections]") {
  Digest term = TermOf(1, 2, 3, uint32_t{4});
  CHECK(term != TermOf(2, 2, 3, uint32_t{4}));
  CHECK(term != TermOf(1, 3, 3, uint32_t{4}));
  CHECK(term != TermOf(1, 2, 4, uint32_t{4}));
  CHECK(term != TermOf(1, 2, 3, uint32_t{5}));
  CHECK(TermOf(1, 2, 3, std::string("a")) != TermOf(1, 2, 3, std::string("b")));
  CHECK(TermOf(1, 2, 3, Tags{{"ab", "c"}}) != TermOf(1, 2, 3, Tags{{"a", "bc"}}));
}

}  // namespace updraft
