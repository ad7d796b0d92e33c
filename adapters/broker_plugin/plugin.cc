// The gate as mosquitto sees it: the three functions and the callbacks of its plugin interface,
// version 5. Everything is called on the broker's one thread.
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <mosquitto.h>
// The plugin interface's headers need the one above.
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include "adapters/broker_plugin/epoch.h"
#include "adapters/broker_plugin/gate.h"
#include "adapters/wire/gate_topics.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

uint64_t WallClockMs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count());
}

void Log(int level, const std::string& line) {
  mosquitto_log_printf(level, "updraft: %s", line.c_str());
}

class Mosquitto : public Broker {
 public:
  void Publish(const std::string& topic, std::string_view payload, int qos, bool retain) override {
    Send(nullptr, topic, payload, qos, retain);
  }
  void Deliver(const std::string& client_id, const std::string& topic, std::string_view payload,
               int qos) override {
    Send(client_id.c_str(), topic, payload, qos, /*retain=*/false);
  }
  void Disconnect(const std::string& client_id) override {
    mosquitto_kick_client_by_clientid(client_id.c_str(), /*with_will=*/false);
  }
  void Warn(const std::string& line) override { Log(MOSQ_LOG_WARNING, line); }

 private:
  // The broker takes the copy over. mosquitto_broker_publish_copy() would make it with memory that
  // the broker's own accounting does not know.
  static void Send(const char* client_id, const std::string& topic, std::string_view payload,
                   int qos, bool retain) {
    void* copy = payload.empty() ? nullptr : mosquitto_malloc(payload.size());
    if (copy != nullptr) {
      std::memcpy(copy, payload.data(), payload.size());
    } else if (!payload.empty()) {
      return Log(MOSQ_LOG_ERR, "out of memory, a message is lost");
    }
    int error = mosquitto_broker_publish(client_id, topic.c_str(), static_cast<int>(payload.size()),
                                         copy, qos, retain, /*properties=*/nullptr);
    if (error != MOSQ_ERR_SUCCESS) {
      mosquitto_free(copy);
      Log(MOSQ_LOG_ERR, "a message is lost: " + topic);
    }
  }
};

// One broker, one plugin.
struct Plugin {
  mosquitto_plugin_id_t* id = nullptr;
  GateOptions options;
  Mosquitto broker;
  std::unique_ptr<Gate> gate;
  // From a SIGHUP to the end of the broker's turn.
  bool reloading = false;
};

// mosquitto is C: nothing may be thrown into it. What throws here is memory running out.
template <class Callback>
int Guarded(int otherwise, const Callback& callback) noexcept {
  try {
    return callback();
  } catch (const std::exception& e) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "updraft: %s", e.what());
    return otherwise;
  }
}

std::string_view TextOf(const char* text) { return text == nullptr ? "" : text; }

std::optional<std::string_view> MaybeTextOf(const char* text) {
  if (text == nullptr) return std::nullopt;
  return text;
}

// mosquitto 2.0 has no call for it. The id is the broker's own copy of what the client sent, and is
// looked at again only after BASIC_AUTH, when it becomes the key of the session. It is overwritten
// where it lies: whoever is accepted came with one at least as long.
void Rename(const mosquitto* client, const std::string& client_id) {
  char* id = const_cast<char*>(mosquitto_client_id(client));
  std::memcpy(id, client_id.c_str(), client_id.size() + 1);
}

// On SIGHUP the broker asks again for every session it has, with the client id that it goes by now.
// That is no CONNECT, and refusing a session without a connection would have it closed twice.
// Websocket clients are served before the reload is over, so theirs may be a CONNECT.
bool IsAskedAgain(Plugin& plugin, const mosquitto* client) {
  return plugin.reloading &&
         (plugin.gate->Knows(client) || mosquitto_client_protocol(client) != mp_websockets);
}

