#include "engine/tasks/sql_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele::tasks {
namespace {

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsNamePart(char c) {
  return IsNameStart(c) || IsDigit(c);
}

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

class Scanner {
 public:
  Scanner(std::string_view text, SqlDriver driver)
      : text_(text), postgres_(driver == SqlDriver::kPostgres) {}

  SqlText Run() {
    while (at_ < text_.size()) Step();
    return std::move(result_);
  }

 private:
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  // Copies `count` bytes as they are.
  void Copy(size_t count) {
    count = std::min(count, text_.size() - at_);
    result_.text += text_.substr(at_, count);
    at_ += count;
  }
  void CopyTo(size_t end) { Copy(std::max(end, at_) - at_); }

  void Step();
  bool SkipComment();
  bool SkipQuoted();
  bool SkipDollarQuote();
  void ReadWord();
  bool ReadParameter();
  void SkipString(char quote, bool backslashes);
  void AddName(std::string_view name);
  size_t ReadNumber();

  std::string_view text_;
  bool postgres_;
  size_t at_ = 0;
  bool ended_ = false;  // a `;` was seen
  SqlText result_;
};

void Scanner::Step() {
  if (IsBlank(Peek())) return Copy(1);
  if (SkipComment()) return;
  if (Peek() == ';') {
    ended_ = true;
    return Copy(1);
  }
  result_.several = result_.several || ended_;
  if (SkipQuoted() || SkipDollarQuote() || ReadParameter()) return;
  if (IsNameStart(Peek())) return ReadWord();
  if (IsDigit(Peek())) {
    size_t end = at_;
    while (end < text_.size() && IsNamePart(text_[end])) ++end;
    return CopyTo(end);
  }
  Copy(1);
}

bool Scanner::SkipComment() {
  if (Peek() == '-' && Peek(1) == '-') {
    CopyTo(std::min(text_.find('\n', at_), text_.size()));
    return true;
  }
  if (Peek() != '/' || Peek(1) != '*') return false;
  size_t depth = 1;
  Copy(2);
  while (at_ < text_.size() && depth > 0) {
    bool opens = postgres_ && Peek() == '/' && Peek(1) == '*';  // SQLite's do not nest
    bool closes = Peek() == '*' && Peek(1) == '/';
    depth += opens ? 1 : 0;
    depth -= closes ? 1 : 0;
    Copy(opens || closes ? 2 : 1);
  }
  return true;
}

void Scanner::SkipString(char quote, bool backslashes) {
  Copy(1);
  while (at_ < text_.size()) {
    const bool escaped = backslashes && Peek() == '\\';
    if (escaped || (Peek() == quote && Peek(1) == quote)) {
      Copy(2);
    } else if (Peek() == quote) {
      return Copy(1);
    } else {
      Copy(1);
    }
  }
}

bool Scanner::SkipQuoted() {
  char c = Peek();
  if (c == '\'' || c == '"' || (!postgres_ && c == '`')) {
    SkipString(c, false);
    return true;
  }
  if (!postgres_ && c == '[') {
    CopyTo(std::min(text_.find(']', at_), text_.size() - 1) + 1);
    return true;
  }
  // E'…' has escapes; a word that ends in e does not come here.
  if (postgres_ && (c == 'e' || c == 'E') && Peek(1) == '\'') {
    Copy(1);
    SkipString('\'', true);
    return true;
  }
  return false;
}

bool Scanner::SkipDollarQuote() {
  if (!postgres_ || Peek() != '$' || IsDigit(Peek(1))) return false;
  size_t end = at_ + 1;
  while (end < text_.size() && IsNamePart(text_[end])) ++end;
  if (end >= text_.size() || text_[end] != '$') return false;
  std::string_view tag = text_.substr(at_, end + 1 - at_);
  size_t close = text_.find(tag, end + 1);
  CopyTo(close == std::string_view::npos ? text_.size() : close + tag.size());
  return true;
}

void Scanner::ReadWord() {
  size_t end = at_;
  while (end < text_.size() && (IsNamePart(text_[end]) || text_[end] == '$')) ++end;
  if (std::string& word = result_.first_word; word.empty()) {
    word = text_.substr(at_, end - at_);
    std::ranges::transform(word, word.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
  }
  CopyTo(end);
}

void Scanner::AddName(std::string_view name) {
  auto found = std::ranges::find(result_.names, name);
  auto number = static_cast<size_t>(found - result_.names.begin()) + 1;
  if (found == result_.names.end()) result_.names.emplace_back(name);
  result_.text += fmt::format("{}{}", postgres_ ? '$' : '?', number);
}

// The number that begins one byte from here; beyond any limit it stays there.
size_t Scanner::ReadNumber() {
  size_t number = 0;
  size_t end = at_ + 1;
  for (; end < text_.size() && IsDigit(text_[end]); ++end) {
    number = std::min<size_t>(number * 10 + static_cast<size_t>(text_[end] - '0'), 1'000'000);
  }
  CopyTo(end);
  return number;
}

bool Scanner::ReadParameter() {
  char c = Peek();
  if (c == ':' && Peek(1) == ':') {  // a cast
    Copy(2);
    return true;
  }
  if (c == ':' && IsNameStart(Peek(1))) {
    size_t end = at_ + 1;
    while (end < text_.size() && IsNamePart(text_[end])) ++end;
    AddName(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end;
    return true;
  }
  if (c == (postgres_ ? '$' : '?') && IsDigit(Peek(1))) {
    result_.positions = std::max(result_.positions, ReadNumber());
    return true;
  }
  if (!postgres_ && c == '?') {
    ++result_.positions;
    Copy(1);
    return true;
  }
  return false;
}

}  // namespace

SqlText ReadSqlText(std::string_view text, SqlDriver driver) {
  return Scanner(text, driver).Run();
}

}  // namespace stele::tasks
