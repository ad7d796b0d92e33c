#include "adapters/mqtt/backoff.h"

#include <catch2/catch.hpp>

namespace updraft {
namespace {

TEST_CASE("each wait lies in the upper half of one that doubles up to a bound") {
  for (uint64_t seed : {0, 1, 2, 3}) {
    Backoff backoff(seed);
    int64_t whole = Backoff::kFirstMs;
    for (int i = 0; i < 100; ++i) {
      int64_t wait = backoff.NextMs();
      CHECK(wait >= whole / 2);
      CHECK(wait <= whole);
      whole = std::min(2 * whole, Backoff::kMaxMs);
    }
  }
}

TEST_CASE("a success begins anew") {
  Backoff backoff(1);
  for (int i = 0; i < 10; ++i) backoff.NextMs();
  backoff.Succeeded();
  CHECK(backoff.NextMs() <= Backoff::kFirstMs);
}

TEST_CASE("two clients do not wait alike") {
  Backoff a(1), b(2);
  int alike = 0;
  for (int i = 0; i < 20; ++i) alike += a.NextMs() == b.NextMs();
  CHECK(alike < 10);
}

}  // namespace
}  // namespace updraft
