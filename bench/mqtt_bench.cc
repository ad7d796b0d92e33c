// What the engine makes of a broker's rate: devices report progress at QoS 1 to a real mosquitto
// with the gate, and the whole way is measured: adapter, decision, commit with fsync, and only then
// the PUBACK. Beside it the same devices and the same broker, with a libmosquitto client in the
// engine's place that acknowledges what comes and does nothing with it.
//
// The devices never have more on their way, from their socket to whoever takes it, than the broker
// holds in flight: mosquitto 2.0.11 lets its store grow without end once a subscriber has a
// backlog, and then it is this that is measured.
//
// UPDRAFT_PLUGIN names the gate's shared object where it is not in the build that this is of.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <mosquitto.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "adapters/mqtt/adapter.h"
#include "adapters/wire/gate_topics.h"
#include "bench/bench.h"
#include "bench/broker.h"
#include "bench/library.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

struct Sizes {
  std::string plugin;
  uint64_t devices = 0;
  int64_t reports = 0;
  int64_t in_flight = 0;  // Between the devices and whoever takes their reports.
};

template <class What>
void Await(std::string_view name, const What& what) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!what()) {
    if (std::chrono::steady_clock::now() > deadline) {
      OrDie(Status(StatusCode::kUnavailable, "it takes more than two minutes"), name);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

double ThreadCpuSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// All devices, on one thread.
class Devices {
 public:
  Devices(const BenchBroker& broker, uint64_t count) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (uint64_t i = 0; i < count; ++i) {
      devices_.push_back({ReportingDevice(broker, i), 0});
      epoll_event event = {.events = EPOLLIN, .data = {.u64 = i}};
      epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, devices_[i].reports.connection().fd(), &event);
    }
  }

  void SendVersions(std::string_view version) {
    for (One& one : devices_) one.reports.SendVersion(version);
  }

  // Takes what comes, and acknowledges what is said to devices.
  void Receive(int wait_ms) {
    epoll_event events[256];
    const int ready = epoll_wait(epoll_.get(), events, 256, wait_ms);
    for (int e = 0; e < ready; ++e) {
      One& one = devices_[events[e].data.u64];
      one.reports.connection().ReceiveWhatIsThere([&](uint8_t first, std::string_view body) {
        if (first >> 4 == 4 && one.open > 0) --one.open;
        if ((first & 0xF6) != 0x32) return;  // A message of QoS 1.
        const size_t topic = static_cast<uint8_t>(body[0]) * 256u + static_cast<uint8_t>(body[1]);
        one.reports.connection().Send(std::string("\x40\x02") +
                                      std::string(body.substr(2 + topic, 2)));
      });
    }
  }

  // Sends so many reports, the devices by turns, and waits until all are taken.
  void Report(int64_t reports, int64_t in_flight, const std::atomic<uint64_t>& taken) {
    constexpr uint32_t kOpenMax = 8;  // Of a device.
    const auto before = static_cast<int64_t>(taken);
    int64_t sent = 0;
    size_t next = 0;
    size_t busy = 0;
    auto taken_now = [&] { return static_cast<int64_t>(taken) - before; };
    while (taken_now() < reports) {
      while (sent < reports && sent - taken_now() < in_flight && busy < devices_.size()) {
        One& one = devices_[next++ % devices_.size()];
        if (one.open == kOpenMax) {
          ++busy;
          continue;
        }
        busy = 0;
        ++one.open;
        one.reports.SendProgress();
        ++sent;
      }
      busy = 0;
      Receive(1);
    }
  }

 private:
  struct One {
    ReportingDevice reports;
    uint32_t open = 0;  // Sent, and not acknowledged.
  };
  OwnedFd epoll_;
  std::vector<One> devices_;
};

struct Figures {
  double reports_per_second = 0;
  double taker_cpu_us = 0;   // A report, of the engine or of who stands in its place.
  double broker_cpu_us = 0;  // Likewise.
};

Figures MeasureReports(const Sizes& sizes, const BenchBroker& broker, Devices& devices,
                       const std::atomic<uint64_t>& taken) {
  const double cpu = ProcessCpuSeconds() - ThreadCpuSeconds();
  const double broker_cpu = broker.CpuSeconds();
  const double seconds = SecondsOf([&] { devices.Report(sizes.reports, sizes.in_flight, taken); });
  const auto count = static_cast<double>(sizes.reports);
  return {count / seconds, (ProcessCpuSeconds() - ThreadCpuSeconds() - cpu) * 1e6 / count,
          (broker.CpuSeconds() - broker_cpu) * 1e6 / count};
}

