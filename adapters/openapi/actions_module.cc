// Modules (OTA模块) of products, and which versions are in use.
#include "adapters/openapi/actions.h"
#include "adapters/openapi/lookups.h"
#include "adapters/wire/upgrade_notice.h"
#include "engine/refusals.h"
#include "projections/world.h"

namespace updraft::openapi {
namespace {

void OnCreateModule(const CallPtr& call) {
  const Arguments& given = call->arguments;
  if (IsReservedName(given.Text("ModuleName"))) {
    return call->Refuse("iot.firmware.ModuleNameReserved",
                        "devices in the field take this name for a field of the upgrade notice; "
                        "choose another one");
  }
  Submit(call, CreateModule{.product_key = given.Text("ProductKey"),
                            .name = given.Text("ModuleName"),
                            .alias = given.Text("AliasName"),
                            .description = given.Text("Desc")});
}

void OnUpdateModule(const CallPtr& call) {
  const Arguments& given = call->arguments;
  Submit(call, UpdateModule{.product_key = given.Text("ProductKey"),
                            .name = given.Text("ModuleName"),
                            .alias = given.OptionalText("AliasName"),
                            .description = given.OptionalText("Desc")});
}

void OnDeleteModule(const CallPtr& call) {
  Submit(call, DeleteModule{.product_key = call->arguments.Text("ProductKey"),
                            .name = call->arguments.Text("ModuleName")});
}

void OnListModules(const CallPtr& call) {
  Look(call, [call](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(ProductId id, RequireProduct(world, call->arguments.Text("ProductKey")));
    std::vector<Module> modules;
    for (ModuleId module : world.IndexOf(id).module_list) {
      if (world.modules()[module].registered) modules.push_back(world.modules()[module]);
    }
    return Render([modules = std::move(modules), key = world.products()[id].key] {
      Json data = Json::array();
      for (const Module& module : modules) {
        Json json = {{"ProductKey", key}, {"ModuleName", module.name}};
        PutText(json, "AliasName", module.alias);
        PutText(json, "Desc", module.description);
        PutTime(json, "GmtCreate", module.created);
        PutTime(json, "GmtModified", module.modified);
        data.push_back(std::move(json));
      }
      return Json{{"Data", data}};
    });
  });
}

void OnListVersionsInUse(const CallPtr& call) {
  Look(call, [call](const World& world) -> Result<Render> {
    const Arguments& given = call->arguments;
    ASSIGN_OR_RETURN(ProductId product, RequireProduct(world, given.Text("ProductKey")));
    ASSIGN_OR_RETURN(ModuleId module, RequireModule(world, product, given.Text("ModuleName")));
    Page page = ReadPage(*call);
    uint64_t total = 0;
    std::vector<std::pair<std::string, uint32_t>> versions;
    for (const auto& [version, devices] : world.IndexOf(module).in_use) {
      const std::string& text = world.versions()[version].text;
      if (devices == 0 || text == given.Text("ExcludeVersion")) continue;
      if (total >= page.skip() && versions.size() < page.size) versions.emplace_back(text, devices);
      ++total;
    }
    return Render([page, total, versions = std::move(versions)] {
      Json list = Json::array();
      for (const auto& [text, devices] : versions) {
        list.push_back({{"ModuleVersion", text}, {"DeviceCount", devices}});
      }
      Json body;
      body["Data"]["VersionInfo"] = std::move(list);
      PutPage(body, page, total);
      return body;
    });
  });
}

constexpr std::string_view kCreateParamError = "iot.ota.CreateOTAModuleParamError";
constexpr std::string_view kUpdateParamError = "iot.ota.UpdateOTAModuleParamError";

std::vector<Parameter> ModuleParameters(std::string_view param_error) {
  return {ProductKeyParameter().Required(),
          Text("ModuleName",
               "1 to 64 letters, digits, points, underscores or hyphens; names differ by more than "
               "case.",
               1, 64)
              .Codes(param_error, param_error)
              .Required()
              .Example("wifi"),
          Text("AliasName", "1 to 64 characters.", 1, 64).Codes(param_error, param_error),
          Text("Desc", "At most 100 characters.", 0, 100).Codes(param_error, param_error)};
}

}  // namespace

const std::vector<Action>& ModuleActions() {
  static const std::vector<Action> kActions = {
      {.name = "CreateOTAModule",
       .about = "Makes a module known. Every product has `default`; at most 10 are added.",
       .run = OnCreateModule,
       .parameters = Join(ModuleParameters(kCreateParamError), {ClientTokenParameter()})},
      {.name = "UpdateOTAModule",
       .about = "Changes a module's alias or description.",
       .run = OnUpdateModule,
       .parameters = ModuleParameters(kUpdateParamError)},
      {.name = "DeleteOTAModule",
       .about = "Deletes a module that has no packages.",
       .run = OnDeleteModule,
       .parameters = {ProductKeyParameter().Required(),
                      ModuleNameParameter()
                          .Codes("iot.ota.DeleteOTAModuleParamError",
                                 "iot.ota.DeleteOTAModuleParamError")
                          .Required()}},
      {.name = "ListOTAModuleByProduct",
       .about = "The modules of a product.",
       .run = OnListModules,
       .parameters = {ProductKeyParameter().Required()}},
      {.name = "ListOTAVersionsInUse",
       .about = "The versions that devices of a product run, each with their number.",
       .run = OnListVersionsInUse,
       .parameters = Join(
           {ProductKeyParameter().Required(), ModuleNameParameter().Default("default"),
            Text("ExcludeVersion", "One to leave out: a batch's target.", 1, 64).Example("2.0.0")},
           PageParameters(100)),
       .ours = true},
  };
  return kActions;
}

}  // namespace updraft::openapi
