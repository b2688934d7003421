#include "engine/definition/templates.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/definition/limits.h"
#include "engine/definition/names.h"
#include "engine/definition/placeholders.h"
#include "engine/definition/reader.h"

namespace stele::definition {
namespace {

struct StepTemplate {
  std::vector<PlacedParameter> parameters;
  Node step;
};

// Takes the key out of the mapping.
std::optional<Node> Detach(Node& map, std::string_view key) {
  const auto found = std::ranges::find(map.entries, key, &Entry::key);
  if (found == map.entries.end()) return std::nullopt;
  Node node = std::move(found->value);
  map.entries.erase(found);
  return node;
}

Node* FindIn(Node& map, std::string_view key) {
  const auto found = std::ranges::find(map.entries, key, &Entry::key);
  return found == map.entries.end() ? nullptr : &found->value;
}

// Where the keys of a whole definition may stand.
std::vector<Node*> Heads(Node& root) {
  std::vector<Node*> heads{&root};
  for (const std::string_view key : {"workflow", "definition"})
    if (Node* inner = FindIn(root, key); inner != nullptr && inner->is_map())
      heads.push_back(inner);
  return heads;
}

size_t DepthOf(const Node& node) {
  size_t depth = 0;
  for (const Node& item : node.items) depth = std::max(depth, DepthOf(item));
  for (const Entry& entry : node.entries) depth = std::max(depth, DepthOf(entry.value));
  return depth + (node.is_scalar() ? 0 : 1);
}

// What `over` says counts; mappings in both are merged.
void MergeOver(Node& base, Node over) {
  if (!base.is_map() || !over.is_map()) {
    base = std::move(over);
    return;
  }
  base.place = over.place;
  for (Entry& entry : over.entries) {
    if (Node* same = FindIn(base, entry.key))
      MergeOver(*same, std::move(entry.value));
    else
      base.entries.push_back(std::move(entry));
  }
}

class Expander {
 public:
  Expander(const TemplateSource* source, Faults& faults) : source_(source), faults_(faults) {}

  void Run(Node& root, const Object& parameters);

 private:
  void BindHead(Node& root, const Object& parameters);
  void ReadTemplates(Node& node);
  void AddTemplate(const std::string& name, Node& node);
  const StepTemplate* Find(const std::string& name, Place place);
  void ExpandIn(Node& map, size_t depth);
  void ExpandList(Node& list, size_t depth);
  bool IsCircle(const Node& use);
  void Use(Node& step, size_t depth);
  void UseOnce(Node& step);

