// Whether bytes are text, and how many of them are a character.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <string_view>

namespace stele {

// Whether every byte of it is part of well-formed UTF-8.
bool IsUtf8(std::string_view text);

// The bytes of the well-formed sequence that the text begins with; 0: it begins with none.
// REQUIRES: the text is not empty.
size_t Utf8Length(std::string_view text);

}  // namespace stele
