// The little of UTF-8 that the language needs: which code points a name may have, and how many a
// string has.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stele::expression {

struct CodePoint {
  char32_t value = 0;
  uint32_t length = 0;  // in bytes; 0: no valid sequence
};

// REQUIRES: at < text.size().
CodePoint DecodeUtf8(std::string_view text, size_t at);
void AppendUtf8(char32_t code_point, std::string& out);

// Whether a code point beyond ASCII may stand in a name: no spaces, no punctuation (full-width
// quotes and brackets above all, which are easily typed by mistake).
bool IsNameCodePoint(char32_t code_point);

// Code points; every byte that starts none counts as part of the one before it.
int64_t CountCodePoints(std::string_view text);

}  // namespace stele::expression
