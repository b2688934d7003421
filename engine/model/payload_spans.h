// Finds the payloads in a record's body: the fields that schemas/record.capnp marks with $payload.
// It walks the bytes of the message along the compiled schema's marked fields, as capnp/encoding
// describes them, and looks at nothing else.
//
// Bodies come from a disk and are not trusted: damage is an answer, never a crash, and the time
// that it takes is bounded by the body's size.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/payload_spans.h"

namespace stele::model {

class RecordPayloads final : public PayloadFinder {
 public:
  RecordPayloads();
  ~RecordPayloads() override;
  // False when the body is no single segment with structs, lists and texts where the schema says
  // so, or when texts overlap each other or what leads to them.
  bool Find(std::string_view body, std::vector<PayloadSpan>* spans) const override;

  struct Plan;

 private:
  std::vector<std::unique_ptr<Plan>> plans_;  // the first: of a record
};

}  // namespace stele::model
