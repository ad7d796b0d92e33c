// The console's API: `Iot`, version 2018-01-20, as published by the service that this engine
// replaces, so that its SDKs and scripts work with only the endpoint changed. What it offers is
// listed in README.md beside this file, made from the same table that routes the calls.
//
//   OpenApi api(engine, files, options);
//   routes.Add("/", [&](HttpRequest q, HttpRespond r) { api.Handle(std::move(q), std::move(r)); });
//
// It parses a signed call, offers a command to the engine or looks at its world, and renders JSON.
// It holds no rules, and nothing that must survive a restart.
//
// Thread-safety: Handle may be called from any thread; everything after the parsing runs on the
// engine's completion thread. Lifetime: stop the engine before the OpenApi is destroyed; `engine`
// and `files` outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/openapi/package_files.h"
#include "adapters/wire/http_message.h"
#include "adapters/wire/url_coding.h"
#include "engine/updraft.h"
#include "events/base/ids.h"
#include "events/base/status.h"

namespace updraft {

enum class Language { kChinese, kEnglish };

// One step of a task's life in words, for ExplainOTATask.
struct ExplainedEvent {
  Seq seq;
  int64_t time_ms = 0;
  std::string text;
};
using Explained = std::function<void(Result<std::vector<ExplainedEvent>>)>;
// Finds out why a task is in its state. Called on the engine's completion thread, so it answers
// later if it has to read.
using Explainer = std::function<void(TaskId task, Explained done)>;

struct OpenApiOptions {
  // How clients reach this server, `http://HOST:PORT`: the base of upload and download URLs. Asked
  // at each use: a port may be known only after a server has begun to listen.
  std::function<std::string()> public_url;
  std::string upload_path = "/upload";
  std::string device_lists_path = "/device-lists";  // Where HandleDeviceLists is.
  std::string object_id_key;                        // Of this installation, as ObjectIds has it.
  std::string link_key;  // Signs upload tickets and download URLs (signed_url.h).
  uint16_t engine_number = 1;
  Language language = Language::kEnglish;  // Of TaskDesc.
  // What the vendor documents for an action, times this, is the calls a second that a key has.
  uint32_t rate_factor = 10;             // 0 is no limit.
  std::function<int64_t()> wall_now_ms;  // Milliseconds since 1970.
  Explainer explain;                     // ExplainOTATask is refused without.
};

class OpenApi {
 public:
  OpenApi(Engine& engine, PackageFiles& files, OpenApiOptions options);
  ~OpenApi();

  void Handle(HttpRequest request, HttpRespond respond);

  // For the stream of events, which is guarded as an action is: checks a signed request as a formal
  // key's call of `FollowEvents`. Either `admitted` is called, with the key and the parameters, or
  // `refuse`; once, on any thread.
  using Admitted = std::function<void(KeyId, const Parameters&)>;
  void Follow(HttpRequest request, Admitted admitted, HttpRespond refuse);

  // How often each code was the answer; the codes are a fixed few. Thread-safe.
  std::map<std::string, uint64_t, std::less<>> Refusals() const;

  // For GET below device_lists_path: `/template.csv`, and what was wrong with a list, by the link
  // that the refusal told. Thread-safe.
  void HandleDeviceLists(HttpRequest request, HttpRespond respond);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace updraft
