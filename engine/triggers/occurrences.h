// Firings that follow from what happens in the log: events that are published, conditions that
// begin to hold. A fold of the records, so that a restart that reads them again comes to the same
// firings, under the same keys: an event's is its record's position and its number in it, a
// condition's the position of the record at which it began to hold.
//
// Pure but for the table, which it folds along: a trigger sees what happens after its registration
// and not what happens while it is paused. Not for concurrent use.
//
// Of a part of the log out of which instances were cut, conditions cannot be folded: they come from
// the record of the purge (conditions_at.h), and the fold takes the messages of that part alone.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/payload.h"
#include "engine/model/event.h"
#include "engine/triggers/instance_views.h"
#include "engine/triggers/trigger_table.h"

namespace stele::triggers {

struct Occurrence {
  TriggerId trigger;
  std::string key;
  TimeUs time;
  Result<Payload> input;   // of what it starts; the error says why there can be none
  std::string message_id;  // of an event that has one, with its place
  Position position;
  uint32_t ordinal = 0;
};

class Occurrences {
 public:
  // REQUIRES: the table outlives this.
  explicit Occurrences(TriggerTable& table) : table_(table) {}

  // Whether Fold would make anything of the event.
  static bool Reads(const model::Event& event);
  // One record, in the order of the log. `definition` is the name of the instance's definition, for
  // records in which it starts, ends or is retried.
  void Fold(std::span<const model::Event> events, const model::RecordContext& record,
            std::string_view definition);
  // The same without conditions and what they count, which Restore is to bring then.
  void FoldMessages(std::span<const model::Event> events, const model::RecordContext& record);
  // Conditions that have held long enough by then.
  void Elapse(TimeUs now);
  // What has not been fired yet, in order; gone from here then.
  std::vector<Occurrence> Take();
  // When Elapse has to be called next, if nothing happens before.
  std::optional<TimeUs> NextMoment() const;

  // What conditions count and have come to, with their firings that were not taken, as JSON.
  Value ToValue() const;
  // In place of what conditions have come to here. REQUIRES: the table is as of `state`. False:
  // `state` is none.
  bool Restore(const Value& state);
  const InstanceViews& views() const { return views_; }

 private:
  struct Condition {
    bool holds = false;
    bool fired = false;  // since it holds
    TimeUs since;
    Position position;  // of the record at which it began to hold
  };

  void FoldTrigger(const model::Event& event);
  bool FoldInstance(const model::Event& event, std::string_view definition);
  void FoldMessage(const model::MessagePublished& message, const model::RecordContext& record,
                   uint32_t ordinal);
  void LookAt(const model::RecordContext& record);
  void LookAt(const KnownTrigger& trigger, const model::RecordContext& record);
  void Fire(const KnownTrigger& trigger, Condition& condition);
  bool IsOfCondition(const Occurrence& one) const;
  void RestoreFiring(const Array& parts);

  TriggerTable& table_;
  InstanceViews views_;
  std::map<TriggerId, Condition> conditions_;
  std::vector<Occurrence> occurred_;
};

// The key of what a message fires in triggers of the kind kEventKind.
std::string KeyOfMessage(Position position, uint32_t ordinal);
// Where the message of a firing's key lies; nothing for firings of triggers of another kind, and
// those by hand. `kind`: KindOf.
std::optional<Position> MessageOf(std::string_view kind, std::string_view key);

}  // namespace stele::triggers
