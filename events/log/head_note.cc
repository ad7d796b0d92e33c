#include "events/log/head_note.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "events/base/format.h"

namespace updraft {
namespace {

constexpr std::string_view kLastField = "last=";
constexpr std::string_view kHashField = "\nhash=";
constexpr std::string_view kCheckField = "\ncheck=";

std::string WithCheck(std::string_view fields) {
  return fmt::format("{}{}{}\n", fields, kCheckField, HexLower(Sha256(fields)));
}

}  // namespace

std::string FormatHeadNote(const HeadNote& note) {
  return WithCheck(fmt::format("{}{}{}{}", kLastField, note.last, kHashField, HexLower(note.hash)));
}

Result<HeadNote> ParseHeadNote(std::string_view text) {
  const Status damaged(StatusCode::kDataLoss, "it is no note of a log's head, or was changed");
  const size_t check = text.find(kCheckField);
  if (check == text.npos || text != WithCheck(text.substr(0, check))) return damaged;
  // The check passed, so the fields are as FormatHeadNote wrote them.
  const size_t hash = text.find(kHashField);
  if (!text.starts_with(kLastField) || hash == text.npos) return damaged;
  HeadNote note;
  uint64_t last = 0;
  std::from_chars(text.data() + kLastField.size(), text.data() + hash, last);
  note.last = Seq(last);
  const size_t hex = hash + kHashField.size();
  std::optional<std::string> bytes = HexDecode(text.substr(hex, check - hex));
  if (!bytes.has_value() || bytes->size() != note.hash.size()) return damaged;
  std::copy(bytes->begin(), bytes->end(), note.hash.begin());
  return note;
}

}  // namespace updraft
