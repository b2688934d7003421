#include "engine/expression/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/json.h"
#include "engine/expression/compare.h"
#include "engine/expression/lexer.h"
#include "engine/expression/limits.h"
#include "engine/expression/utf8.h"

namespace stele::expression {
namespace {

// The index that a name stands for: decimal, without needless zeros.
std::optional<size_t> IndexOf(std::string_view name) {
  size_t index = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, index);
  const bool needless = name.size() > 1 && name[0] == '0';
  if (error != std::errc() || stop != end || needless) return std::nullopt;
  return index;
}

const Value* Element(const Value& value, std::string_view name) {
  if (value.is_object()) return value.as_object().Find(name);
  if (!value.is_array()) return nullptr;
  const std::optional<size_t> index = IndexOf(name);
  return index && *index < value.as_array().size() ? &value.as_array()[*index] : nullptr;
}

const Value* Element(const Value& value, int64_t index) {
  if (value.is_object()) return value.as_object().Find(std::to_string(index));
  if (!value.is_array()) return nullptr;
  const auto at = static_cast<size_t>(index);
  return at < value.as_array().size() ? &value.as_array()[at] : nullptr;
}

}  // namespace

Weight Weigh(const Value& value) {
  Weight weight{sizeof(Value), 0};
  const auto add = [&](const Value& item) {
    const Weight inner = Weigh(item);
    weight.bytes += inner.bytes;
    weight.depth = std::max(weight.depth, inner.depth);
  };
  if (value.is_string()) weight.bytes += value.as_string().size();
  if (value.is_array()) {
    for (const Value& item : value.as_array()) add(item);
    ++weight.depth;
  }
  if (value.is_object()) {
    for (const Member& member : value.as_object()) {
      weight.bytes += sizeof(Member) - sizeof(Value) + member.key.size();
      add(member.value);
    }
    ++weight.depth;
  }
  return weight;
}

bool IsTruthy(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return false;
    case Value::Kind::kBool:
      return value.as_bool();
    case Value::Kind::kInt:
      return value.as_int() != 0;
    case Value::Kind::kDouble:
      return value.as_double() != 0;
    case Value::Kind::kString:
      return !value.as_string().empty();
    case Value::Kind::kArray:
      return !value.as_array().empty();
    case Value::Kind::kObject:
      return !value.as_object().empty();
  }
  return false;
}

Evaluator::Evaluator(const Program& program, const Environment& environment)
    : program_(program), environment_(environment), budget_(kMaxProducedBytes) {}

bool Evaluator::Run(Operand& out) {
  if (!EvalDefined(program_.root, out)) return false;
  const bool made = out.owned() && (out.value().is_array() || out.value().is_object());
  if (!made || Weigh(out.value()).depth <= kMaxJsonDepth) return true;
  return FailAt(ErrorCode::kExpressionLimit, program_.nodes[program_.root].column,
                fmt::format("a value at most {} deep", kMaxJsonDepth), "a deeper one");
}

bool Evaluator::EvalDefined(uint32_t index, Operand& out) {
  return Eval(index, out) && (!out.undefined() || FailUndefined(out.node()));
}

bool Evaluator::EvalCondition(uint32_t index, bool& out) {
  Operand operand;
  if (!Eval(index, operand)) return false;
  out = !operand.undefined() && IsTruthy(operand.value());
  return true;
}

bool Evaluator::Eval(uint32_t index, Operand& out) {
  const Node& node = program_.nodes[index];
  switch (node.op) {
    case Op::kConstant:
      out.Borrow(program_.constants[node.a]);
      return true;
    case Op::kReference:
      return Reference(index, out);
    case Op::kIndex:
      return Index(index, out);
    case Op::kList:
      return List(node, out);
    case Op::kObject:
      return MakeObject(node, out);
    case Op::kAnd:
    case Op::kOr:
      return Conditions(node, out);
    case Op::kTernary:
      return Ternary(node, out);
    case Op::kCoalesce:
      return Coalesce(node, out);
    case Op::kNot:
    case Op::kHas:
    case Op::kIsNull:
    case Op::kIsEmpty:
      return Ask(node, out);
    case Op::kNegate:
    case Op::kSize:
    case Op::kLower:
    case Op::kUpper:
    case Op::kTrim:
      return Unary(node, out);
    case Op::kEqual:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kModulo:
    case Op::kContains:
    case Op::kIn:
    case Op::kStartsWith:
    case Op::kEndsWith:
    case Op::kMatches:
      return Binary(node, out);
  }
  CHECK(false, "op {}", static_cast<int>(node.op));
}

bool Evaluator::Reference(uint32_t index, Operand& out) {
  const std::span<const std::string> path = program_.references[program_.nodes[index].a].path;
  const Environment::Found found = environment_.Lookup(path);
  if (found.value == nullptr) {
    out.SetUndefined(index);
    return true;
  }
  CHECK(found.consumed <= path.size(), "{} of {}", found.consumed, path.size());
  out.Borrow(*found.value);
  Walk(path.subspan(found.consumed), index, out);
  return true;
}

