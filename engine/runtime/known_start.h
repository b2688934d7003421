// A start whose idempotency key has started an instance before: is it the same one once more?
//
// Thread: the loop's.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "engine/model/command.h"
#include "engine/model/registry.h"
#include "eventstore/event_store.h"

namespace stele::runtime {

// Where what was started is read.
struct StartedLog {
  const eventstore::EventStore& store;
  ShardId shard;
  const model::Registry& registry;
};

// kDuplicateKey: `known` was started with another definition, input, variable or business key. What
// the log does not tell any more, because it was erased, counts as the same. `definition`: the name
// of the one that is to be started, which need not be registered yet. REQUIRES: the start of
// `known` is durable.
std::optional<Error> RefuseOtherStart(const StartedLog& log, InstanceId known,
                                      std::string_view definition,
                                      const model::StartInstance& command);
// Of the definition that it names.
std::optional<Error> RefuseOtherStart(const StartedLog& log, InstanceId known,
                                      const model::StartInstance& command);
// The same of a fork: of another event, with other variables or another definition, or a reset in
// place of a fork that leaves its origin alone.
std::optional<Error> RefuseOtherStart(const StartedLog& log, InstanceId known,
                                      const model::ForkInstance& command);

// Whether somebody outside has given the key, and not the engine, whose keys say what they start.
bool IsGivenKey(const model::StartInstance& command);
inline bool IsGivenKey(const model::ForkInstance&) {
  return true;
}

}  // namespace stele::runtime
