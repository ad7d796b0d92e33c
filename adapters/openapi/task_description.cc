#include "adapters/openapi/task_description.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "adapters/openapi/json.h"
#include "events/base/assert.h"

namespace updraft::openapi {
namespace {

struct Words {
  std::string_view english;
  std::string_view chinese;

  std::string_view In(Language language) const {
    return language == Language::kChinese ? chinese : english;
  }
};

// In the order of the states.
constexpr std::array<Words, 7> kStates = {{{"to be confirmed", "待确认"},
                                           {"pending push", "待推送"},
                                           {"pushed", "已推送"},
                                           {"upgrading", "升级中"},
                                           {"success", "升级成功"},
                                           {"failed", "升级失败"},
                                           {"cancelled", "已取消"}}};

// The engine's words for reasons.
constexpr Words kReasons[] = {
    {"conflict", "设备已有升级任务"},
    {"upgrade failed", "升级失败"},
    {"download failed", "下载失败"},
    {"verify failed", "校验失败"},
    {"burn failed", "烧写失败"},
    {"report version is not conform", "上报的版本与目标版本不一致"},
    {"timeout", "升级超时"},
    {"source version mismatch", "设备版本与差分包的源版本不一致"},
    {"cancelled by user", "用户取消"},
    {"overridden", "被新的升级任务覆盖"},
    {"schedule finished", "升级时间已结束"},
    {"device deleted", "设备已删除"},
    {"target version reported", "设备上报了目标版本"},
    {"already on target version", "设备已是目标版本"},
};

std::string_view ReasonIn(std::string_view reason, Language language) {
  auto found = std::find_if(std::begin(kReasons), std::end(kReasons),
                            [&](const Words& words) { return words.english == reason; });
  return found == std::end(kReasons) ? reason : found->In(language);
}

std::string PendingIn(const TaskView& view, Language language) {
  std::string state(kStates[view.state].In(language));
  auto because = [&](const Words& why) { return fmt::format("{}({})", state, why.In(language)); };
  switch (view.pending) {
    case PendingReason::kNone:
    case PendingReason::kRate:
      return state;
    case PendingReason::kScheduled:
      return fmt::format("{}({}:{})", state, Words{"scheduled", "定时"}.In(language),
                         LocalTime(view.scheduled_ms));
    case PendingReason::kOffline:
      return because({"device offline", "设备离线"});
    case PendingReason::kPull:
      return because({"device must ask", "等待设备拉取"});
    case PendingReason::kPaused:
      return because({"batch paused", "批次已暂停"});
  }
  Unreachable();
}

}  // namespace

std::string DescribeTask(const TaskView& view, std::string_view words, Language language) {
  std::string text = PendingIn(view, language);
  if (!view.reason.empty()) text += fmt::format(": {}", ReasonIn(view.reason, language));
  if (view.retry_waiting) {
    text += language == Language::kChinese ? ", 等待重试" : ", to be tried again";
  }
  if (!words.empty()) text += fmt::format(" ({})", words);
  return text;
}

}  // namespace updraft::openapi
