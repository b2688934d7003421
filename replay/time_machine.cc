#include "replay/time_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/apply/apply.h"
#include "engine/model/codec.h"
#include "engine/model/snapshot.h"
#include "eventstore/for_each_record.h"

namespace stele::replay {

struct TimeMachine::Keyframe {
  Seq seq;  // the last of its record
  TimeUs time;
  std::string state;  // model::EncodeSnapshot
};

// The whole records between two keyframes.
struct TimeMachine::Interval {
  struct Entry {
    uint32_t record;
    model::Event event;
  };

  bool Holds(Seq seq) const { return first <= seq && seq < end(); }
  const Entry& At(Seq seq) const { return entries[seq.value - first.value]; }
  const PastRecord& RecordOf(Seq seq) const { return records[At(seq).record]; }
  Seq end() const { return first.Plus(entries.size()); }
  // REQUIRES: it is the one behind the last.
  Status Add(const eventstore::RecordView& record);

  Seq first;
  std::vector<PastRecord> records;
  std::vector<Entry> entries;
  size_t bytes = 0;  // of the records' bodies
};

Status TimeMachine::Interval::Add(const eventstore::RecordView& record) {
  const eventstore::RecordHeader& header = record.header;
  const auto number = static_cast<uint32_t>(records.size());
  STELE_RETURN_IF_ERROR(model::DecodeEach(
      record.body, [&](model::Event& event) { entries.push_back({number, std::move(event)}); }));
  bytes += record.body.size();
  records.push_back({.context = {record.position, header.time},
                     .first = header.first_seq,
                     .last = Seq(end().value - 1),
                     .causation = header.causation,
                     .actor = std::string(header.actor),
                     .source = std::string(header.source),
                     .erased = record.erased});
  return {};
}

struct TimeMachine::Runs {
  Seq since;
  DefinitionId id;
  uint32_t version;
  std::shared_ptr<const definition::Definition> definition;
};

// Reads the history from where the machine has come to, and leaves keyframes.
class TimeMachine::FirstLook {
 public:
  FirstLook(TimeMachine& machine, const model::Registry& registry)
      : machine_(machine), registry_(registry) {}

  Status Read(model::Instance state) {
    state_ = std::move(state);
    STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(
        machine_.source_.RecordsFrom(machine_.instance_, state_.seq.Next()),
        [this](const eventstore::RecordView& record) { return Take(record); }));
    if (since_ != 0) Keep();
    machine_.state_ = std::move(state_);
    return {};
  }

 private:
  Status Take(const eventstore::RecordView& record) {
    const model::RecordContext context{record.position, record.header.time};
    if (state_.seq == Seq()) machine_.began_ = context.time;
    STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) -> Status {
      apply::Apply(state_, event, context);
      ++since_;
      const bool other = machine_.runs_.empty() || machine_.runs_.back().id != state_.definition;
      return other ? Learn() : Status();
    }));
    time_ = context.time;
    bytes_ += record.body.size();
    ++records_;
    if (since_ >= machine_.limits_.interval * machine_.stride_ ||
        records_ >= kIntervalRecords * machine_.stride_ ||
        bytes_ >= kIntervalBytes * machine_.stride_)
      Keep();
    return {};
  }

  // It runs another definition than before.
  Status Learn() {
    const auto registered = FindReadable(registry_, state_.definition, machine_.instance_);
    if (!registered.has_value()) return std::unexpected(registered.error());
    machine_.runs_.push_back(
        {state_.seq, (*registered)->id, (*registered)->version, (*registered)->definition});
    return {};
  }

  void Keep() {
    since_ = 0;
    records_ = 0;
    bytes_ = 0;
    machine_.keyframes_.push_back({state_.seq, time_, model::EncodeSnapshot(state_)});
    machine_.keyframe_bytes_ += machine_.keyframes_.back().state.size();
    while (machine_.keyframe_bytes_ > machine_.limits_.keyframe_bytes &&
           machine_.keyframes_.size() > 2)
      Thin();
  }

  // Every second keyframe goes, the last one stays.
  void Thin() {
    std::vector<Keyframe>& all = machine_.keyframes_;
    std::vector<Keyframe> kept;
    for (size_t i = 0; i < all.size(); ++i)
      if ((all.size() - i) % 2 == 1) kept.push_back(std::move(all[i]));
    all = std::move(kept);
    machine_.keyframe_bytes_ = 0;
    for (const Keyframe& keyframe : all) machine_.keyframe_bytes_ += keyframe.state.size();
    machine_.stride_ *= 2;
  }

  TimeMachine& machine_;
  const model::Registry& registry_;
  model::Instance state_;
  TimeUs time_;
  uint64_t since_ = 0;  // events behind the last keyframe
  uint64_t records_ = 0;
  size_t bytes_ = 0;  // of their records
};

