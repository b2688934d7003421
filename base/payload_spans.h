// Where a record's body holds payloads: what is sealed. The event store knows no bodies; who opens
// a store tells it (engine/model/payload_spans.h).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace stele {

// Bytes of a body. `reference`: 8 bytes that are zero when the payload is absent.
struct PayloadSpan {
  uint32_t reference;
  uint32_t begin;
  uint32_t size;
};

// Threads: any.
class PayloadFinder {
 public:
  virtual ~PayloadFinder() = default;
  // Replaces `spans` by those of the body, in order, none touching another's bytes. What the spans
  // hold has no part in it: a body gives the same ones before and after it was sealed. False when
  // the body is not of a known form.
  virtual bool Find(std::string_view body, std::vector<PayloadSpan>* spans) const = 0;
};

}  // namespace stele
