#include "adapters/openapi/parameters.h"

#include <catch2/catch.hpp>

namespace updraft::openapi {
namespace {

const std::vector<Parameter>& Some() {
  static const std::vector<Parameter> kSome = {
      Text("Name", "A name.", 1, 5).Codes("no.name", "bad.name").Required(),
      Text("Desc", "May be empty.", 0, 3),
      Choice("Kind", "Of two.", "A|BB").Codes("", "bad.kind"),
      Number("Count", "How many.", 1, 10).Codes("", "bad.count"),
      Flag("Sure", "Or not.").Codes("", "bad.flag"),
      Texts("Item", "Some.", 11).Codes("", "bad.items"),
      Pairs("Tag", "Some pairs.", "Key", "Value", 2).Codes("", "bad.tags"),
      NotBuilt("Files", "files are not built"),
  };
  return kSome;
}

std::string CodeFor(Parameters given) {
  given.insert({"Name", "x"});
  Result<Arguments> arguments = Arguments::Read(Some(), given);
  return arguments.ok() ? "ok" : std::string(arguments.status().reason());
}

TEST_CASE("parameters are read by their types", "[openapi]") {
  Result<Arguments> arguments = Arguments::Read(Some(), {{"Name", "升级"},
                                                         {"Desc", ""},
                                                         {"Kind", "BB"},
                                                         {"Count", "10"},
                                                         {"Sure", "TRUE"},
                                                         {"Item.1", "a"},
                                                         {"Item.10", "c"},
                                                         {"Item.9", "b"},
                                                         {"Tag.2.Key", "k2"},
                                                         {"Tag.1.Value", "v1"},
                                                         {"Tag.1.Key", "k1"},
                                                         {"IotInstanceId", "x"}});
  REQUIRE(arguments.ok());
  CHECK(arguments->Text("Name") == "升级");
  CHECK(arguments->OptionalText("Desc") == "");
  CHECK(arguments->Text("Kind") == "BB");
  CHECK(arguments->Number("Count") == 10);
  CHECK(arguments->Flag("Sure") == true);
  CHECK(arguments->Texts("Item") == std::vector<std::string>{"a", "b", "c"});
  CHECK(arguments->Pairs("Tag") == Arguments::PairList{{"k1", "v1"}, {"k2", ""}});
}

TEST_CASE("what is not given is nothing", "[openapi]") {
  Result<Arguments> arguments = Arguments::Read(Some(), {{"Name", "x"}});
  REQUIRE(arguments.ok());
  CHECK_FALSE(arguments->OptionalText("Desc"));
  CHECK_FALSE(arguments->Number("Count"));
  CHECK_FALSE(arguments->Flag("Sure"));
  CHECK(arguments->Texts("Item").empty());
  CHECK(arguments->Pairs("Tag").empty());
}

TEST_CASE("a missing or empty required parameter has its code", "[openapi]") {
  CHECK(Arguments::Read(Some(), {}).status().reason() == "no.name");
  CHECK(Arguments::Read(Some(), {{"Name", ""}}).status().reason() == "no.name");
}

TEST_CASE("a parameter is good at its bound and refused one past it", "[openapi]") {
  CHECK(CodeFor({{"Name", "12345"}}) == "ok");
  CHECK(CodeFor({{"Name", "123456"}}) == "bad.name");
  CHECK(CodeFor({{"Count", "1"}}) == "ok");
  CHECK(CodeFor({{"Count", "0"}}) == "bad.count");
  CHECK(CodeFor({{"Count", "11"}}) == "bad.count");
  Parameters items;
  for (int i = 1; i <= 11; ++i) items["Item." + std::to_string(i)] = "x";
  CHECK(CodeFor(items) == "ok");
  items["Item.12"] = "x";
  CHECK(CodeFor(items) == "bad.items");
  CHECK(CodeFor({{"Tag.1.Key", "a"}, {"Tag.2.Key", "b"}}) == "ok");
  CHECK(CodeFor({{"Tag.1.Key", "a"}, {"Tag.2.Key", "b"}, {"Tag.3.Key", "c"}}) == "bad.tags");
}

TEST_CASE("what cannot be read is refused with its parameter's code", "[openapi]") {
  auto [given, code] = GENERATE(table<Parameters, std::string>({
      {{{"Count", "ten"}}, "bad.count"},
      {{{"Count", "1.5"}}, "bad.count"},
      {{{"Count", " 1"}}, "bad.count"},
      {{{"Count", "99999999999999999999"}}, "bad.count"},
      {{{"Sure", "yes"}}, "bad.flag"},
      {{{"Kind", "A|BB"}}, "bad.kind"},
      {{{"Kind", "B"}}, "bad.kind"},
      {{{"Item.0", "x"}}, "bad.items"},
      {{{"Item.01", "x"}}, "bad.items"},
      {{{"Item.-1", "x"}}, "bad.items"},
      {{{"Item.x", "x"}}, "bad.items"},
      {{{"Item.1.Key", "x"}}, "bad.items"},
      {{{"Item.99999999999999999999", "x"}}, "bad.items"},
      {{{"Tag.1", "x"}}, "bad.tags"},
      {{{"Tag.1.Name", "x"}}, "bad.tags"},
      {{{"Files.1.Name", "x"}}, "iot.common.InvalidFormattedParameter"},
  }));
  INFO(given.begin()->first << "=" << given.begin()->second);
  CHECK(CodeFor(given) == code);
}

}  // namespace
}  // namespace updraft::openapi
