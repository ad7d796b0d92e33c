// The whole service: engine, API, files, broker link and HTTP server, wired together. `updraft
// serve` is a command line around it.
//
// Thread-safety: one thread starts and stops it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "adapters/cli/broker_child.h"
#include "adapters/cli/event_stream.h"
#include "adapters/cli/explain_worker.h"
#include "adapters/cli/figures.h"
#include "adapters/cli/file_sweep.h"
#include "adapters/cli/host_options.h"
#include "adapters/cli/installation.h"
#include "adapters/cli/posted_files.h"
#include "adapters/http/server.h"
#include "adapters/mqtt/adapter.h"
#include "adapters/openapi/openapi.h"
#include "adapters/registration/device_registration.h"
#include "engine/updraft.h"

namespace updraft {

class Host {
 public:
  // Returns when the service serves. The message of a failure says what to do.
  static Result<std::unique_ptr<Host>> Start(const HostOptions& options);
  // Answers what was asked, and ends everything in order.
  ~Host();

  const RunFile& addresses() const { return run_; }
  // To be called about once a second.
  void Tick();

 private:
  // Who is told of commits; filled as they come to be, while the log's thread runs already.
  struct Fanout {
    std::mutex mutex;
    MqttAdapter* mqtt = nullptr;
    EventStream* stream = nullptr;
  };

  explicit Host(const HostOptions& options) : options_(options), installation_(options.data_dir) {}

  Status OpenEngine();
  Status MakeFirstKey();
  Status StartHttp();
  Status StartBroker();
  Status StartMqtt();
  void AddFigures();
  std::vector<std::string> ReasonsNotReady() const;
  std::vector<std::string> ReasonsNotReadyYet() const;
  std::string PublicUrl() const;
  Outcome Ask(Command command);
  void Follow(HttpRequest request, std::shared_ptr<EventFeed> feed);

  // Set when all is wired: until then the HTTP server's thread looks at nothing of it.
  std::atomic<bool> up_ = false;

  const HostOptions options_;
  Installation installation_;
  RunFile run_;
  std::shared_ptr<Figures> figures_ = std::make_shared<Figures>();
  std::shared_ptr<Fanout> fanout_ = std::make_shared<Fanout>();
  std::unique_ptr<PostedFiles> files_;
  std::unique_ptr<OpenApi> api_;
  std::unique_ptr<DeviceRegistration> registration_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<FileSweep> sweep_;
  std::unique_ptr<ExplainWorker> explainer_;
  std::unique_ptr<EventStream> stream_;
  std::unique_ptr<HttpServer> http_;
  std::optional<HostPort> broker_address_;
  std::unique_ptr<BrokerChild> broker_;
  std::unique_ptr<MqttAdapter> mqtt_;
};

}  // namespace updraft
