#include "engine/expression/builder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/expression/lexer.h"
#include "engine/expression/limits.h"

namespace stele::expression {

std::string JoinPath(const Reference& reference) {
  return fmt::format("{}", fmt::join(reference.path, "."));
}

Result<uint32_t> Builder::Add(Node node, uint32_t height) {
  if (program_->nodes.size() >= kMaxNodes)
    return Fail(ErrorCode::kExpressionLimit,
                FaultText(fmt::format("at most {} values and operators", kMaxNodes),
                          node.column - 1, "more"));
  if (height > kMaxTreeDepth)
    return Fail(
        ErrorCode::kExpressionLimit,
        FaultText(fmt::format("at most {} operations on each other's results", kMaxTreeDepth),
                  node.column - 1, "more"));
  program_->nodes.push_back(node);
  heights_.push_back(height);
  return static_cast<uint32_t>(program_->nodes.size() - 1);
}

uint32_t Builder::HeightOf(std::span<const uint32_t> items) const {
  uint32_t height = 0;
  for (const uint32_t item : items) height = std::max(height, heights_[item]);
  return height + 1;
}

Result<uint32_t> Builder::Constant(uint32_t column, Value value) {
  program_->constants.push_back(std::move(value));
  return Add({Op::kConstant, column, static_cast<uint32_t>(program_->constants.size() - 1)}, 1);
}

Result<uint32_t> Builder::Name(uint32_t column, std::string name) {
  program_->references.push_back({{std::move(name)}, column});
  return Add({Op::kReference, column, static_cast<uint32_t>(program_->references.size() - 1)}, 1);
}

Result<uint32_t> Builder::Member(uint32_t column, uint32_t base, std::string name) {
  const Node& node = program_->nodes[base];
  if (node.op == Op::kReference) {
    program_->references[node.a].path.push_back(std::move(name));
    return base;
  }
  Result<uint32_t> key = Constant(column, Value(std::move(name)));
  if (!key) return key;
  return Index(column, base, *key);
}

Result<uint32_t> Builder::Index(uint32_t column, uint32_t base, uint32_t index) {
  const Node& key = program_->nodes[index];
  if (key.op == Op::kConstant) {
    const Value& value = program_->constants[key.a];
    if (value.is_int() && value.as_int() < 0)
      return Fail(ErrorCode::kExpressionType, FaultText("an index of at least 0", key.column - 1,
                                                        std::to_string(value.as_int())));
  }
  if (key.op == Op::kConstant && program_->nodes[base].op == Op::kReference) {
    const Value& value = program_->constants[key.a];
    if (value.is_string()) return Member(column, base, value.as_string());
    if (value.is_int() && value.as_int() >= 0)
      return Member(column, base, std::to_string(value.as_int()));
  }
  return Binary(Op::kIndex, column, base, index);
}

Result<uint32_t> Builder::Unary(Op op, uint32_t column, uint32_t a) {
  Node& node = program_->nodes[a];
  if (op == Op::kNegate && node.op == Op::kConstant) {
    Value& value = program_->constants[node.a];
    const bool negatable = value.is_double() || (value.is_int() && value.as_int() != INT64_MIN);
    if (negatable) {
      value = value.is_int() ? Value(-value.as_int()) : Value(-value.as_double());
      node.column = column;
      return a;
    }
  }
  return Add({op, column, a}, heights_[a] + 1);
}

Result<uint32_t> Builder::Binary(Op op, uint32_t column, uint32_t a, uint32_t b) {
  const auto is_null = [&](uint32_t i) {
    const Node& node = program_->nodes[i];
    return node.op == Op::kConstant && program_->constants[node.a].is_null();
  };
  if (op == Op::kEqual && is_null(b)) return Unary(Op::kIsNull, column, a);
  if (op == Op::kEqual && is_null(a)) return Unary(Op::kIsNull, column, b);
  uint32_t pattern = 0;
  if (op == Op::kMatches) {
    Result<uint32_t> compiled = CompilePattern(b);
    if (!compiled) return compiled;
    pattern = *compiled;
  }
  return Add({op, column, a, b, pattern}, std::max(heights_[a], heights_[b]) + 1);
}

Result<uint32_t> Builder::CompilePattern(uint32_t index) {
  const Node& node = program_->nodes[index];
  if (node.op != Op::kConstant || !program_->constants[node.a].is_string()) return 0;
  const std::string& text = program_->constants[node.a].as_string();
  const size_t at = node.column - 1;
  if (text.size() > kMaxPatternBytes)
    return Fail(ErrorCode::kExpressionLimit,
                FaultText(fmt::format("a pattern of at most {} bytes", kMaxPatternBytes), at,
                          fmt::format("{}", text.size())));
  if (program_->patterns.size() >= kMaxPatterns)
    return Fail(ErrorCode::kExpressionLimit,
                FaultText(fmt::format("at most {} patterns", kMaxPatterns), at, "more"));
  auto pattern = Pattern::Compile(text);
  if (!pattern)
    return Fail(ErrorCode::kExpressionSyntax,
                FaultText("a regular expression", at, "a fault: " + pattern.error()));
  program_->patterns.push_back(*std::move(pattern));
  return static_cast<uint32_t>(program_->patterns.size());
}

Result<uint32_t> Builder::Ternary(uint32_t column, uint32_t a, uint32_t b, uint32_t c) {
  return Add({Op::kTernary, column, a, b, c}, HeightOf(std::array{a, b, c}));
}

bool Builder::AllConstant(std::span<const uint32_t> items) const {
  return std::ranges::all_of(items,
                             [&](uint32_t i) { return program_->nodes[i].op == Op::kConstant; });
}

Value Builder::TakeConstant(uint32_t node) {
  return std::move(program_->constants[program_->nodes[node].a]);
}

Result<uint32_t> Builder::Sequence(Op op, uint32_t column, std::span<const uint32_t> items) {
  if (op == Op::kList && AllConstant(items)) {
    Array array;
    for (const uint32_t item : items) array.push_back(TakeConstant(item));
    return Constant(column, Value(std::move(array)));
  }
  const auto first = static_cast<uint32_t>(program_->children.size());
  program_->children.insert(program_->children.end(), items.begin(), items.end());
  return Add({op, column, first, static_cast<uint32_t>(items.size())}, HeightOf(items));
}

Result<uint32_t> Builder::Object(uint32_t column, std::vector<std::string> keys,
                                 std::span<const uint32_t> items) {
  if (AllConstant(items)) {
    stele::Object object;
    for (size_t i = 0; i < items.size(); ++i) object.Set(keys[i], TakeConstant(items[i]));
    return Constant(column, Value(std::move(object)));
  }
  const auto first = static_cast<uint32_t>(program_->children.size());
  for (size_t i = 0; i < items.size(); ++i) {
    program_->children.push_back(static_cast<uint32_t>(program_->constants.size()));
    program_->children.push_back(items[i]);
    program_->constants.emplace_back(std::move(keys[i]));
  }
  return Add({Op::kObject, column, first, static_cast<uint32_t>(items.size())}, HeightOf(items));
}

std::shared_ptr<const Program> Builder::Finish(uint32_t root, std::string_view text) {
  program_->root = root;
  program_->text = text;
  return std::move(program_);
}

}  // namespace stele::expression
