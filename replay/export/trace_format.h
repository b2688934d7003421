// Formats that tell one instance after the other.
#pragma once

#include <string>

#include "base/ids.h"
#include "replay/export/record_format.h"

namespace stele::replay {

class TraceFormat : public RecordFormat {
 public:
  // The records that follow are of this instance.
  virtual void BeginTrace(InstanceId instance) = 0;
  virtual void EndTrace(std::string& out) {}
};

}  // namespace stele::replay
