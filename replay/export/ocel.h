// OCEL 2.0, the object-centric event log, in JSON: events of the lives of activities (activity.h),
// and what they are of: instances, definitions, steps, runs of steps, people and workers.
//
// The document has two parts that are written one after the other: the events of all instances,
// then their objects. So the log is read twice, and nothing but who has acted is kept in memory.
//
// Used by one thread at a time.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "replay/export/activity.h"
#include "replay/export/trace_format.h"

namespace stele::replay {

// The begin of the document: all types, which are those of the registry's definitions; and its end.
void WriteOcelTypes(const model::Registry& registry, std::string& out);
void WriteOcelEnd(std::string& out);

// Events of one instance after the other.
class OcelEvents final : public TraceFormat {
 public:
  void BeginTrace(InstanceId instance) override;
  Result<uint64_t> Write(const ExportedRecord& record, std::string& out) override;
  Status Skip(const ExportedRecord& record) override;

 private:
  InstanceId instance_;
  Activities activities_;
  bool first_ = true;  // of all events
};

// Objects. Of the instances that events were written of, whatever the time of their records.
class OcelObjects final : public RecordFormat {
 public:
  // Whether an instance is among those that are written: others are related to it then.
  using Has = std::function<bool(InstanceId instance)>;
  explicit OcelObjects(Has has) : has_(std::move(has)) {}
  // What stands behind the events, and definitions with their steps. First.
  void WriteBegin(const model::Registry& registry, std::string& out);
  Result<uint64_t> Write(const ExportedRecord& record, std::string& out) override;
  // Those who acted. Last.
  void WriteActors(std::string& out);

 private:
  const Has has_;
  bool first_ = true;  // of all objects
  std::set<std::string, std::less<>> actors_;
};

}  // namespace stele::replay
