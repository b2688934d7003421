#include "engine/expression/compare.h"

#include <algorithm>
#include <vector>

namespace stele::expression {
namespace {

// Exact: an integer beyond 2^53 is not rounded to a double first.
std::partial_ordering OrderIntDouble(int64_t a, double b) {
  if (b >= 0x1p63) return std::partial_ordering::less;
  if (b < -0x1p63) return std::partial_ordering::greater;
  if (b != b) return std::partial_ordering::unordered;
  const auto whole = static_cast<int64_t>(b);
  if (a != whole) return a <=> whole;
  return 0.0 <=> b - static_cast<double>(whole);
}

std::partial_ordering OrderNumbers(const Value& a, const Value& b) {
  if (a.is_int())
    return b.is_int() ? std::partial_ordering(a.as_int() <=> b.as_int())
                      : OrderIntDouble(a.as_int(), b.as_double());
  if (b.is_int()) return 0 <=> OrderIntDouble(b.as_int(), a.as_double());
  return a.as_double() <=> b.as_double();
}

using Members = std::vector<const Member*>;

Members SortedMembers(const Object& object) {
  Members members;
  members.reserve(object.size());
  for (const Member& member : object) members.push_back(&member);
  std::ranges::sort(members, {}, &Member::key);
  return members;
}

bool ObjectsAreEqual(const Object& a, const Object& b) {
  if (a.size() != b.size()) return false;
  if (std::ranges::equal(a, b, {}, &Member::key, &Member::key))
    return std::ranges::equal(a, b, AreEqual, &Member::value, &Member::value);
  return std::ranges::equal(SortedMembers(a), SortedMembers(b),
                            [](const Member* x, const Member* y) {
                              return x->key == y->key && AreEqual(x->value, y->value);
                            });
}

}  // namespace

bool AreEqual(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return OrderNumbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  if (a.is_string()) return a.as_string() == b.as_string();
  if (a.is_bool()) return a.as_bool() == b.as_bool();
  if (a.is_array()) return std::ranges::equal(a.as_array(), b.as_array(), AreEqual);
  if (a.is_object()) return ObjectsAreEqual(a.as_object(), b.as_object());
  return true;
}

std::optional<std::partial_ordering> Order(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return OrderNumbers(a, b);
  if (a.is_string() && b.is_string()) return a.as_string() <=> b.as_string();
  return std::nullopt;
}

}  // namespace stele::expression
