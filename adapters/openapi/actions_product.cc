// Products.
#include <fmt/format.h>

#include "adapters/openapi/actions.h"
#include "adapters/openapi/lookups.h"
#include "projections/side_values.h"
#include "projections/world.h"

namespace updraft::openapi {
namespace {

void OnCreateProduct(const CallPtr& call) {
  const Arguments& given = call->arguments;
  CreateProduct command;
  command.name = given.Text("ProductName");
  command.node_type = static_cast<uint8_t>(*given.Number("NodeType"));
  command.data_format = static_cast<uint8_t>(*given.Number("DataFormat"));
  command.auth_type = "secret";
  command.description = given.Text("Description");
  Json data = {{"ProductName", command.name},
               {"NodeType", command.node_type},
               {"DataFormat", command.data_format},
               {"AuthType", command.auth_type}};
  PutText(data, "Description", command.description);
  Submit(call, std::move(command), [call, data](const Outcome& outcome) mutable {
    const auto& created = std::get<CreatedProduct>(outcome.answer);
    data["ProductKey"] = created.product_key;
    data["ProductSecret"] = created.product_secret;
    call->Answer({{"ProductKey", created.product_key}, {"Data", data}});
  });
}

void OnUpdateProduct(const CallPtr& call) {
  const Arguments& given = call->arguments;
  Submit(call, UpdateProduct{.product_key = given.Text("ProductKey"),
                             .name = given.OptionalText("ProductName"),
                             .description = given.OptionalText("Description"),
                             .dynamic_registration = given.Flag("DynamicRegistration")});
}

void OnDeleteProduct(const CallPtr& call) {
  Submit(call, DeleteProduct{.product_key = call->arguments.Text("ProductKey")});
}

// What the list and the single product have in common.
Json ProductJson(const Product& product, uint32_t devices) {
  Json json = {{"ProductKey", product.key},
               {"ProductName", product.name},
               {"NodeType", product.node_type},
               {"DataFormat", product.data_format},
               {"AuthType", product.auth_type},
               {"DeviceCount", devices},
               {"GmtCreate", static_cast<int64_t>(product.created)}};
  PutText(json, "Description", product.description);
  return json;
}

void OnQueryProduct(const CallPtr& call) {
  Look(call, [call](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(ProductId id, RequireProduct(world, call->arguments.Text("ProductKey")));
    return Render(
        [call, id, product = world.products()[id], devices = world.IndexOf(id).devices.total()] {
          Json data = ProductJson(product, devices);
          if (call->formal)
            PutText(data, "ProductSecret", call->service.Side(SideKeyOfProduct(id)));
          data["Owner"] = true;
          data["DynamicRegistration"] = product.dynamic_registration;
          return Json{{"Data", data}};
        });
  });
}

void OnQueryProductList(const CallPtr& call) {
  Look(call, [call](const World& world) -> Result<Render> {
    Page page = ReadPage(*call);
    uint64_t total = 0;
    std::vector<std::pair<Product, uint32_t>> products;
    for (uint32_t at = static_cast<uint32_t>(world.products().size()); at > 0; --at) {
      const Product& product = world.products()[ProductId(at)];
      if (product.deleted) continue;
      if (total >= page.skip() && products.size() < page.size) {
        products.emplace_back(product, world.IndexOf(ProductId(at)).devices.total());
      }
      ++total;
    }
    return Render([page, total, products = std::move(products)] {
      Json list = Json::array();
      for (const auto& [product, devices] : products) list.push_back(ProductJson(product, devices));
      Json data;
      data["List"]["ProductInfo"] = std::move(list);
      PutPage(data, page, total);
      return Json{{"Data", data}};
    });
  });
}

constexpr std::string_view kNothingOfOta = "Nothing of an upgrade depends on it.";

Parameter ProductName() {
  return Text(
             "ProductName",
             "4 to 30 letters, digits, underscores or CJK characters, these counting two; no other "
             "product has it.",
             1, 64)
      .Codes("iot.prod.NullProductName", "iot.prod.InvalidFormattedProductName")
      .Example("street_lamp");
}

Parameter Description() {
  return Text("Description", "At most 100 characters.", 0, 100)
      .Codes("iot.prod.LongProductDesc", "iot.prod.LongProductDesc");
}

}  // namespace

const std::vector<Action>& ProductActions() {
  static const std::vector<Action> kActions = {
      {.name = "CreateProduct",
       .about = "Creates a product. Its key and secret are made up and answered.",
       .run = OnCreateProduct,
       .parameters = {Number("NodeType", "0 a device, 1 a gateway.", 0, 1)
                          .Codes("iot.prod.InvalidNodeType", "iot.prod.InvalidNodeType")
                          .Required()
                          .Example("0"),
                      ProductName().Required(),
                      Number("DataFormat", "0 custom, 1 Alink; kept and shown.", 0, 1).Default("1"),
                      Description(),
                      Choice("AuthType", "Devices prove themselves with a secret each.", "secret")
                          .Default("secret"),
                      Choice("Id2", "Devices with an ID² chip are not built.", "false"),
                      Ignored("NetType", kNothingOfOta), Ignored("ProtocolType", kNothingOfOta),
                      Ignored("CategoryKey", kNothingOfOta), Ignored("ValidateType", kNothingOfOta),
                      Ignored("PublishAuto", kNothingOfOta),
                      Ignored("JoinPermissionId", kNothingOfOta),
                      Ignored("ResourceGroupId", kNothingOfOta),
                      Ignored("AliyunCommodityCode", kNothingOfOta), ClientTokenParameter()}},
      {.name = "UpdateProduct",
       .about = "Changes what is given.",
       .run = OnUpdateProduct,
       .parameters = {ProductKeyParameter().Required(), ProductName(), Description(),
                      Flag("DynamicRegistration",
                           "Whether a device that has only its product's secret may ask for its "
                           "own.")
                          .Ours()}},
      {.name = "DeleteProduct",
       .about = "Deletes a product that has no devices, with its packages and batches.",
       .run = OnDeleteProduct,
       .parameters = {ProductKeyParameter().Required()}},
      {.name = "QueryProduct",
       .about = "A product. Guests are not shown its secret.",
       .audience = Audience::kGuest,
       .run = OnQueryProduct,
       .parameters = {ProductKeyParameter().Required()}},
      {.name = "QueryProductList",
       .about = "All products, newest first.",
       .audience = Audience::kGuest,
       .run = OnQueryProductList,
       .parameters =
           Join(RequiredPageParameters(200), {Ignored("AliyunCommodityCode", kNothingOfOta),
                                              Ignored("ResourceGroupId", kNothingOfOta)})},
  };
  return kActions;
}

}  // namespace updraft::openapi