TimeMachine::TimeMachine(const Source& source, InstanceId instance, Limits limits)
    : source_(source), instance_(instance), limits_(limits) {}
TimeMachine::~TimeMachine() = default;

Result<std::unique_ptr<TimeMachine>> TimeMachine::Open(const Source& source, InstanceId instance,
                                                       const model::Registry& registry,
                                                       Limits limits) {
  std::unique_ptr<TimeMachine> machine(new TimeMachine(source, instance, limits));
  if (instance) STELE_RETURN_IF_ERROR(machine->ReadOn(registry));
  if (!machine->keyframes_.empty()) return machine;
  return Fail(ErrorCode::kUnknownInstance,
              fmt::format("Expected an instance but found no {}", instance.value));
}

Status TimeMachine::ReadOn(const model::Registry& registry) {
  STELE_RETURN_IF_ERROR(Rewind(keyframes_.size()));
  const Status read = FirstLook(*this, registry).Read(std::move(state_));
  if (read.has_value()) return {};
  // It has come as far as the last keyframe.
  const Seq known = keyframes_.empty() ? Seq() : last();
  std::erase_if(runs_, [known](const Runs& runs) { return known < runs.since; });
  STELE_RETURN_IF_ERROR(Rewind(keyframes_.size()));
  return read;
}

Result<bool> TimeMachine::Refresh(const model::Registry& registry) {
  const Seq before = last();
  // One that stands there for being the last, nearer to the one before it than they are to be.
  const bool odd =
      keyframes_.size() > 1 &&
      before.value - keyframes_[keyframes_.size() - 2].seq.value < limits_.interval * stride_;
  const size_t place = keyframes_.size() - 1;
  STELE_RETURN_IF_ERROR(ReadOn(registry));
  if (last() == before) return false;
  // It may have gone already, when there were too many.
  if (odd && place < keyframes_.size() - 1 && keyframes_[place].seq == before) {
    keyframe_bytes_ -= keyframes_[place].state.size();
    keyframes_.erase(keyframes_.begin() + static_cast<ptrdiff_t>(place));
  }
  loaded_.reset();
  return true;
}

Seq TimeMachine::last() const {
  return keyframes_.back().seq;
}

TimeUs TimeMachine::ended() const {
  return keyframes_.back().time;
}

Status TimeMachine::CheckMoment(Seq seq) const {
  if (Seq() < seq && seq <= last()) return {};
  return Fail(ErrorCode::kNoSuchMoment,
              fmt::format("Expected an event of instance {} from 1 to {} but found {}",
                          instance_.value, last().value, seq.value));
}

// How many are behind an event at or before `seq`.
size_t TimeMachine::KeyframesUpTo(Seq seq) const {
  const auto behind = std::ranges::upper_bound(keyframes_, seq, {}, &Keyframe::seq);
  return static_cast<size_t>(behind - keyframes_.begin());
}

// To the last of the first `keyframes`; of none, to the beginning.
Status TimeMachine::Rewind(size_t keyframes) {
  if (keyframes == 0) {
    state_ = model::Instance();
    state_.id = instance_;
    return {};
  }
  Result<model::Instance> state = model::DecodeSnapshot(keyframes_[keyframes - 1].state);
  if (!state.has_value()) return std::unexpected(state.error());
  state_ = *std::move(state);
  return {};
}

const TimeMachine::Runs& TimeMachine::RunsAt(Seq seq) const {
  const auto behind = std::ranges::upper_bound(runs_, seq, {}, &Runs::since);
  return *(behind - 1);
}

// REQUIRES: there is that event.
Status TimeMachine::Load(Seq seq) {
  if (loaded_ != nullptr && loaded_->Holds(seq)) return {};
  const size_t before = KeyframesUpTo(Seq(seq.value - 1));
  const Seq first = before == 0 ? Seq(1) : keyframes_[before - 1].seq.Next();
  const Seq last = keyframes_[before].seq;
  auto interval = std::make_unique<Interval>();
  interval->first = first;
  interval->entries.reserve(last.value - first.value + 1);
  const auto take = [&](const eventstore::RecordView& record) -> Result<bool> {
    STELE_RETURN_IF_ERROR(interval->Add(record));
    return interval->end() <= last;
  };
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(source_.RecordsFrom(instance_, first), take));
  if (!interval->Holds(seq))
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected events {} to {} of instance {} but found {} of them",
                            first.value, last.value, instance_.value, interval->entries.size()));
  loaded_ = std::move(interval);
  return {};
}

