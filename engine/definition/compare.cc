#include "engine/definition/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "base/json.h"
#include "engine/definition/canonical.h"
#include "engine/definition/faults.h"

namespace stele::definition {
namespace {

// What a definition says of each subject, with ids where the canonical form has indices.
using Subjects = std::map<std::string, Object>;

class Flattener {
 public:
  explicit Flattener(const Definition& definition) : definition_(definition) {}

  Subjects Run() {
    // The canonical form holds everything that is executed, each member once.
    auto canonical = ParseJson(WriteCanonical(definition_));
    CHECK(canonical.has_value());
    Object head = std::move(canonical->as_object());
    const Value steps = Take(head, "steps");
    const Value bodies = Take(head, "bodies");
    transitions_ = Take(head, "transitions");
    head.Erase("format_version");
    subjects_["the definition"] = std::move(head);
    for (size_t i = 0; i < steps.as_array().size(); ++i) AddStep(i, steps.as_array()[i]);
    for (size_t i = 0; i < bodies.as_array().size(); ++i) AddBody(i, bodies.as_array()[i]);
    return std::move(subjects_);
  }

 private:
  static Value Take(Object& object, std::string_view key) {
    Value* found = object.Find(key);
    Value taken = found == nullptr ? Value(Array()) : std::move(*found);
    object.Erase(key);
    return taken;
  }
  const std::string& IdOf(const Value& index) const {
    return definition_.steps[static_cast<size_t>(index.as_int())].id;
  }
  std::string BodyOf(size_t body) const {
    const StepIndex owner = definition_.bodies[body].owner;
    return owner.value == kNoIndex ? "the root"
                                   : "the body of " + Quote(definition_.step(owner).id);
  }
  void NameStep(Object& object, std::string_view key) {
    if (Value* index = object.Find(key)) *index = Value(IdOf(*index));
  }
  void AddStep(size_t index, const Value& step);
  void AddBody(size_t index, const Value& body);

  const Definition& definition_;
  Value transitions_;
  Subjects subjects_;
};

void Flattener::AddStep(size_t index, const Value& value) {
  const Step& step = definition_.steps[index];
  Object members = value.as_object();
  for (const std::string_view key : {"id", "place", "child"}) members.Erase(key);
  NameStep(members, "fallback");
  NameStep(members, "compensation");
  if (step.body.value != 0) members.Set("body", BodyOf(step.body.value));
  Array ways;
  for (const TransitionIndex edge : step.outgoing) {
    Object way = transitions_.as_array()[edge.value].as_object();
    way.Erase("from");
    way.Erase("place");
    NameStep(way, "to");
    ways.emplace_back(std::move(way));
  }
  // Their order decides where the first that holds is taken.
  if (step.split == Split::kAll)
    std::ranges::sort(ways, {}, [](const Value& way) { return ToJson(way); });
  if (!ways.empty()) members.Set("transitions", std::move(ways));
  subjects_[fmt::format("step {}", Quote(step.id))] = std::move(members);
}

void Flattener::AddBody(size_t index, const Value& value) {
  Object members = value.as_object();
  for (const std::string_view key : {"id", "place"}) members.Erase(key);
  NameStep(members, "fallback");
  std::set<std::string> entries;
  for (const StepIndex entry : definition_.bodies[index].entries)
    entries.insert(definition_.step(entry).id);
  Array sorted;
  for (const std::string& entry : entries) sorted.emplace_back(entry);
  members.Set("entries", std::move(sorted));
  subjects_[BodyOf(index)] = std::move(members);
}

// Objects and lists are followed to what differs in them.
void Compare(const std::string& subject, const std::string& member, const Value& before,
             const Value& after, std::vector<Difference>& out) {
  if (before == after) return;
  if (before.is_object() && after.is_object()) {
    const auto inner = [&](const std::string& key) {
      return member.empty() ? key : member + "." + key;
    };
    for (const Member& one : before.as_object()) {
      const Value* other = after.Find(one.key);
      Compare(subject, inner(one.key), one.value, other == nullptr ? Value() : *other, out);
    }
    for (const Member& one : after.as_object())
      if (before.Find(one.key) == nullptr) Compare(subject, inner(one.key), {}, one.value, out);
    return;
  }
  if (before.is_array() && after.is_array() &&
      before.as_array().size() == after.as_array().size()) {
    for (size_t i = 0; i < before.as_array().size(); ++i)
      Compare(subject, fmt::format("{}[{}]", member, i), before.as_array()[i], after.as_array()[i],
              out);
    return;
  }
  out.push_back({Difference::Kind::kChanged, subject, member, before, after});
}

std::vector<Difference> DiffSubjects(const Subjects& a, const Subjects& b) {
  std::vector<Difference> out;
  std::set<std::string> subjects;
  for (const auto& [subject, members] : a) subjects.insert(subject);
  for (const auto& [subject, members] : b) subjects.insert(subject);
  for (const std::string& subject : subjects) {
    const auto before = a.find(subject);
    const auto after = b.find(subject);
    if (before == a.end())
      out.push_back({Difference::Kind::kAdded, subject, "", {}, {}});
    else if (after == b.end())
      out.push_back({Difference::Kind::kRemoved, subject, "", {}, {}});
    else
      Compare(subject, "", before->second, after->second, out);
  }
  // The definition and its bodies before its steps.
  std::ranges::stable_sort(out, {}, [](const Difference& difference) {
    return difference.subject.starts_with("the definition") ? 0
           : difference.subject.starts_with("the ")         ? 1
                                                            : 2;
  });
  return out;
}

void EraseMembers(Subjects& subjects) {
  for (auto& [subject, members] : subjects) {
    for (const std::string_view key : {"name", "extra"}) members.Erase(key);
    if (subject != "the definition") continue;
    for (const std::string_view key :
         {"dialect", "title", "version", "description", "tags", "triggers"})
      members.Erase(key);
  }
}

std::string Cut(const Value& value) {
  constexpr size_t kShown = 200;
  std::string text = value.is_null() ? "nothing" : ToJson(value);
  if (text.size() <= kShown) return text;
  size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

std::vector<Difference> DiffDefinitions(const Definition& a, const Definition& b) {
  return DiffSubjects(Flattener(a).Run(), Flattener(b).Run());
}

std::string DescribeDifference(const Difference& difference) {
  switch (difference.kind) {
    case Difference::Kind::kAdded:
      return difference.subject + " was added";
    case Difference::Kind::kRemoved:
      return difference.subject + " was removed";
    case Difference::Kind::kChanged:
      return fmt::format("{}: {} was {}, is {}", difference.subject, difference.member,
                         Cut(difference.before), Cut(difference.after));
  }
  return {};
}

bool SameGraph(const Definition& a, const Definition& b, std::string* why) {
  Subjects one = Flattener(a).Run();
  Subjects other = Flattener(b).Run();
  EraseMembers(one);
  EraseMembers(other);
  const std::vector<Difference> differences = DiffSubjects(one, other);
  if (why != nullptr && !differences.empty()) *why = DescribeDifference(differences[0]);
  return differences.empty();
}

}  // namespace stele::definition
