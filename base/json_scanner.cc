#include "base/json_scanner.h"

namespace stele {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsHex(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

bool JsonScanner::String() {
  if (!Eat('"')) return false;
  for (; !AtEnd(); ++at_) {
    const char c = text_[at_];
    if (c == '"') return Eat('"');
    if (static_cast<unsigned char>(c) < 0x20) return false;
    if (c == '\\' && !Escape()) return false;
  }
  return false;
}

// From the backslash to the escape's last byte.
bool JsonScanner::Escape() {
  ++at_;
  if (AtEnd()) return false;
  if (text_[at_] != 'u') return std::string_view("\"\\/bfnrt").contains(text_[at_]);
  for (int i = 0; i < 4; ++i) {
    ++at_;
    if (AtEnd() || !IsHex(text_[at_])) return false;
  }
  return true;
}

bool JsonScanner::Word(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

bool JsonScanner::Digits() {
  const size_t begin = at_;
  while (!AtEnd() && IsDigit(text_[at_])) ++at_;
  return at_ > begin;
}

bool JsonScanner::Number() {
  Eat('-');
  if (!Eat('0') && !Digits()) return false;
  if (Eat('.') && !Digits()) return false;
  if (!Eat('e') && !Eat('E')) return true;
  if (!Eat('+')) Eat('-');
  return Digits();
}

bool JsonScanner::Sequence(char close, bool keyed, size_t around) {
  if (around >= max_depth_) {
    too_deep_ = true;
    return false;
  }
  ++at_;
  SkipSpace();
  if (Eat(close)) return true;
  do {
    SkipSpace();
    if (keyed) {
      if (!String()) return false;
      SkipSpace();
      if (!Eat(':')) return false;
      SkipSpace();
    }
    if (!Value(around + 1)) return false;
    SkipSpace();
  } while (Eat(','));
  return Eat(close);
}

bool JsonScanner::Value(size_t around) {
  if (AtEnd()) return false;
  switch (text_[at_]) {
    case '{':
      return Sequence('}', /*keyed=*/true, around);
    case '[':
      return Sequence(']', /*keyed=*/false, around);
    case '"':
      return String();
    case 't':
      return Word("true");
    case 'f':
      return Word("false");
    case 'n':
      return Word("null");
    default:
      return Number();
  }
}

}  // namespace stele
