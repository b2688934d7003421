// Names for runs and scopes that mean the same in two courses of one instance: the step, the
// iterations around it, what it stands in for, and the how manieth of these it is. Numbers do not:
// behind one step more, those of all that follow are others.
//
// What was there when the courses parted has the same number in both.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/definition/definition.h"
#include "engine/model/event.h"
#include "engine/model/instance.h"

namespace stele::replay {

class RunNames {
 public:
  // REQUIRES: `definition` is the one that `parted`, the instance where the courses part, runs.
  RunNames(const model::Instance& parted, const definition::Definition& definition);

  // The course goes on. `migrated_to`: the version that an InstanceMigrated names.
  void Note(const model::Event& event, const definition::Definition* migrated_to);

  // The run of the other course that is the same as `run` of this one; 0: there is none.
  RunId CounterpartOf(RunId run, const RunNames& other) const;
  std::optional<ScopeId> CounterpartOf(ScopeId scope, const RunNames& other) const;

  // What a step of the version that runs now is called in both courses: a plan that gives it
  // another id does not change that.
  const std::string& StepName(StepIndex step) const { return steps_[step.value]; }
  // The step of that name; none: this version has no such step.
  std::optional<StepIndex> FindStep(std::string_view name) const;

 private:
  std::string NameOf(RunId run) const;
  std::string NameOf(ScopeId scope) const;
  // "name", and behind the first of it "name~2", "name~3", …
  std::string Numbered(std::string name);
  void Migrate(const model::InstanceMigrated& event, const definition::Definition& to);

  const RunId old_run_;      // the last one that both courses have
  const ScopeId old_scope_;  // likewise
  std::vector<std::string> steps_;
  std::deque<std::string> runs_;  // behind old_run_; they stay where they are
  std::deque<std::string> scopes_;
  std::map<std::string_view, RunId> run_of_;
  std::map<std::string_view, ScopeId> scope_of_;
  std::map<std::string, uint32_t, std::less<>> times_;
};

}  // namespace stele::replay
