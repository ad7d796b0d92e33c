// Packages (升级包, `Firmware` in the API) and the uploading of their files.
#include <fmt/format.h>

#include "adapters/openapi/actions.h"
#include "adapters/openapi/lookups.h"
#include "adapters/openapi/uploads.h"
#include "adapters/wire/signed_url.h"
#include "adapters/wire/upgrade_notice.h"
#include "events/base/bytes.h"
#include "projections/world.h"

namespace updraft::openapi {
namespace {

// As long as a device's link to the file.
constexpr int64_t kDownloadUrlLifeMs = int64_t{24} * 3'600'000;

void OnGenerateUploadUrl(const CallPtr& call) {
  UploadOffer offer =
      OfferUpload(*call, UploadKind::kPackageFile, call->arguments.Text("FileSuffix"));
  call->Answer({{"Data",
                 {{"Key", offer.object_key},
                  {"Host", offer.host},
                  {"Policy", offer.policy.policy},
                  {"OSSAccessKeyId", offer.access_key_id},
                  {"Signature", offer.policy.signature},
                  {"ObjectStorage", "OSS"},
                  {"FirmwareUrl", offer.file_url},
                  {"UtcCreate", UtcTime(offer.created_ms)}}}});
}

void OnGenerateDeviceListUrl(const CallPtr& call) {
  UploadOffer offer = OfferUpload(*call, UploadKind::kDeviceList, "csv");
  call->Answer({{"Data",
                 {{"Key", offer.object_key},
                  {"Host", offer.host},
                  {"Policy", offer.policy.policy},
                  {"AccessKeyId", offer.access_key_id},
                  {"Signature", offer.policy.signature},
                  {"ObjectStorage", "OSS"},
                  {"FileUrl", offer.file_url},
                  {"UtcCreate", UtcTime(offer.created_ms)}}}});
}

// What was wrong with a file would only show on devices, so what the caller says of it is held
// against what was stored.
Status CheckStatedFile(const Arguments& given, const PostedPackage& posted) {
  if (given.Has("FirmwareSize") &&
      static_cast<uint64_t>(*given.Number("FirmwareSize")) != posted.size_bytes) {
    return ApiError("iot.firmware.InvalidFirmwareSize",
                    fmt::format("the uploaded file has {} bytes", posted.size_bytes));
  }
  if (!given.Has("FirmwareSign")) return OkStatus();
  bool by_sha256 = given.Text("SignMethod") == "SHA256";
  std::optional<std::string> sign = HexDecode(given.Text("FirmwareSign"));
  if (sign != (by_sha256 ? posted.sha256 : posted.md5)) {
    return ApiError("iot.firmware.InvalidFirmwareSign",
                    fmt::format("the uploaded file's {} is {}", by_sha256 ? "SHA256" : "MD5",
                                HexLower(by_sha256 ? posted.sha256 : posted.md5)));
  }
  return OkStatus();
}

// What devices in the field could not read in a notice.
Status CheckNoticeTexts(const Arguments& given) {
  if (IsReservedName(given.Text("DestVersion"))) {
    return ApiError("iot.firmware.IncorrectFormattedFirmwareVersion",
                    "devices in the field take this version for a field of the upgrade notice");
  }
  if (!HasSafeBraces(given.Text("Udi"))) {
    return ApiError("iot.common.InvalidFormattedParameter",
                    "the braces in Udi do not match; devices in the field count them");
  }
  return OkStatus();
}

std::string SuffixOf(const std::string& url) { return url.substr(url.rfind('.') + 1); }

void OnCreateFirmware(const CallPtr& call) {
  const Arguments& given = call->arguments;
  const std::string& name = given.Text("FirmwareName");
  if (name.find_first_not_of(' ') == std::string::npos) {
    return call->Refuse("iot.firmware.BlankFirmwareName", "FirmwareName is blank");
  }
  if (Status status = CheckNoticeTexts(given); !status.ok()) return call->Refuse(status);
  Result<PostedPackage> posted = FindUploadedPackage(*call, given.Text("FirmwareUrl"));
  if (!posted.ok() && call->repeat) posted = PostedPackage{};
  if (!posted.ok()) return call->Refuse(posted.status());
  Status status = call->repeat ? OkStatus() : CheckStatedFile(given, *posted);
  if (!status.ok()) return call->Refuse(status);
  CreatePackage command{.product_key = given.Text("ProductKey"),
                        .module = given.Text("ModuleName"),
                        .name = name,
                        .target_version = given.Text("DestVersion"),
                        .diff = given.Number("Type") == 1,
                        .source_version = given.Text("SrcVersion"),
                        .needs_verification = *given.Flag("NeedToVerify"),
                        .sign_with_sha256 = given.Text("SignMethod") == "SHA256",
                        .description = given.Text("FirmwareDesc"),
                        .udi = given.Text("Udi"),
                        .file = posted->file,
                        .suffix = SuffixOf(given.Text("FirmwareUrl")),
                        .size_bytes = posted->size_bytes,
                        .md5 = posted->md5,
                        .sha256 = posted->sha256};
  Submit(call, std::move(command), [call](const Outcome& outcome) {
    const auto& created = std::get<CreatedPackage>(outcome.answer);
    call->Answer({{"Data",
                   {{"FirmwareId", call->service.ids.Show(created.package)},
                    {"UtcCreate", UtcTime(outcome.time_ms)}}}});
  });
}

void OnDeleteFirmware(const CallPtr& call) {
  Result<PackageId> package = ReadPackage(*call);
  if (!package.ok()) return call->Refuse(package.status());
  Submit(call, DeletePackage{*package});
}

struct PackageView {
  PackageId id;
  Package record;
  std::string module;
  std::string target;
  std::string source;
  std::string product_key;
  std::string product_name;
  int verify_progress = 0;
};

// How many percent of the devices of the newest verification have ended; 0 when there was none.
int VerifyProgress(const World& world, PackageId id) {
  const auto& batches = world.IndexOf(id).batches;
  for (auto it = batches.rbegin(); it != batches.rend(); ++it) {
    if (!world.batches()[*it].verifies) continue;
    uint64_t total = world.IndexOf(*it).tasks.total();
    return total == 0 ? 0 : static_cast<int>((total - world.OpenTasks(*it)) * 100 / total);
  }
  return 0;
}

PackageView ViewPackage(const World& world, PackageId id) {
  const Package& package = world.packages()[id];
  const Module& module = world.modules()[package.module];
  const Product& product = world.products()[module.product];
  return {id,
          package,
          module.name,
          world.versions()[package.target].text,
          package.source ? world.versions()[package.source].text : std::string(),
          product.key,
          product.name,
          VerifyProgress(world, id)};
}

int StatusNumber(PackageStatus status) {
  switch (status) {
    case PackageStatus::NEEDS_NONE:
      return -1;
    case PackageStatus::UNVERIFIED:
      return 0;
    case PackageStatus::VERIFIED:
      return 1;
    case PackageStatus::VERIFYING:
      return 2;
    case PackageStatus::FAILED:
      return 3;
  }
  Unreachable();
}

Json PackageJson(const Call& call, const PackageView& view) {
  const Package& package = view.record;
  bool sha256 = package.sign_method == SignMethod::SHA256;
  Json json = {{"FirmwareId", call.service.ids.Show(view.id)},
               {"FirmwareName", package.name},
               {"ModuleName", view.module},
               {"ProductKey", view.product_key},
               {"ProductName", view.product_name},
               {"DestVersion", view.target},
               {"Type", package.kind == PackageKind::DIFF ? 1 : 0},
               {"Status", StatusNumber(package.status)},
               {"FirmwareSize", package.size_bytes},
               {"FirmwareSign", HexLower(sha256 ? package.sha256 : package.md5)},
               {"SignMethod", sha256 ? "SHA256" : "MD5"}};
  PutText(json, "SrcVersion", view.source);
  PutText(json, "FirmwareDesc", package.description);
  PutTime(json, "UtcCreate", package.created);
  PutTime(json, "UtcModified", package.modified);
  return json;
}

void OnQueryFirmware(const CallPtr& call) {
  Result<PackageId> package = ReadPackage(*call);
  if (!package.ok()) return call->Refuse(package.status());
  Look(call, [call, package = *package](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(PackageId id, RequirePackage(world, package));
    return Render([call, view = ViewPackage(world, id)] {
      Json info = PackageJson(*call, view);
      info["VerifyProgress"] = view.verify_progress;
      PutText(info, "Udi", view.record.udi);
      const OpenApiOptions& options = call->service.options;
      Result<std::string> url =
          MakeDownloadUrl(options.link_key, options.public_url(), view.record.file,
                          options.wall_now_ms() + kDownloadUrlLifeMs);
      if (url.ok()) info["FirmwareUrl"] = *url;
      return Json{{"FirmwareInfo", info}};
    });
  });
}

void OnListFirmware(const CallPtr& call) {
  Look(call, [call](const World& world) -> Result<Render> {
    const Arguments& given = call->arguments;
    ProductId product;
    if (given.Has("ProductKey")) {
      ASSIGN_OR_RETURN(product, RequireProduct(world, given.Text("ProductKey")));
    }
    Page page = ReadPage(*call);
    uint64_t total = 0;
    std::vector<PackageView> packages;
    for (auto at = static_cast<uint32_t>(world.packages().size()); at > 0; --at) {
      const Package& package = world.packages()[PackageId(at)];
      if (package.deleted) continue;
      if (product && world.modules()[package.module].product != product) continue;
      if (given.Has("DestVersion") &&
          world.versions()[package.target].text != given.Text("DestVersion")) {
        continue;
      }
      if (total >= page.skip() && packages.size() < page.size) {
        packages.push_back(ViewPackage(world, PackageId(at)));
      }
      ++total;
    }
    return Render([call, page, total, packages = std::move(packages)] {
      Json list = Json::array();
      for (const PackageView& view : packages) list.push_back(PackageJson(*call, view));
      Json body;
      body["FirmwareInfo"]["SimpleFirmwareInfo"] = std::move(list);
      PutPage(body, page, total);
      return body;
    });
  });
}

std::vector<Parameter> CreateFirmwareParameters() {
  return {
      ProductKeyParameter().Required(),
      Text("FirmwareName",
           "1 to 40 CJK characters, letters, digits, - _ ( ), not beginning with a mark; no other "
           "package has it.",
           1, 200)
          .Codes("iot.firmware.NullFirmwareName", "iot.firmware.IncorrectFormattedFirmwareName")
          .Required()
          .Example("lamp_2"),
      Text("DestVersion", "The version it brings: 1 to 64 letters, digits, points, _ or -.", 1, 64)
          .Codes("iot.firmware.NullFirmwareVersion",
                 "iot.firmware.IncorrectFormattedFirmwareVersion")
          .Required()
          .Example("2.0.0"),
      Text("FirmwareUrl", "From GenerateOTAUploadURL, once the file is posted.", 1, 2'000)
          .Codes("iot.firmware.NullFirmwareUrl", "iot.firmware.MalformedFirmwareUrl")
          .Required()
          .Example("http://127.0.0.1:8080/upload/3sT0…c4.bin"),
      Text("ModuleName", "The module it is for.", 1, 64)
          .Codes("", "iot.firmware.IncorrectFormattedModuleName")
          .Default("default"),
      Number("Type", "0 a full package, 1 a diff package.", 0, 1)
          .Codes("", "iot.firmware.InvalidFirmwareType")
          .Default("0"),
      Text("SrcVersion", "The version that a diff package starts from.", 1, 64)
          .Codes("", "iot.firmware.IncorrectFormattedSrcVersion"),
      Choice("SignMethod", "What FirmwareSign is, and what devices are told.", "MD5|SHA256")
          .Codes("", "iot.firmware.InvalidFirmwareSignMethod")
          .Default("MD5"),
      Text("FirmwareSign", "Hex, compared with the uploaded file's.", 1, 64)
          .Codes("", "iot.firmware.InvalidFirmwareSign"),
      Number("FirmwareSize", "In bytes, compared with the uploaded file's.", 1, int64_t{1} << 40)
          .Codes("", "iot.firmware.InvalidFirmwareSize"),
      Text("FirmwareDesc", "At most 100 characters.", 0, 100)
          .Codes("", "iot.firmware.FirmwareDescriptionExceedMaxLength"),
      Flag("NeedToVerify", "Whether a verification must succeed before batches.").Default("true"),
      Text("Udi", "Goes to devices as `_package_udi`; at most 4,096 characters.", 0, 4'096),
      NotBuilt("MultiFiles", "packages of several files are not built; put them into one .zip"),
      ClientTokenParameter(),
  };
}

}  // namespace

const std::vector<Action>& PackageActions() {
  static const std::vector<Action> kActions = {
      {.name = "GenerateOTAUploadURL",
       .about = "Where to post a package's file, as a form with the fields key, policy, "
                "OSSAccessKeyId, signature, success_action_status and, last, file. Good for a "
                "minute.",
       .run = OnGenerateUploadUrl,
       .parameters = {Choice("FileSuffix", "Of the file's name.", "bin|zip")
                          .Default("bin")
                          .Codes("", "iot.firmware.InvalidGenerateOTAUploadURLParam")
                          .Example("bin")}},
      {.name = "GenerateDeviceNameListURL",
       .about = "Where to post a list of devices (.csv), likewise with AccessKeyId.",
       .run = OnGenerateDeviceListUrl,
       .parameters = {}},
      {.name = "CreateOTAFirmware",
       .about = "Makes a package of a file that was posted within the last hour.",
       .run = OnCreateFirmware,
       .parameters = CreateFirmwareParameters()},
      {.name = "QueryOTAFirmware",
       .about = "A package. Status: -1 needs no verification, 0 not verified, 1 verified, 2 "
                "verifying, 3 failed.",
       .calls_per_second = 20,
       .run = OnQueryFirmware,
       .parameters = {FirmwareIdParameter().Required()}},
      {.name = "ListOTAFirmware",
       .about = "Packages, newest first.",
       .run = OnListFirmware,
       .parameters =
           Join({ProductKeyParameter(), Text("DestVersion", "Only those that bring it.", 1, 64)},
                RequiredPageParameters(100))},
      {.name = "DeleteOTAFirmware",
       .about = "Deletes a package that no running batch needs.",
       .run = OnDeleteFirmware,
       .parameters = {FirmwareIdParameter().Required()}},
  };
  return kActions;
}

}  // namespace updraft::openapi
