#include "engine/expression/lexer.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "engine/expression/utf8.h"

namespace stele::expression {
namespace {

constexpr size_t kMaxQuoted = 32;  // bytes of the text that an error shows

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Longest first.
constexpr std::array<std::string_view, 26> kSymbols = {
    "==", "!=", "<=", ">=", "&&", "||", "??", "${", "<", ">", "!", "+", "-",
    "*",  "/",  "%",  "(",  ")",  "[",  "]",  "{",  "}", ",", ":", "?", "."};

// Four hexadecimal digits at `at`, or -1.
int32_t Hex4(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return -1;
  uint32_t value = 0;
  const char* end = text.data() + at + 4;
  const auto [stop, error] = std::from_chars(text.data() + at, end, value, 16);
  return error == std::errc() && stop == end ? static_cast<int32_t>(value) : -1;
}

// Reads `XXXX` or `XXXX\uXXXX` (a surrogate pair) at `at`; moves `at` behind it. False: malformed.
bool UnicodeEscape(std::string_view text, size_t& at, std::string& out) {
  const int32_t high = Hex4(text, at);
  if (high < 0 || (high >= 0xDC00 && high < 0xE000)) return false;
  at += 4;
  if (high < 0xD800 || high >= 0xE000) {
    AppendUtf8(static_cast<char32_t>(high), out);
    return true;
  }
  if (text.substr(at, 2) != "\\u") return false;
  const int32_t low = Hex4(text, at + 2);
  if (low < 0xDC00 || low >= 0xE000) return false;
  at += 6;
  AppendUtf8(static_cast<char32_t>(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), out);
  return true;
}

char SimpleEscape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case '\\':
    case '\'':
    case '"':
    case '/':
      return c;
    default:
      return '\0';
  }
}

// At most kMaxQuoted bytes, cut between code points; invalid bytes shown as hexadecimal.
std::string Quoted(std::string_view text) {
  std::string out = "`";
  size_t at = 0;
  while (at < text.size() && at < kMaxQuoted) {
    const CodePoint point = DecodeUtf8(text, at);
    if (point.length == 0 || point.value < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[at]));
      ++at;
    } else {
      out.append(text, at, point.length);
      at += point.length;
    }
  }
  if (at < text.size()) out += "…";
  return out + '`';
}

}  // namespace

std::string FaultText(std::string_view expected, size_t at, std::string_view found) {
  return fmt::format("Expected {} at column {} but found {}", expected, at + 1, found);
}

Token Lexer::Next() {
  while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  if (at_ == text_.size()) {
    const auto end = static_cast<uint32_t>(at_);
    return {TokenKind::kEnd, end, end};
  }
  const char c = text_[at_];
  size_t length = 0;
  if (IsDigit(c)) return Number();
  if (c == '\'' || c == '"') return String();
  if (IsNameAt(at_, true, length)) return Name();
  return Symbol();
}

Error Lexer::fault() const {
  const std::string found =
      fault_at_ >= text_.size() ? "the end" : Quoted(text_.substr(fault_at_, fault_length_));
  return {ErrorCode::kExpressionSyntax, FaultText(expected_, fault_at_, found)};
}

std::string Lexer::Describe(const Token& token) const {
  return token.kind == TokenKind::kEnd ? "the end" : Quoted(TextOf(token));
}

Token Lexer::Fault(const char* expected, size_t at, size_t length) {
  expected_ = expected;
  fault_at_ = at;
  fault_length_ = length;
  at_ = text_.size();
  return {TokenKind::kFault, static_cast<uint32_t>(at), static_cast<uint32_t>(at + length)};
}

