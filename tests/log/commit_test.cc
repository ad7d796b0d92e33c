#include "events/log/commit.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

// Leaves bytes that are not zero wherever an object of some hundreds of bytes may come to lie.
void SpoilTheHeap() {
  std::vector<std::unique_ptr<unsigned char[]>> blocks;
  for (size_t size = 16; size <= 2'048; size += 16) {
    for (int i = 0; i < 8; ++i) {
      blocks.push_back(std::make_unique<unsigned char[]>(size));
      std::fill_n(blocks.back().get(), size, static_cast<unsigned char>(0x5a));
    }
  }
}

}  // namespace

// The simulation found a server that died at the begin of a turn, now and then.
TEST_CASE("a writer without events can be asked for its size, whatever the memory held", "[log]") {
  for (int i = 0; i < 100; ++i) {
    SpoilTheHeap();
    CommitWriter writer;
    CHECK(writer.count() == 0);
    CHECK(writer.bytes_estimate() <= 1'024);
    writer.Add().initEngineStarted().setBuild("b");
    size_t one = writer.bytes_estimate();
    SpoilTheHeap();
    writer.Clear();
    CHECK(writer.bytes_estimate() <= one);
  }
}

}  // namespace updraft
