#include "projections/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/utf8.h"
#include "projections/limits.h"

namespace stele::projections {

namespace {

constexpr std::string_view kSigns[] = {":", "<", "<=", ">", ">="};

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::unexpected<Error> Misread(size_t at, std::string_view expected, std::string_view found) {
  return Fail(
      ErrorCode::kExpressionSyntax,
      fmt::format("Expected {} at column {} of the query but found {}", expected, at + 1, found));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Query> Parse() {
    Query query;
    for (SkipSpaces(); !AtEnd(); SkipSpaces()) {
      if (query.conditions.size() == kMaxConditions)
        return Fail(ErrorCode::kLimitExceeded,
                    fmt::format("Expected at most {} conditions of a query but found more",
                                kMaxConditions));
      Result<Condition> condition = ReadCondition();
      if (!condition.has_value()) return std::unexpected(condition.error());
      query.conditions.push_back(*std::move(condition));
    }
    return query;
  }

 private:
  struct Sign {
    Operator op = Operator::kMatch;
    bool negated = false;
    size_t length = 0;
  };

  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  void SkipSpaces() {
    while (!AtEnd() && IsSpace(Peek())) ++at_;
  }
  std::string Found() const {
    return AtEnd() ? std::string("its end") : fmt::format("\"{}\"", text_.substr(at_, 1));
  }

  static std::optional<Sign> SignAt(std::string_view text);
  Result<Condition> ReadCondition();
  Result<std::string> ReadQuoted();
  Status CheckWord(size_t begin) const;
  Status ReadValues(Condition& condition);
  Result<QueryValue> ReadValue(const Condition& condition);

  std::string_view text_;
  size_t at_ = 0;
};

std::optional<Parser::Sign> Parser::SignAt(std::string_view text) {
  struct Known {
    std::string_view text;
    Sign sign;
  };
  // The longer ones first.
  static constexpr auto kKnown = std::to_array<Known>({{":>=", {Operator::kAtLeast}},
                                                       {":<=", {Operator::kAtMost}},
                                                       {":>", {Operator::kGreater}},
                                                       {":<", {Operator::kLess}},
                                                       {">=", {Operator::kAtLeast}},
                                                       {"<=", {Operator::kAtMost}},
                                                       {"!=", {Operator::kMatch, true}},
                                                       {">", {Operator::kGreater}},
                                                       {"<", {Operator::kLess}},
                                                       {":", {}},
                                                       {"=", {}}});
  for (const Known& known : kKnown) {
    if (!text.starts_with(known.text)) continue;
    Sign sign = known.sign;
    sign.length = known.text.size();
    return sign;
  }
  return std::nullopt;
}

// [-] [field sign] values
Result<Condition> Parser::ReadCondition() {
  Condition condition;
  if (Peek() == '-') {
    condition.negated = true;
    ++at_;
  }
  const size_t begin = at_;
  condition.column = static_cast<uint32_t>(begin + 1);
  std::string name;
  if (Peek() == '"') {
    Result<std::string> quoted = ReadQuoted();
    if (!quoted.has_value()) return std::unexpected(quoted.error());
    name = *std::move(quoted);
  } else {
    while (!AtEnd() && !IsSpace(Peek()) && Peek() != '"' && !SignAt(text_.substr(at_))) ++at_;
    name = text_.substr(begin, at_ - begin);
  }
  const std::optional<Sign> sign = SignAt(text_.substr(at_));
  if (begin < text_.size() && text_[begin] != '"') STELE_RETURN_IF_ERROR(CheckWord(begin));
  if (!sign.has_value()) {
    at_ = begin;
    condition.field = "text";
  } else {
    if (name.empty()) return Misread(begin, "a field or a word", Found());
    condition.field = std::move(name);
    condition.op = sign->op;
    condition.negated = condition.negated != sign->negated;
    at_ += sign->length;
  }
  STELE_RETURN_IF_ERROR(ReadValues(condition));
  return condition;
}

// Who writes `a or (b)` would be told of rows that have the word "or", or of none.
Status Parser::CheckWord(size_t begin) const {
  constexpr std::string_view kAdvice =
      "(all conditions hold; \"tag:a,b\" is one of several values, \"-tag:a\" is not; words and "
      "brackets in quotes are looked for)";
  const std::string_view word = text_.substr(begin, at_ - begin);
  if (const size_t bracket = word.find_first_of("()"); bracket != std::string_view::npos)
    return Misread(begin + bracket, "a condition or a word", fmt::format("a bracket {}", kAdvice));
  if (SignAt(text_.substr(at_)).has_value()) return {};
  for (const std::string_view known : {"and", "or", "not"}) {
    const auto same = [](char a, char b) { return (a | 0x20) == b; };
    if (std::ranges::equal(word, known, same))
      return Misread(begin, "a condition or a word",
                     fmt::format("\"{}\", which joins none {}", word, kAdvice));
  }
  return {};
}

// value [, value …], up to a space
Status Parser::ReadValues(Condition& condition) {
  for (;;) {
    const size_t begin = at_;
    Result<QueryValue> value = ReadValue(condition);
    if (!value.has_value()) return std::unexpected(value.error());
    if (condition.op != Operator::kMatch && (value->prefix || Peek() == ','))
      return Misread(begin, fmt::format("one whole value behind {}", SignOf(condition.op)),
                     value->prefix ? "a *" : "a list");
    condition.values.push_back(*std::move(value));
    if (condition.values.size() > kMaxQueryValues)
      return Fail(ErrorCode::kLimitExceeded,
                  fmt::format("Expected at most {} values of {} but found more", kMaxQueryValues,
                              condition.field));
    if (AtEnd() || IsSpace(Peek())) return {};
    if (Peek() != ',') return Misread(at_, "a space or a comma behind a value", Found());
    ++at_;
  }
}

Result<QueryValue> Parser::ReadValue(const Condition& condition) {
  QueryValue value;
  const size_t begin = at_;
  value.column = static_cast<uint32_t>(begin + 1);
  // An empty text is a value in quotes alone.
  const bool quoted_value = Peek() == '"';
  if (quoted_value) {
    Result<std::string> quoted = ReadQuoted();
    if (!quoted.has_value()) return std::unexpected(quoted.error());
    value.text = *std::move(quoted);
    if (Peek() == '*') {
      value.prefix = true;
      ++at_;
    }
  } else {
    while (!AtEnd() && !IsSpace(Peek()) && Peek() != ',' && Peek() != '"') ++at_;
    std::string_view word = text_.substr(begin, at_ - begin);
    if (word.ends_with('*')) {
      value.prefix = true;
      word.remove_suffix(1);
    }
    if (const size_t star = word.find('*'); star != std::string_view::npos)
      return Misread(begin + star, "a * at the end of a value alone, or the value in quotes,",
                     "one within it");
    value.text = word;
  }
  if (value.text.empty() && !value.prefix && !quoted_value)
    return Misread(begin, fmt::format("a value of {}", condition.field), Found());
  return value;
}

// "…", with \" and \\ for what would end it.
Result<std::string> Parser::ReadQuoted() {
  const size_t begin = at_++;
  std::string quoted;
  while (!AtEnd() && Peek() != '"') {
    if (Peek() == '\\') {
      ++at_;
      if (Peek() != '"' && Peek() != '\\') return Misread(at_, "\\\" or \\\\ in quotes", Found());
    }
    quoted.push_back(text_[at_++]);
  }
  if (AtEnd()) return Misread(begin, "quotes that end", "none behind these");
  ++at_;
  return quoted;
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + '"';
}

}  // namespace

std::string ToText(const QueryValue& value) {
  const auto is_plain = [](char c) { return !IsSpace(c) && c != ',' && c != '"' && c != '*'; };
  // Behind a ":" these would be a part of the sign.
  const bool is_sign =
      value.text.starts_with('<') || value.text.starts_with('>') || value.text.starts_with('=');
  const bool is_nothing = value.text.empty() && !value.prefix;
  const bool plain = !is_sign && !is_nothing && std::ranges::all_of(value.text, is_plain);
  return (plain ? value.text : Quoted(value.text)) + (value.prefix ? "*" : "");
}

namespace {

std::string FieldText(std::string_view field) {
  const auto is_plain = [](char c) {
    return !IsSpace(c) && !std::string_view(":=<>!\"").contains(c);
  };
  const bool plain = !field.starts_with('-') && std::ranges::all_of(field, is_plain);
  return plain ? std::string(field) : Quoted(field);
}

}  // namespace

std::string_view SignOf(Operator op) {
  return kSigns[static_cast<size_t>(op)];
}

Result<Query> ParseQuery(std::string_view text) {
  if (text.size() > kMaxQueryBytes)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected a query of at most {} bytes but found {}", kMaxQueryBytes,
                            text.size()));
  if (!IsUtf8(text))
    return Fail(ErrorCode::kExpressionSyntax,
                "Expected a query in UTF-8 but found bytes that are none");
  return Parser(text).Parse();
}

std::string ToText(const Condition& condition) {
  std::string text = condition.negated ? "-" : "";
  text += FieldText(condition.field);
  text += SignOf(condition.op);
  for (size_t i = 0; i < condition.values.size(); ++i)
    text += (i == 0 ? "" : ",") + ToText(condition.values[i]);
  return text;
}

void AddCondition(Query& query, std::string_view field, const std::vector<std::string>& values) {
  if (values.empty()) return;
  Condition condition{.field = std::string(field), .values = {}};
  for (const std::string& value : values) condition.values.push_back({.text = value});
  query.conditions.push_back(std::move(condition));
}

std::string ToText(const Query& query) {
  std::string text;
  for (const Condition& condition : query.conditions)
    text += (text.empty() ? "" : " ") + ToText(condition);
  return text;
}

}  // namespace stele::projections
