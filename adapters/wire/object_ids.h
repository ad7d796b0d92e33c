// The ids that the console's API shows, made from the dense ids of the world and back, without a
// table.
//
// An id has 26 characters, like those of the service this engine replaces: 20 that look random, two
// digits of kind (00 device, 01 task, 02 batch, 03 package) and four of the engine's number.
// Without the installation's key nobody can tell how many tasks there are, name the next one, or
// make an id that passes for one: a mistyped, foreign or invented id is no id.
//
// The 20 characters are a number of 118 bits in base 62 (0-9 A-Z a-z, most significant first):
//
//   tag (86 bits)    = HMAC-SHA256(key, "object id" engine kind id), its first bits
//   masked (32 bits) = id xor the first bits of HMAC-SHA256(key, "object mask" engine kind tag)
//
// Reading takes the mask off and makes the tag again. The tag covers engine and kind, so a task's
// id is not a batch's with two digits changed.
//
// Thread-safety: pure once made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/base/ids.h"

namespace updraft {

class ObjectIds {
 public:
  static constexpr size_t kSize = 26;
  static constexpr uint32_t kEngineNumberMax = 9999;

  // `key` is the installation's and must stay the same, as must `engine_number` (at most
  // kEngineNumberMax), for ids that were handed out to stay true.
  ObjectIds(std::string key, uint32_t engine_number);

  std::string Show(DeviceId id) const { return Make(Kind::kDevice, id.value()); }
  std::string Show(TaskId id) const { return Make(Kind::kTask, id.value()); }
  std::string Show(BatchId id) const { return Make(Kind::kBatch, id.value()); }
  std::string Show(PackageId id) const { return Make(Kind::kPackage, id.value()); }

  // Nothing unless Show() of this engine made the text for that kind of thing.
  std::optional<DeviceId> ReadDevice(std::string_view text) const;
  std::optional<TaskId> ReadTask(std::string_view text) const;
  std::optional<BatchId> ReadBatch(std::string_view text) const;
  std::optional<PackageId> ReadPackage(std::string_view text) const;

 private:
  enum class Kind { kDevice = 0, kTask = 1, kBatch = 2, kPackage = 3 };
  using Number = unsigned __int128;

  std::string Make(Kind kind, uint32_t id) const;
  std::optional<uint32_t> Read(Kind kind, std::string_view text) const;
  Number TagOf(Kind kind, uint32_t id) const;
  uint32_t MaskOf(Kind kind, Number tag) const;
  std::string SuffixOf(Kind kind) const;

  std::string key_;
  uint32_t engine_number_;
};

}  // namespace updraft
