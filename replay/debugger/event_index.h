// What a debugger has to know of every event without reading it: its kind, and the step, run and
// scope that it speaks of. 16 bytes an event, 8 a scope.
//
// Steps have numbers of the index's own, by id: an instance that migrates keeps them.
//
// Thread: one at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"
#include "replay/history.h"

namespace stele::replay {

struct IndexedEvent {
  uint32_t step = 0;  // the index's number of it; 0: none
  ScopeId scope;
  RunId run;
  uint8_t kind = 0;       // the alternative of model::Event
  bool is_first = false;  // of its record

  // It is where a step begins: activated, passed by a token, skipped.
  bool begins_step() const;
  // Where a step begins or ends.
  bool is_step_boundary() const;
  bool opens_scope() const;
  bool closes_scope() const;
};

class EventIndex {
 public:
  explicit EventIndex(InstanceId instance) { state_.id = instance; }

  // Reads the events behind those that it has, `last` at most. REQUIRES: the registry has the
  // definitions that they speak of.
  Status Read(const Source& source, const model::Registry& registry, Seq last);

  // REQUIRES: 1 <= seq <= last().
  const IndexedEvent& operator[](Seq seq) const { return events_[seq.value - 1]; }
  Seq last() const { return Seq(events_.size()); }
  // Behind the last event.
  bool has_ended() const { return model::HasEnded(state_.status); }

  // 0: no version that the instance ran has a step of that id.
  uint32_t StepNumber(std::string_view id) const;
  // "" of 0.
  const std::string& StepId(uint32_t number) const { return steps_[number]; }
  // Of all steps, in the order of the definitions.
  std::vector<std::string> StepIds() const { return {steps_.begin() + 1, steps_.end()}; }

  // The scope around it. REQUIRES: it is not the root.
  ScopeId Parent(ScopeId scope) const { return scopes_[scope.value].parent; }
  // Whether `scope` is `around` or, at any depth, inside it.
  bool IsWithin(ScopeId scope, ScopeId around) const;
  // "update[2]": the step that the event speaks of, behind it the indices of the loops around it;
  // "": it speaks of none.
  std::string Label(const IndexedEvent& event) const;

 private:
  struct IndexedScope {
    ScopeId parent;
    uint32_t index = kNoIndex;  // of an iteration; kNoIndex: it is none
  };
  struct Version {
    std::shared_ptr<const definition::Definition> definition;
    std::vector<uint32_t> steps;  // their numbers, by index
  };

  Status Add(const model::Event& event, const model::RecordContext& record, bool is_first,
             const model::Registry& registry);
  Status Learn(const model::Registry& registry, DefinitionId id);
  void Note(const model::Scope& scope);

  std::vector<IndexedEvent> events_;
  std::vector<std::string> steps_{""};  // by number
  std::map<std::string, uint32_t, std::less<>> numbers_;
  std::vector<IndexedScope> scopes_{{}};  // by number
  std::map<DefinitionId, Version> versions_;
  model::Instance state_;  // behind the last event
};

}  // namespace stele::replay
