#include "cli/export_traces.h"

#include <string>

#include "replay/export/ocel.h"
#include "replay/export/xes.h"

namespace stele::cli {

Status WriteXes(const TraceSource& source, ExportFile& file) {
  std::string text;
  replay::Xes::WriteHead(text);
  STELE_RETURN_IF_ERROR(file.Write(text));
  replay::Xes format;
  STELE_RETURN_IF_ERROR(source.traces(format));
  text.clear();
  replay::Xes::WriteEnd(text);
  return file.Write(text);
}

Status WriteOcel(const TraceSource& source, const model::Registry& registry, ExportFile& file) {
  std::string text;
  replay::WriteOcelTypes(registry, text);
  STELE_RETURN_IF_ERROR(file.Write(text));
  replay::OcelEvents events;
  STELE_RETURN_IF_ERROR(source.traces(events));
  text.clear();
  replay::OcelObjects objects(source.has);
  objects.WriteBegin(registry, text);
  STELE_RETURN_IF_ERROR(file.Write(text));
  STELE_RETURN_IF_ERROR(source.objects(objects));
  text.clear();
  objects.WriteActors(text);
  replay::WriteOcelEnd(text);
  return file.Write(text);
}

}  // namespace stele::cli