int OnBasicAuth(int, void* event, void* userdata) noexcept {
  return Guarded(MOSQ_ERR_AUTH, [&]() -> int {
    auto& plugin = *static_cast<Plugin*>(userdata);
    const auto& auth = *static_cast<const mosquitto_evt_basic_auth*>(event);
    if (IsAskedAgain(plugin, auth.client)) return MOSQ_ERR_SUCCESS;
    ConnectRequest request = {
        .client_id = TextOf(mosquitto_client_id(auth.client)),
        .user_name = MaybeTextOf(auth.username),
        .password = MaybeTextOf(auth.password),
        .ip = TextOf(mosquitto_client_address(auth.client)),
        .keepalive_seconds = static_cast<uint32_t>(mosquitto_client_keepalive(auth.client)),
    };
    Admission admission = plugin.gate->Connect(auth.client, request, NowMs());
    if (!admission.refusal.empty()) return MOSQ_ERR_AUTH;
    if (!admission.engine) Rename(auth.client, GateClientId(admission.key));
    return MOSQ_ERR_SUCCESS;
  });
}

int OnAclCheck(int, void* event, void* userdata) noexcept {
  return Guarded(MOSQ_ERR_ACL_DENIED, [&]() -> int {
    auto& plugin = *static_cast<Plugin*>(userdata);
    const auto& check = *static_cast<const mosquitto_evt_acl_check*>(event);
    Access access;
    switch (check.access) {
      case MOSQ_ACL_WRITE:
        access = Access::kPublish;
        break;
      case MOSQ_ACL_READ:
        // Asked for the session of an engine that is away too, which is no connection of the gate.
        if (TextOf(mosquitto_client_username(check.client)) == kEngineUserName) {
          return MOSQ_ERR_SUCCESS;
        }
        access = Access::kReceive;
        break;
      case MOSQ_ACL_SUBSCRIBE:
        access = Access::kSubscribe;
        break;
      default:
        return MOSQ_ERR_SUCCESS;  // To unsubscribe.
    }
    AccessRequest request = {
        .access = access,
        .topic = check.topic,
        .subscriptions = static_cast<uint32_t>(mosquitto_client_sub_count(check.client))};
    return plugin.gate->Allows(check.client, request, NowMs()) ? MOSQ_ERR_SUCCESS
                                                               : MOSQ_ERR_ACL_DENIED;
  });
}

int OnMessage(int, void* event, void* userdata) noexcept {
  return Guarded(MOSQ_ERR_ACL_DENIED, [&]() -> int {
    auto& plugin = *static_cast<Plugin*>(userdata);
    auto& message = *static_cast<mosquitto_evt_message*>(event);
    std::string_view payload(static_cast<const char*>(message.payload), message.payloadlen);
    Verdict verdict = plugin.gate->Publish(
        message.client, {.topic = message.topic, .payload = payload, .qos = message.qos}, NowMs());
    // A device has no use for it, and could fill the broker's memory.
    if (!plugin.gate->IsEngine(message.client)) message.retain = false;
    switch (verdict) {
      case Verdict::kPass:
        return MOSQ_ERR_SUCCESS;
      case Verdict::kTaken:
        // To drop a message is to deny it. MQTT 5 would tell the client so; there it goes on, to
        // nobody, as none but the engine could be subscribed to it.
        if (message.qos > 0 && mosquitto_client_protocol_version(message.client) == 5) {
          return MOSQ_ERR_SUCCESS;
        }
        return MOSQ_ERR_ACL_DENIED;
      case Verdict::kDeny:
        return MOSQ_ERR_ACL_DENIED;
    }
    Unreachable();
  });
}

int OnDisconnect(int, void* event, void* userdata) noexcept {
  return Guarded(MOSQ_ERR_SUCCESS, [&]() -> int {
    static_cast<Plugin*>(userdata)->gate->Disconnected(
        static_cast<const mosquitto_evt_disconnect*>(event)->client);
    return MOSQ_ERR_SUCCESS;
  });
}

