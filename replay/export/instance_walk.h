// The walk over chosen instances, one after the other, each from its first record to its last.
// Works wherever records can be read of: a data directory, or a server that has one.
//
// Thread: one at a time.
#pragma once

#include "base/error.h"
#include "base/ids.h"
#include "replay/export/blanked_body.h"
#include "replay/export/instance_definitions.h"
#include "replay/export/record_format.h"

namespace stele::replay {

// Of a record's time: both may be open.
struct TimeRange {
  TimeUs since{INT64_MIN};
  TimeUs until{INT64_MAX};  // the last that is in it
  bool Holds(TimeUs time) const { return time >= since && time <= until; }
};

class InstanceWalk {
 public:
  // REQUIRES: all of them outlive it.
  InstanceWalk(const Source& source, InstanceDefinitions& definitions, const TimeRange& times,
               bool payloads)
      : source_(source), definitions_(definitions), times_(times), payloads_(payloads) {}

  // Appends what the format makes of the instance's records, or of the registry's (0), and gives
  // the text to `write` piece by piece. Of one that was purged there is nothing.
  Status Walk(InstanceId instance, RecordFormat& format, const WriteText& write);
  const ExportCounts& counts() const { return counts_; }

 private:
  const Source& source_;
  InstanceDefinitions& definitions_;
  const TimeRange times_;
  const bool payloads_;
  BlankedBody blanked_;
  std::string text_;
  ExportCounts counts_;
};

}  // namespace stele::replay