Result<Moment> TimeMachine::At(Seq seq) {
  STELE_RETURN_IF_ERROR(CheckMoment(seq));
  const size_t keyframes = KeyframesUpTo(seq);
  const Seq nearest = keyframes == 0 ? Seq() : keyframes_[keyframes - 1].seq;
  if (state_.seq < nearest || seq < state_.seq) STELE_RETURN_IF_ERROR(Rewind(keyframes));
  while (state_.seq < seq) {
    const Seq next = state_.seq.Next();
    STELE_RETURN_IF_ERROR(Load(next));
    apply::Apply(state_, loaded_->At(next).event, loaded_->RecordOf(next).context);
  }
  // What stands at a keyframe needs no record.
  if (seq == nearest) return Now(keyframes_[keyframes - 1].time);
  STELE_RETURN_IF_ERROR(Load(seq));
  return Now(loaded_->RecordOf(seq).context.time);
}

Moment TimeMachine::Now(TimeUs time) const {
  const Runs& runs = RunsAt(state_.seq);
  return {state_.seq, time, state_, *runs.definition, runs.version};
}

PastEvent TimeMachine::EventOf(const Interval& interval, Seq seq) const {
  const PastRecord& record = interval.RecordOf(seq);
  return {seq, static_cast<uint32_t>(seq.value - record.first.value), record,
          interval.At(seq).event, *RunsAt(seq).definition};
}

Result<PastEvent> TimeMachine::EventAt(Seq seq) {
  STELE_RETURN_IF_ERROR(CheckMoment(seq));
  STELE_RETURN_IF_ERROR(Load(seq));
  return EventOf(*loaded_, seq);
}

Status TimeMachine::Visit(Seq from, const VisitMoment& visit) {
  STELE_RETURN_IF_ERROR(At(from));
  STELE_RETURN_IF_ERROR(Load(from));
  const PastEvent event = EventOf(*loaded_, from);
  if (!visit(Now(event.record.context.time), event) || from == last()) return {};
  return eventstore::ForEachRecord(source_.RecordsFrom(instance_, from.Next()),
                                   [&](const eventstore::RecordView& record) -> Result<bool> {
                                     Interval one;
                                     one.first = record.header.first_seq;
                                     STELE_RETURN_IF_ERROR(one.Add(record));
                                     const model::RecordContext& context = one.records[0].context;
                                     while (state_.seq.Next() < one.end()) {
                                       apply::Apply(state_, one.At(state_.seq.Next()).event,
                                                    context);
                                       if (!visit(Now(context.time), EventOf(one, state_.seq)))
                                         return false;
                                     }
                                     return state_.seq < last();
                                   });
}

Result<Seq> TimeMachine::SeqAt(TimeUs time) {
  if (time < began_)
    return Fail(ErrorCode::kNoSuchMoment,
                fmt::format("Expected a moment at which instance {} had started, behind its events "
                            "from 1 to {}, but found an earlier one",
                            instance_.value, last().value));
  const auto behind = std::ranges::upper_bound(keyframes_, time, {}, &Keyframe::time);
  const Seq known = behind == keyframes_.begin() ? Seq() : (behind - 1)->seq;
  if (behind == keyframes_.end()) return known;
  STELE_RETURN_IF_ERROR(Load(known.Next()));
  const auto later = std::ranges::upper_bound(loaded_->records, time, {},
                                              [](const PastRecord& it) { return it.context.time; });
  return later == loaded_->records.begin() ? known : (later - 1)->last;
}

Result<Seq> TimeMachine::Find(const When& when) {
  if (when.time) return SeqAt(when.time);
  if (!when.seq) return last();
  STELE_RETURN_IF_ERROR(CheckMoment(when.seq));
  return when.seq;
}

Result<Seq> TimeMachine::RecordBegin(Seq seq) {
  const Result<PastEvent> event = EventAt(seq);
  if (!event.has_value()) return std::unexpected(event.error());
  return event->record.first;
}

Result<Seq> TimeMachine::RecordEnd(Seq seq) {
  const Result<PastEvent> event = EventAt(seq);
  if (!event.has_value()) return std::unexpected(event.error());
  return event->record.last;
}

std::vector<Seq> TimeMachine::Keyframes() const {
  std::vector<Seq> all;
  for (const Keyframe& keyframe : keyframes_) all.push_back(keyframe.seq);
  return all;
}

size_t TimeMachine::bytes() const {
  const model::MemoryUse use = model::MemoryOf(state_);
  size_t bytes = keyframe_bytes_ + keyframes_.size() * sizeof(Keyframe) + use.structure +
                 use.payloads + use.parsed;
  if (loaded_ != nullptr)
    bytes += loaded_->bytes + loaded_->entries.size() * sizeof(Interval::Entry) +
             loaded_->records.size() * sizeof(PastRecord);
  return bytes;
}

}  // namespace stele::replay