// REQUIRES: `out` borrows.
void Evaluator::Walk(std::span<const std::string> path, uint32_t index, Operand& out) {
  const Value* at = &out.value();
  for (size_t i = 0; i < path.size(); ++i) {
    const Value* next = Element(*at, path[i]);
    if (next == nullptr && i + 1 == path.size() && path[i] == "length") {
      if (at->is_array()) return out.Own(Value(static_cast<int64_t>(at->as_array().size())));
      if (at->is_string()) return out.Own(Value(CountCodePoints(at->as_string())));
    }
    if (next == nullptr) return out.SetUndefined(index);
    at = next;
  }
  out.Borrow(*at);
}

bool Evaluator::Index(uint32_t index, Operand& out) {
  const Node& node = program_.nodes[index];
  Operand key;
  if (!Eval(node.a, out) || !EvalDefined(node.b, key)) return false;
  const Value& name = key.value();
  if (!ExpectKind(name.is_int() || name.is_string(), "an integer or a string as the index", node.b,
                  name))
    return false;
  if (name.is_int() && name.as_int() < 0)
    return FailAt(ErrorCode::kExpressionType, program_.nodes[node.b].column,
                  "an index of at least 0", std::to_string(name.as_int()));
  if (out.undefined()) return true;
  const Value* found =
      name.is_int() ? Element(out.value(), name.as_int()) : Element(out.value(), name.as_string());
  if (found == nullptr) {
    out.SetUndefined(index);
  } else if (out.owned()) {
    Value part = std::move(const_cast<Value&>(*found));  // of a value that nobody else sees
    out.Own(std::move(part));
  } else {
    out.Borrow(*found);
  }
  return true;
}

bool Evaluator::List(const Node& node, Operand& out) {
  Array array;
  array.reserve(node.b);
  for (uint32_t i = 0; i < node.b; ++i) {
    Operand item;
    if (!EvalDefined(program_.children[node.a + i], item)) return false;
    if (!Charge(node, item.owned() ? sizeof(Value) : Weigh(item.value()).bytes)) return false;
    array.push_back(item.Take());
  }
  out.Own(Value(std::move(array)));
  return true;
}

bool Evaluator::MakeObject(const Node& node, Operand& out) {
  Object object;
  for (uint32_t i = 0; i < node.b; ++i) {
    const uint32_t* member = &program_.children[node.a + 2 * i];
    const std::string& key = program_.constants[member[0]].as_string();
    Operand item;
    if (!EvalDefined(member[1], item)) return false;
    const size_t bytes = item.owned() ? sizeof(Value) : Weigh(item.value()).bytes;
    if (!Charge(node, key.size() + bytes)) return false;
    object.Set(key, item.Take());
  }
  out.Own(Value(std::move(object)));
  return true;
}

bool Evaluator::Conditions(const Node& node, Operand& out) {
  const bool decisive = node.op == Op::kOr;
  bool result = !decisive;
  for (uint32_t i = 0; i < node.b && result != decisive; ++i)
    if (!EvalCondition(program_.children[node.a + i], result)) return false;
  out.Own(Value(result));
  return true;
}

bool Evaluator::Ternary(const Node& node, Operand& out) {
  bool condition = false;
  return EvalCondition(node.a, condition) && Eval(condition ? node.b : node.c, out);
}

bool Evaluator::Coalesce(const Node& node, Operand& out) {
  if (!Eval(node.a, out)) return false;
  return (!out.undefined() && !out.value().is_null()) || Eval(node.b, out);
}

// The operators that an undefined name is no fault for.
bool Evaluator::Ask(const Node& node, Operand& out) {
  Operand operand;
  if (!Eval(node.a, operand)) return false;
  const bool undefined = operand.undefined();
  if (node.op == Op::kHas) {
    out.Own(Value(!undefined));
  } else if (undefined) {
    out.Own(Value(true));
  } else if (node.op == Op::kNot) {
    out.Own(Value(!IsTruthy(operand.value())));
  } else {
    const Value& value = operand.value();
    const bool can_be_empty = value.is_string() || value.is_array() || value.is_object();
    out.Own(
        Value(value.is_null() || (node.op == Op::kIsEmpty && can_be_empty && !IsTruthy(value))));
  }
  return true;
}

bool Evaluator::Charge(const Node& node, size_t bytes) {
  if (bytes > budget_)
    return FailAt(ErrorCode::kExpressionLimit, node.column,
                  fmt::format("at most {} bytes of results", kMaxProducedBytes), "more");
  budget_ -= bytes;
  return true;
}

bool Evaluator::ExpectKind(bool fits, std::string_view expected, uint32_t index,
                           const Value& found) {
  return fits || FailAt(ErrorCode::kExpressionType, program_.nodes[index].column, expected,
                        KindName(found.kind()));
}

bool Evaluator::FailAt(ErrorCode code, uint32_t column, std::string_view expected,
                       std::string_view found) {
  error_ = Error{code, FaultText(expected, column - 1, found)};
  return false;
}

bool Evaluator::FailUndefined(uint32_t index) {
  const Node& node = program_.nodes[index];
  const std::string expected =
      node.op == Op::kReference
          ? fmt::format("a value for `{}`", JoinPath(program_.references[node.a]))
          : "an element or a member";
  return FailAt(ErrorCode::kExpressionUndefined, node.column, expected, "nothing of that name");
}

}  // namespace stele::expression
