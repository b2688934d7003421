// Characters that change the direction of the text around them, so that another text is shown than
// there is.
//
// Thread: any.
#pragma once

#include <string_view>

namespace stele {

// Whether the text begins with one: U+061C, U+200E and F, U+202A to E, U+2066 to 9.
inline bool TurnsText(std::string_view text) {
  if (text.starts_with("\xD8\x9C")) return true;
  if (text.size() < 3) return false;
  const auto last = static_cast<unsigned char>(text[2]);
  if (text.starts_with("\xE2\x80"))
    return last == 0x8E || last == 0x8F || (last >= 0xAA && last <= 0xAE);
  return text.starts_with("\xE2\x81") && last >= 0xA6 && last <= 0xA9;
}

}  // namespace stele
