// A data directory for the commands that only read. It is never created by them.
#pragma once

#include <memory>

#include "base/error.h"
#include "cli/arguments.h"
#include "eventstore/event_store.h"

namespace stele::cli {

inline constexpr std::string_view kDefaultData = "./stele-data";
inline constexpr ShardId kShard{0};

// `damaged`: a damaged log too, to say where the damage is. The others refuse it, lest they take
// half a history for the whole.
Result<std::unique_ptr<eventstore::EventStore>> OpenForReading(const Arguments& arguments,
                                                               bool damaged = false);

// "42" as the operand of a command.
Result<InstanceId> ParseInstanceId(const std::string& word);

}  // namespace stele::cli