int OnTick(int, void*, void* userdata) noexcept {
  return Guarded(MOSQ_ERR_SUCCESS, [&]() -> int {
    auto& plugin = *static_cast<Plugin*>(userdata);
    plugin.reloading = false;
    plugin.gate->Tick(NowMs());
    return MOSQ_ERR_SUCCESS;
  });
}

// The options are read at the start only: mosquitto hands none over here.
int OnReload(int, void*, void* userdata) noexcept {
  return Guarded(MOSQ_ERR_SUCCESS, [&]() -> int {
    auto& plugin = *static_cast<Plugin*>(userdata);
    plugin.reloading = true;
    Result<std::string> password = ReadEnginePassword(plugin.options.engine_password_file);
    if (password.ok()) {
      plugin.gate->SetEnginePassword(*std::move(password));
    } else {
      Log(MOSQ_LOG_WARNING, password.status().message() + ", the old one stays");
    }
    return MOSQ_ERR_SUCCESS;
  });
}

constexpr std::pair<int, MOSQ_FUNC_generic_callback> kCallbacks[] = {
    {MOSQ_EVT_BASIC_AUTH, OnBasicAuth},
    {MOSQ_EVT_ACL_CHECK, OnAclCheck},
    {MOSQ_EVT_MESSAGE, OnMessage},
    {MOSQ_EVT_DISCONNECT, OnDisconnect},
    {MOSQ_EVT_TICK, OnTick},
    {MOSQ_EVT_RELOAD, OnReload},
};

Status Start(Plugin& plugin, const mosquitto_opt* options, int count) {
  std::vector<std::pair<std::string_view, std::string_view>> given;
  for (int i = 0; i < count; ++i) given.emplace_back(options[i].key, TextOf(options[i].value));
  ASSIGN_OR_RETURN(plugin.options, ParseGateOptions(given));
  ASSIGN_OR_RETURN(std::string password, ReadEnginePassword(plugin.options.engine_password_file));
  const BrokerEpoch begun = BeginEpoch(plugin.options.credentials + "/broker-epoch", WallClockMs());
  if (!begun.kept.ok()) Log(MOSQ_LOG_WARNING, std::string(begun.kept.message()));
  plugin.gate = std::make_unique<Gate>(plugin.options, std::move(password), begun.epoch,
                                       UPDRAFT_VERSION, plugin.broker);
  for (const auto& [event, callback] : kCallbacks) {
    int error = mosquitto_callback_register(plugin.id, event, callback, nullptr, &plugin);
    if (error != MOSQ_ERR_SUCCESS) {
      return Status(StatusCode::kInternal, fmt::format("event {} is not to be had", event));
    }
  }
  return OkStatus();
}

}  // namespace
}  // namespace updraft

extern "C" {

[[gnu::visibility("default")]] int mosquitto_plugin_version(int count, const int* supported) {
  for (int i = 0; i < count; ++i) {
    if (supported[i] == MOSQ_PLUGIN_VERSION) return MOSQ_PLUGIN_VERSION;
  }
  return -1;
}

[[gnu::visibility("default")]] int mosquitto_plugin_init(mosquitto_plugin_id_t* id, void** userdata,
                                                         mosquitto_opt* options, int count) {
  using namespace updraft;
  return Guarded(MOSQ_ERR_UNKNOWN, [&]() -> int {
    auto plugin = std::make_unique<Plugin>();
    plugin->id = id;
    if (Status status = Start(*plugin, options, count); !status.ok()) {
      Log(MOSQ_LOG_ERR, status.message());
      return MOSQ_ERR_INVAL;
    }
    *userdata = plugin.release();
    return MOSQ_ERR_SUCCESS;
  });
}

[[gnu::visibility("default")]] int mosquitto_plugin_cleanup(void* userdata, mosquitto_opt*, int) {
  using namespace updraft;
  auto* plugin = static_cast<Plugin*>(userdata);
  for (const auto& [event, callback] : kCallbacks) {
    mosquitto_callback_unregister(plugin->id, event, callback, nullptr);
  }
  delete plugin;
  return MOSQ_ERR_SUCCESS;
}

}  // extern "C"
