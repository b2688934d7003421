// CloudEvents 1.0.2 in their JSON format, one a line: each is an event of media type
// application/cloudevents+json.
//
// Names of extensions are lower-case letters and digits, as the specification asks; numbers beyond
// its 32-bit integers are strings.
//
// Used by one thread at a time.
#pragma once

#include "replay/export/record_format.h"

namespace stele::replay {

class CloudEvents final : public RecordFormat {
 public:
  // `source`: a URI reference that names the log. REQUIRES: it is not empty.
  explicit CloudEvents(std::string source) : source_(std::move(source)) {}
  Result<uint64_t> Write(const ExportedRecord& record, std::string& out) override;

 private:
  const std::string source_;
};

}  // namespace stele::replay
