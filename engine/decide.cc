#include "engine/decide.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/decide_internal.h"
#include "events/base/assert.h"
#include "events/base/bytes.h"

namespace updraft {

namespace {

// A guest's key shows products and devices; whatever changes something is a formal user's.
Status CheckCaller(const World& world, KeyId by) {
  if (!by) return OkStatus();
  const Key& key = world.keys()[by];
  if (!key.deleted && key.enabled && key.formal) return OkStatus();
  bool works = !key.deleted && key.enabled;
  return Status(StatusCode::kPermissionDenied, refusal::kFormalUserOnly,
                works ? "the access key is a guest's, who may only look at products and devices; "
                        "an operator can promote the key to a formal user's"
                      : "the access key does not work any more; use another one");
}

Outcome DecideAnew(Turn& turn, const Limits& limits, const Command& command) {
  return std::visit(
      [&]<class C>(const C& c) -> Outcome {
        if constexpr (std::is_same_v<C, TakePushes>) {
          Assert(false, "the engine answers TakePushes when a push is due");
          return {};
        } else if constexpr (requires { DecideOn(turn, limits, c); }) {
          return DecideOn(turn, limits, c);
        } else {
          return DecideOn(turn, c);
        }
      },
      command);
}

}  // namespace

Outcome Decide(Turn& turn, const Limits& limits, const Command& command, const ClientToken& token) {
  if (Status status = CheckCaller(turn.world(), turn.by()); !status.ok()) {
    return Outcome{std::move(status), {}};
  }
  if (std::optional<Outcome> told = AnswerRepeat(turn, token)) return *std::move(told);
  Outcome outcome = DecideAnew(turn, limits, command);
  if (outcome.ok()) NoteToken(turn, token, outcome.answer);
  return outcome;
}

Outcome Refuse(StatusCode code, std::string_view reason, std::string message) {
  return Outcome{Status(code, reason, std::move(message)), {}};
}

Result<ProductId> RequireProduct(const World& world, std::string_view key) {
  if (ProductId id = world.FindProduct(key)) return id;
  return Status(StatusCode::kNotFound, refusal::kUnknownProduct,
                fmt::format("there is no product with the key '{}'", key));
}

Result<ModuleId> RequireModule(const World& world, ProductId product, std::string_view name) {
  ModuleId id = world.FindModule(product, name.empty() ? kDefaultModule : name);
  if (id && world.modules()[id].registered) return id;
  return Status(StatusCode::kNotFound, refusal::kUnknownModule,
                fmt::format("product '{}' has no module '{}'; create it first",
                            world.products()[product].key, name));
}

Result<DeviceId> RequireDevice(const World& world, const DeviceRef& ref) {
  DeviceId id = ref.id;
  if (!id) {
    if (ProductId product = world.FindProduct(ref.product_key)) {
      id = world.names().Find(product, ref.name);
    }
  }
  if (world.devices().Has(id) && !world.devices()[id].deleted) return id;
  return Status(StatusCode::kNotFound, refusal::kUnknownDevice,
                fmt::format("product '{}' has no device '{}'", ref.product_key, ref.name));
}

Result<PackageId> RequirePackage(const World& world, PackageId id) {
  if (world.packages().Has(id) && !world.packages()[id].deleted) return id;
  return Status(StatusCode::kNotFound, refusal::kUnknownPackage, "there is no such package");
}

Result<BatchId> RequireBatch(const World& world, BatchId id) {
  if (world.batches().Has(id)) return id;
  return Status(StatusCode::kNotFound, refusal::kUnknownBatch, "there is no such batch");
}

namespace {}  // namespace

size_t ModulesOf(const World& world, DeviceId device) {
  size_t count = 0;
  for (InstalledId i = world.devices()[device].newest_installed; i;
       i = world.installed()[i].older) {
    ++count;
  }
  return count;
}

Status CheckReport(const World& world, DeviceId device, std::string_view module_name,
                   std::string_view version) {
  ProductId product = world.devices()[device].product;
  if (version.empty() || version.size() > kVersionBytesMax || !IsValidUtf8(version)) {
    return Status(StatusCode::kInvalidArgument, refusal::kVersionMalformed,
                  fmt::format("a version has 1 to {} bytes of UTF-8", kVersionBytesMax));
  }
  if (module_name.size() > kReportedModuleBytesMax || !IsValidUtf8(module_name)) {
    return Status(StatusCode::kInvalidArgument, refusal::kModuleNameMalformed,
                  fmt::format("a module that is reported has a name of at most {} bytes of UTF-8",
                              kReportedModuleBytesMax));
  }
  ModuleId module = world.FindModule(product, module_name.empty() ? kDefaultModule : module_name);
  bool new_on_device = !module || !world.FindInstalled(device, module);
  bool too_many = (!module && world.IndexOf(product).modules.size() >= kModulesPerProductMax) ||
                  (new_on_device && ModulesOf(world, device) >= kModulesPerDeviceMax);
  if (!too_many) return OkStatus();
  return Status(StatusCode::kResourceExhausted, refusal::kTooManyModulesOnDevice,
                fmt::format("a device reports on at most {} modules, a product's devices on {}",
                            kModulesPerDeviceMax, kModulesPerProductMax));
}

VersionId FindOrNameVersion(Turn& turn, ProductId product, std::string_view text,
                            DeviceId reporter) {
  const World& world = turn.world();
  if (VersionId id = world.FindVersion(product, text)) return id;
  auto name = [&](std::string_view what, DeviceId by) {
    VersionId id = world.versions().next();
    turn.Emit([&](auto event) {
      auto named = event.initVersionNamed();
      named.setVersion(id.value());
      named.setProduct(product.value());
      named.setText(std::string(what));
      named.setDevice(by.value());
    });
    return id;
  };
  if (!reporter) return name(text, reporter);

  const Device& device = world.devices()[reporter];
  bool today = device.naming_day == static_cast<uint16_t>(turn.now_ms() / 86'400'000);
  bool over = world.IndexOf(product).versions.size() >= kVersionsPerProductMax ||
              (today && device.naming_count >= kNamingsPerDeviceDayMax);
  if (!over) return name(text, reporter);
  if (VersionId other = world.FindVersion(product, kOtherVersion)) return other;
  return name(kOtherVersion, DeviceId());
}

ModuleId FindOrNameModule(Turn& turn, ProductId product, std::string_view name, DeviceId reporter) {
  const World& world = turn.world();
  if (name.empty()) name = kDefaultModule;
  if (ModuleId id = world.FindModule(product, name)) return id;
  ModuleId id = world.modules().next();
  turn.Emit([&](auto event) {
    auto named = event.initModuleNamed();
    named.setModule(id.value());
    named.setProduct(product.value());
    named.setName(std::string(name));
    named.setDevice(reporter.value());
  });
  return id;
}

bool IsWord64(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  for (char c : text) {
    bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                c == '.' || c == '_' || c == '-';
    if (!good) return false;
  }
  return true;
}

bool IsNoticeWord(std::string_view text) {
  static constexpr std::string_view kWords[] = {
      "code",    "data",   "dProtocol", "extData",    "files", "id",  "isDiff",  "md5",
      "message", "module", "sign",      "signMethod", "size",  "url", "version", "_package_udi"};
  return std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}

bool BracesBalance(std::string_view text) {
  int open = 0;
  for (char c : text) {
    open += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (open < 0) return false;
  }
  return open == 0;
}

size_t CountChars(std::string_view utf8) {
  size_t chars = 0;
  for (char c : utf8) chars += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return chars;
}

}  // namespace updraft
