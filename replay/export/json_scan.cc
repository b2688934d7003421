#include "replay/export/json_scan.h"

#include <charconv>

#include "base/json.h"
#include "base/json_scanner.h"
#include "base/utf8.h"

namespace stele::replay {
namespace {

// Calls take(scanner) at the begin of each element between the brackets.
template <class Take>
bool ForEachElement(std::string_view text, char open, char close, Take take) {
  JsonScanner scanner(text, kWrittenJson.depth);
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
  JsonScanner scanner(text, kWrittenJson.depth);
  scanner.SkipSpace();
  if (!scanner.Value()) return false;
  scanner.SkipSpace();
  return scanner.AtEnd();
}

bool TakeMembers(std::string_view text, std::vector<JsonMember>* members) {
  members->clear();
  return ForEachElement(text, '{', '}', [&](JsonScanner& scanner) {
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
  return ForEachElement(text, '[', ']', [&](JsonScanner& scanner) {
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
