// A fleet in a file: what `updraft import` reads, line by line.
//
// JSON lines, an object a line, its Type first told:
//
//   {"Type":"Product","ProductKey":"a1lamp","ProductName":"street_lamp","ProductSecret":"…"}
//   {"Type":"Device","ProductKey":"a1lamp","DeviceName":"lamp-0001","DeviceSecret":"…",
//    "Nickname":"…","Disabled":false,"Versions":{"default":"1.0.0","mcu":"7"}}
//   {"Type":"AccessKey","AccessKeyId":"LTAI…","AccessKeySecret":"…","Formal":true,"Note":"…"}
//
// CSV, devices only, as cloud consoles export them: a header row that names the columns, of which
// DeviceName must be there: DeviceName, DeviceSecret, ProductKey, Nickname, Disabled, Version,
// Module. Fields may be quoted.
//
// Errors: INVALID_ARGUMENT with what is wrong with a line; reading goes on with the next.
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "adapters/wire/url_coding.h"
#include "events/base/status.h"

namespace updraft {

enum class ImportKind { kProduct, kDevice, kAccessKey };

struct ImportRecord {
  ImportKind kind = ImportKind::kDevice;
  // Of a product or an access key, the parameters of the action that brings it in.
  Parameters parameters;
  // Of a device.
  std::string product_key;
  nlohmann::ordered_json device;  // As ImportDevices takes it.
};

struct ImportFormat {
  bool csv = false;
  std::string product_key;      // Of devices that name none.
  bool ignore_unknown = false;  // Fields and columns that are not known are passed over.
};

class ImportReader {
 public:
  static constexpr size_t kLineBytesMax = 65'536;

  // `in` outlives it.
  ImportReader(std::istream& in, ImportFormat format) : in_(in), format_(std::move(format)) {}

  // Of CSV, reads the header row: before the first Next.
  Status Begin();
  // The next record, or what is wrong with its line; nothing at the end. Empty lines are no lines.
  std::optional<Result<ImportRecord>> Next();
  // Of what Next returned, counted from 1.
  uint64_t line() const { return line_; }
  uint64_t bytes() const { return bytes_; }

 private:
  enum class Read { kLine, kTooLong, kEnd };
  Read ReadLine(std::string& text);
  Result<ImportRecord> ParseCsvRow(const std::string& text) const;

  std::istream& in_;
  const ImportFormat format_;
  std::vector<std::string> columns_;
  uint64_t line_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace updraft
