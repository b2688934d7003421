// What the notations write alike: variables, retry policies, error handling, triggers, loops and a
// step's own keys. A dialect adds how steps follow each other.
#pragma once

#include <optional>
#include <vector>

#include "engine/definition/draft.h"
#include "engine/definition/reader.h"
#include "engine/definition/step_types.h"

namespace stele::definition {

// What the lowering of one file shares.
struct Lowering {
  Draft& draft;
  Faults& faults;
  Compiler compiler{draft, faults};

  void Add(ErrorCode code, Place place, std::string message) {
    faults.Add(code, place, std::move(message));
  }
  // A transition that one word of the file may make many of. False, after a fault, when the file
  // has as many as it may.
  bool AddTransition(uint32_t body, DraftTransition edge);
};

void ReadVariables(const Node& node, std::vector<Variable>& variables, Lowering& lowering);
RetryPolicy ReadRetry(const Node& node, Lowering& lowering);
Value ReadTriggers(const Node& node, Lowering& lowering);
std::vector<Mapping> ReadOutputs(const Node& node, Lowering& lowering);

struct ErrorHandling {
  Strategy strategy = Strategy::kFail;
  Word fallback;
  std::optional<RetryPolicy> retry;  // of steps that have none
};
ErrorHandling ReadErrorHandling(const Node& node, Lowering& lowering);

// The keys `concurrency` and `rate_limit` of a step or a definition. `plain` names the key that
// gives a limit without a key: "max_concurrent" of a definition; empty: there is none.
void ReadLimits(MapReader& reader, std::string_view plain, std::optional<Concurrency>& concurrency,
                RateLimit& rate, Lowering& lowering);

// The keys of a definition that say how it is executed: `timeout`, `priority`, `max_concurrent`,
// `concurrency`, `rate_limit`, `input_schema`.
void ReadExecution(MapReader& reader, Lowering& lowering);

// Reads the keys of a loop from whichever of the mappings has them. `type` says what is known of it
// from its type's word.
Loop ReadLoop(std::vector<MapReader*> readers, const StepType& type, Lowering& lowering);
// A `condition` is the loop's own when nothing else says how long it runs.
bool ConditionIsLoops(const std::vector<MapReader*>& readers);

// A step as far as both notations agree.
struct StepFields {
  DraftStep draft;
  StepType type;
  const Node* config = nullptr;  // `config`, or the `inputs` of the processes notation
  const Node* steps = nullptr;   // nested, or null
  const Node* transitions = nullptr;
  Word process;                       // that a loop or sub_process runs; empty: none
  std::vector<DraftTransition> next;  // where it says itself that the flow goes
  bool has_retry = false;
};

enum class Notation : uint8_t { kProcesses, kSteps };

// Takes the step's keys; the dialect takes its own and then calls `reader.Finish()`. It adds
// `fields.next` to the body's transitions.
StepFields ReadStep(MapReader& reader, Notation notation, Lowering& lowering);

// Adds a transition like `like` from the step to each of the words in `targets`.
void AddNext(const Node& targets, std::string_view what, const DraftTransition& like,
             StepFields& fields, Lowering& lowering);

// Of a step that is an exclusive or inclusive gateway: takes the keys of its choice and adds the
// transitions. Of any other: nothing.
void ReadChoice(MapReader& reader, StepFields& fields, Notation notation, Lowering& lowering);

}  // namespace stele::definition
