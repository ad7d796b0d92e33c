#include "adapters/cli/import_file.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "events/base/bytes.h"

namespace updraft {
namespace {

using Json = nlohmann::ordered_json;

enum class FieldType { kText, kFlag, kNumber, kVersions };

struct Field {
  std::string_view name;
  FieldType type = FieldType::kText;
  std::string_view parameter;  // What the action calls it; as it is named when empty.
  bool required = false;
};

constexpr Field kProductFields[] = {
    {"ProductKey", FieldType::kText, "", true},
    {"ProductName", FieldType::kText, "", true},
    {"ProductSecret"},
    {"NodeType", FieldType::kNumber},
    {"DataFormat", FieldType::kNumber},
    {"Description"},
    {"DynamicRegistration", FieldType::kFlag},
};
constexpr Field kDeviceFields[] = {
    {"ProductKey"},
    {"DeviceName", FieldType::kText, "", true},
    {"DeviceSecret"},
    {"Nickname"},
    {"Disabled", FieldType::kFlag},
    {"Versions", FieldType::kVersions},
};
constexpr Field kKeyFields[] = {
    {"AccessKeyId", FieldType::kText, "TargetAccessKeyId", true},
    {"AccessKeySecret", FieldType::kText, "TargetAccessKeySecret", true},
    {"Formal", FieldType::kFlag},
    {"Note"},
};

constexpr std::string_view kCsvColumns[] = {"DeviceName", "DeviceSecret", "ProductKey", "Nickname",
                                            "Disabled",   "Version",      "Module"};

Status Malformed(std::string why) { return Status(StatusCode::kInvalidArgument, std::move(why)); }

bool Fits(const Json& value, FieldType type) {
  switch (type) {
    case FieldType::kText:
      return value.is_string();
    case FieldType::kFlag:
      return value.is_boolean();
    case FieldType::kNumber:
      return value.is_number_integer();
    case FieldType::kVersions:
      return value.is_object() && std::all_of(value.begin(), value.end(), [](const Json& version) {
               return version.is_string();
             });
  }
  return false;
}

std::string_view Description(FieldType type) {
  switch (type) {
    case FieldType::kText:
      return "a text";
    case FieldType::kFlag:
      return "true or false";
    case FieldType::kNumber:
      return "a whole number";
    case FieldType::kVersions:
      return "an object with a version, a text, of each module";
  }
  return "";
}

// Whether the object has what it must, and nothing else.
Status CheckFields(const Json& json, std::span<const Field> fields, bool ignore_unknown) {
  for (const Field& field : fields) {
    auto it = json.find(field.name);
    bool missing =
        it == json.end() || (it->is_string() && it->get_ref<const std::string&>().empty());
    if (missing && field.required) return Malformed(fmt::format("{} is missing", field.name));
    if (it != json.end() && !Fits(*it, field.type)) {
      return Malformed(fmt::format("{} is not {}", field.name, Description(field.type)));
    }
  }
  for (const auto& [name, value] : json.items()) {
    bool known = name == "Type" || std::any_of(fields.begin(), fields.end(),
                                               [&](const Field& f) { return f.name == name; });
    if (!known && !ignore_unknown) {
      return Malformed(
          fmt::format("there is no field '{}' (--ignore-unknown passes it over)", name));
    }
  }
  return OkStatus();
}

Parameters ToParameters(const Json& json, std::span<const Field> fields) {
  Parameters parameters;
  for (const Field& field : fields) {
    auto it = json.find(field.name);
    if (it == json.end()) continue;
    std::string text = it->is_string() ? it->get<std::string>() : it->dump();
    if (text.empty()) continue;
    parameters.emplace(field.parameter.empty() ? field.name : field.parameter, std::move(text));
  }
  return parameters;
}

Result<ImportRecord> ToDevice(Json json, const ImportFormat& format) {
  ImportRecord record;
  record.product_key = json.value("ProductKey", format.product_key);
  if (record.product_key.empty()) {
    return Malformed("ProductKey is missing; --product-key KEY is for all devices without one");
  }
  for (const Field& field : kDeviceFields) {
    auto it = json.find(field.name);
    if (field.name == "ProductKey" || it == json.end()) continue;
    record.device[std::string(field.name)] = std::move(*it);
  }
  return record;
}

Result<ImportRecord> ParseJsonLine(const std::string& text, const ImportFormat& format) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Malformed("the line is no JSON object");
  auto type = json.find("Type");
  std::string_view kind = type != json.end() && type->is_string()
                              ? std::string_view(type->get_ref<const std::string&>())
                              : std::string_view();
  if (kind == "Device") {
    RETURN_IF_ERROR(CheckFields(json, kDeviceFields, format.ignore_unknown));
    return ToDevice(std::move(json), format);
  }
  bool product = kind == "Product";
  if (!product && kind != "AccessKey") {
    return Malformed("Type is none of Product, Device and AccessKey");
  }
  std::span<const Field> fields = product ? std::span<const Field>(kProductFields) : kKeyFields;
  RETURN_IF_ERROR(CheckFields(json, fields, format.ignore_unknown));
  return ImportRecord{
      product ? ImportKind::kProduct : ImportKind::kAccessKey, ToParameters(json, fields), "", {}};
}

// The fields of one row; quoted ones may hold commas and doubled quotes.
Result<std::vector<std::string>> SplitCsv(std::string_view row) {
  std::vector<std::string> fields(1);
  for (size_t i = 0; i < row.size();) {
    if (row[i] == '"' && fields.back().empty()) {
      size_t end = i + 1;
      for (; end < row.size(); ++end) {
        if (row[end] != '"') {
          fields.back() += row[end];
        } else if (end + 1 < row.size() && row[end + 1] == '"') {
          fields.back() += row[end++];
        } else {
          break;
        }
      }
      if (end == row.size()) return Malformed("a quoted field does not end on its line");
      i = end + 1;
      if (i < row.size() && row[i] != ',') return Malformed("a quoted field goes on after its end");
    } else if (row[i] == ',') {
      fields.emplace_back();
      ++i;
    } else {
      fields.back() += row[i++];
    }
  }
  return fields;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

// As it is spelt here; empty when it is none of ours.
std::string_view ColumnNamed(std::string_view name) {
  for (std::string_view column : kCsvColumns) {
    if (Lower(column) == Lower(name)) return column;
  }
  return "";
}

// What stands for a flag in a table.
std::optional<bool> ReadFlag(std::string_view text) {
  std::string lower = Lower(text);
  if (lower.empty() || lower == "false" || lower == "0" || lower == "no") return false;
  if (lower == "true" || lower == "1" || lower == "yes") return true;
  return std::nullopt;
}

}  // namespace

// A line is never taken into memory beyond its bound.
ImportReader::Read ImportReader::ReadLine(std::string& text) {
  thread_local std::array<char, kLineBytesMax + 1> buffer;
  in_.getline(buffer.data(), static_cast<std::streamsize>(buffer.size()));
  auto read = static_cast<size_t>(in_.gcount());
  bytes_ += read;
  if (read == 0 && !in_.good()) return Read::kEnd;
  ++line_;
  if (in_.fail() && !in_.eof()) {
    in_.clear();
    in_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    bytes_ += static_cast<uint64_t>(in_.gcount());
    return Read::kTooLong;
  }
  text.assign(buffer.data(), in_.eof() ? read : read - 1);  // Without the end of line.
  if (text.ends_with('\r')) text.pop_back();
  if (line_ == 1 && text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return Read::kLine;
}

Status ImportReader::Begin() {
  if (!format_.csv) return OkStatus();
  std::string text;
  Read read = ReadLine(text);
  if (read != Read::kLine) return Malformed("the file has no header row");
  ASSIGN_OR_RETURN(columns_, SplitCsv(text));
  for (std::string& column : columns_) {
    std::string_view known = ColumnNamed(column);
    if (known.empty() && !format_.ignore_unknown) {
      return Malformed(fmt::format(
          "the header row has a column '{}'; those known are {} (--ignore-unknown passes others "
          "over)",
          column, fmt::join(kCsvColumns, ", ")));
    }
    column = known;
    if (!column.empty() && std::count(columns_.begin(), columns_.end(), column) > 1) {
      return Malformed(fmt::format("the header row has '{}' twice", column));
    }
  }
  if (std::find(columns_.begin(), columns_.end(), "DeviceName") == columns_.end()) {
    return Malformed("the header row has no column 'DeviceName'");
  }
  return OkStatus();
}

Result<ImportRecord> ImportReader::ParseCsvRow(const std::string& text) const {
  ASSIGN_OR_RETURN(std::vector<std::string> fields, SplitCsv(text));
  if (fields.size() != columns_.size()) {
    return Malformed(fmt::format("the row has {} fields where the header row has {}", fields.size(),
                                 columns_.size()));
  }
  Json json;
  std::string version, module;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (columns_[i].empty() || fields[i].empty()) continue;
    if (columns_[i] == "Version") {
      version = fields[i];
    } else if (columns_[i] == "Module") {
      module = fields[i];
    } else if (columns_[i] == "Disabled") {
      std::optional<bool> disabled = ReadFlag(fields[i]);
      if (!disabled)
        return Malformed(fmt::format("Disabled is true or false, not '{}'", fields[i]));
      json["Disabled"] = *disabled;
    } else {
      json[columns_[i]] = fields[i];
    }
  }
  if (!version.empty()) json["Versions"] = {{module.empty() ? "default" : module, version}};
  if (!json.contains("DeviceName")) return Malformed("DeviceName is missing");
  return ToDevice(std::move(json), format_);
}

std::optional<Result<ImportRecord>> ImportReader::Next() {
  std::string text;
  while (true) {
    Read read = ReadLine(text);
    if (read == Read::kEnd) return std::nullopt;
    if (read == Read::kTooLong) {
      return Malformed(fmt::format("the line has more than {} bytes", kLineBytesMax));
    }
    if (text.find_first_not_of(" \t") == std::string::npos) continue;
    if (!IsValidUtf8(text)) return Malformed("the line is not UTF-8: save the file as UTF-8");
    return format_.csv ? ParseCsvRow(text) : ParseJsonLine(text, format_);
  }
}

}  // namespace updraft
