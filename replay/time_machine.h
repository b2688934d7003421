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

#include <map>
#include <memory>
#include <optional>
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
// Events from one keyframe to the next, until their bytes reach the limit. Of an instance of a busy
// shard each of its records is in another block, and a block is what is read: so it is not many.
inline constexpr uint64_t kKeyframeInterval = 128;

// A record of the instance's.
struct PastRecord {
  model::RecordContext context;
  Seq first;
  Seq last;
  Position causation;   // the record that led to it; 0: none
  std::string actor;    // who asked; empty: the engine itself
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
  model::RecordContext record;  // that holds the event
  const model::Instance& state;
  const definition::Definition& definition;  // that it runs then
};

class TimeMachine {
 public:
  struct Limits {
    size_t keyframe_bytes = kKeyframeBytes;
    uint64_t interval = kKeyframeInterval;
  };

  // The first look. kUnknownInstance; kForbidden: it ran a definition that may not be read.
  // REQUIRES: the registry has the definitions that it ran. It need not outlive the machine.
  static Result<std::unique_ptr<TimeMachine>> Open(const Source& source, InstanceId instance,
                                                   const model::Registry& registry, Limits limits);
  static Result<std::unique_ptr<TimeMachine>> Open(const Source& source, InstanceId instance,
                                                   const model::Registry& registry);
  ~TimeMachine();

  InstanceId instance() const { return instance_; }
  // The last event that was read.
  Seq last() const { return last_; }
  // When the first event was recorded, and the last.
  TimeUs began() const;
  TimeUs ended() const;

  // The state behind event `seq`. kNoSuchMoment: there is none of that number, with those that
  // there are.
  Result<Moment> At(Seq seq);
  // The event itself, and where it was recorded. Errors as At.
  Result<PastEvent> EventAt(Seq seq);
  // The last event that was recorded at the time or before it. kNoSuchMoment: it had not begun.
  Result<Seq> SeqAt(TimeUs time);
  // The first and the last event of the record that holds `seq`. Errors as At.
  Result<Seq> RecordBegin(Seq seq);
  Result<Seq> RecordEnd(Seq seq);

  // The states that are at hand without reading: the events that they are behind, rising; the last
  // event of the history is always among them.
  std::vector<Seq> Keyframes() const;

  // Reads what has been recorded since. Whether there is anything. What was given before is good
  // no longer. REQUIRES: as Open, of the registry of now.
  Result<bool> Refresh(const model::Registry& registry);

  // Memory that it holds: keyframes and the events of the interval, about.
  size_t bytes() const;

 private:
  struct Keyframe;
  struct Interval;

  TimeMachine(const Source& source, InstanceId instance, Limits limits);
  Result<bool> ReadOn(const model::Registry& registry);
  Status Learn(const model::Registry& registry, const model::Event& event);
  void Keep(const PastRecord& record, const model::Instance& state);
  void DropEverySecond();
  Status CheckMoment(Seq seq) const;
  const Keyframe* KeyframeBefore(Seq seq) const;
  Status Load(Seq seq);
  Status Rewind(const Keyframe* keyframe);
  const PastRecord& RecordOf(Seq seq) const;
  const definition::Definition& DefinitionOf(DefinitionId id) const;

  const Source& source_;
  const InstanceId instance_;
  const Limits limits_;
  uint64_t interval_;
  Seq last_;
  TimeUs began_;
  std::vector<Keyframe> keyframes_;  // rising; the last one is behind the last event
  size_t keyframe_bytes_ = 0;
  std::map<DefinitionId, std::shared_ptr<const definition::Definition>> definitions_;
  std::unique_ptr<Interval> loaded_;  // the events around what was asked for last
  model::Instance state_;             // behind the event that was asked for last
  TimeUs state_time_;
};

}  // namespace stele::replay
