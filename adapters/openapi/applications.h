// Registrations of many devices that were applied for: names that were checked and wait, and what
// came of them. They are a convenience of the API and not kept over a restart; the devices are.
//
// Thread-safety: none; it belongs to one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "events/base/ids.h"

namespace updraft::openapi {

enum class ApplicationState { kChecked, kRegistering, kRegistered, kFailed };

struct Application {
  std::string product_key;
  std::vector<std::string> names;  // Good ones; once registered, those of the devices.
  std::vector<std::string> invalid_names;
  std::vector<std::string> nicknames;  // Until registered as many as names; may be empty texts.
  ApplicationState state = ApplicationState::kChecked;
  DeviceId first;  // When registered; the others follow it.
};

class Applications {
 public:
  // The oldest goes when there are more.
  static constexpr size_t kMax = 1'000;

  // The new application's id: a number that JavaScript can hold, and that no run before gave.
  uint64_t Add(Application application);
  // Null when there is none. Valid until the next Add.
  Application* Find(uint64_t id);

 private:
  std::map<uint64_t, Application> by_id_;
  std::deque<uint64_t> order_;
};

}  // namespace updraft::openapi
