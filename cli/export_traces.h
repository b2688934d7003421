// The two formats of process mining, put together: from wherever their instances come.
//
// Thread: one at a time.
#pragma once

#include <functional>

#include "base/error.h"
#include "base/ids.h"
#include "cli/export_file.h"
#include "engine/model/registry.h"
#include "replay/export/trace_format.h"

namespace stele::cli {

struct TraceSource {
  // Gives the format each instance, one after the other.
  std::function<Status(replay::TraceFormat&)> traces;
  // Gives it all records of these instances, whatever their time, without payloads.
  std::function<Status(replay::RecordFormat&)> objects;
  // Whether an instance is among them. REQUIRES: they were all given.
  std::function<bool(InstanceId)> has;
};

Status WriteXes(const TraceSource& source, ExportFile& file);
Status WriteOcel(const TraceSource& source, const model::Registry& registry, ExportFile& file);

}  // namespace stele::cli
