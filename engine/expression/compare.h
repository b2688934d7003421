// Equality and order of values, as expressions see them: numbers by what they are worth, without
// rounding, whether integer or double; strings by their bytes.
#pragma once

#include <compare>
#include <optional>

#include "base/value.h"

namespace stele::expression {

// Unlike kinds are unequal. Objects are equal whatever their order. O(n log n) at worst.
bool AreEqual(const Value& a, const Value& b);

// Of two numbers or two strings; nothing for other kinds.
std::optional<std::partial_ordering> Order(const Value& a, const Value& b);

}  // namespace stele::expression
