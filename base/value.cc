#include "base/value.h"

#include <algorithm>
#include <cstddef>

namespace stele {

namespace {

// Below, looking at each costs less than sorting.
constexpr size_t kFewMembers = 16;

// The members by key, those of the same key in their order.
std::vector<const Member*> Sorted(const std::vector<Member>& members) {
  std::vector<const Member*> sorted;
  sorted.reserve(members.size());
  for (const Member& member : members) sorted.push_back(&member);
  std::ranges::stable_sort(sorted, {}, &Member::key);
  return sorted;
}

}  // namespace

Object Object::Of(std::vector<Member> members) {
  Object object;
  if (members.size() <= kFewMembers) {
    object.members_.reserve(members.size());
    for (Member& member : members) object.Set(member.key, std::move(member.value));
    return object;
  }
  std::vector<bool> again(members.size());
  bool any = false;
  const std::vector<const Member*> sorted = Sorted(members);
  for (size_t first = 0, next = 1; next < sorted.size(); ++next) {
    if (sorted[next]->key != sorted[first]->key) {
      first = next;
      continue;
    }
    const size_t place = static_cast<size_t>(sorted[next] - members.data());
    members[static_cast<size_t>(sorted[first] - members.data())].value =
        std::move(members[place].value);
    again[place] = any = true;
  }
  if (any) {
    size_t kept = 0;
    for (size_t i = 0; i < members.size(); ++i) {
      if (again[i]) continue;
      if (kept != i) members[kept] = std::move(members[i]);
      ++kept;
    }
    members.erase(members.begin() + static_cast<ptrdiff_t>(kept), members.end());
  }
  object.members_ = std::move(members);
  return object;
}

const Value* Object::Find(std::string_view key) const {
  for (const Member& member : members_)
    if (member.key == key) return &member.value;
  return nullptr;
}

Value* Object::Find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).Find(key));
}

Value& Object::Set(std::string_view key, Value value) {
  if (Value* found = Find(key)) return *found = std::move(value);
  return members_.emplace_back(std::string(key), std::move(value)).value;
}

bool Object::Erase(std::string_view key) {
  return std::erase_if(members_, [&](const Member& m) { return m.key == key; }) != 0;
}

bool Object::operator==(const Object& other) const {
  if (size() != other.size()) return false;
  if (size() > kFewMembers)
    return std::ranges::equal(Sorted(members_), Sorted(other.members_),
                              [](const Member* a, const Member* b) { return *a == *b; });
  return std::ranges::all_of(members_, [&](const Member& member) {
    const Value* found = other.Find(member.key);
    return found != nullptr && *found == member.value;
  });
}

bool Value::operator==(const Value& other) const {
  if (is_number() && other.is_number() && kind() != other.kind())
    return as_double() == other.as_double();
  return data_ == other.data_;
}

std::string_view KindName(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBool:
      return "boolean";
    case Value::Kind::kInt:
      return "integer";
    case Value::Kind::kDouble:
      return "number";
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kArray:
      return "array";
    case Value::Kind::kObject:
      return "object";
  }
  return "";
}

}  // namespace stele
