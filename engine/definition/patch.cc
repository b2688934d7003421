#include "engine/definition/patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/json.h"
#include "engine/definition/canonical.h"

namespace stele::definition {
namespace {

constexpr std::string_view kNoMembers[] = {"format_version", "dialect", "bodies",
                                           "steps",          "place",   "transitions"};
constexpr std::string_view kNoStepMembers[] = {"child", "place", "steps", "transitions"};
// What a dialect reads itself.
constexpr std::string_view kStructure[] = {"nodes", "connections", "tasks", "fragment", "dialect"};

class Patcher {
 public:
  Patcher(const Definition& definition, Faults& faults) : faults_(faults) {
    Result<Value> parsed = ParseJson(WriteCanonical(definition));
    if (parsed && parsed->is_object()) top_ = std::move(parsed->as_object());
    Unpack("bodies", bodies_);
    Unpack("steps", steps_);
    Unpack("transitions", transitions_);
    next_.resize(steps_.size());
    places_.resize(steps_.size());
    for (uint32_t i = 0; i < definition.steps.size(); ++i) by_id_[definition.steps[i].id] = i;
  }

  void Apply(const Patch& patch);
  std::string Text();
  // Where a fault in that line of the text belongs.
  Place PlaceOf(uint32_t line) const {
    if (line >= 2 && line - 2 < places_.size() && places_[line - 2]) return *places_[line - 2];
    return first_;
  }

 private:
  using Objects = std::vector<Object>;
  void Unpack(std::string_view key, Objects& into) {
    if (Value* list = top_.Find(key); list != nullptr && list->is_array())
      for (Value& item : list->as_array()) into.push_back(std::move(item.as_object()));
    top_.Erase(key);
  }
  static Value Pack(const Objects& objects) {
    Array array;
    for (const Object& object : objects) array.emplace_back(object);
    return array;
  }
  std::optional<uint32_t> Find(const Node& node);
  void ApplyToDefinition(const Node& node);
  void ApplyToStep(const Node& node, uint32_t step);
  void ApplyToBody(const Node& node, uint32_t body);
  void ReadNext(const Node& node, uint32_t step);
  void Add(Place place, std::string message) {
    faults_.Add(ErrorCode::kInvalidDefinition, place, std::move(message));
  }

