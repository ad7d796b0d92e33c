#include "tests/openapi/shapes.h"

#include <fstream>
#include <map>
#include <memory>
#include <set>

namespace updraft {
namespace {

struct Shape {
  enum class Kind { kScalar, kObject, kArray };
  Kind kind = Kind::kObject;
  std::map<std::string, std::unique_ptr<Shape>> fields;  // Of an object, or a list's objects.
};

// Keys that we add; SDKs pass them over.
const std::set<std::string> kOurs = {"CurrentPage", "DynamicRegistration", "NextToken", "Paused",
                                     "Warning"};

std::unique_ptr<Shape> ParseField(const std::string& type) {
  auto shape = std::make_unique<Shape>();
  shape->kind = type == "object"          ? Shape::Kind::kObject
                : type.starts_with("arr") ? Shape::Kind::kArray
                                          : Shape::Kind::kScalar;
  return shape;
}

// `  Key: type`, each level four blanks deeper than the one above, the first two deep.
std::map<std::string, Shape> Load() {
  std::map<std::string, Shape> shapes;
  std::ifstream file(UPDRAFT_SOURCE_DIR "/tests/openapi/answer_shapes.txt");
  std::map<size_t, Shape*> open;  // By the indentation of their fields.
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with("# ")) continue;
    if (line.starts_with("## ")) {
      open = {{2, &shapes[line.substr(3)]}};
      continue;
    }
    size_t indent = line.find_first_not_of(' ');
    size_t colon = line.find(": ");
    std::unique_ptr<Shape> field = ParseField(line.substr(colon + 2));
    open[indent + 4] = field.get();
    open.at(indent)->fields[line.substr(indent, colon - indent)] = std::move(field);
  }
  return shapes;
}

std::string Compare(const Shape& shape, const Json& json, const std::string& at) {
  if (shape.kind == Shape::Kind::kScalar) {
    return json.is_primitive() && !json.is_null() ? "" : at + " is no single value";
  }
  if (shape.kind == Shape::Kind::kArray) {
    if (!json.is_array()) return at + " is no list";
    for (const Json& element : json) {
      if (shape.fields.empty() != element.is_primitive()) return at + " has wrong items";
      for (const auto& [key, value] : element.items()) {
        if (shape.fields.empty()) continue;
        auto field = shape.fields.find(key);
        if (field == shape.fields.end()) return at + "[]." + key + " is not published";
        std::string wrong = Compare(*field->second, value, at + "[]." + key);
        if (!wrong.empty()) return wrong;
      }
    }
    return "";
  }
  if (!json.is_object()) return at + " is no object";
  for (const auto& [key, value] : json.items()) {
    auto field = shape.fields.find(key);
    if (field == shape.fields.end() && kOurs.contains(key)) continue;
    if (field == shape.fields.end()) return at + "." + key + " is not published";
    std::string wrong = Compare(*field->second, value, at + "." + key);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace

std::string WrongShape(const std::string& action, const Json& answer) {
  static const std::map<std::string, Shape> kShapes = Load();
  auto found = kShapes.find(action);
  return found == kShapes.end() ? "" : Compare(found->second, answer, action);
}

}  // namespace updraft
