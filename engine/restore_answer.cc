#include "engine/restore_answer.h"

#include <variant>

#include "engine/refusals.h"
#include "projections/side_values.h"

namespace updraft {
namespace {

Result<std::string> ReadSecret(const EventLog& log, const std::string& key) {
  Result<std::string> value = log.ReadSide(key);
  if (value.ok() || value.status().code() != StatusCode::kNotFound) return value;
  return Status(StatusCode::kNotFound, refusal::kCreatedIsGone,
                "what this call created at first was deleted since");
}

Status Restore(const EventLog& log, CreatedProduct& created) {
  ASSIGN_OR_RETURN(created.product_secret, ReadSecret(log, SideKeyOfProduct(created.product)));
  return OkStatus();
}

Status Restore(const EventLog& log, CreatedKey& created) {
  ASSIGN_OR_RETURN(created.secret, ReadSecret(log, SideKeyOfKey(created.key)));
  return OkStatus();
}

Status Restore(const EventLog& log, CreatedDevices& created) {
  DeviceId id = created.first;
  for (NewDevice& device : created.devices) {
    ASSIGN_OR_RETURN(std::string bytes, ReadSecret(log, SideKeyOfDevice(id)));
    DevicePrivate about = DecodeDevicePrivate(bytes).value_or(DevicePrivate{});
    device = {about.name, about.secret, about.nickname, about.salt};
    id = DeviceId(id.value() + 1);
  }
  return OkStatus();
}

}  // namespace

Status RestoreAnswer(const EventLog& log, Answer& answer) {
  return std::visit(
      [&](auto& created) {
        if constexpr (requires { Restore(log, created); }) return Restore(log, created);
        return OkStatus();
      },
      answer);
}

}  // namespace updraft
