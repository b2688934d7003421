#include "engine/retention/met.h"

#include <algorithm>

#include "engine/model/codec.h"
#include "eventstore/for_each_record.h"

namespace stele::retention {

namespace {

// When the messages of the record at that position expire, in their order.
Result<std::vector<TimeUs>> ExpiriesAt(const eventstore::EventStore& log, ShardId shard,
                                       Position position, std::span<const InstanceId> leaving) {
  std::vector<TimeUs> expiries;
  const auto take = [&](const eventstore::RecordView& record) -> Result<bool> {
    // Another one: that record was cut out.
    if (record.position != position || record.erased) return false;
    if (std::ranges::binary_search(leaving, record.header.instance)) return false;
    STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
      if (const auto* message = std::get_if<model::MessagePublished>(&event))
        expiries.push_back(message->expires);
    }));
    return false;
  };
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(log.Read(shard, position), take));
  return expiries;
}

}  // namespace

Result<std::vector<model::MessagePlace>> KeptOfOthers(const eventstore::EventStore& log,
                                                      ShardId shard,
                                                      std::vector<model::MessagePlace> met,
                                                      std::span<const InstanceId> leaving,
                                                      TimeUs now) {
  std::ranges::sort(met);
  std::vector<model::MessagePlace> kept;
  Position at;
  std::vector<TimeUs> expiries;
  for (const model::MessagePlace& place : met) {
    if (place.position != at) {
      auto read = ExpiriesAt(log, shard, place.position, leaving);
      if (!read.has_value()) return std::unexpected(read.error());
      expiries = *std::move(read);
      at = place.position;
    }
    if (place.ordinal < expiries.size() && expiries[place.ordinal] > now &&
        (kept.empty() || kept.back() != place))
      kept.push_back(place);
  }
  return kept;
}

}  // namespace stele::retention
