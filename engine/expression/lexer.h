// An expression's text as tokens, one at a time: no further than the parser asks, so that it can
// stop at the `}}` of a template in the middle of a longer text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::expression {

enum class TokenKind : uint8_t {
  kEnd,
  kFault,  // no token; Lexer::fault() says why
  kInt,
  kDouble,
  kString,
  kName,    // words like `and` too
  kSymbol,  // an operator or bracket; its text tells which
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  uint32_t begin = 0;  // byte offsets in the whole text
  uint32_t end = 0;
  uint64_t integer = 0;  // of kInt, without sign
  double number = 0;     // of kDouble
};

// Copyable: a copy is a place to come back to. `text` must outlive it.
class Lexer {
 public:
  // Reads text[begin, limit). REQUIRES: begin <= limit <= text.size() < 2^32.
  Lexer(std::string_view text, size_t begin, size_t limit)
      : text_(text.substr(0, limit)), at_(begin) {}

  Token Next();
  // Of the last Next() that gave kFault.
  Error fault() const;

  std::string_view TextOf(const Token& token) const {
    return text_.substr(token.begin, token.end - token.begin);
  }
  // The value of a kString with its escapes resolved.
  Result<std::string> StringOf(const Token& token) const;
  // The token for an error text: "`>=`", "the end".
  std::string Describe(const Token& token) const;
  char CharAt(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

 private:
  Token Fault(const char* expected, size_t at, size_t length);
  Token Number();
  Token String();
  Token Name();
  Token Symbol();
  bool IsNameAt(size_t at, bool first, size_t& length) const;

  std::string_view text_;
  size_t at_;
  const char* expected_ = "";
  size_t fault_at_ = 0;
  size_t fault_length_ = 0;
};

// "Expected <expected> at column <at + 1> but found <found>".
std::string FaultText(std::string_view expected, size_t at, std::string_view found);

}  // namespace stele::expression
