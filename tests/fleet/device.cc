#include "tests/fleet/device.h"

#include <utility>

#include <fmt/format.h>

namespace updraft {

std::string_view EndName(DeviceEnd end) {
  switch (end) {
    case DeviceEnd::kNone:
      return "unfinished";
    case DeviceEnd::kUpgraded:
      return "upgraded";
    case DeviceEnd::kFailed:
      return "failed";
    case DeviceEnd::kWrongVersion:
      return "wrong_version";
    case DeviceEnd::kNotified:
      return "notified";
  }
  return {};
}

DeviceEnd ExpectedEnd(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::kFailing:
      return DeviceEnd::kFailed;
    case Behaviour::kWrongVersion:
      return DeviceEnd::kWrongVersion;
    case Behaviour::kNever:
      return DeviceEnd::kNotified;
    case Behaviour::kHonest:
    case Behaviour::kSlow:
    case Behaviour::kSilent:
    case Behaviour::kReturning:
    case Behaviour::kRebooting:
    case Behaviour::kDuplicating:
    case Behaviour::kTwofold:
      return DeviceEnd::kUpgraded;
  }
  return DeviceEnd::kNone;
}

Device::Device(DeviceAccount account, Behaviour behaviour, DeviceHabits habits, uint64_t draw,
               DeviceIo& io)
    : account_(std::move(account)),
      behaviour_(behaviour),
      habits_(std::move(habits)),
      draw_(draw),
      io_(io) {
  if (behaviour_ == Behaviour::kSlow) habits_.step_ms *= 10;
}

void Device::PowerOn() { io_.Connect(); }

void Device::OnWake() { io_.Connect(); }

void Device::OnConnectionLost() {
  // Not all at the same moment, and soon.
  io_.WakeIn(habits_.reconnect_ms + static_cast<int64_t>(draw_ % 1'000));
}

void Device::OnConnected() {
  if (!std::exchange(booting_, false)) return;
  if (!installed_.empty()) habits_.version = std::exchange(installed_, {});
  Inform(habits_.version);
  if (behaviour_ == Behaviour::kReturning && !std::exchange(lost_power_, true)) {
    Reboot(habits_.away_ms);
  }
  if (!task_) return;
  if (habits_.version == task_->version) {
    end_ = DeviceEnd::kUpgraded;
    task_.reset();
  } else if (behaviour_ == Behaviour::kWrongVersion) {
    end_ = DeviceEnd::kWrongVersion;
    task_.reset();
  } else {
    task_.reset();  // It lost power half way and waits to be told again.
  }
}

void Device::OnMessage(std::string_view topic, std::string_view payload) {
  bool upgrade =
      topic == fmt::format("/ota/device/upgrade/{}/{}", account_.product_key, account_.name);
  if (upgrade) OnNotice(payload);
}

void Device::OnNotice(std::string_view payload) {
  ++notices_;
  std::optional<ReceivedNotice> notice = ReadNotice(payload);
  if (!notice) {
    ++notices_unreadable_;
    return;
  }
  if (behaviour_ == Behaviour::kNever) {
    end_ = DeviceEnd::kNotified;
    return;
  }
  // Told of what it runs already: its report was lost.
  if (notice->version == habits_.version) return Inform(habits_.version);
  if (task_) return;  // It is at it.
  end_ = DeviceEnd::kNone;
  task_ = std::move(notice);
  io_.Download(*task_, habits_.step_ms);
}

void Device::OnDownloaded(int percent) {
  if (behaviour_ != Behaviour::kSilent) Report(percent);
  if (percent == 50) OnHalfWay();
}

void Device::OnHalfWay() {
  if (behaviour_ == Behaviour::kFailing) {
    io_.StopDownload();
    Report(-1 - static_cast<int>(draw_ % 4));
    task_.reset();
    end_ = DeviceEnd::kFailed;
  } else if (behaviour_ == Behaviour::kRebooting && !std::exchange(lost_power_, true)) {
    Reboot(habits_.reboot_ms);
  } else if (behaviour_ == Behaviour::kTwofold) {
    io_.Connect();
  } else if (behaviour_ == Behaviour::kDuplicating) {
    Inform(habits_.version);
  }
}

void Device::OnDownloadDone(bool digest_fits) {
  if (!digest_fits) {
    Report(-3);
    task_.reset();
    end_ = DeviceEnd::kFailed;
    return;
  }
  installed_ = behaviour_ == Behaviour::kWrongVersion ? "unasked-for" : task_->version;
  Reboot(habits_.reboot_ms);
}

void Device::OnDownloadFailed() {
  Report(-2);
  task_.reset();
  end_ = DeviceEnd::kFailed;
}

void Device::Reboot(int64_t off_ms) {
  io_.PowerOff();
  booting_ = true;
  io_.WakeIn(off_ms);
}

void Device::Inform(const std::string& version) {
  informed_ = true;
  Say("inform", fmt::format(R"("version":"{}")", version));
}

void Device::Report(int step) {
  std::string module = task_->module.empty() ? "" : fmt::format(R"(,"module":"{}")", task_->module);
  Say("progress", fmt::format(R"("step":"{}","desc":""{})", step, module));
  if (behaviour_ == Behaviour::kDuplicating && step >= 5) {
    Say("progress", fmt::format(R"("step":"{}","desc":""{})", step - 5, module));
  }
}

void Device::Say(std::string_view what, const std::string& params) {
  std::string topic =
      fmt::format("/ota/device/{}/{}/{}", what, account_.product_key, account_.name);
  std::string payload = fmt::format(R"({{"id":{}, "params":{{{}}}}})", next_message_id_++, params);
  io_.Publish(topic, payload);
  if (behaviour_ == Behaviour::kDuplicating) io_.Publish(topic, payload);
}

}  // namespace updraft
