// What a world derives from its records, as text, so that two ways to one world can be compared:
// step by step as events came, and from the records alone.
#pragma once

#include <string>

#include "projections/world.h"

namespace updraft {

// Timers that nothing waits for are left out: they fire into nothing.
std::string DescribeDerived(const World& world);

// The world saved and loaded again is the same, record by record and in all that is derived. Fails
// the test when it is not.
void CheckSavedWorld(const World& world);

}  // namespace updraft
