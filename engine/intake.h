// What a command needs before it can be decided: whatever is random is made up here, so that Decide
// stays pure.
#pragma once

#include "engine/commands.h"

namespace updraft {

// Fills in keys, names, secrets and salts that the caller left empty.
void FillIn(Command& command);

}  // namespace updraft