Figures ThroughTheEngine(const Sizes& sizes, const std::string& dir) {
  BenchBroker broker(
      {.plugin = sizes.plugin, .devices = sizes.devices, .write_credentials = false});
  std::atomic<uint64_t> durable = 0;
  std::mutex mutex;
  std::unique_ptr<MqttAdapter> adapter;  // Guarded by the mutex against on_commit.
  EngineHost host(dir);
  host.MakeFleet(sizes.devices);
  {
    std::lock_guard lock(mutex);
    adapter =
        OrDie(MqttAdapter::Start(host.engine(), {.port = broker.port(),
                                                 .user = std::string(kEngineUserName),
                                                 .password = std::string(kBenchEnginePassword),
                                                 .public_url = "http://127.0.0.1:8080",
                                                 .link_key = std::string(32, 'k'),
                                                 .credentials_dir = broker.credentials()}),
              "start the adapter");
  }
  host.on_commit = [&](Seq last) {
    durable = last.value();
    std::lock_guard lock(mutex);
    if (adapter) adapter->OnCommit(last);
  };
  Await("bring the gate into step", [&] {
    MqttStats stats = adapter->Stats();
    return stats.link.connected && stats.credentials_in_step &&
           stats.credentials.followed >= host.engine().log().head().last.value();
  });
  Devices devices(broker, sizes.devices);
  devices.SendVersions("1.0.0");
  CreateBatch batch = host.WholeFleet(host.MakePackage("2.0.0"));
  host.Do(batch);
  Await("push to all devices", [&] {
    devices.Receive(0);
    return adapter->Stats().link.session.pushes >= sizes.devices;
  });
  devices.Report(2 * static_cast<int64_t>(sizes.devices), sizes.in_flight,
                 durable);  // The first begin the upgrades.
  // From here on an event is a report, but for a digest now and then.
  Await("take all that was said", [&] {
    devices.Receive(0);
    const SessionStats stats = adapter->Stats().link.session;
    return stats.answered == stats.commands && stats.messages >= 4 * sizes.devices;
  });
  Figures figures = MeasureReports(sizes, broker, devices, durable);
  adapter->Stop();
  std::lock_guard lock(mutex);
  adapter.reset();
  return figures;
}

// libmosquitto as everybody uses it: its own loop on its own thread, a callback that counts.
Figures ToIdleSubscriber(const Sizes& sizes) {
  BenchBroker broker({.plugin = sizes.plugin, .devices = sizes.devices});
  mosquitto_lib_init();
  std::atomic<uint64_t> taken = 0;
  std::atomic<bool> subscribed = false;
  struct State {
    std::atomic<uint64_t>& taken;
    std::atomic<bool>& subscribed;
  } state{taken, subscribed};
  mosquitto* client = mosquitto_new("idle", /*clean_session=*/false, &state);
  mosquitto_username_pw_set(client, std::string(kEngineUserName).c_str(),
                            std::string(kBenchEnginePassword).c_str());
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, 1'000);
  mosquitto_subscribe_callback_set(client, [](mosquitto*, void* self, int, int, const int*) {
    static_cast<State*>(self)->subscribed = true;
  });
  mosquitto_message_callback_set(
      client, [](mosquitto*, void* self, const mosquitto_message* message) {
        if (std::string_view(message->topic).starts_with("updraft/up/progress/")) {
          static_cast<State*>(self)->taken.fetch_add(1, std::memory_order_relaxed);
        }
      });
  Assert(mosquitto_connect(client, "127.0.0.1", broker.port(), 60) == MOSQ_ERR_SUCCESS,
         "the subscriber cannot connect");
  mosquitto_loop_start(client);
  mosquitto_subscribe(client, nullptr, std::string(kGateAllFilter).c_str(), 1);
  Await("subscribe", [&] { return subscribed.load(); });
  Figures figures;
  {
    Devices devices(broker, sizes.devices);
    devices.Report(2 * static_cast<int64_t>(sizes.devices), sizes.in_flight, taken);
    figures = MeasureReports(sizes, broker, devices, taken);
  }
  mosquitto_disconnect(client);
  mosquitto_loop_stop(client, /*force=*/true);
  mosquitto_destroy(client);
  mosquitto_lib_cleanup();
  return figures;
}

std::string FindPlugin() {
  if (const char* named = std::getenv("UPDRAFT_PLUGIN")) return named;
  std::error_code error;
  std::filesystem::path build =
      std::filesystem::read_symlink("/proc/self/exe", error).parent_path().parent_path();
  return build / "adapters/broker_plugin/updraft_broker_plugin.so";
}

int Main(int argc, char** argv) {
  Bench bench("mqtt", argc, argv, "sync=fdatasync");
  Sizes sizes;
  sizes.plugin = FindPlugin();
  if (!std::filesystem::exists(sizes.plugin)) {
    bench.Skip("there is no gate at " + sizes.plugin);
    return 77;
  }
  sizes.devices = bench.Parameter("devices", 4, 1'000);
  sizes.reports = static_cast<int64_t>(bench.Parameter("reports", 400, 200'000));
  sizes.in_flight = static_cast<int64_t>(bench.Parameter("in_flight", 100, 900));

  Figures engine, idle;
  auto engine_side = [&] {
    engine = ThroughTheEngine(sizes, bench.NewDir());
    return Sample{engine.reports_per_second, 0};
  };
  auto idle_side = [&] {
    idle = ToIdleSubscriber(sizes);
    return Sample{idle.reports_per_second, 0};
  };
  bench.Compare("reports/s", {},
                {{"updraft", engine_side}, {"idle_subscriber", idle_side, AtLeast(0.9)}});
  // Where the time of the last round went.
  bench.Tell("updraft_cpu_us", {}, {engine.taker_cpu_us, 0});
  bench.Tell("idle_subscriber_cpu_us", {}, {idle.taker_cpu_us, 0});
  bench.Tell("broker_cpu_us_for_updraft", {}, {engine.broker_cpu_us, 0});
  bench.Tell("broker_cpu_us_for_idle_subscriber", {}, {idle.broker_cpu_us, 0});
  return 0;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Main(argc, argv); }
