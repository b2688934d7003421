// The state of an instance behind any of its events, of a history of any length.
//
// Open reads the history once, the first look, and keeps states on the way as keyframes: the bytes
// of a snapshot behind the last event of a record. A moment is the keyframe before it and the
// events from there on, which are read from the source again: what it costs depends on the distance
// between keyframes, not on the history. The memory is bounded: when keyframes take more than the
// limit, every second one is dropped and the next ones come half as often. Of events, those of one
// interval are in memory.
//
// One event forward is one apply. One back is at most an interval.
//
// Thread: one at a time. REQUIRES: the source outlives the machine.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/definition/definition.h"
#include "engine/model/event.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"
#include "replay/history.h"

namespace stele::replay {

// Of the keyframes of a machine.
inline constexpr size_t kKeyframeBytes = size_t{64} << 20;
// Events from one keyframe to the next, until their bytes reach the limit.
inline constexpr uint64_t kKeyframeInterval = 128;
// Or records: of an instance of a busy shard each of them is in another block, and a block is what
// is read and unpacked.
inline constexpr uint64_t kIntervalRecords = 32;
// Or bytes of records, where events are large.
inline constexpr size_t kIntervalBytes = size_t{1} << 20;

// A record of the instance's.
struct PastRecord {
  model::RecordContext context;
  Seq first;
  Seq last;
  Position causation;   // the record that led to it; 0: none
  std::string actor;    // who asked; empty: the engine itself
  std::string source;   // where the request came from; empty: not known
  bool erased = false;  // it had payloads, whose key was destroyed
};

// An event of the past. Good until the machine is asked for anything else.
struct PastEvent {
  Seq seq;
  uint32_t ordinal = 0;  // in its record, from 0; 0 is the cause
  const PastRecord& record;
  const model::Event& event;
  // The version that it speaks of.
  const definition::Definition& definition;
};

// The state behind an event. Good until the machine is asked for anything else.
struct Moment {
  Seq seq;
  TimeUs time;  // of the record that holds the event
  const model::Instance& state;
  const definition::Definition& definition;  // that it runs then
  uint32_t version = 0;                      // of that name, as it is registered
};

// A moment as it is asked for: behind an event, behind all that had happened until a time, or, of
// neither, now.
struct When {
  Seq seq;
  TimeUs time;
};

class TimeMachine {
 public:
  struct Limits {
    size_t keyframe_bytes = kKeyframeBytes;
    uint64_t interval = kKeyframeInterval;
  };

  // The first look. kUnknownInstance; kForbidden: it ran a definition that may not be read;
  // kUnknownDefinition: one that the registry does not have. That need not outlive the machine.
  static Result<std::unique_ptr<TimeMachine>> Open(const Source& source, InstanceId instance,
                                                   const model::Registry& registry, Limits limits);
  static Result<std::unique_ptr<TimeMachine>> Open(const Source& source, InstanceId instance,
                                                   const model::Registry& registry) {
    return Open(source, instance, registry, Limits());
  }
  ~TimeMachine();

  InstanceId instance() const { return instance_; }
  // The last event that was read.
  Seq last() const;
  // When the first event was recorded, and the last.
  TimeUs began() const { return began_; }
  TimeUs ended() const;

  // The state behind event `seq`. kNoSuchMoment: there is none of that number, with those that
  // there are.
  Result<Moment> At(Seq seq);
  // The event itself, and where it was recorded. A moment stays good. Errors as At.
  Result<PastEvent> EventAt(Seq seq);
  // The last event that was recorded at the time or before it. kNoSuchMoment: it had not begun.
  Result<Seq> SeqAt(TimeUs time);
  // The event behind which the state is that was asked for. Errors as At and SeqAt.
  Result<Seq> Find(const When& when);
  // The first and the last event of the record that holds `seq`. Errors as At.
  Result<Seq> RecordBegin(Seq seq);
  Result<Seq> RecordEnd(Seq seq);

  // The events whose states are at hand without reading any record, rising. The last event of the
  // history is among them.
  std::vector<Seq> Keyframes() const;

  // Sees every event from `from` on, and the state behind it, until it says no.
  using VisitMoment = std::function<bool(const Moment& moment, const PastEvent& event)>;
  // One reading of the records, where At for one after the other would be one for each interval.
  // Errors as At.
  Status Visit(Seq from, const VisitMoment& visit);

  // Reads what has been recorded since. Whether there is anything. What was given before is good
  // no longer. Errors as Open, of the registry of now.
  Result<bool> Refresh(const model::Registry& registry);

  // Memory that it holds, about: keyframes, the events of an interval, a state.
  size_t bytes() const;

 private:
  struct Keyframe;
  struct Interval;
  struct Runs;
  class FirstLook;

  TimeMachine(const Source& source, InstanceId instance, Limits limits);
  Status ReadOn(const model::Registry& registry);
  Status CheckMoment(Seq seq) const;
  size_t KeyframesUpTo(Seq seq) const;
  Status Load(Seq seq);
  Moment Now(TimeUs time) const;
  PastEvent EventOf(const Interval& interval, Seq seq) const;
  Status Rewind(size_t keyframes);
  const Runs& RunsAt(Seq seq) const;

  const Source& source_;
  const InstanceId instance_;
  const Limits limits_;
  uint64_t stride_ = 1;  // from a keyframe to the next: times what it is at first
  TimeUs began_;
  std::vector<Keyframe> keyframes_;  // rising; the last one is behind the last event
  size_t keyframe_bytes_ = 0;
  std::vector<Runs> runs_;            // the definitions that it ran, since which event
  std::unique_ptr<Interval> loaded_;  // the events around what was asked for last
  model::Instance state_;             // as it was asked for last
};

}  // namespace stele::replay
