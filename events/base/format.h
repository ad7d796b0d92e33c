// How our own types look in fmt's strings.
#pragma once

#include <fmt/format.h>

#include "events/base/ids.h"

template <class Tag, class Rep>
struct fmt::formatter<updraft::Id<Tag, Rep>> : fmt::formatter<Rep> {
  template <class Context>
  auto format(updraft::Id<Tag, Rep> id, Context& ctx) const {
    return fmt::formatter<Rep>::format(id.value(), ctx);
  }
};
