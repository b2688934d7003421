#include "engine/retention/in_clear.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/model/payload_spans.h"

namespace stele::retention {

namespace {

using eventstore::EventStore;

class Finder {
 public:
  Result<bool> HasPayload(const eventstore::RecordView& record) {
    if (record.erased) return false;
    if (!payloads_.Find(record.body, &spans_))
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected the body of the record at position {} but found {} bytes "
                              "that are none",
                              record.position.value, record.body.size()));
    return std::ranges::any_of(spans_, [](const PayloadSpan& span) { return span.size > 0; });
  }

 private:
  const model::RecordPayloads payloads_;
  std::vector<PayloadSpan> spans_;
};

// Of the cursor's records, at most so many.
Result<bool> AnyHasPayload(Result<std::unique_ptr<eventstore::Cursor>> cursor, uint64_t most,
                           Finder& finder) {
  if (!cursor.has_value() && cursor.error().code == ErrorCode::kInstanceErased) return false;
  if (!cursor.has_value()) return std::unexpected(cursor.error());
  for (; most > 0; --most) {
    const auto record = (*cursor)->Next();
    if (!record.has_value()) return std::unexpected(record.error());
    if (!record->has_value()) return false;
    const auto has = finder.HasPayload(**record);
    if (!has.has_value() || *has) return has;
  }
  return false;
}

}  // namespace

Result<InClear> FindInClear(const EventStore& log, ShardId shard,
                            std::span<const InstanceId> instances,
                            std::span<const Position> registry) {
  InClear found;
  Finder finder;
  for (const InstanceId id : instances) {
    const auto has = AnyHasPayload(log.ReadInstance(shard, id, Seq(1)), UINT64_MAX, finder);
    if (!has.has_value()) return std::unexpected(has.error());
    if (*has) found.instances.push_back(id);
  }
  for (const Position position : registry) {
    const auto has = AnyHasPayload(log.Read(shard, position), 1, finder);
    if (!has.has_value()) return std::unexpected(has.error());
    if (*has) found.registry.push_back(position);
  }
  return found;
}

}  // namespace stele::retention
