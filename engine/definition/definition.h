// A workflow as data: the step graph that every dialect lowers to.
//
// A Definition is a table of steps and transitions, grouped into bodies. A body is one graph: the
// root, a process, the inside of a loop or of a sub-process. It is run by a scope. Steps and
// transitions are named by their index in the tables; the canonical form (canonical.h) keeps those
// indices, so that a log that names steps by index can be replayed for ever.
//
// Immutable after loading; shared between threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "engine/expression/expression.h"

namespace stele::definition {

class JsonSchema;
using expression::Expression;
using expression::Template;

// Where something stands in the file it was loaded from; from 1, 0 when unknown.
struct Place {
  uint32_t line = 0;
  uint32_t column = 0;
};

// What the engine itself does with a step. Everything that acts outside is a kTask.
enum class StepKind : uint8_t {
  kStart,       // nothing; where a body begins
  kEnd,         // nothing; where a body may end
  kGateway,     // nothing but its joins and splits (exclusive, inclusive, parallel, condition)
  kTask,        // acts outside: Step::task_type says how
  kDelay,       // waits for Step::delay
  kLoop,        // runs its child body again and again: Step::loop
  kSubProcess,  // runs its child body once
  kHuman,       // waits for people: Step::task_type "approval" or "manual"
  kWait,        // waits for the first of several events: a message, a signal, a moment
  kPublish,     // publishes a message and goes on
};

// When a step with several incoming transitions starts. With one they are all the same.
enum class Join : uint8_t { kAll, kAny, kNOfM };

// Which outgoing transitions a completed step takes.
enum class Split : uint8_t {
  kAll,    // every one whose condition holds (inclusive, parallel)
  kFirst,  // the first whose condition holds, else the default (exclusive)
};

// The outcome of its source on which a transition is taken.
enum class On : uint8_t { kSuccess, kFailure, kCompletion };

enum class Backoff : uint8_t { kFixed, kLinear, kExponential };

struct RetryPolicy {
  uint32_t max_attempts = 1;  // the first one included; never 0
  Backoff backoff = Backoff::kFixed;
  int64_t initial_delay_us = 0;
  double multiplier = 2.0;              // exponential only
  int64_t max_delay_us = 0;             // 0: no limit
  double jitter = 0.0;                  // 0..1: the delay is drawn from [delay*(1-jitter), delay]
  std::vector<std::string> retry_on{};  // error kinds; empty: every retryable error
  std::vector<std::string> no_retry_on{};  // wins over retry_on
  bool operator==(const RetryPolicy&) const = default;
};

// What a failure does that no retry, transition or fallback handles.
enum class Strategy : uint8_t { kFail, kContinue, kCompensate, kPark };

// `name` receives the value of `value`.
struct Mapping {
  std::string name;
  Template value;
};

enum class LoopMode : uint8_t {
  kWhile,    // condition before each iteration
  kUntil,    // condition after each iteration, ends when it holds
  kForEach,  // one iteration for each element of `items`
  kTimes,    // `items` is a count
};

struct Loop {
  LoopMode mode = LoopMode::kForEach;
  std::optional<Expression> condition;  // kWhile, kUntil
  std::optional<Template> items;        // kForEach: a list; kTimes: an integer
  std::string item_name = "item";       // also a variable of the iteration's scope
  uint32_t max_iterations = 0;          // 0: limits.h kDefaultMaxIterations
  uint32_t max_concurrent = 1;          // iterations that run at once (kForEach, kTimes)
  bool break_on_error = true;           // else a failed iteration is noted and the loop goes on
};

// At most `limit` at once among those whose `key` renders to the same text. Of a definition: its
// instances, the others wait in the order of their priority and start. Of a step: its attempts.
struct Concurrency {
  Template key;  // a constant when the file names none: all of them share the limit
  uint32_t limit = 1;
};

// The key of those that name none: the constant "".
Template NoKey();

// At most `count` attempts begin in any `per_us`.
struct RateLimit {
  uint32_t count = 0;  // 0: none
  int64_t per_us = 1'000'000;
  bool operator==(const RateLimit&) const = default;
};

struct Step {
  std::string id;
  std::string name;  // for people; the id when the file gives none
  StepKind kind = StepKind::kTask;
  std::string
      task_type;   // kTask: "script", "http", …; else the notation's word ("exclusive", "loop")
  BodyIndex body;  // the body that it belongs to
  BodyIndex child{kNoIndex};  // kLoop, kSubProcess: the body that it runs

