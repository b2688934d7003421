// What would have become of an instance: from any event of its history, with other variables, in
// another version of its definition, or with other results of its steps. Nothing is recorded and
// nothing acts.
//
// A fork leaves behind the record that holds the event: what one cause leads to is not cut.
//
// Thread: that of the source, one at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "engine/definition/definition.h"
#include "engine/model/event.h"
#include "engine/model/registry.h"
#include "replay/history.h"
#include "replay/time_machine.h"
#include "replay/what_if/answers.h"
#include "replay/what_if/limits.h"
#include "replay/what_if/path.h"
#include "replay/what_if/simulation.h"
#include "replay/what_if/step_changes.h"

namespace stele::replay {

// Variables of the instance's own scope; it is asked with the version that the fork goes on in.
using VariablesFor = std::function<Result<std::vector<model::NamedPayload>>(
    const definition::Definition& definition)>;

struct WhatIf {
  InstanceId instance;
  When at;                       // an event, or a time: the last event until then
  DefinitionId definition = {};  // that it goes on in; 0: the one that it runs there
  std::string plan = {};         // of a migration: old step ids to new ones, JSON
  VariablesFor variables = nullptr;
  std::vector<Stub> stubs = {};
  WhatIfLimits limits = {};
};

// How a course ended.
struct CourseOutcome {
  std::string status;  // StatusWord
  Seq seq;             // its last event
  TimeUs time;         // and when that was
  Payload output;
  model::Failure failure;
  Array waiting_for;  // StandingToJson
};

// An attempt that nothing answers.
struct Unanswered {
  std::string step;   // the id
  std::string label;  // the id, behind it the indices of the loops around
  std::string type;
  RunId run;
  uint32_t attempt = 1;
};

// A recorded cause that found nothing to be applied to.
struct UnusedCause {
  PathEvent event;
  std::string why;
};

struct WhatIfReport {
  InstanceId instance;
  Seq asked;
  Seq at;  // the last event of the record that holds `asked`
  Position position;
  TimeUs time;
  std::string definition;
  uint32_t version = 1;                   // there
  uint32_t to_version = 0;                // in which it went on; 0: the same
  std::vector<model::NamedPayload> sets;  // variables that were set
  std::vector<std::string> unknown;       // of these: UnknownOf
  std::vector<Stub> stubs;

  uint64_t followed = 0;  // events behind the fork that are as recorded
  uint64_t beyond = 0;    // behind the last recorded one, on a path that was never left
  std::optional<Parting> parting;
  ResultCounts results;
  uint64_t applied = 0;                    // recorded causes of people, operators, messages
  uint64_t unused = 0;                     // that were not
  std::vector<UnusedCause> unused_causes;  // the first of these
  StepChanges steps;
  std::vector<Unanswered> unanswered;

  CourseOutcome recorded;
  CourseOutcome now;
  CourseEnd end = CourseEnd::kWaiting;
  // What differs between the states at the two ends: from the recorded one to that of now.
  Array changes;  // ChangesToJson
  Array patch;    // RFC 6902
};

// kUnknownInstance; kInstanceErased; kNoSuchMoment; kForbidden: it ran a definition that may not be
// read; kUnknownDefinition: the registry was read before one that it ran was registered; what the
// decider has against a change; kUsage: a stub for nothing. REQUIRES: the registry has the
// definition that is named.
Result<WhatIfReport> AskWhatIf(const Source& source, const model::Registry& registry,
                               const WhatIf& what_if);

// Of variables that are to be set, those that the instance does not have and its definition does
// not declare: nothing may look at them.
std::vector<std::string> UnknownOf(const std::vector<model::NamedPayload>& sets,
                                   const model::Instance& instance,
                                   const definition::Definition& definition);

// For programs, the same at every edge; docs/what-if.md has the members.
Object ToJson(const WhatIfReport& report);

// The number of a definition in the registry. One that nobody has registered is added, as the next
// version of its name.
DefinitionId IdOf(model::Registry& registry,
                  const std::shared_ptr<const definition::Definition>& definition);

}  // namespace stele::replay
