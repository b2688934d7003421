#include "replay/export/blanked_body.h"

#include <fmt/format.h>

#include <cstring>

namespace stele::replay {

Status BlankedBody::Blank(eventstore::RecordView& record) {
  const std::string_view body = record.body;
  if (!finder_.Find(body, &spans_))
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected a record whose payloads can be found at position {} of shard "
                            "{} but found other bytes.",
                            record.position.value, record.shard.value));
  if (spans_.empty()) return {};
  body_.resize((body.size() + 7) / 8);
  char* bytes = reinterpret_cast<char*>(body_.data());
  std::memcpy(bytes, body.data(), body.size());
  for (const PayloadSpan& span : spans_) {
    std::memset(bytes + span.begin, 0, span.size);
    std::memset(bytes + span.reference, 0, 8);
  }
  record.body = {bytes, body.size()};
  return {};
}

}  // namespace stele::replay
