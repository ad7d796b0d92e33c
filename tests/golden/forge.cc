// Makes of an export another one, as another build would have written it:
//
//   forge newer-schema FROM TO    its first SchemaRaised is of a schema that no build knows
//   forge other-digest FROM TO    its second DigestRecorded says another digest
//
// Prints the number of the event that it changed.
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "events/log/export_file.h"
#include "events/log/memory_log.h"
#include "tests/log/forged_log.h"

namespace updraft {
namespace {

constexpr uint32_t kSchemaOfNoBuild = 999;

Result<uint64_t> Forge(const std::string& how, const std::string& from, const std::string& to) {
  ASSIGN_OR_RETURN(auto log, ExportFile::Open(from));
  MemoryLog forged;
  uint64_t changed = 0;
  int digests = 0;
  RETURN_IF_ERROR(CopyForged(*log, forged, [&](Seq seq, events::Event::Builder event) {
    if (how == "newer-schema" && event.isSchemaRaised() && changed == 0) {
      event.getSchemaRaised().setVersion(kSchemaOfNoBuild);
      event.getSchemaRaised().setBuild("99.1.0");
      changed = seq.value();
    }
    if (how == "other-digest" && event.isDigestRecorded() && ++digests == 2) {
      event.getDigestRecorded().setLow(event.getDigestRecorded().getLow() ^ 1);
      changed = seq.value();
    }
  }));
  RETURN_IF_ERROR(WriteExport(forged, to));
  return changed;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  updraft::Result<uint64_t> changed = updraft::Forge(argv[1], argv[2], argv[3]);
  if (!changed.ok() || *changed == 0) {
    fmt::print(stderr, "{}\n", changed.ok() ? "nothing to change" : changed.status().ToString());
    return 1;
  }
  fmt::print("{}\n", *changed);
  return 0;
}
