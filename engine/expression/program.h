// The compiled form of an expression: a tree in a flat table. Built by the parser, then immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "engine/expression/expression.h"
#include "engine/expression/pattern.h"

namespace stele::expression {

// What `a`, `b` and `c` of a Node are. Indices are of Program::nodes unless said otherwise.
enum class Op : uint8_t {
  kConstant,   // a: of constants
  kReference,  // a: of references
  kIndex,      // a[b]
  kList,       // b items, their nodes from `children[a]` on
  kObject,     // b members from `children[a]` on, each a key (of constants) and a node
  kAnd,        // b conditions, their nodes from `children[a]` on
  kOr,         // the same
  kNot,        // a
  kNegate,     // a
  kTernary,    // a ? b : c
  kCoalesce,   // a ?? b
  kEqual,      // a, b: and so on with every operator of two sides
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kContains,  // a contains b
  kIn,        // a in b
  kStartsWith,
  kEndsWith,
  kMatches,  // c: of patterns, from 1; 0 when b is no constant
  kSize,     // a: and so on with every function of one argument
  kLower,
  kUpper,
  kTrim,
  kHas,
  kIsNull,
  kIsEmpty,
};

struct Node {
  Op op = Op::kConstant;
  uint32_t column = 0;  // from 1, of the operand's first byte or of the operator
  uint32_t a = 0;
  uint32_t b = 0;
  uint32_t c = 0;
};

class Program {
 public:
  std::string text;
  std::vector<Node> nodes;
  std::vector<uint32_t> children;
  std::vector<Value> constants;
  std::vector<Reference> references;
  std::vector<Pattern> patterns;
  uint32_t root = 0;
};

// The root of the names that no expression may see.
inline constexpr std::string_view kSecrets = "secrets";

// "input.rows.0"
std::string JoinPath(const Reference& reference);

}  // namespace stele::expression
