// The world's records as bytes, for a checkpoint, and back. What is derived from them (indexes,
// agenda) is not saved: it is worked out anew, so that no file can contradict the records. Names
// are not saved either: they lie in the sidecar, where they can be erased.
//
// Bytes, all integers little-endian: for each kind of record, in the order of saved_world.cc: kind
// (u32), number of records (u64), number of fields (u32), a field's number (u32) and width (u32; 0
// when values differ in size) each; then, for every run of up to 4,096 records, field by field, the
// values of that field in all of them, those of no fixed width behind a size (u32) each. A field
// that is not there has its default, so that a build with more fields reads what one with fewer
// wrote.
//
// Thread-safety: none.
#pragma once

#include <functional>
#include <string_view>

#include "events/base/status.h"
#include "projections/digest.h"

namespace updraft {

class World;

// Takes the next bytes. Returns a failure to stop the saving; it is passed through.
using WriteBytes = std::function<Status(std::string_view bytes)>;
// Fills `bytes`, or fails.
using ReadBytes = std::function<Status(char* bytes, size_t count)>;

Status SaveWorld(const World& world, const WriteBytes& write);

// Makes `world`, which is new, what was saved, without the names of devices. `digest` is what the
// log says of it.
//
// DATA_LOSS            the records do not add up to the digest.
// FAILED_PRECONDITION  another build saved it, with records that this one does not know.
// After a failure `world` is good for nothing.
Status LoadWorld(const ReadBytes& read, const Digest& digest, World& world);

}  // namespace updraft
