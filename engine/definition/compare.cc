#include "engine/definition/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/json.h"
#include "engine/definition/faults.h"
#include "engine/definition/portrait.h"

namespace stele::definition {
namespace {

// What a difference is about: as it is called, which may be cut short, and the whole id that tells
// it from others.
struct Subject {
  std::string text;
  std::string id;
  auto operator<=>(const Subject&) const = default;
};

// What a definition says of each subject, with ids where the canonical form has indices.
using Subjects = std::map<Subject, Object>;

std::string BodyOf(const std::string& owner) {
  return owner.empty() ? "the root" : "the body of " + Quote(owner);
}

Object BodyMembers(Object body) {
  body.Erase("id");
  return body;
}

Subjects SubjectsOf(const Definition& definition) {
  Portrait portrait = PortraitOf(definition);
  Subjects subjects;
  portrait.members.Set("dialect", definition.dialect);
  subjects[{"the definition", ""}] = std::move(portrait.members);
  subjects[{BodyOf(""), ""}] = BodyMembers(std::move(portrait.body));
  for (auto& [id, step] : portrait.steps) {
    Object members = std::move(step.members);
    members.Erase("id");
    if (!step.owner.empty()) members.Set("body", fmt::format("the body of \"{}\"", step.owner));
    // Their order decides where the first that holds is taken.
    if (!step.ordered)
      std::ranges::sort(step.next, {}, [](const Value& way) { return ToJson(way); });
    if (!step.next.empty()) members.Set("transitions", std::move(step.next));
    subjects[{"step " + Quote(id), id}] = std::move(members);
    if (!step.body.empty()) subjects[{BodyOf(id), id}] = BodyMembers(std::move(step.body));
  }
  return subjects;
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
  std::set<Subject> subjects;
  for (const auto& [subject, members] : a) subjects.insert(subject);
  for (const auto& [subject, members] : b) subjects.insert(subject);
  for (const Subject& subject : subjects) {
    const auto before = a.find(subject);
    const auto after = b.find(subject);
    if (before == a.end())
      out.push_back({Difference::Kind::kAdded, subject.text, "", {}, {}});
    else if (after == b.end())
      out.push_back({Difference::Kind::kRemoved, subject.text, "", {}, {}});
    else
      Compare(subject.text, "", before->second, after->second, out);
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
    if (subject.text != "the definition") continue;
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
  return DiffSubjects(SubjectsOf(a), SubjectsOf(b));
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
  Subjects one = SubjectsOf(a);
  Subjects other = SubjectsOf(b);
  EraseMembers(one);
  EraseMembers(other);
  const std::vector<Difference> differences = DiffSubjects(one, other);
  if (why != nullptr && !differences.empty()) *why = DescribeDifference(differences[0]);
  return differences.empty();
}

}  // namespace stele::definition
