// Packages: one version of one module of a product, and its file.
#include <fmt/format.h>

#include "engine/decide_internal.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr size_t kPackageNameCharsMax = 40;
constexpr size_t kDescriptionCharsMax = 100;

// 1 to 40 characters: CJK, letters, digits, - _ ( ), the first of them CJK, a letter or a digit.
bool IsPackageName(std::string_view name) {
  if (name.empty() || !IsValidUtf8(name) || CountChars(name) > kPackageNameCharsMax) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    auto c = static_cast<uint8_t>(name[i]);
    bool plain = c >= 0x80 || isalnum(c) != 0;
    bool mark = std::string_view("-_()").find(name[i]) != std::string_view::npos;
    if (!plain && !(mark && i > 0)) return false;
  }
  return true;
}

}  // namespace

Outcome DecideOn(Turn& turn, const Limits& limits, const CreatePackage& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(ProductId product, RequireProduct(world, c.product_key));
  REQUIRE_OR_REFUSE(ModuleId module, RequireModule(world, product, c.module));
  if (!IsPackageName(c.name)) {
    return RefuseInvalid(refusal::kPackageNameMalformed,
                         fmt::format("'{}' is no package name: it has 1 to {} CJK characters, "
                                     "letters, digits, - _ ( ) and begins with none of the marks",
                                     c.name, kPackageNameCharsMax));
  }
  if (!IsWord64(c.target_version)) {
    return RefuseInvalid(refusal::kPackageVersionMalformed,
                         fmt::format("'{}' is no version: it has 1 to 64 letters, digits, points, "
                                     "underscores or hyphens",
                                     c.target_version));
  }
  if (IsNoticeWord(c.target_version)) {
    return RefuseInvalid(refusal::kPackageVersionMalformed,
                         fmt::format("devices in the field take '{}' for a field of the notice; "
                                     "choose another version",
                                     c.target_version));
  }
  if (c.diff && c.source_version.empty()) {
    return RefuseInvalid(refusal::kSourceVersionMissing,
                         "a diff package needs the version that it starts from");
  }
  if (c.diff && !IsWord64(c.source_version)) {
    return RefuseInvalid(refusal::kSourceVersionMalformed,
                         fmt::format("'{}' is no version", c.source_version));
  }
  if (c.diff && c.source_version == c.target_version) {
    return RefuseInvalid(refusal::kSourceIsTarget,
                         "a diff package leads to another version than it starts from");
  }
  if (!IsValidUtf8(c.description) || CountChars(c.description) > kDescriptionCharsMax) {
    return RefuseInvalid(
        refusal::kDescriptionTooLong,
        fmt::format("a description has at most {} characters", kDescriptionCharsMax));
  }
  if (!IsValidUtf8(c.udi) || CountChars(c.udi) > kUdiCharsMax) {
    return RefuseInvalid(refusal::kUdiTooLong,
                         fmt::format("the udi has at most {} characters", kUdiCharsMax));
  }
  if (!BracesBalance(c.udi)) {
    return RefuseInvalid(refusal::kUdiMalformed,
                         "devices in the field count braces: those in the udi must come in pairs");
  }
  if (c.file.empty() || c.size_bytes == 0 || c.md5.size() != 16 || c.sha256.size() != 32) {
    return RefuseInvalid(refusal::kPackageFileInvalid,
                         "the package's file is missing or empty; upload it first");
  }
  if (world.FindPackageByName(c.name)) {
    return Refuse(StatusCode::kAlreadyExists, refusal::kPackageNameTaken,
                  fmt::format("there is a package named '{}'", c.name));
  }
  VersionId known_target = world.FindVersion(product, c.target_version);
  uint32_t packages = 0;
  for (uint32_t p = 1; p <= world.packages().size(); ++p) {
    const Package& other = world.packages()[PackageId(p)];
    if (other.deleted) continue;
    ++packages;
    bool same_kind = other.kind == (c.diff ? PackageKind::DIFF : PackageKind::FULL);
    bool same_source = !c.diff || other.source == world.FindVersion(product, c.source_version);
    if (other.module == module && other.target == known_target && same_kind && same_source) {
      return Refuse(StatusCode::kAlreadyExists, refusal::kPackageVersionTaken,
                    fmt::format("package '{}' brings version '{}' of this module already",
                                other.name, c.target_version));
    }
  }
  if (limits.packages_max != 0 && packages >= limits.packages_max) {
    return Refuse(
        StatusCode::kResourceExhausted, refusal::kTooManyPackages,
        fmt::format("there are {} packages, as many as the configuration allows", packages));
  }

  VersionId target = FindOrNameVersion(turn, product, c.target_version, DeviceId());
  VersionId source =
      c.diff ? FindOrNameVersion(turn, product, c.source_version, DeviceId()) : VersionId();
  PackageId id = world.packages().next();
  auto data = [](const std::string& bytes) {
    return kj::arrayPtr(reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size());
  };
  turn.Emit([&](auto event) {
    auto created = event.initPackageCreated();
    created.setPackage(id.value());
    created.setModule(module.value());
    created.setName(c.name);
    created.setTarget(target.value());
    created.setSource(source.value());
    created.setKind(c.diff ? PackageKind::DIFF : PackageKind::FULL);
    created.setNeedsVerification(c.needs_verification);
    created.setSignMethod(c.sign_with_sha256 ? SignMethod::SHA256 : SignMethod::MD5);
    created.setSizeBytes(c.size_bytes);
    created.setMd5(data(c.md5));
    created.setSha256(data(c.sha256));
    created.setFile(c.file);
    created.setSuffix(c.suffix);
    created.setDescription(c.description);
    created.setUdi(c.udi);
  });
  return Done(CreatedPackage{id});
}

Outcome DecideOn(Turn& turn, const DeletePackage& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(PackageId id, RequirePackage(world, c.package));
  for (BatchId batch : world.IndexOf(id).batches) {
    BatchStatus status = world.batches()[batch].status;
    bool runs = status == BatchStatus::PLANNED || status == BatchStatus::IN_PROGRESS;
    if (runs || world.OpenTasks(batch) != 0) {
      return RefuseState(refusal::kPackageInUse,
                         fmt::format("a batch of the package is not over; cancel it or wait "
                                     "until its {} open tasks have ended",
                                     world.OpenTasks(batch)));
    }
  }
  turn.Emit([&](auto event) { event.initPackageDeleted().setPackage(id.value()); });
  return Done();
}

}  // namespace updraft
