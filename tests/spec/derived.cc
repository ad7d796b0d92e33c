#include "tests/spec/derived.h"

#include <iterator>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "projections/saved_world.h"

namespace updraft {
namespace {

class Describer {
 public:
  explicit Describer(const World& world) : w_(world) {}

  std::string Describe() {
    Each(w_.products(), [&](ProductId id) { DescribeProduct(id); });
    Each(w_.modules(), [&](ModuleId id) { DescribeModule(id); });
    Each(w_.versions(), [&](VersionId id) {
      const Version& version = w_.versions()[id];
      Say("version {}: {}", id.value(), w_.FindVersion(version.product, version.text).value());
    });
    Each(w_.packages(), [&](PackageId id) {
      Say("package {}: {} batches {}", id.value(),
          w_.FindPackageByName(w_.packages()[id].name).value(), Ids(w_.IndexOf(id).batches));
    });
    Each(w_.keys(), [&](KeyId id) {
      Say("key {}: {}", id.value(), w_.FindKey(w_.keys()[id].access_key_id).value());
    });
    Each(w_.registrations(), [&](RegistrationId id) {
      const Registration& registration = w_.registrations()[id];
      Say("registration {}: {} {}", id.value(),
          w_.FindRegistration(registration.application).value(),
          w_.RegistrationOf(registration.first).value());
    });
    for (const UsedToken& token : w_.used_tokens()) {
      const UsedToken* found = w_.FindToken({token.call_high, token.call_low}, 0);
      Say("token {}: {}", token.number, found->number);
    }
    Each(w_.batches(), [&](BatchId id) { DescribeBatch(id); });
    DescribeAgenda();
    return std::move(text_);
  }

 private:
  template <class Table, class Visit>
  void Each(const Table& table, Visit visit) {
    using IdType = decltype(table.newest());
    for (uint32_t id = 1; id <= table.size(); ++id) visit(IdType(id));
  }

  template <class... Args>
  void Say(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }

  template <class List>
  static std::string Ids(const List& ids) {
    std::string text;
    for (auto id : ids) text += fmt::format("{} ", id.value());
    return text;
  }

  void DescribeProduct(ProductId id) {
    const Product& product = w_.products()[id];
    const ProductIndex& index = w_.IndexOf(id);
    std::vector<DeviceId> devices;
    index.devices.Page(
        1, 0, w_.devices().size(), [&](DeviceId d) { return ClassOf(d); },
        [&](DeviceId d) { devices.push_back(d); });
    Say("product {}: key {} name {} packages {} modules {} devices {} of {}", id.value(),
        w_.FindProduct(product.key).value(), w_.FindProductByName(product.name).value(),
        index.packages, Ids(index.module_list), Ids(devices), index.devices.total());
  }

  int ClassOf(DeviceId id) const {
    return w_.devices()[id].deleted ? PagedIds<DeviceId, 1>::kNone : 0;
  }

  void DescribeModule(ModuleId id) {
    const Module& module = w_.modules()[id];
    const ModuleIndex& index = w_.IndexOf(id);
    Say("module {}: {} packages {} devices {}", id.value(),
        w_.FindModule(module.product, module.name).value(), index.packages, index.devices);
    for (const auto& [version, count] : index.in_use) Say("  runs {}: {}", version.value(), count);
    for (const auto& [block, count] : index.in_use_of_block) {
      Say("  runs {} in block {}: {}", block.first.value(), block.second, count);
    }
    for (const auto& [version, batches] : index.dynamic) {
      Say("  takes from {}: {}", version.value(), Ids(batches));
    }
  }

  static std::vector<TaskId> Listed(const IdSet<TaskId>& set) {
    std::vector<TaskId> ids;
    set.ForEach([&](TaskId id) { ids.push_back(id); });
    return ids;
  }

  void DescribeBatch(BatchId id) {
    const BatchIndex& index = w_.IndexOf(id);
    std::vector<TaskId> tasks;
    auto state_of = [&](TaskId task) {
      return static_cast<int>(TaskState(w_.tasks()[task].state));
    };
    index.tasks.Page(~0u, 0, w_.tasks().size(), state_of, [&](TaskId t) { tasks.push_back(t); });
    Say("batch {}: tasks {} counts {} ready {} repeats {}", id.value(), Ids(tasks),
        fmt::join(index.tasks.counts(), " "), Ids(Listed(index.ready)), Ids(Listed(index.repeats)));
  }

  void DescribeAgenda() {
    const Agenda& agenda = w_.agenda();
    Say("with ready {} at work {}", Ids(agenda.with_ready), Ids(agenda.at_work));
    std::set<Timer> live;
    for (Timers timers = agenda.timers; !timers.empty(); timers.Pop()) {
      const Timer& timer = timers.top();
      bool waited_for =
          timer.kind != TimerKind::kDeviceSettles || w_.HasOpenTask(DeviceId(timer.id));
      if (w_.IsLive(timer) && waited_for) live.insert(timer);
    }
    for (const Timer& timer : live) {
      Say("timer {} {} {}", timer.due_ms, static_cast<int>(timer.kind), timer.id);
    }
  }

  const World& w_;
  std::string text_;
};

}  // namespace

std::string DescribeDerived(const World& world) { return Describer(world).Describe(); }

void CheckSavedWorld(const World& world) {
  std::string saved;
  REQUIRE(SaveWorld(world, [&](std::string_view bytes) {
            saved += bytes;
            return OkStatus();
          }).ok());
  World loaded;
  size_t used = 0;
  auto read = [&](char* bytes, size_t count) {
    if (count > saved.size() - used) return Status(StatusCode::kDataLoss, "too short");
    saved.copy(bytes, count, used);
    used += count;
    return OkStatus();
  };
  REQUIRE(LoadWorld(read, world.digest(), loaded).ToString() == "OK");
  CHECK(used == saved.size());
  CHECK(loaded.digest() == world.digest());
  CHECK(DescribeDerived(loaded) == DescribeDerived(world));
}

}  // namespace updraft