Token Lexer::Number() {
  const size_t begin = at_;
  const auto digits = [&](size_t at) {
    while (IsDigit(CharAt(at))) ++at;
    return at;
  };
  size_t end = digits(begin);
  bool integral = true;
  if (CharAt(end) == '.' && IsDigit(CharAt(end + 1))) {
    integral = false;
    end = digits(end + 1);
  }
  if (CharAt(end) == 'e' || CharAt(end) == 'E') {
    const size_t exponent = end + (CharAt(end + 1) == '+' || CharAt(end + 1) == '-' ? 2 : 1);
    if (IsDigit(CharAt(exponent))) {
      integral = false;
      end = digits(exponent);
    }
  }
  size_t length = 0;
  if (IsNameAt(end, true, length))
    return Fault("a number to end before a name", begin, end + length - begin);
  Token token{integral ? TokenKind::kInt : TokenKind::kDouble, static_cast<uint32_t>(begin),
              static_cast<uint32_t>(end)};
  const char* first = text_.data() + begin;
  const char* last = text_.data() + end;
  const std::errc error = integral ? std::from_chars(first, last, token.integer).ec
                                   : std::from_chars(first, last, token.number).ec;
  if (error != std::errc() || token.integer > uint64_t{1} << 63)
    return Fault("a number within 64 bits", begin, end - begin);
  at_ = end;
  return token;
}

Token Lexer::String() {
  const size_t begin = at_;
  const char quote = text_[at_];
  for (size_t at = begin + 1; at < text_.size(); ++at) {
    if (text_[at] == '\\') {
      ++at;
    } else if (text_[at] == quote) {
      at_ = at + 1;
      return {TokenKind::kString, static_cast<uint32_t>(begin), static_cast<uint32_t>(at_)};
    }
  }
  return Fault("a closing quote for the string", begin, text_.size() - begin);
}

bool Lexer::IsNameAt(size_t at, bool first, size_t& length) const {
  length = 1;
  const char c = CharAt(at);
  if (IsLetter(c) || (!first && IsDigit(c))) return true;
  if (static_cast<unsigned char>(c) < 0x80) return false;
  const CodePoint point = DecodeUtf8(text_, at);
  length = point.length;
  return point.length != 0 && IsNameCodePoint(point.value);
}

Token Lexer::Name() {
  const size_t begin = at_;
  size_t length = 0;
  while (IsNameAt(at_, at_ == begin, length)) at_ += length;
  return {TokenKind::kName, static_cast<uint32_t>(begin), static_cast<uint32_t>(at_)};
}

Token Lexer::Symbol() {
  const std::string_view rest = text_.substr(at_);
  for (const std::string_view symbol : kSymbols) {
    if (!rest.starts_with(symbol)) continue;
    const size_t begin = at_;
    at_ += symbol.size();
    return {TokenKind::kSymbol, static_cast<uint32_t>(begin), static_cast<uint32_t>(at_)};
  }
  if (rest[0] == '=') return Fault("`==` to compare", at_, 1);
  if (rest[0] == '&' || rest[0] == '|') return Fault("`and`, `or`, `&&` or `||`", at_, 1);
  const CodePoint point = DecodeUtf8(text_, at_);
  if (point.length == 0) return Fault("UTF-8", at_, 1);
  return Fault("a value or an operator (quotes, brackets and spaces in ASCII)", at_, point.length);
}

Result<std::string> Lexer::StringOf(const Token& token) const {
  const std::string_view body = text_.substr(token.begin + 1, token.end - token.begin - 2);
  std::string out;
  out.reserve(body.size());
  for (size_t at = 0; at < body.size();) {
    const size_t start = at;
    const CodePoint point = DecodeUtf8(body, at);
    if (point.length == 0)
      return Fail(ErrorCode::kExpressionSyntax,
                  FaultText("UTF-8", token.begin + 1 + start, Quoted(body.substr(start, 1))));
    at += point.length;
    if (point.value != '\\') {
      out.append(body, start, point.length);
      continue;
    }
    const char escaped = body[at++];  // a string never ends in a backslash: it would not have ended
    const char simple = SimpleEscape(escaped);
    if (simple != '\0') {
      out += simple;
    } else if (escaped != 'u' || !UnicodeEscape(body, at, out)) {
      return Fail(ErrorCode::kExpressionSyntax,
                  FaultText(R"(an escape (\\ \' \" \/ \n \t \r \b \f \uXXXX; `\\` is a backslash))",
                            token.begin + 1 + start, Quoted(body.substr(start, 2))));
    }
  }
  return out;
}

}  // namespace stele::expression
