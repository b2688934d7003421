#include "engine/expression/arithmetic.h"

#include <cmath>
#include <cstdint>

#include "base/check.h"

namespace stele::expression {
namespace {

constexpr std::string_view kOverflow = "a result within 64 bits";
constexpr std::string_view kZero = "a divisor other than zero";

ArithmeticResult Checked(double result) {
  if (!std::isfinite(result)) return std::unexpected(kOverflow);
  return Value(result);
}

ArithmeticResult Divide(int64_t a, int64_t b) {
  if (b == 0) return std::unexpected(kZero);
  if (b == -1) return Negate(Value(a));
  if (a % b == 0) return Value(a / b);
  return Value(static_cast<double>(a) / static_cast<double>(b));
}

ArithmeticResult Integers(Op op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  if (op == Op::kAdd) {
    overflow = __builtin_add_overflow(a, b, &result);
  } else if (op == Op::kSubtract) {
    overflow = __builtin_sub_overflow(a, b, &result);
  } else if (op == Op::kMultiply) {
    overflow = __builtin_mul_overflow(a, b, &result);
  } else if (op == Op::kDivide) {
    return Divide(a, b);
  } else {
    CHECK(op == Op::kModulo, "{}", static_cast<int>(op));
    if (b == 0) return std::unexpected(kZero);
    result = b == -1 ? 0 : a % b;  // INT64_MIN % -1 traps
  }
  if (overflow) return std::unexpected(kOverflow);
  return Value(result);
}

ArithmeticResult Doubles(Op op, double a, double b) {
  if (op == Op::kAdd) return Checked(a + b);
  if (op == Op::kSubtract) return Checked(a - b);
  if (op == Op::kMultiply) return Checked(a * b);
  if (b == 0) return std::unexpected(kZero);
  if (op == Op::kDivide) return Checked(a / b);
  CHECK(op == Op::kModulo, "{}", static_cast<int>(op));
  return Checked(std::fmod(a, b));
}

}  // namespace

ArithmeticResult Arithmetic(Op op, const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) return Integers(op, a.as_int(), b.as_int());
  return Doubles(op, a.as_double(), b.as_double());
}

ArithmeticResult Negate(const Value& a) {
  if (a.is_double()) return Value(-a.as_double());
  if (a.as_int() == INT64_MIN) return std::unexpected(kOverflow);
  return Value(-a.as_int());
}

}  // namespace stele::expression
