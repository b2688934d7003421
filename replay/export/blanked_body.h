// Records as if their payloads had never been: what is exported for who is to see the course of
// things alone.
//
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/model/payload_spans.h"
#include "eventstore/record.h"

namespace stele::replay {

class BlankedBody {
 public:
  // Replaces the record's body by one without payloads, which is good until the next call.
  // kStoreCorrupt: they cannot be found.
  Status Blank(eventstore::RecordView& record);

 private:
  const model::RecordPayloads finder_;
  std::vector<PayloadSpan> spans_;
  std::vector<uint64_t> body_;  // 8-byte aligned
};

}  // namespace stele::replay
