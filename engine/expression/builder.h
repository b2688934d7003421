// Adds nodes to a Program and keeps the limits: nodes, height of the tree, patterns.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/expression/program.h"

namespace stele::expression {

class Builder {
 public:
  Builder() : program_(std::make_shared<Program>()) {}

  Result<uint32_t> Constant(uint32_t column, Value value);
  Result<uint32_t> Name(uint32_t column, std::string name);
  // `base`.name or base["name"]: a longer reference where the base is one.
  Result<uint32_t> Member(uint32_t column, uint32_t base, std::string name);
  // base[index]
  Result<uint32_t> Index(uint32_t column, uint32_t base, uint32_t index);
  // A negated number becomes a constant.
  Result<uint32_t> Unary(Op op, uint32_t column, uint32_t a);
  // == with a literal null becomes `is null`; the pattern of a constant kMatches is compiled.
  Result<uint32_t> Binary(Op op, uint32_t column, uint32_t a, uint32_t b);
  Result<uint32_t> Ternary(uint32_t column, uint32_t a, uint32_t b, uint32_t c);
  // kAnd, kOr, kList. A list of constants becomes a constant.
  Result<uint32_t> Sequence(Op op, uint32_t column, std::span<const uint32_t> items);
  // An object of constants becomes a constant. REQUIRES: keys.size() == items.size().
  Result<uint32_t> Object(uint32_t column, std::vector<std::string> keys,
                          std::span<const uint32_t> items);

  std::shared_ptr<const Program> Finish(uint32_t root, std::string_view text);

 private:
  Result<uint32_t> Add(Node node, uint32_t height);
  Result<uint32_t> CompilePattern(uint32_t node);
  bool AllConstant(std::span<const uint32_t> items) const;
  uint32_t HeightOf(std::span<const uint32_t> items) const;
  Value TakeConstant(uint32_t node);

  std::shared_ptr<Program> program_;
  std::vector<uint32_t> heights_;  // of the tree below each node
};

}  // namespace stele::expression
