// An expression's text to its Program.
#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"
#include "engine/expression/program.h"

namespace stele::expression {

// What must follow the expression.
enum class Ending : uint8_t { kEndOfText, kDoubleBrace, kBrace };

struct Parsed {
  std::shared_ptr<const Program> program;
  size_t end = 0;  // the offset behind the ending
};

// Parses from text[begin] up to the ending. Columns count from the start of `text`. `looked_at`,
// when given, receives the offset up to which it read, also when it fails. References to secrets
// are let through: CheckNoSecrets.
Result<Parsed> Parse(std::string_view text, size_t begin, Ending ending,
                     size_t* looked_at = nullptr);

// Refuses a program that refers to `secrets`.
Status CheckNoSecrets(const Program& program);

}  // namespace stele::expression
