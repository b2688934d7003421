// What conditions had come to at a position of the log. The record of a purge says it, because
// instances that were counted are cut out behind that record: a fold of what is left would count
// too few of them. Whoever has folded less begins there.
//
// Threads: any; reading a log waits for the disk.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "engine/triggers/occurrences.h"
#include "eventstore/event_store.h"

namespace stele::triggers {

// The shard's note with the fold as it was last noted, as text.
inline constexpr std::string_view kConditionsNote = "Ts";

struct ConditionsAt {
  Position position;  // of the last record that they count
  Value state;        // Occurrences::ToValue
  std::string ToText() const;
  // Nothing when the text is none of ToText's.
  static std::optional<ConditionsAt> FromText(std::string_view text);
};

// The furthest that records of purges say, when that is behind `behind`. Reads the registry.
Result<std::optional<ConditionsAt>> FurthestRecorded(const eventstore::EventStore& log,
                                                     ShardId shard, Position behind);

// What the record of a purge has to say: conditions as they are at `to`, or at an earlier position
// that the fold was noted at, but not before `needed`, which is that of the last record of the
// instances that go. Nothing: an earlier purge has said it. Begins at what is noted or recorded,
// and reads the log from there. kShardStopped: it was told to stop. REQUIRES: needed <= to,
// durable.
Result<std::optional<ConditionsAt>> FoldConditions(const eventstore::EventStore& log, ShardId shard,
                                                   Position needed, Position to,
                                                   const std::stop_token& stop = {});

}  // namespace stele::triggers
