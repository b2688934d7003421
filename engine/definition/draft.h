// What a dialect lowers to: steps and transitions that name each other by id, with their places.
// Link turns it into a Definition.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/definition/definition.h"
#include "engine/definition/faults.h"
#include "engine/definition/reader.h"

namespace stele::definition {

struct DraftTransition {
  Word from{};
  Word to{};
  On on = On::kSuccess;
  std::optional<Expression> condition{};
  bool is_default = false;
  bool dependency = false;  // written as `depends_on`: must not be part of a cycle of its like
  Place place{};
};

struct DraftStep {
  Step step;  // everything in it that is no index
  Word fallback;
  Word compensation;
  uint32_t child = kNoIndex;  // into Draft::bodies
  Place join_place{};         // of what says how many to wait for
  bool settled = true;        // false: a fault keeps its type or its configuration from being known
};

// How the steps are found that start with the body, when it does not say.
enum class Start : uint8_t {
  kGiven,      // `entries` alone
  kConnected,  // those that transitions leave but do not enter
  kFree,       // those that no transition enters
};

struct DraftBody {
  Body body;
  Word fallback;
  std::vector<DraftStep> steps;
  std::vector<DraftTransition> transitions;
  Start start = Start::kFree;
  std::vector<Word> entries;
  std::vector<Word> ends;  // kConnected: steps that a transition to the end was left out of
};

// What a file says in Stele's own words where its notation has none (patch.h).
struct Patch {
  std::string step;  // the id of the step that it is about; empty: the definition
  Node node;         // a mapping
};

struct PlacedReference {
  std::vector<std::string> path;
  Place place;
};

struct Draft {
  Definition head;                // its tables are empty
  std::vector<DraftBody> bodies;  // [0] is the root
  std::vector<PlacedReference> references;
  std::vector<Patch> patches;
  size_t many_transitions = 0;  // that Lowering::AddTransition was asked for
  bool fragment = false;        // a part of a larger file: it may name steps that are not in it

  // The new body's index.
  uint32_t AddBody(std::string id, std::string name, Place place) {
    DraftBody& added = bodies.emplace_back();
    added.body.id = std::move(id);
    added.body.name = std::move(name);
    added.body.place = place;
    return static_cast<uint32_t>(bodies.size() - 1);
  }
};

// Resolves ids, checks the graph and what expressions refer to, and builds the tables. Adds faults;
// the definition is complete only when none were added. With some it still holds every step, in the
// order of the bodies and of their steps, unless there are too many; its `by_id` is empty when its
// graph is not known.
Definition Link(Draft draft, Faults& faults);

// Compiles conditions and templates; notes what they refer to.
class Compiler {
 public:
  Compiler(Draft& draft, Faults& faults) : draft_(draft), faults_(faults) {}

  // A string with an expression, or a literal.
  std::optional<Expression> Condition(const Node& node);
  // A value whose strings may hold templates.
  Template Rendered(const Node& node);
  // The same, but a string without `{{ }}` or `${ }` is an expression.
  Template Computed(const Node& node);
  // Conditions that must all hold, as one; nothing of none. What is made of conditions is written
  // down as an expression too, so that it has the limits of one: a fault at `place` beyond them.
  std::optional<Expression> AllOf(const std::vector<Expression>& conditions, Place place);
  // The condition turned round.
  std::optional<Expression> Not(const Expression& condition, Place place);

 private:
  // `offset` is where what was compiled begins in the node's string.
  void Note(std::span<const expression::Reference> references, const Node& node, size_t offset = 0);
  void AddFault(const Error& error, const Node& node, size_t offset = 0);
  void Check(const Node& node);
  void CheckString(const Node& node);
  std::optional<Expression> Joined(const std::string& text, Place place);

  Draft& draft_;
  Faults& faults_;
};

}  // namespace stele::definition
