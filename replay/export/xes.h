// XES, the eXtensible Event Stream of IEEE 1849-2016, in XML: a trace for each instance, an event
// for each transition in the life of an activity (activity.h).
//
// Used by one thread at a time. The memory that it takes is that of one instance's runs.
#pragma once

#include <string>

#include "replay/export/activity.h"
#include "replay/export/trace_format.h"

namespace stele::replay {

class Xes final : public TraceFormat {
 public:
  // The log's declarations, and its end.
  static void WriteHead(std::string& out);
  static void WriteEnd(std::string& out);

  void BeginTrace(InstanceId instance) override;
  Result<uint64_t> Write(const ExportedRecord& record, std::string& out) override;
  Status Skip(const ExportedRecord& record) override;
  void EndTrace(std::string& out) override;

 private:
  void WriteTraceHead(const ExportedRecord& record, const model::Event& event, std::string& out);

  InstanceId instance_;
  bool open_ = false;  // a trace was begun: one without events is left out
  Activities activities_;
};

}  // namespace stele::replay
