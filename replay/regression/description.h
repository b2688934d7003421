// Where a record that was decided again parts from what is recorded, in words that are the same for
// all instances which part there.
//
// Thread: one at a time.
#pragma once

#include <string>
#include <vector>

#include "replay/redecide.h"
#include "replay/regression/report.h"

namespace stele::replay {

class Describer {
 public:
  // Before the record is taken: which steps the runs are of. Null: the instance begins with it.
  void Note(const model::Instance* before);

  struct Found {
    DifferenceKey key;
    DifferencePlace place;
  };
  // REQUIRES: the redecider has taken the record, with a rejection, a step that is gone, or another
  // consequence.
  Found Of(const eventstore::RecordView& record, const Redecision& decision,
           const Redecider& redecider) const;
  // The same for a task that an executor is handed otherwise: the events are at these places.
  Found OfAsked(const eventstore::RecordView& record, const Redecision& decision,
                const Redecider& redecider, size_t recorded_at, size_t decided_at) const;

 private:
  struct Run {
    RunId id;
    StepIndex step;
  };
  // The id, empty: the event is of no step. `definition`: of the event.
  std::string StepOf(const model::Event& event, const std::vector<model::Event>& events,
                     const definition::Definition& definition,
                     const definition::Definition& before) const;
  DifferenceKey KeyOfParting(const Redecision& decision, const Redecider& redecider) const;

  std::vector<Run> runs_;
};

}  // namespace stele::replay
