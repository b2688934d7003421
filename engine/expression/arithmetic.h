// + - * / % and the minus sign, on numbers. Integers stay integers and never wrap.
#pragma once

#include <expected>
#include <string_view>

#include "base/value.h"
#include "engine/expression/program.h"

namespace stele::expression {

// The error is what would have been expected: "a divisor other than zero".
using ArithmeticResult = std::expected<Value, std::string_view>;

// `op` is one of kAdd … kModulo. REQUIRES: two numbers.
ArithmeticResult Arithmetic(Op op, const Value& a, const Value& b);
// REQUIRES: a number.
ArithmeticResult Negate(const Value& a);

}  // namespace stele::expression
