// An engine's core with a product "a1pk", two devices, a package and a batch over both, whose turns
// are made by hand. Nothing is written anywhere.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/core.h"

namespace updraft {

// A package of "a1pk", from any version to "2".
CreatePackage WinterPackage();

class SmallFleet {
 public:
  SmallFleet();

  // Each in a turn of its own. Ask is not for TakePushes.
  Outcome Ask(Command command);
  std::vector<Push> TakePushes(uint32_t max);
  void Pass(int64_t ms) { now_ms_ += ms; }
  int64_t now_ms() const { return now_ms_; }
  const World& world() const { return core_.world(); }

  // What holds always.
  void Check() const;

 private:
  void Must(Command command);

  Core core_{Core::Options{}};
  int64_t now_ms_ = 1'767'225'600'000;
};

}  // namespace updraft
