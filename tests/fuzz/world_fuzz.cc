// A checkpoint's content on a disk so hostile that its checksums are right: the records of a world.
#include "events/base/assert.h"
#include "projections/saved_world.h"
#include "projections/world.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view text = Text(data, size);
  auto read = [&](char* bytes, size_t count) {
    if (count > text.size()) return Status(StatusCode::kDataLoss, "it ends");
    text.copy(bytes, count);
    text.remove_prefix(count);
    return OkStatus();
  };
  World world;
  Status loaded = LoadWorld(read, Digest(1, 2), world);
  Assert(!loaded.ok(), "nobody can find a world of that digest");
  return 0;
}
