#include "adapters/cli/host.h"

#include <future>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "adapters/cli/broker_files.h"
#include "adapters/http/metrics.h"
#include "adapters/wire/gate_topics.h"
#include "engine/clock.h"
#include "events/base/log_line.h"
#include "projections/side_values.h"
#include "projections/world.h"

namespace updraft {
namespace {

constexpr size_t kCallBytesMax = 1 << 20;

struct KeySight {
  bool any = false;
  std::string first_id;  // Of the first formal key that works.
  KeyId first;
};

KeySight LookAtKeys(const World& world) {
  KeySight sight;
  for (uint32_t k = 1; k <= world.keys().size(); ++k) {
    const Key& key = world.keys()[KeyId(k)];
    if (key.deleted || !key.formal || !key.enabled) continue;
    if (!sight.any) sight = {true, key.access_key_id, KeyId(k)};
  }
  return sight;
}

}  // namespace

Result<std::unique_ptr<Host>> Host::Start(const HostOptions& options) {
  std::unique_ptr<Host> host(new Host(options));
  RETURN_IF_ERROR(host->installation_.Prepare());
  RETURN_IF_ERROR(BrokerFiles(host->installation_.broker_dir()).Prepare());
  RETURN_IF_ERROR(host->OpenEngine());
  RETURN_IF_ERROR(host->MakeFirstKey());
  RETURN_IF_ERROR(host->StartHttp());
  RETURN_IF_ERROR(host->StartBroker());
  RETURN_IF_ERROR(host->StartMqtt());
  host->sweep_ = std::make_unique<FileSweep>(*host->engine_, *host->files_);
  host->up_ = true;
  host->run_.pid = getpid();
  RETURN_IF_ERROR(host->installation_.WriteRunFile(host->run_));
  return host;
}

Host::~Host() {
  if (engine_) installation_.RemoveRunFile();
  {
    std::lock_guard lock(fanout_->mutex);
    fanout_->mqtt = nullptr;
    fanout_->stream = nullptr;
  }
  // What devices and consoles say no more is taken; what they said is answered; then the log ends.
  sweep_.reset();
  if (mqtt_) mqtt_->Stop();
  if (stream_) stream_->Stop();
  if (http_) http_->Stop();
  if (explainer_) explainer_->Stop();
  if (engine_) engine_->Stop();
  stream_.reset();
  mqtt_.reset();
  api_.reset();
  registration_.reset();
  broker_.reset();
}

Status Host::OpenEngine() {
  EngineOptions options;
  options.data_dir = options_.data_dir;
  options.engine_number = options_.engine_number;
  options.repeats_per_second = options_.repeats_per_second;
  options.verification_timeout_minutes = options_.verification_timeout_minutes;
  options.packages_max = options_.packages_max;
  options.devices_per_batch_max = options_.devices_per_batch_max;
  options.checkpoint_events = options_.checkpoint_events;
  options.on_checkpoint = [figures = figures_](Seq last, const Status& made, int64_t us) {
    figures->OnCheckpoint(last, made, us);
  };
  options.on_commit = [figures = figures_, fanout = fanout_](Seq last, uint32_t events,
                                                             size_t bytes, int64_t us) {
    figures->OnCommit(events, bytes, us);
    std::lock_guard lock(fanout->mutex);
    if (fanout->mqtt != nullptr) fanout->mqtt->OnCommit(last);
    if (fanout->stream != nullptr) fanout->stream->OnCommit(last);
  };
  options.on_sync = [figures = figures_](int64_t us) { figures->OnSync(us); };
  int64_t told = 0;
  options.on_recovery = [&told](Seq last) {
    constexpr int64_t kBetween = 1'000'000;
    if (static_cast<int64_t>(last.value()) - told < kBetween) return;
    told = static_cast<int64_t>(last.value());
    LogInfo("reading the log", {{"events", told}});
  };
  ASSIGN_OR_RETURN(engine_, Engine::Open(std::move(options)));
  return OkStatus();
}

Outcome Host::Ask(Command command) {
  auto promise = std::make_shared<std::promise<Outcome>>();
  std::future<Outcome> answer = promise->get_future();
  Status status =
      engine_->Submit(std::move(command), [promise](const Outcome& o) { promise->set_value(o); });
  return status.ok() ? answer.get() : Outcome{status, {}};
}

// A fresh service has one key, whose secret is in a file for the operator. The file can be made
// again from the sidecar for as long as the key works.
Status Host::MakeFirstKey() {
  auto seen = std::make_shared<std::promise<KeySight>>();
  RETURN_IF_ERROR(engine_->Read([seen](const World& world) -> Engine::Finish {
    return [seen, sight = LookAtKeys(world)](const Status&) { seen->set_value(sight); };
  }));
  KeySight sight = seen->get_future().get();
  if (!sight.any) {
    Outcome made = Ask(CreateKey{.formal = true, .note = "first"});
    if (!made.ok()) return made.status;
    const auto& key = std::get<CreatedKey>(made.answer);
    return installation_.WriteAccessKey({key.access_key_id, key.secret});
  }
  if (installation_.ReadAccessKey().ok()) return OkStatus();
  ASSIGN_OR_RETURN(std::string secret, engine_->log().ReadSide(SideKeyOfKey(sight.first)));
  return installation_.WriteAccessKey({sight.first_id, secret});
}

std::string Host::PublicUrl() const {
  return options_.public_url.empty() ? "http://" + run_.http : options_.public_url;
}

Status Host::StartHttp() {
  std::string link_key = installation_.KeyFor("links");
  ASSIGN_OR_RETURN(files_, PostedFiles::Open(installation_.files_dir(), link_key, SystemClock()));
  OpenApiOptions api;
  api.public_url = [this] { return PublicUrl(); };
  api.object_id_key = installation_.KeyFor("object ids");
  api.link_key = link_key;
  api.engine_number = options_.engine_number;
  api.language = options_.language;
  api.rate_factor = options_.rate_factor;
  api.wall_now_ms = [] { return SystemClock().WallUs() / 1'000; };
  explainer_ = std::make_unique<ExplainWorker>(engine_->log(), installation_.checkpoint_dir());
  api.explain = [this](TaskId task, Explained done) { explainer_->Ask(task, std::move(done)); };
  api_ = std::make_unique<OpenApi>(*engine_, *files_, std::move(api));
  registration_ = std::make_unique<DeviceRegistration>(*engine_);
  stream_ = std::make_unique<EventStream>(engine_->log());
  {
    std::lock_guard lock(fanout_->mutex);
    fanout_->stream = stream_.get();
  }

  HttpServerOptions options;
  options.address = options_.http.host;
  options.port = options_.http.port;
  options.connections_max = options_.connections_max;
  options.connections_per_address_max = options_.connections_per_address_max;
  http_ = std::make_unique<HttpServer>(options);
  http_->Route("/", {"GET", "POST"},
               AnswerCalls(
                   [this](HttpRequest request, HttpRespond respond) {
                     api_->Handle(std::move(request), std::move(respond));
                   },
                   kCallBytesMax));
  http_->RouteBelow("/device-lists/", {"GET"},
                    AnswerCalls(
                        [this](HttpRequest request, HttpRespond respond) {
                          api_->HandleDeviceLists(std::move(request), std::move(respond));
                        },
                        kCallBytesMax));
  http_->Route("/auth/register/device", {"POST"},
               AnswerCalls(
                   [this](HttpRequest request, HttpRespond respond) {
                     registration_->Handle(std::move(request), std::move(respond));
                   },
                   kCallBytesMax));
  http_->Route("/upload", {"POST"},
               ServeUploads([this](const UploadForm& form) { return files_->BeginUpload(form); },
                            kPackageBytesMax));
  http_->RouteBelow("/d/", {"GET"},
                    ServeDownloads([this](std::string_view path, std::string_view query) {
                      return files_->OpenDownload(path, query);
                    }));
  http_->Route("/events", {"GET"},
               ServeFeeds([this](HttpRequest request, std::unique_ptr<EventFeed> feed) {
                 Follow(std::move(request), std::move(feed));
               }));
  http_->Route("/metrics", {"GET"}, AnswerCalls(AnswerMetrics(figures_), kCallBytesMax));
  http_->Route("/healthz", {"GET"}, AnswerCalls(AnswerHealth(), kCallBytesMax));
  http_->Route(
      "/readyz", {"GET"},
      AnswerCalls(AnswerReadiness([this] { return ReasonsNotReadyYet(); }), kCallBytesMax));
  AddFigures();
  ASSIGN_OR_RETURN(uint16_t port, http_->Start());
  run_.http = HostPort{options_.http.host, port}.ToString();
  return OkStatus();
}

Status Host::StartBroker() {
  broker_address_ = options_.mqtt;
  if (!options_.with_broker) return OkStatus();
  BrokerFiles files(installation_.broker_dir());
  std::optional<LeftoverBroker> leftover =
      FindLeftoverBroker(files.pid_path(), files.config_path());
  HostPort address = *options_.with_broker;
  if (leftover && address.port != 0 && address.port != leftover->port) {
    EndProcess(leftover->pid);
    leftover.reset();
  }
  if (leftover) address.port = leftover->port;
  if (address.port == 0) {
    ASSIGN_OR_RETURN(address.port, FindFreePort(address.host));
  }
  broker_address_ = address;
  ASSIGN_OR_RETURN(std::string config, files.MakeConfig(address.host, address.port));
  if (leftover && config != files.ReadConfig()) {
    LogInfo("the broker that a former run left has another configuration; it is started again",
            {{"pid", leftover->pid}});
    EndProcess(leftover->pid);
    leftover.reset();
  }
  BrokerChildOptions options;
  options.config_path = files.config_path();
  options.log_path = files.log_path();
  options.pid_path = files.pid_path();
  options.host = address.host;
  options.port = address.port;
  broker_ = std::make_unique<BrokerChild>(std::move(options));
  if (leftover) {
    LogInfo("going on with the broker that a former run left", {{"pid", leftover->pid}});
    Status adopted = broker_->Adopt(leftover->pid);
    if (adopted.ok()) return OkStatus();
    LogWarn("it cannot be gone on with; another one is started", {{"why", adopted.message()}});
  }
  RETURN_IF_ERROR(files.WriteConfig(config));
  return broker_->Start();
}

Status Host::StartMqtt() {
  if (!broker_address_) return OkStatus();
  run_.mqtt = broker_address_->ToString();
  BrokerFiles files(installation_.broker_dir());
  MqttOptions options;
  options.host = broker_address_->host;
  options.port = broker_address_->port;
  if (options_.with_broker || options_.gate) {
    options.user = kEngineUserName;
    ASSIGN_OR_RETURN(options.password, files.ReadPassword());
    options.credentials_dir = files.credentials_dir();
  } else {
    options.path = MqttPath::kDirect;
  }
  options.public_url = PublicUrl();
  options.link_key = installation_.KeyFor("links");
  options.engine_number = options_.engine_number;
  ASSIGN_OR_RETURN(mqtt_, MqttAdapter::Start(*engine_, options));
  {
    std::lock_guard lock(fanout_->mutex);
    fanout_->mqtt = mqtt_.get();
  }
  // A private broker is there, so that the link stands in a moment.
  constexpr int64_t kPatienceUs = 10'000'000;
  int64_t until_us = SystemClock().MonotonicUs() + kPatienceUs;
  while (options_.with_broker && !ReasonsNotReady().empty() &&
         SystemClock().MonotonicUs() < until_us) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return OkStatus();
}

}  // namespace updraft
