#include "engine/requests/fork.h"

#include <fmt/format.h>

#include <memory>

#include "engine/model/names.h"
#include "engine/model/snapshot.h"

namespace stele::requests {

namespace {

// Of the record as it is in the log, its payloads sealed if they are.
Result<std::string> LeafAt(const eventstore::EventStore& store, ShardId shard, Position position) {
  const auto frame = store.Tree(shard)->Frame(position);
  if (!frame.has_value()) return std::unexpected(frame.error());
  if (!frame->has_value())
    return Fail(
        ErrorCode::kInstanceErased,
        fmt::format("Expected the record at position {} but found it cut out", position.value));
  const eventstore::Hash leaf = eventstore::LeafHash(position, **frame);
  return std::string(reinterpret_cast<const char*>(leaf.data()), leaf.size());
}

}  // namespace

Result<const model::Instance*> StateToFork(replay::TimeMachine& machine, const replay::When& when) {
  const Result<Seq> seq = machine.Find(when);
  if (!seq.has_value()) return std::unexpected(seq.error());
  const Result<Seq> end = machine.RecordEnd(*seq);
  if (!end.has_value()) return std::unexpected(end.error());
  const Result<replay::Moment> moment = machine.At(*end);
  if (!moment.has_value()) return std::unexpected(moment.error());
  const model::Instance& state = moment->state;
  if (model::HasEnded(state.status))
    return Fail(ErrorCode::kCannotFork,
                fmt::format("Expected an event of instance {} behind which it goes on but found "
                            "{}, behind which it is {}",
                            state.id.value, seq->value, model::StatusName(state.status)));
  return &state;
}

Result<ForkPoint> ReadForkPoint(replay::TimeMachine& machine, const eventstore::EventStore& store,
                                ShardId shard, const replay::When& when) {
  const auto found = StateToFork(machine, when);
  if (!found.has_value()) return std::unexpected(found.error());
  const model::Instance& state = **found;
  auto hash = LeafAt(store, shard, state.position);
  if (!hash.has_value()) return std::unexpected(hash.error());
  return ForkPoint{.origin = state.id,
                   .seq = state.seq,
                   .position = state.position,
                   .hash = *std::move(hash),
                   .definition = state.definition,
                   .business_key = state.business_key,
                   .deadline = state.deadline,
                   .state = model::EncodeSnapshot(state)};
}

Result<model::ForkInstance> ForkAt(const ForkPoint& point) {
  Result<model::Instance> state = model::DecodeSnapshot(point.state);
  if (!state.has_value()) return std::unexpected(state.error());
  return model::ForkInstance{
      .origin = point.origin,
      .origin_seq = point.seq,
      .origin_hash = point.hash,
      .origin_position = point.position,
      .state = model::ForkedState(std::make_shared<const model::Instance>(*std::move(state)))};
}

void KeepForReset(const ForkPoint& point, model::ForkInstance& fork) {
  if (!fork.ends_origin) return;
  if (fork.business_key.empty()) fork.business_key = point.business_key;
  if (!fork.deadline) fork.deadline = point.deadline;
}

}  // namespace stele::requests
