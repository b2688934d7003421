// A fork, in two halves: what an instance was behind an event, read from the log on any thread; and
// the command that makes another instance of it, on the shard's.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/model/command.h"
#include "eventstore/event_store.h"
#include "replay/time_machine.h"

namespace stele::requests {

// Where a fork begins. Bytes alone, so that it may go from thread to thread.
struct ForkPoint {
  InstanceId origin;
  Seq seq;            // the last event that is in the state
  Position position;  // of its record
  std::string hash;   // that record's leaf (docs/log-format.md)
  DefinitionId definition;
  std::string business_key;  // the origin's
  TimeUs deadline;
  std::string state;  // model::EncodeSnapshot
};

// Behind the record that holds the event of that moment: what a record says is one, and so a fork
// is of all of it. kNoSuchMoment: there is no such event. kCannotFork: behind it the instance has
// ended. Good until the machine is asked for anything else.
Result<const model::Instance*> StateToFork(replay::TimeMachine& machine, const replay::When& when);

// The same, with what a fork says of it. The store is the one that the machine reads.
Result<ForkPoint> ReadForkPoint(replay::TimeMachine& machine, const eventstore::EventStore& store,
                                ShardId shard, const replay::When& when);

// Without anything that is to be different. kStoreCorrupt: the point's state is none.
Result<model::ForkInstance> ForkAt(const ForkPoint& point);

// A reset goes on with its origin's business key and deadline, unless it was given others.
void KeepForReset(const ForkPoint& point, model::ForkInstance& fork);

}  // namespace stele::requests
