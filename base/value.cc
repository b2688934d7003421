#include "base/value.h"

#include <algorithm>

namespace stele {

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
