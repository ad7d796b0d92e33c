#include "events/log/show_commit.h"

#include <fmt/format.h>
#include <kj/exception.h>

namespace updraft {

Status ShowCommit(const CommitReader& commit, const EventLog::VisitCommit& visit) {
  try {
    return visit(commit);
  } catch (const kj::Exception& e) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("the commit of {} is damaged: {}", NameOf(commit),
                              std::string_view(e.getDescription().cStr())));
  }
}

}  // namespace updraft
