#include "engine/definition/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/definition/limits.h"
#include "engine/expression/utf8.h"

namespace stele::definition {
namespace {

// The control characters of Unicode (category Cc) and its line and paragraph separators.
bool IsControl(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

// The spaces of Unicode (category Zs), and those of no width.
bool IsSpace(char32_t c) {
  return c == ' ' || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200B) || c == 0x202F ||
         c == 0x205F || c == 0x2060 || c == 0x3000 || c == 0xFEFF;
}

// Where a key is the name, or a value that gives one; nothing when it stands nowhere.
std::optional<Place> Find(const Node& node, std::string_view name) {
  for (const Entry& entry : node.entries) {
    if (entry.key == name) return entry.place;
    const bool names = entry.key == "id" || entry.key == "name" || entry.key == "title";
    if (names && entry.value.is_string() && entry.value.scalar.as_string() == name)
      return entry.value.place;
  }
  for (const Entry& entry : node.entries)
    if (const auto place = Find(entry.value, name)) return place;
  for (const Node& item : node.items)
    if (const auto place = Find(item, name)) return place;
  return std::nullopt;
}

class NameCheck {
 public:
  NameCheck(const Definition& definition, const Node& root, Faults& faults)
      : definition_(definition), root_(root), faults_(faults) {}

  void Run() {
    for (const std::string& name : {definition_.name, definition_.title})
      if (!name.empty()) Check(name, "a workflow's name");
    for (const Step& step : definition_.steps) {
      if (!IsMade(step)) CheckName(step.id, "a step's id", step.place, faults_);
      for (const Mapping& output : step.outputs) Check(output.name, "an output's name");
    }
    for (const Body& body : definition_.bodies) {
      const bool named = body.owner.value != kNoIndex && definition_.step(body.owner).id == body.id;
      if (&body != &definition_.bodies[0] && !named)
        CheckName(body.id, "a process's id", body.place, faults_);
      for (const Variable& variable : body.variables) Check(variable.name, "a variable's name");
    }
    for (const Mapping& output : definition_.outputs) Check(output.name, "an output's name");
    if (definition_.triggers.is_array())
      for (const Value& trigger : definition_.triggers.as_array()) CheckTrigger(trigger);
  }

 private:
  // Most names need no place.
  void Check(std::string_view name, std::string_view what) {
    if (faults_.full()) return;  // looking for places costs
    Faults found;
    CheckName(name, what, {}, found);
    for (const Fault& fault : found.Take())
      faults_.Add(fault.code, Find(root_, name).value_or(root_.place), fault.message);
  }
  // Of an empty one the triggers tell.
  void CheckTrigger(const Value& trigger) {
    for (const std::string_view key : {"id", "name", "title"})
      if (const Value* name = trigger.Find(key);
          name != nullptr && name->is_string() && !name->as_string().empty())
        Check(name->as_string(), key == "id" ? "a trigger's id" : "a trigger's name");
  }
  // Ids that the engine made of those of a process, which are checked as such.
  bool IsMade(const Step& step) const {
    if (step.id.empty()) return true;  // that is told
    if (step.child.value != kNoIndex && step.id == "process:" + definition_.body(step.child).id)
      return true;
    const std::string& body = definition_.body(step.body).id;
    return (step.kind == StepKind::kStart && step.id == body + ".start") ||
           (step.kind == StepKind::kEnd && step.id == body + ".end");
  }

  const Definition& definition_;
  const Node& root_;
  Faults& faults_;
};

}  // namespace

void CheckName(std::string_view name, std::string_view what, Place place, Faults& faults) {
  if (name.size() > kMaxNameBytes)
    return faults.Add(ErrorCode::kLimitExceeded, place,
                      fmt::format("Expected {} of at most {} bytes but found {}", what,
                                  kMaxNameBytes, name.size()));
  bool blank = true;
  for (size_t at = 0; at < name.size();) {
    const expression::CodePoint point = expression::DecodeUtf8(name, at);
    if (point.length > 0 && IsControl(point.value))
      return faults.Add(ErrorCode::kInvalidDefinition, place,
                        fmt::format("Expected {} without control characters but found U+{:04X} "
                                    "in it",
                                    what, static_cast<uint32_t>(point.value)));
    blank = blank && point.length > 0 && IsSpace(point.value);
    at += std::max<size_t>(point.length, 1);
  }
  if (blank)
    faults.Add(ErrorCode::kInvalidDefinition, place,
               fmt::format("Expected {} with a character that can be seen but found {}", what,
                           name.empty() ? "an empty text" : "white space alone"));
}

void CheckNames(const Definition& definition, const Node& root, Faults& faults) {
  if (!definition.bodies.empty()) NameCheck(definition, root, faults).Run();
}

}  // namespace stele::definition
