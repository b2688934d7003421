// What the open set keeps of an instance that has not ended: enough to wake it without reading it.
#pragma once

#include <string>
#include <string_view>

#include "engine/runtime/live.h"

namespace stele::runtime {

struct OpenSummary {
  TimeUs timer;           // its next one; 0: none
  bool attempts = false;  // some were under way, or held for a resume, or its start was
  bool linked = false;    // to its parent, which may have ended or been paused

  // 9 bytes: the timer, little-endian; 1 for attempts, 2 for linked, or both.
  std::string Encode() const;
  static OpenSummary Decode(std::string_view bytes);
};

OpenSummary OpenSummaryOf(const Live& live);

}  // namespace stele::runtime
