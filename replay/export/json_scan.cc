#include "replay/export/json_scan.h"

#include <charconv>

#include "base/json.h"
#include "base/utf8.h"

namespace stele::replay {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsHex(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Walks over a text. Every step says false at the first byte that is no JSON.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool AtEnd() const { return at_ == text_.size(); }
  size_t at() const { return at_; }
  void SkipSpace() {
    while (!AtEnd() && IsSpace(text_[at_])) ++at_;
  }
  bool Eat(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool String() {
    if (!Eat('"')) return false;
    while (!AtEnd()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && !Escape()) return false;
    }
    return false;
  }

  bool Value(size_t depth) {
    if (AtEnd()) return false;
    switch (text_[at_]) {
      case '{':
        return Sequence('}', /*keyed=*/true, depth);
      case '[':
        return Sequence(']', /*keyed=*/false, depth);
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

 private:
  bool Word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool Escape() {
    if (AtEnd()) return false;
    const char c = text_[at_++];
    if (c != 'u') return std::string_view("\"\\/bfnrt").contains(c);
    for (int i = 0; i < 4; ++i)
      if (AtEnd() || !IsHex(text_[at_++])) return false;
    return true;
  }

  bool Digits() {
    const size_t begin = at_;
    while (!AtEnd() && IsDigit(text_[at_])) ++at_;
    return at_ > begin;
  }

  bool Number() {
    Eat('-');
    if (!Eat('0') && !Digits()) return false;
    if (Eat('.') && !Digits()) return false;
    if (!Eat('e') && !Eat('E')) return true;
    if (!Eat('+')) Eat('-');
    return Digits();
  }

  bool Sequence(char close, bool keyed, size_t depth) {
    if (depth >= kWrittenJson.depth) return false;
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
      if (!Value(depth + 1)) return false;
      SkipSpace();
    } while (Eat(','));
    return Eat(close);
  }

  const std::string_view text_;
  size_t at_ = 0;
};

// Calls take(scanner) at the begin of each element between the brackets.
template <class Take>
bool ForEachElement(std::string_view text, char open, char close, Take take) {
  Scanner scanner(text);
  scanner.SkipSpace();
  if (!scanner.Eat(open)) return false;
  scanner.SkipSpace();
  if (!scanner.Eat(close)) {
    do {
      scanner.SkipSpace();
      if (!take(scanner)) return false;
      scanner.SkipSpace();
    } while (scanner.Eat(','));
    if (!scanner.Eat(close)) return false;
  }
  scanner.SkipSpace();
  return scanner.AtEnd();
}

template <class Integer>
std::optional<Integer> IntegerOf(std::string_view literal) {
  Integer number = 0;
  const char* end = literal.data() + literal.size();
  const auto [read, error] = std::from_chars(literal.data(), end, number);
  if (error != std::errc() || read != end) return std::nullopt;
  return number;
}

}  // namespace

bool FitsIntoLine(std::string_view text) {
  if (text.find('\n') != text.npos || text.find('\r') != text.npos || !IsUtf8(text)) return false;
  Scanner scanner(text);
  scanner.SkipSpace();
  if (!scanner.Value(0)) return false;
  scanner.SkipSpace();
  return scanner.AtEnd();
}

bool TakeMembers(std::string_view text, std::vector<JsonMember>* members) {
  members->clear();
  return ForEachElement(text, '{', '}', [&](Scanner& scanner) {
    const size_t key = scanner.at();
    if (!scanner.String()) return false;
    const size_t key_end = scanner.at();
    scanner.SkipSpace();
    if (!scanner.Eat(':')) return false;
    scanner.SkipSpace();
    const size_t value = scanner.at();
    if (!scanner.Value(1)) return false;
    members->push_back(
        {text.substr(key + 1, key_end - key - 2), text.substr(value, scanner.at() - value)});
    return true;
  });
}

bool TakeElements(std::string_view text, std::vector<std::string_view>* elements) {
  elements->clear();
  return ForEachElement(text, '[', ']', [&](Scanner& scanner) {
    const size_t begin = scanner.at();
    if (!scanner.Value(1)) return false;
    elements->push_back(text.substr(begin, scanner.at() - begin));
    return true;
  });
}

std::optional<std::string> StringOf(std::string_view literal) {
  if (literal.size() < 2 || literal.front() != '"' || literal.back() != '"') return std::nullopt;
  if (literal.find('\\') == literal.npos) return std::string(literal.substr(1, literal.size() - 2));
  const Result<Value> value = ParseJson(literal, nullptr, kWrittenJson);
  if (!value.has_value() || !value->is_string()) return std::nullopt;
  return value->as_string();
}

std::optional<int64_t> SignedOf(std::string_view literal) {
  return IntegerOf<int64_t>(literal);
}

std::optional<uint64_t> UnsignedOf(std::string_view literal) {
  return IntegerOf<uint64_t>(literal);
}

}  // namespace stele::replay
