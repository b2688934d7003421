// A row of the view of instances: what lists and searches show of one, as of its last record.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/value.h"
#include "projections/table.h"

namespace stele::projections {

// A step that is open.
struct OpenStep {
  RunId run;
  std::string id;
  std::string label;  // the id with the indices of the loops around: "update[2]"
  std::string state;  // "attempt", "backoff", "waiting", … as the model names it
  TimeUs since;
  uint32_t attempt = 1;

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.run, self.id, self.label, self.state, self.since, self.attempt);
  }
};

// What the instance waits for (replay/standing.h).
struct RowWait {
  std::string what;     // "people", "message", "delay", "operator", "child", "resume", "place"
  std::string step;     // the label; empty: the instance itself
  std::string subject;  // whom or what: `anna, group ops`, `message "payment"`, the error, "42"
  TimeUs since;
  TimeUs due;

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.what, self.step, self.subject, self.since, self.due);
  }
};

// A text, number or boolean among the variables of the root scope, or in the input.
struct RowVariable {
  std::string name;  // "customer", "customer.id"
  std::string value;
  bool is_input = false;
  bool is_json = false;  // a number or boolean as JSON writes it; else a text

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.name, self.value, self.is_input, self.is_json);
  }
};

struct InstanceRow {
  InstanceId id;
  std::string definition;
  uint32_t version = 0;
  std::string status;  // replay::StatusWord
  std::string business_key;
  std::vector<std::string> tags;
  int32_t priority = 0;
  InstanceId parent;
  TimeUs started;
  TimeUs ended;                  // 0: it has not
  TimeUs deadline;               // 0: none
  TimeUs updated;                // of its last record
  uint32_t steps_total = 0;      // steps of the definition's outermost graph, but those that only
                                 // stand in for others or undo them
  uint32_t steps_completed = 0;  // of those: each once, however often it ran, undone or not
  uint32_t steps_decided = 0;    // of those: completed, failed, skipped or cancelled; where steps
                                 // are undone, not what that cut off
  bool undone = false;           // its steps are being undone, or were
  uint32_t steps_open = 0;       // runs; the first of them are in `steps`
  std::vector<OpenStep> steps;
  uint32_t waits_open = 0;
  std::vector<RowWait> waits;
  std::string error_kind;  // why it failed, why its steps are being undone, or why one is parked
  std::string error_message;
  std::string parked_kind;  // why a step is parked
  std::string actor;        // who started it; empty: the engine
  TriggerId trigger;        // what started it; 0: none
  std::vector<RowVariable> variables;

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.id, self.definition, self.version, self.status, self.business_key, self.tags,
            self.priority, self.parent, self.started, self.ended, self.deadline, self.updated,
            self.steps_total, self.steps_completed, self.steps_decided, self.undone,
            self.steps_open, self.steps, self.waits_open, self.waits, self.error_kind,
            self.error_message, self.parked_kind, self.actor, self.trigger, self.variables);
  }
  static const TableSchema& Schema();
  RowFacts Facts(TimeUs now) const;

  // Of the outermost graph, 0 to 100.
  uint32_t ProgressPercent() const;
};

std::string InstanceKey(InstanceId instance);

// Times and durations in microseconds; docs/queries.md has the members. `now`: until when an open
// one has lasted.
Value ToJson(const InstanceRow& row, TimeUs now);

}  // namespace stele::projections
