// Registrations of many devices that were applied for: names that were checked and wait. Those are
// a convenience of the API and not kept over a restart; once registered, the engine knows what was
// applied for.
//
// Thread-safety: none; it belongs to one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace updraft::openapi {

enum class ApplicationState { kChecked, kRegistering, kRegistered, kFailed };

struct Application {
  std::string product_key;
  std::vector<std::string> names;  // Good ones.
  std::vector<std::string> invalid_names;
  std::vector<std::string> nicknames;  // As many as names; may be empty texts.
  ApplicationState state = ApplicationState::kChecked;
};

class Applications {
 public:
  // The oldest goes when there are more.
  static constexpr size_t kMax = 1'000;

  // An application's id: a number that JavaScript can hold, and that no run before gave.
  uint64_t NewId() const;
  uint64_t Add(Application application);  // Under a new id.
  // Null when there is none. Valid until the next Add.
  Application* Find(uint64_t id);

 private:
  std::map<uint64_t, Application> by_id_;
  std::deque<uint64_t> order_;
};

}  // namespace updraft::openapi
