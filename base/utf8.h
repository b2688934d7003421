// Whether bytes are text.
//
// Thread: any.
#pragma once

#include <string_view>

namespace stele {

// Whether every byte of it is part of well-formed UTF-8.
bool IsUtf8(std::string_view text);

}  // namespace stele