  Join join = Join::kAll;
  uint32_t join_count = 0;  // kNOfM
  Split split = Split::kAll;

  std::optional<Expression> condition;  // asked when live tokens arrive: false skips the step
  Template config;                      // an object
  std::vector<Mapping> inputs;          // become `input.<name>` for the task
  std::vector<Mapping> outputs;         // evaluated when it completed: variables of the scope
  std::optional<Template> delay;        // kDelay: "5s", or a number of seconds
  Loop loop;                            // kLoop

  RetryPolicy retry;
  int64_t timeout_us = 0;            // one attempt; 0: none
  StepIndex fallback{kNoIndex};      // runs in its place when it failed for good
  StepIndex compensation{kNoIndex};  // undoes it
  bool handler = false;              // reached only as a fallback or compensation, never by tokens
  bool optional = false;             // an operator may skip it
  bool returnable = true;            // it may be sent back to an earlier step
  std::optional<Concurrency> concurrency;
  RateLimit rate;

  std::vector<TransitionIndex> incoming;  // in the file's order, without back edges
  std::vector<TransitionIndex> outgoing;  // in the file's order
  uint32_t region = kNoIndex;             // the innermost natural loop that it is in
  Value extra;  // keys for people and editors (positions, labels, descriptions)
  Place place;
};

struct Transition {
  StepIndex from;
  StepIndex to;
  On on = On::kSuccess;
  std::optional<Expression> condition;
  bool is_default = false;     // taken when none of the others with a condition is
  bool back_edge = false;      // goes to the header of a loop that holds its source
  uint32_t leaves = kNoIndex;  // the outermost natural loop that it leaves
  Place place;
};

// A natural loop of a body, made by back edges to one header.
struct Region {
  StepIndex header;
  uint32_t parent = kNoIndex;
  std::vector<StepIndex> steps;  // sorted; those of inner regions too
};

struct Variable {
  std::string name;
  std::string type;  // "string", "number", "integer", "boolean", "array", "object", "any"
  Value initial;     // its default; null when it has none
  bool required = false;
};

struct Body {
  std::string id;
  std::string name;
  StepIndex owner{kNoIndex};       // the step that runs it; none: the root
  std::vector<StepIndex> steps;    // all of them, in the file's order
  std::vector<StepIndex> entries;  // those that start with the scope
  std::vector<Variable> variables;
  Strategy strategy = Strategy::kFail;
  StepIndex fallback{kNoIndex};  // of steps that have none of their own
  Place place;
};

struct Definition {
  std::string name;     // what it is registered under
  std::string title;    // for people
  std::string version;  // the file's own word for it
  std::string description;
  std::string dialect;  // "processes" (workflow:), "steps" (steps:), "canonical"
  std::vector<std::string> tags;
  std::vector<Body> bodies;  // [0] is the root
  std::vector<Step> steps;
  std::vector<Transition> transitions;
  std::vector<Region> regions;   // by their headers' index
  std::vector<StepIndex> by_id;  // sorted by id, for FindStep; it can do without
  std::vector<Mapping> outputs;  // of the instance; empty: the outputs of the last steps
  int64_t deadline_us = 0;       // of an instance; 0: none
  int64_t retention_us = 0;      // how long an ended instance is kept; 0: the engine's setting
  int32_t priority = 0;          // of an instance that is started without one
  std::optional<Concurrency> concurrency;
  RateLimit rate;
  Value input_schema;  // a JSON Schema (json_schema.h); null: any input fits
  std::shared_ptr<const JsonSchema> input_check;  // its compiled form; null without one
  Value triggers;                                 // as written; checked for shape
  Value extra;

  const Step& step(StepIndex index) const { return steps[index.value]; }
  const Transition& transition(TransitionIndex index) const { return transitions[index.value]; }
  const Body& body(BodyIndex index) const { return bodies[index.value]; }
  // The step of that id; ids are unique in the whole definition. Null when there is none.
  const Step* FindStep(std::string_view id) const;
  StepIndex IndexOf(const Step& step) const {
    return StepIndex(static_cast<uint32_t>(&step - steps.data()));
  }
};

// Whether an instance may be started with that input; kInvalidInput with every fault, else.
Status CheckInput(const Definition& definition, const Value& input);

}  // namespace stele::definition