  Faults& faults_;
  Object top_;
  Objects bodies_, steps_, transitions_;
  std::vector<std::optional<Objects>> next_;  // by step: in place of its transitions
  std::vector<std::optional<Place>> places_;  // by step: of its patch
  Place first_;
  std::map<std::string, uint32_t, std::less<>> by_id_;
};

bool IsOneOf(std::string_view key, std::span<const std::string_view> words) {
  return std::ranges::find(words, key) != words.end();
}

void SetMember(Object& object, const Entry& entry) {
  if (entry.value.is_null()) {
    object.Erase(entry.key);
  } else if (Value* extra = object.Find("extra"); entry.key == "extra" && extra != nullptr &&
                                                  extra->is_object() && entry.value.is_map()) {
    for (const Entry& member : entry.value.entries)
      extra->as_object().Set(member.key, ToValue(member.value));
  } else {
    object.Set(entry.key, ToValue(entry.value));
  }
}

std::optional<uint32_t> Patcher::Find(const Node& node) {
  const std::string id = node.is_string() ? node.scalar.as_string() : node.raw;
  const auto found = by_id_.find(id);
  if (found != by_id_.end()) return found->second;
  faults_.Add(ErrorCode::kUnknownStep, node.place,
              "Expected the id of a step but found " + Describe(node));
  return std::nullopt;
}

void Patcher::Apply(const Patch& patch) {
  if (!patch.node.is_map())
    return Add(patch.node.place, "Expected a mapping as `stele` but found " + Describe(patch.node));
  if (first_.line == 0) first_ = patch.node.place;
  if (patch.step.empty()) return ApplyToDefinition(patch.node);
  const auto found = by_id_.find(patch.step);
  if (found == by_id_.end()) return;  // linking has told that it is not there
  places_[found->second] = patch.node.place;
  ApplyToStep(patch.node, found->second);
}

void Patcher::ApplyToDefinition(const Node& node) {
  for (const Entry& entry : node.entries) {
    if (IsOneOf(entry.key, kStructure)) continue;
    if (entry.key == "body")
      ApplyToBody(entry.value, 0);
    else if (IsOneOf(entry.key, kNoMembers))
      Add(entry.place,
          fmt::format("Expected another member than {} in `stele` but found it", Quote(entry.key)));
    else
      SetMember(top_, entry);
  }
}

void Patcher::ApplyToStep(const Node& node, uint32_t step) {
  for (const Entry& entry : node.entries) {
    if (IsOneOf(entry.key, kStructure)) continue;
    if (entry.key == "next") {
      ReadNext(entry.value, step);
    } else if (entry.key == "body") {
      const Value* child = steps_[step].Find("child");
      if (child == nullptr)
        Add(entry.place,
            "Expected `body` in `stele` of a loop or sub-process alone but found it "
            "at another step");
      else
        ApplyToBody(entry.value, static_cast<uint32_t>(child->as_int()));
    } else if ((entry.key == "fallback" || entry.key == "compensation") && !entry.value.is_null()) {
      if (const auto other = Find(entry.value)) steps_[step].Set(entry.key, int64_t{*other});
    } else if (IsOneOf(entry.key, kNoStepMembers)) {
      Add(entry.place,
          fmt::format("Expected another member than {} in `stele` but found it", Quote(entry.key)));
    } else {
      SetMember(steps_[step], entry);
    }
  }
}

void Patcher::ApplyToBody(const Node& node, uint32_t body) {
  MapReader reader(node, "a body", faults_);
  for (const Entry& entry : node.entries) {
    if (entry.key == "entries" && entry.value.is_list()) {
      Array entries;
      for (const Node& item : entry.value.items)
        if (const auto step = Find(item)) entries.emplace_back(int64_t{*step});
      bodies_[body].Set(entry.key, std::move(entries));
    } else if (entry.key == "fallback" && !entry.value.is_null()) {
      if (const auto step = Find(entry.value)) bodies_[body].Set(entry.key, int64_t{*step});
    } else {
      SetMember(bodies_[body], entry);
    }
  }
}

void Patcher::ReadNext(const Node& node, uint32_t step) {
  if (!node.is_list())
    return Add(node.place, "Expected a list of transitions as `next` but found " + Describe(node));
  Objects& next = next_[step].emplace();
  for (const Node& item : node.items) {
    MapReader reader(item, "a transition", faults_);
    Object edge{{"from", int64_t{step}}};
    if (const Node* to = reader.Require({"to"}))
      if (const auto target = Find(*to)) edge.Set("to", int64_t{*target});
    for (const std::string_view key : {"on", "condition", "default"})
      if (const Node* value = reader.Take(key)) edge.Set(key, ToValue(*value));
    Array place;
    place.emplace_back(int64_t{item.place.line});
    place.emplace_back(int64_t{item.place.column});
    edge.Set("place", std::move(place));
    reader.Finish();
    next.push_back(std::move(edge));
  }
}

// The steps stand in lines of their own, from the second on: a fault's line tells whose it is.
std::string Patcher::Text() {
  Objects kept;
  for (Object& edge : transitions_)
    if (!next_[static_cast<size_t>(edge.Find("from")->as_int())]) kept.push_back(std::move(edge));
  for (std::optional<Objects>& next : next_)
    if (next) std::ranges::move(*next, std::back_inserter(kept));
  std::string text = "{\"steps\":[";
  for (size_t i = 0; i < steps_.size(); ++i) text += (i > 0 ? ",\n" : "\n") + ToJson(steps_[i]);
  text += "\n],\"transitions\":" + ToJson(Pack(kept)) + ",\"bodies\":" + ToJson(Pack(bodies_));
  for (const Member& member : top_) {
    text += ",";
    WriteJsonString(member.key, text);
    text += ":" + ToJson(member.value);
  }
  return text + "}";
}

}  // namespace

void TakePatch(MapReader& reader, const std::string& step, Draft& draft, Faults& faults) {
  const Node* node = reader.Take(kPatchKey);
  if (node == nullptr) return;
  if (!node->is_map())
    faults.Add(ErrorCode::kInvalidDefinition, node->place,
               "Expected a mapping as `stele` but found " + Describe(*node));
  else
    draft.patches.push_back({step, *node});
}

void PreparePatches(Draft& draft) {
  const auto word = [](const Node* node) {
    return node != nullptr && node->is_string() ? Word{node->scalar.as_string(), node->place}
                                                : Word{};
  };
  std::map<std::string, const Node*, std::less<>> by_step;
  for (const Patch& patch : draft.patches) {
    if (!patch.step.empty()) {
      by_step.emplace(patch.step, &patch.node);
      continue;
    }
    const Node* fragment = patch.node.Find("fragment");
    if (fragment == nullptr || fragment->scalar != Value(true)) continue;
    draft.references.clear();
    draft.fragment = true;
  }
  for (DraftBody& body : draft.bodies)
    for (DraftStep& step : body.steps) {
      const auto found = by_step.find(step.step.id);
      if (found == by_step.end()) continue;
      const Node& patch = *found->second;
      if (step.fallback.text.empty()) step.fallback = word(patch.Find("fallback"));
      if (step.compensation.text.empty()) step.compensation = word(patch.Find("compensation"));
      const Node* inner = patch.Find("body");
      if (step.child == kNoIndex || inner == nullptr) continue;
      DraftBody& child = draft.bodies[step.child];
      if (child.fallback.text.empty()) child.fallback = word(inner->Find("fallback"));
    }
}

Definition ApplyPatches(Definition definition, const std::vector<Patch>& patches, Faults& faults) {
  if (patches.empty() || !faults.empty()) return definition;
  Patcher patcher(definition, faults);
  for (const Patch& patch : patches) patcher.Apply(patch);
  if (!faults.empty()) return definition;
  LoadResult read = ReadCanonical(patcher.Text());
  if (!read) {
    for (const Fault& fault : read.error())
      faults.Add(fault.code, patcher.PlaceOf(fault.place.line), fault.message);
    return definition;
  }
  return **read;
}

}  // namespace stele::definition
