// Gateways that say themselves where the flow goes: `then` and `else` of one condition, `branches`
// with a condition each, `cases` of one value, and a `default`.

#include <fmt/format.h>

#include "base/json.h"
#include "engine/definition/dialects/fields.h"

namespace stele::definition {
namespace {

using Names = std::initializer_list<std::string_view>;

// The keys of a choice may stand in the step or in its configuration.
class Choice {
 public:
  Choice(MapReader& reader, StepFields& fields, Notation notation, Lowering& lowering)
      : step_(reader), fields_(fields), notation_(notation), lowering_(lowering) {
    if (fields.config != nullptr && fields.config->is_map())
      config_.emplace(*fields.config, "a choice's configuration", lowering.faults);
  }

  void Read();

 private:
  const Node* Take(Names names) {
    const Node* own = step_.Take(names);
    const Node* inner = config_ ? config_->Take(names) : nullptr;
    return own != nullptr ? own : inner;
  }
  void ReadThenElse(const Node* condition, const Node* yes, const Node* no);
  void ReadBranches(const Node& list);
  void ReadBranch(const Node& node, size_t index);
  void ReadCases(const Node& cases, const Node* value);
  void ReadCase(const Node& node, const Expression& value);
  void AddCase(const Expression& value, const Node& literal, const Node& target);
  void Follow(const Node* targets, std::string_view what, std::optional<Expression> condition,
              bool is_default);
  void Add(const Node& node, std::string message) {
    lowering_.Add(ErrorCode::kInvalidDefinition, node.place, std::move(message));
  }
  const std::string& id() const { return fields_.draft.step.id; }

