// What the actions share: the engine, the ids that the API shows, files, and the little that is
// kept between two calls.
//
// Thread-safety: all of it belongs to the engine's completion thread, but for what says otherwise.
#pragma once

#include <string>

#include "adapters/openapi/applications.h"
#include "adapters/openapi/device_list.h"
#include "adapters/openapi/openapi.h"
#include "adapters/openapi/package_files.h"
#include "adapters/openapi/refusal_counts.h"
#include "adapters/wire/object_ids.h"
#include "engine/updraft.h"
#include "projections/side_values.h"

namespace updraft::openapi {

struct Service {
  Engine& engine;
  PackageFiles& files;
  const OpenApiOptions options;
  const ObjectIds ids;
  Applications applications;
  ListReports list_reports;
  RefusalCounts refusals;

  // A secret, nickname or text from the sidecar; empty when it is not there any more.
  std::string Side(const std::string& key) const;
  DevicePrivate PrivateOf(DeviceId device) const;
};

}  // namespace updraft::openapi