  const TemplateSource* const source_;
  Faults& faults_;
  Budget budget_;
  Values head_;
  bool has_parameters_ = false;
  bool stopped_ = false;
  size_t uses_ = 0;
  std::map<std::string, std::optional<StepTemplate>> templates_;
  std::vector<std::string> used_;  // by the step at hand and those around it, the outermost first
  std::set<std::string> circles_;  // that were told
};

void Expander::Run(Node& root, const Object& parameters) {
  const size_t before = faults_.size();
  BindHead(root, parameters);
  for (Node* head : Heads(root))
    if (auto templates = Detach(*head, "templates")) ReadTemplates(*templates);
  if (faults_.size() > before) return;
  if (has_parameters_) FillPlaceholders(root, {&head_}, budget_, faults_);
  ExpandIn(root, 0);
  // The canonical form holds what is kept for people one level deeper.
  if (faults_.size() == before && DepthOf(root) >= kMaxDepth)
    faults_.Add(
        ErrorCode::kLimitExceeded, root.place,
        fmt::format("Expected a depth below {}, templates expanded, but found more", kMaxDepth));
}

void Expander::BindHead(Node& root, const Object& parameters) {
  std::vector<PlacedParameter> declared;
  Place place = root.place;
  for (Node* head : Heads(root)) {
    auto node = Detach(*head, "parameters");
    if (!node || node->is_null()) continue;
    has_parameters_ = true;
    place = node->place;
    std::ranges::move(ReadParameters(*node, faults_), std::back_inserter(declared));
  }
  Node given;
  given.kind = Node::Kind::kMap;
  for (const Member& member : parameters)
    given.entries.push_back({member.key, {}, ToNode(member.value)});
  head_ = BindValues(declared, &given, {}, faults_);
  if (declared.empty() && !parameters.empty())
    faults_.Add(ErrorCode::kInvalidDefinition, place,
                "Expected a definition with `parameters` but found none");
}

void Expander::ReadTemplates(Node& node) {
  if (!node.is_map())
    faults_.Add(ErrorCode::kInvalidDefinition, node.place,
                "Expected a mapping of step templates but found " + Describe(node));
  for (Entry& entry : node.entries) {
    CheckName(entry.key, "a template's name", entry.place, faults_);
    AddTemplate(entry.key, entry.value);
  }
}

void Expander::AddTemplate(const std::string& name, Node& node) {
  std::optional<StepTemplate>& added = templates_[name];
  MapReader reader(node, "a step template", faults_);
  StepTemplate result;
  if (const Node* parameters = reader.Take("parameters"))
    result.parameters = ReadParameters(*parameters, faults_);
  const Node* step = reader.Require({"step"});
  for (const std::string_view key : {"name", "description"}) reader.Take(key);
  reader.Finish();
  if (step == nullptr) return;
  if (!step->is_map())
    return faults_.Add(ErrorCode::kInvalidDefinition, step->place,
                       "Expected a mapping as a template's `step` but found " + Describe(*step));
  result.step = *step;
  added = std::move(result);
}

// Null when there is none; then a fault was added. One from outside stands where it is used.
const StepTemplate* Expander::Find(const std::string& name, Place place) {
  if (!templates_.contains(name) && source_ != nullptr) {
    if (const std::optional<TemplateText> text = source_->Find(name)) {
      Faults inner;
      std::optional<Node> node = ParseDocument(text->text, text->syntax, inner);
      for (const Fault& fault : inner.Take())
        faults_.Add(fault.code, place,
                    fmt::format("The template {}: {}", Quote(name), fault.message));
      if (node) {
        PlaceAll(*node, place);
        AddTemplate(name, *node);
      } else {
        templates_[name];
      }
    }
  }
  const auto found = templates_.find(name);
  if (found != templates_.end()) return found->second ? &*found->second : nullptr;
  std::vector<std::string> known;
  for (const auto& [other, unused] : templates_) known.push_back(other);
  const std::string near = Nearest(name, known);
  faults_.Add(ErrorCode::kUnknownReference, place,
              fmt::format("Expected the name of a step template{} but found {}",
                          near.empty() ? "" : ", perhaps " + Quote(near) + ",", Quote(name)));
  return nullptr;
}

// Steps stand in lists of these names, there or in what a step holds.
void Expander::ExpandIn(Node& map, size_t depth) {
  for (Entry& entry : map.entries) {
    const std::string& key = entry.key;
    Node& value = entry.value;
    if (value.is_list() && (key == "steps" || key == "tasks" || key == "nodes"))
      ExpandList(value, depth);
    if (value.is_list() && key == "processes")
      for (Node& process : value.items) ExpandIn(process, depth);
    if (value.is_map() && (key == "workflow" || key == "definition" || key == "flow" ||
                           key == "loop" || key == "config" || key == "inputs"))
      ExpandIn(value, depth);
  }
}

void Expander::ExpandList(Node& list, size_t depth) {
  for (Node& step : list.items) {
    if (!step.is_map() || stopped_) continue;
    const bool uses = step.Find("use") != nullptr;
    const size_t around = used_.size();
    if (uses) Use(step, depth);
    ExpandIn(step, depth + (uses ? 1 : 0));
    used_.resize(around);
  }
}

// Whether the template is being used already, which is told once of each circle.
bool Expander::IsCircle(const Node& use) {
  if (!use.is_string()) return false;
  const std::string& name = use.scalar.as_string();
  const auto first = std::ranges::find(used_, name);
  if (first == used_.end()) {
    used_.push_back(name);
    return false;
  }
  std::string circle;
  for (auto at = first; at != used_.end(); ++at) circle += *at + " → ";
  circle += name;
  if (circles_.insert(circle).second)
    faults_.Add(ErrorCode::kLimitExceeded, use.place,
                fmt::format("Expected templates to use each other at most {} deep but found that "
                            "they use each other in a circle: {}",
                            kMaxTemplateDepth, circle));
  return true;
}

// A template's step may use another template.
void Expander::Use(Node& step, size_t depth) {
  for (size_t deep = depth; step.Find("use") != nullptr && !stopped_; ++deep) {
    const Place place = step.Find("use")->place;
    stopped_ = deep == kMaxTemplateDepth || ++uses_ > kMaxSteps || budget_.exhausted();
    if (deep == kMaxTemplateDepth)
      faults_.Add(ErrorCode::kLimitExceeded, place,
                  fmt::format("Expected templates to use each other at most {} deep but found more",
                              kMaxTemplateDepth));
    else if (uses_ > kMaxSteps)
      faults_.Add(ErrorCode::kLimitExceeded, place,
                  fmt::format("Expected at most {} uses of templates but found more", kMaxSteps));
    if (IsCircle(*step.Find("use"))) {
      step = Node();
      return;
    }
    if (!stopped_) UseOnce(step);
  }
}

void Expander::UseOnce(Node& step) {
  Node own = std::move(step);
  step = Node();
  const Node use = *Detach(own, "use");
  const std::optional<Node> with = Detach(own, "with");
  const StepTemplate* found = use.is_string() ? Find(use.scalar.as_string(), use.place) : nullptr;
  if (!use.is_string())
    faults_.Add(ErrorCode::kInvalidDefinition, use.place,
                "Expected the name of a step template as `use` but found " + Describe(use));
  if (found == nullptr) return;
  const bool given = with.has_value() && !with->is_null();
  const size_t before = faults_.size();
  Values values = BindValues(found->parameters, given ? &*with : nullptr, use.place, faults_);
  if (faults_.size() > before) return;
  if (const Node* id = own.Find("id"); id != nullptr) values.try_emplace("id", *id);
  if (!budget_.Spend(found->step, use.place, faults_)) return;
  Node made = found->step;
  FillPlaceholders(made, {&values, &head_}, budget_, faults_);
  MergeOver(made, std::move(own));
  step = std::move(made);
}

}  // namespace

bool ExpandTemplates(Node& root, const Object& parameters, const TemplateSource* source,
                     Faults& faults) {
  if (!root.is_map()) return true;
  const size_t before = faults.size();
  Expander(source, faults).Run(root, parameters);
  return faults.size() == before && !faults.full();
}

std::expected<std::vector<Parameter>, std::vector<Fault>> ParametersOf(std::string_view text,
                                                                       Syntax syntax) {
  Faults faults;
  std::optional<Node> root = ParseDocument(text, syntax, faults);
  std::vector<Parameter> parameters;
  if (root && root->is_map())
    for (const Node* head : Heads(*root))
      if (const Node* node = head->Find("parameters"); node != nullptr && !node->is_null())
        for (PlacedParameter& placed : ReadParameters(*node, faults))
          parameters.push_back(std::move(placed.parameter));
  if (!faults.empty()) return std::unexpected(faults.Take());
  return parameters;
}

}  // namespace stele::definition
