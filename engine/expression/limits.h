// What an expression or template may cost. Going beyond is kExpressionLimit, at compile time where
// it can be told there.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::expression {

// Of one expression, in bytes; also of what one `{{ … }}` may look at to find its end.
inline constexpr size_t kMaxExpressionBytes = 16 * 1024;
// Parentheses, brackets, prefix operators and right operands in one another: the parser's stack.
inline constexpr uint32_t kMaxNesting = 64;
// The height of the compiled tree, which long chains of `+` raise too: the evaluator's stack.
inline constexpr uint32_t kMaxTreeDepth = 256;
inline constexpr size_t kMaxNodes = 4096;
// Of one regular expression.
inline constexpr size_t kMaxPatternBytes = 512;
// Steps of its automaton: what one byte of text may cost at worst.
inline constexpr int kMaxPatternProgram = 5000;
inline constexpr int64_t kMaxPatternMemory = 512 * 1024;
// Constant regular expressions of one expression.
inline constexpr size_t kMaxPatterns = 16;
// Strings, lists and objects that one evaluation may make, together.
inline constexpr size_t kMaxProducedBytes = 16u << 20;
// What one rendering of a template may put into its result, together.
inline constexpr size_t kMaxRenderedBytes = 64u << 20;
// Templates in one string.
inline constexpr size_t kMaxTemplateParts = 4096;

}  // namespace stele::expression