  MapReader& step_;
  std::optional<MapReader> config_;
  StepFields& fields_;
  const Notation notation_;
  Lowering& lowering_;
};

void Choice::Read() {
  const Node* branches = Take({"branches"});
  const Node* listed = config_ ? config_->Take("conditions") : nullptr;
  if (branches == nullptr) branches = listed;
  const Node* cases = Take({"cases"});
  const Node* standard = Take({"default"});
  if (branches != nullptr) ReadBranches(*branches);
  if (cases != nullptr) ReadCases(*cases, Take({"value", "on"}));
  if (branches == nullptr && cases == nullptr && fields_.type.split == Split::kFirst &&
      notation_ == Notation::kSteps) {
    const Node* condition = Take({"condition"});
    const Node* inner = config_ ? config_->Take("expression") : nullptr;
    if (condition == nullptr) condition = inner;
    const Node* yes = Take({"then", "true_path", "on_true"});
    const Node* no = Take({"else", "false_path", "on_false"});
    ReadThenElse(condition, yes, no);
  }
  Follow(standard, "`default`", std::nullopt, true);
  if (!config_) return;
  config_->Take("timeout");
  Object extra;
  config_->Keep({"description", "metadata"}, extra);
  config_->Finish();
}

void Choice::Follow(const Node* targets, std::string_view what, std::optional<Expression> condition,
                    bool is_default) {
  if (targets == nullptr) return;
  DraftTransition like;
  like.condition = std::move(condition);
  like.is_default = is_default;
  AddNext(*targets, what, like, fields_, lowering_);
}

// Without `then` and `else` the condition says whether the step runs.
void Choice::ReadThenElse(const Node* condition, const Node* yes, const Node* no) {
  Step& step = fields_.draft.step;
  std::optional<Expression> compiled;
  if (condition != nullptr) compiled = lowering_.compiler.Condition(*condition);
  if (yes == nullptr && no == nullptr) {
    std::vector<Expression> both;
    if (step.condition) both.push_back(*step.condition);
    if (compiled) both.push_back(*compiled);
    step.condition = lowering_.compiler.AllOf(both, step.place);
    return;
  }
  if (condition == nullptr)
    lowering_.Add(ErrorCode::kInvalidDefinition, step.place,
                  fmt::format("Expected `condition` beside `then` and `else` in {} but found none",
                              Quote(step.id)));
  // The default of a first-match split is one step; several need to say when they are meant.
  const auto count = [](const Node* node) {
    return node == nullptr ? 0 : node->is_list() ? node->items.size() : 1;
  };
  // With one side alone the flow ends where the other would begin.
  const bool first = count(yes) == 1 && count(no) == 1;
  step.split = first ? Split::kFirst : Split::kAll;
  Follow(yes, "`then`", compiled, false);
  std::optional<Expression> otherwise;
  if (!first && compiled && no != nullptr)
    otherwise = lowering_.compiler.Not(*compiled, condition->place);
  Follow(no, "`else`", otherwise, first);
}

void Choice::ReadBranches(const Node& list) {
  if (!list.is_list() || list.items.empty())
    return Add(list, "Expected a list of branches but found " +
                         (list.is_list() ? std::string("an empty one") : Describe(list)));
  for (size_t i = 0; i < list.items.size(); ++i) ReadBranch(list.items[i], i);
}

void Choice::ReadBranch(const Node& node, size_t index) {
  MapReader branch(node, "a branch", lowering_.faults);
  if (!node.is_map()) return;
  const Node* condition = branch.Take({"condition", "when", "if", "expression"});
  const Node* target = branch.Require({"next", "then", "to", "target"});
  const bool is_default = branch.Bool({"default", "is_default"}, false);
  for (const std::string_view key : {"name", "label", "description", "id"}) branch.Take(key);
  branch.Finish();
  if ((condition != nullptr) == is_default)
    return Add(node, fmt::format("Expected a `condition` or `default: true` in branch {} of {} but "
                                 "found {}",
                                 index + 1, Quote(id()), is_default ? "both" : "neither"));
  std::optional<Expression> compiled;
  if (condition != nullptr) compiled = lowering_.compiler.Condition(*condition);
  if (condition != nullptr && !compiled) return;
  Follow(target, "`next`", compiled, is_default);
}

void Choice::ReadCases(const Node& cases, const Node* value) {
  std::optional<Expression> compiled;
  if (value != nullptr) compiled = lowering_.compiler.Condition(*value);
  if (value == nullptr)
    return Add(cases, fmt::format("Expected `value` beside the `cases` of {} but found none",
                                  Quote(id())));
  if ((!cases.is_list() || cases.items.empty()) && (!cases.is_map() || cases.entries.empty()))
    return Add(cases, "Expected a list of cases, or a mapping of values to steps, but found " +
                          (cases.is_scalar() ? Describe(cases) : std::string("an empty one")));
  if (!compiled) return;
  for (const Node& item : cases.items) ReadCase(item, *compiled);
  for (const Entry& entry : cases.entries) {
    Node literal;
    literal.scalar = entry.key;
    literal.place = entry.place;
    AddCase(*compiled, literal, entry.value);
  }
}

void Choice::ReadCase(const Node& node, const Expression& value) {
  MapReader one(node, "a case", lowering_.faults);
  if (!node.is_map()) return;
  const Node* literal = one.Require({"equals", "case", "is", "value"});
  const Node* target = one.Require({"next", "then", "to", "target"});
  for (const std::string_view key : {"name", "label", "description"}) one.Take(key);
  one.Finish();
  if (literal != nullptr && target != nullptr) AddCase(value, *literal, *target);
}

void Choice::AddCase(const Expression& value, const Node& literal, const Node& target) {
  if (!literal.is_scalar())
    return Add(literal,
               "Expected a text, a number, true or false as a case but found " + Describe(literal));
  auto compiled =
      Expression::Compile(fmt::format("({}) == {}", value.text(), ToJson(literal.scalar)));
  if (!compiled)
    return lowering_.Add(compiled.error().code, literal.place, compiled.error().message);
  Follow(&target, "a case's step", *std::move(compiled), false);
}

}  // namespace

void AddNext(const Node& targets, std::string_view what, const DraftTransition& like,
             StepFields& fields, Lowering& lowering) {
  const Step& from = fields.draft.step;
  for (Word& word : ReadWords(targets, what, false, lowering.faults)) {
    DraftTransition edge = like;
    edge.from = {from.id, from.place};
    edge.place = word.place;
    edge.to = std::move(word);
    fields.next.push_back(std::move(edge));
  }
}

void ReadChoice(MapReader& reader, StepFields& fields, Notation notation, Lowering& lowering) {
  const Step& step = fields.draft.step;
  const bool first = fields.type.split == Split::kFirst;
  if (step.kind != StepKind::kGateway || (!first && step.task_type != "inclusive")) return;
  Choice(reader, fields, notation, lowering).Read();
}

}  // namespace stele::definition
