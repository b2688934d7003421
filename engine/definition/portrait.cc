#include "engine/definition/portrait.h"

#include <algorithm>

#include "base/check.h"
#include "base/json.h"
#include "engine/definition/canonical.h"

namespace stele::definition {
namespace {

class Painter {
 public:
  Painter(const Definition& definition, const std::vector<std::string>& names)
      : definition_(definition), names_(names) {
    Result<Value> parsed = ParseJson(WriteCanonical(definition));
    CHECK(parsed.has_value());
    canonical_ = std::move(parsed->as_object());
  }

  Portrait Paint();

 private:
  const std::string& Id(uint32_t step) const {
    return names_.empty() ? definition_.steps[step].id : names_[step];
  }
  void Name(Object& object, std::string_view key) const {
    if (Value* index = object.Find(key))
      object.Set(key, Id(static_cast<uint32_t>(index->as_int())));
  }
  Object Body(uint32_t index) const;
  StepPortrait PaintStep(uint32_t index) const;

  const Definition& definition_;
  const std::vector<std::string>& names_;
  Object canonical_;
};

Object Painter::Body(uint32_t index) const {
  Object body = canonical_.Find("bodies")->as_array()[index].as_object();
  body.Erase("place");
  Name(body, "fallback");
  if (Value* entries = body.Find("entries")) {
    Array ids;
    for (const Value& entry : entries->as_array())
      ids.emplace_back(Id(static_cast<uint32_t>(entry.as_int())));
    std::ranges::sort(ids, {},
                      [](const Value& id) -> const std::string& { return id.as_string(); });
    body.Set("entries", std::move(ids));
  }
  return body;
}

StepPortrait Painter::PaintStep(uint32_t index) const {
  const Step& step = definition_.steps[index];
  StepPortrait portrait;
  portrait.members = canonical_.Find("steps")->as_array()[index].as_object();
  for (const std::string_view key : {"place", "body", "child"}) portrait.members.Erase(key);
  if (portrait.members.Find("name") == nullptr) portrait.members.Set("name", step.id);
  Name(portrait.members, "fallback");
  Name(portrait.members, "compensation");
  const StepIndex owner = definition_.body(step.body).owner;
  if (owner.value != kNoIndex) portrait.owner = Id(owner.value);
  portrait.ordered = step.split == Split::kFirst;
  for (const TransitionIndex at : step.outgoing) {
    Object edge = canonical_.Find("transitions")->as_array()[at.value].as_object();
    edge.Erase("place");
    edge.Erase("from");
    edge.Set("to", Id(definition_.transition(at).to.value));
    portrait.next.emplace_back(std::move(edge));
  }
  if (step.child.value != kNoIndex) portrait.body = Body(step.child.value);
  return portrait;
}

Portrait Painter::Paint() {
  Portrait portrait;
  portrait.body = Body(0);
  for (uint32_t i = 0; i < definition_.steps.size(); ++i)
    portrait.steps.emplace(Id(i), PaintStep(i));
  portrait.members = std::move(canonical_);
  for (const std::string_view key : {"format_version", "dialect", "bodies", "steps", "transitions"})
    portrait.members.Erase(key);
  return portrait;
}

// A text that equal values share, whatever the order of their members.
std::string Key(const Value& value) {
  if (value.is_array()) {
    std::string text = "[";
    for (const Value& item : value.as_array()) text += Key(item) + ",";
    return text + "]";
  }
  if (!value.is_object()) return ToJson(value);
  std::vector<std::string> members;
  for (const Member& member : value.as_object())
    members.push_back(ToJson(Value(member.key)) + ":" + Key(member.value));
  std::ranges::sort(members);
  std::string text = "{";
  for (const std::string& member : members) text += member + ",";
  return text + "}";
}

bool SameEdges(const StepPortrait& a, const StepPortrait& b) {
  std::vector<std::string> left, right;
  for (const Value& edge : a.next) left.push_back(Key(edge));
  for (const Value& edge : b.next) right.push_back(Key(edge));
  if (!a.ordered) {
    std::ranges::sort(left);
    std::ranges::sort(right);
  }
  return left == right;
}

// Numbers keep their kind: 1 and 1.0 are told apart.
bool Same(const Value& a, const Value& b) {
  return Key(a) == Key(b);
}

Object MembersThatDiffer(const Object& want, const Object& have) {
  Object members;
  for (const Member& member : want) {
    const Value* other = have.Find(member.key);
    if (other != nullptr && Same(member.value, *other)) continue;
    const bool extra =
        member.key == "extra" && other != nullptr && other->is_object() && member.value.is_object();
    if (!extra) {
      members.Set(member.key, member.value);
      continue;
    }
    Object added = MembersThatDiffer(member.value.as_object(), other->as_object());
    if (!added.empty()) members.Set("extra", std::move(added));
  }
  for (const Member& member : have)
    if (want.Find(member.key) == nullptr) members.Set(member.key, nullptr);
  return members;
}

bool SameMembers(const Object& a, const Object& b) {
  const Object differ = MembersThatDiffer(a, b);
  return differ.empty();
}

}  // namespace

Portrait PortraitOf(const Definition& definition, const std::vector<std::string>& names) {
  return Painter(definition, names).Paint();
}

std::map<std::string, Object> Differences(const Portrait& want, const Portrait& have) {
  std::map<std::string, Object> patches;
  Object top = MembersThatDiffer(want.members, have.members);
  if (Object body = MembersThatDiffer(want.body, have.body); !body.empty())
    top.Set("body", std::move(body));
  if (!top.empty()) patches.emplace("", std::move(top));
  for (const auto& [id, step] : want.steps) {
    const auto found = have.steps.find(id);
    if (found == have.steps.end()) continue;
    const StepPortrait& other = found->second;
    Object patch = MembersThatDiffer(step.members, other.members);
    StepPortrait compared = step;
    if (!SameEdges(compared, other)) patch.Set("next", step.next);
    if (Object body = MembersThatDiffer(step.body, other.body); !body.empty())
      patch.Set("body", std::move(body));
    if (!patch.empty()) patches.emplace(id, std::move(patch));
  }
  return patches;
}

bool SamePortrait(const Portrait& a, const Portrait& b) {
  if (!SameMembers(a.members, b.members) || !SameMembers(a.body, b.body)) return false;
  if (a.steps.size() != b.steps.size()) return false;
  for (const auto& [id, step] : a.steps) {
    const auto found = b.steps.find(id);
    if (found == b.steps.end()) return false;
    const StepPortrait& other = found->second;
    if (!SameMembers(step.members, other.members) || step.owner != other.owner ||
        !SameEdges(step, other) || !SameMembers(step.body, other.body))
      return false;
  }
  return true;
}

}  // namespace stele::definition
