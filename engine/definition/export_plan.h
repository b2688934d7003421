// What the writers of the notations share: which definition, what its steps are called in the file,
// what goes into `stele:`, and the values that they all write alike.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/definition/definition.h"
#include "engine/definition/export.h"

namespace stele::definition {

// How much a writer says in the notation's own words.
enum class Fluency : uint8_t {
  kFluent,   // whatever it has words for
  kPlain,    // each step by itself, nothing that stands for several
  kCareful,  // only ids and the way from step to step: the rest is in `stele:`
};

struct ExportPlan {
  const Definition& definition;
  std::vector<std::string> ids;           // by step, as the file calls them
  std::map<std::string, Object> patches;  // by the file's id, "" for the definition
  std::set<std::string> retries;          // steps whose policy must be written, be it the usual one
  Fluency fluency = Fluency::kFluent;

  const Step& step(StepIndex index) const { return definition.step(index); }
  const std::string& Id(StepIndex index) const { return ids[index.value]; }
  bool careful() const { return fluency == Fluency::kCareful; }
};

Value WriteProcesses(const ExportPlan& plan);
Value WriteSteps(const ExportPlan& plan);
Value WriteNodes(const ExportPlan& plan);
Value WriteProcessSteps(const ExportPlan& plan);
Value WriteOrderedTasks(const ExportPlan& plan);

// A body's steps in the file's order, those first that start with it though a loop leads back to
// them.
std::vector<StepIndex> StepsOf(const ExportPlan& plan, BodyIndex body);
// Whether the step starts with its body.
bool IsEntry(const ExportPlan& plan, StepIndex step);

// "30s", "1500ms", exactly.
std::string DurationText(int64_t us);
// The word that FindStepType reads as the step's type, or comes nearest to it.
std::string TypeWordOf(const ExportPlan& plan, const Step& step);
// Whether a configuration is read of steps of that kind.
bool WritesConfig(const ExportPlan& plan, const Step& step);
// The members of the step's configuration, or of none.
Object ConfigOf(const Step& step);
// Nothing when one of them would be read as something else.
std::optional<Object> MappingsOf(const std::vector<Mapping>& mappings, bool computed);
Value RetryOf(const RetryPolicy& retry);
// The keys of a loop: how long it runs, its item, its limits.
void AddLoop(const ExportPlan& plan, const Step& step, Object& into);
// `duration` of a delay, where the file can say it.
void AddDelay(const ExportPlan& plan, const Step& step, Object& into);
Object VariablesOf(const Body& body);
// The members of `extra` with those names, and those that begin with `x-`.
void AddExtra(const Value& extra, std::span<const std::string_view> keys, Object& into);
inline void AddExtra(const Value& extra, std::initializer_list<std::string_view> keys,
                     Object& into) {
  AddExtra(extra, std::span(keys.begin(), keys.size()), into);
}
// What is kept for people of the transition, where every notation has it, and the keys of `more`.
void AddEdgeExtra(const ExportPlan& plan, const Transition& edge,
                  std::initializer_list<std::string_view> more, Object& into);
// How a definition is executed, in the words that ReadExecution reads: `timeout`, `priority`,
// `max_concurrent` or `concurrency`, `rate_limit`, `input_schema`.
void AddExecution(const ExportPlan& plan, Object& into);
// Name, version, description, tags, triggers, outputs: what every notation says of a workflow.
void AddHead(const ExportPlan& plan, std::string_view outputs, Object& into);
// `stele:` of that step, or of the definition for an empty id, with `structure` before it.
void AddPatch(const ExportPlan& plan, const std::string& id, Object structure, Object& into);
// What AddPatch needs as `structure` where the notation has no words for handlers.
Object HandlersOf(const ExportPlan& plan, const Step& step);
// `{body: {fallback}}` of a body, for the same.
void AddBodyFallback(const ExportPlan& plan, BodyIndex body, Object& structure);
// `{strategy, fallback_task}`, or null for the usual.
Value ErrorHandlingOf(const ExportPlan& plan, const Body& body);

// A step in the words of the `steps:` notation, which that of processes shares but for the key of
// the configuration.
Object WriteStepKeys(const ExportPlan& plan, StepIndex index, std::string_view config_key);

}  // namespace stele::definition
