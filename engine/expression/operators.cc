// The evaluator's operators and functions that look at values: each checks the kinds it is given.
#include <fmt/format.h>
#include <string.h>  // memmem

#include <algorithm>

#include "base/check.h"
#include "engine/expression/arithmetic.h"
#include "engine/expression/compare.h"
#include "engine/expression/evaluator.h"
#include "engine/expression/lexer.h"
#include "engine/expression/limits.h"
#include "engine/expression/utf8.h"

namespace stele::expression {
namespace {

// std::string::find is quadratic at worst; memmem is not.
bool ContainsText(std::string_view text, std::string_view part) {
  return memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

bool Holds(Op op, std::partial_ordering order) {
  if (op == Op::kLess) return order < 0;
  if (op == Op::kLessEqual) return order <= 0;
  if (op == Op::kGreater) return order > 0;
  return order >= 0;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\f\v";
  const size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

// ASCII letters alone: the rest depends on language and grows.
std::string Cased(std::string_view text, bool upper) {
  std::string out(text);
  for (char& c : out) {
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

bool Evaluator::Binary(const Node& node, Operand& out) {
  Operand a;
  Operand b;
  if (!EvalDefined(node.a, a) || !EvalDefined(node.b, b)) return false;
  if (node.op == Op::kEqual) {
    out.Own(Value(AreEqual(a.value(), b.value())));
    return true;
  }
  if (node.op >= Op::kLess && node.op <= Op::kGreaterEqual) return Compare(node, a, b, out);
  if (node.op == Op::kAdd) return Add(node, a, b, out);
  if (node.op == Op::kContains) return IsIn(b.value(), node.b, a.value(), node.a, out);
  if (node.op == Op::kIn) return IsIn(a.value(), node.a, b.value(), node.b, out);
  if (node.op == Op::kMatches) return Matches(node, a.value(), b.value(), out);
  if (node.op == Op::kStartsWith || node.op == Op::kEndsWith)
    return Affix(node, a.value(), b.value(), out);
  return Calculate(node, a.value(), b.value(), out);
}

bool Evaluator::Compare(const Node& node, const Operand& a, const Operand& b, Operand& out) {
  const auto order = Order(a.value(), b.value());
  if (!order) {
    const bool comparable = a.value().is_number() || a.value().is_string();
    if (!ExpectKind(comparable, "a number or a string", node.a, a.value())) return false;
    return ExpectKind(false, a.value().is_number() ? "a number" : "a string", node.b, b.value());
  }
  out.Own(Value(Holds(node.op, *order)));
  return true;
}

bool Evaluator::Add(const Node& node, Operand& a, const Operand& b, Operand& out) {
  if (!a.value().is_string()) return Calculate(node, a.value(), b.value(), out);
  if (!ExpectKind(b.value().is_string(), "a string", node.b, b.value())) return false;
  const std::string& tail = b.value().as_string();
  // What was made before is added to, so that a chain of joins is linear.
  if (!Charge(node, tail.size() + (a.owned() ? 0 : a.value().as_string().size()))) return false;
  std::string text;
  if (a.owned()) {
    text = std::move(a.mutable_value().as_string());
  } else {
    text = a.value().as_string();
  }
  text += tail;
  out.Own(Value(std::move(text)));
  return true;
}

bool Evaluator::Calculate(const Node& node, const Value& a, const Value& b, Operand& out) {
  if (!ExpectKind(a.is_number(), node.op == Op::kAdd ? "a number or a string" : "a number", node.a,
                  a) ||
      !ExpectKind(b.is_number(), "a number", node.b, b))
    return false;
  ArithmeticResult result = Arithmetic(node.op, a, b);
  if (!result)
    return FailAt(ErrorCode::kExpressionType, node.column, result.error(),
                  "none for this operation");
  out.Own(*std::move(result));
  return true;
}

bool Evaluator::IsIn(const Value& item, uint32_t item_node, const Value& holder,
                     uint32_t holder_node, Operand& out) {
  if (holder.is_array()) {
    out.Own(Value(std::ranges::any_of(holder.as_array(),
                                      [&](const Value& each) { return AreEqual(each, item); })));
    return true;
  }
  if (!ExpectKind(holder.is_string() || holder.is_object(), "a list, an object or a string",
                  holder_node, holder) ||
      !ExpectKind(item.is_string(), "a string", item_node, item))
    return false;
  out.Own(Value(holder.is_string() ? ContainsText(holder.as_string(), item.as_string())
                                   : holder.Find(item.as_string()) != nullptr));
  return true;
}

bool Evaluator::Affix(const Node& node, const Value& a, const Value& b, Operand& out) {
  if (!ExpectKind(a.is_string(), "a string", node.a, a) ||
      !ExpectKind(b.is_string(), "a string", node.b, b))
    return false;
  out.Own(Value(node.op == Op::kStartsWith ? a.as_string().starts_with(b.as_string())
                                           : a.as_string().ends_with(b.as_string())));
  return true;
}

bool Evaluator::Matches(const Node& node, const Value& a, const Value& b, Operand& out) {
  if (!ExpectKind(a.is_string(), "a string", node.a, a) ||
      !ExpectKind(b.is_string(), "a regular expression (a string)", node.b, b))
    return false;
  if (node.c != 0) {
    out.Own(Value(program_.patterns[node.c - 1].Matches(a.as_string())));
    return true;
  }
  const uint32_t column = program_.nodes[node.b].column;
  if (b.as_string().size() > kMaxPatternBytes)
    return FailAt(ErrorCode::kExpressionLimit, column,
                  fmt::format("a pattern of at most {} bytes", kMaxPatternBytes),
                  std::to_string(b.as_string().size()));
  const auto pattern = Pattern::Compile(b.as_string());
  if (!pattern)
    return FailAt(ErrorCode::kExpressionType, column, "a regular expression", "a malformed one");
  out.Own(Value(pattern->Matches(a.as_string())));
  return true;
}

bool Evaluator::Unary(const Node& node, Operand& out) {
  Operand operand;
  if (!EvalDefined(node.a, operand)) return false;
  const Value& value = operand.value();
  if (node.op == Op::kSize) return Size(node, value, out);
  if (node.op != Op::kNegate) return Text(node, value, out);
  if (!ExpectKind(value.is_number(), "a number", node.a, value)) return false;
  ArithmeticResult result = Negate(value);
  if (!result)
    return FailAt(ErrorCode::kExpressionType, node.column, result.error(),
                  "none for this operation");
  out.Own(*std::move(result));
  return true;
}

bool Evaluator::Size(const Node& node, const Value& value, Operand& out) {
  int64_t size = 0;
  if (value.is_string()) {
    size = CountCodePoints(value.as_string());
  } else if (value.is_array()) {
    size = static_cast<int64_t>(value.as_array().size());
  } else if (value.is_object()) {
    size = static_cast<int64_t>(value.as_object().size());
  } else {
    return ExpectKind(false, "a string, a list or an object", node.a, value);
  }
  out.Own(Value(size));
  return true;
}

bool Evaluator::Text(const Node& node, const Value& value, Operand& out) {
  if (!ExpectKind(value.is_string(), "a string", node.a, value)) return false;
  const std::string& text = value.as_string();
  if (!Charge(node, text.size())) return false;
  if (node.op == Op::kTrim) {
    out.Own(Value(Trimmed(text)));
  } else {
    CHECK(node.op == Op::kLower || node.op == Op::kUpper, "{}", static_cast<int>(node.op));
    out.Own(Value(Cased(text, node.op == Op::kUpper)));
  }
  return true;
}

}  // namespace stele::expression
