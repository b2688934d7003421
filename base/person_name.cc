#include "base/person_name.h"

#include <algorithm>

#include "base/text_direction.h"
#include "base/utf8.h"

namespace stele {

namespace {

// Characters beyond ASCII that show nothing, or not more than a space does.
constexpr std::string_view kBlanks[] = {
    "\xC2\xA0",     "\xC2\xAD",     "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
    "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89",
    "\xE2\x80\x8A", "\xE2\x80\x8B", "\xE2\x80\x8C", "\xE2\x80\x8D", "\xE2\x80\xAF", "\xE2\x81\x9F",
    "\xE2\x81\xA0", "\xE3\x80\x80", "\xEF\xBB\xBF"};

bool IsBlank(std::string_view character) {
  return character == " " || std::ranges::find(kBlanks, character) != std::end(kBlanks);
}

// Those of ASCII, U+0080 to U+009F, and the ends of lines and paragraphs.
bool IsControl(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  if (character.size() == 2)
    return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
  return character == "\xE2\x80\xA8" || character == "\xE2\x80\xA9";
}

}  // namespace

std::string_view FaultOfPersonName(std::string_view name) {
  if (!IsUtf8(name)) return "which is not UTF-8";
  if (name.starts_with("worker:") || name.starts_with("trigger:"))
    return "which begins as the names of workers and triggers do in the log";
  bool shows_something = false;
  while (!name.empty()) {
    const std::string_view character = name.substr(0, Utf8Length(name));
    if (IsControl(character)) return "which has control characters";
    if (TurnsText(character)) return "which has characters that change the direction of text";
    shows_something = shows_something || !IsBlank(character);
    name.remove_prefix(character.size());
  }
  return shows_something ? "" : "which is blank";
}

}  // namespace stele
