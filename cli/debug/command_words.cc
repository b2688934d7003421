#include "cli/debug/command_words.h"

#include <fmt/format.h>

#include <charconv>

#include "base/json.h"
#include "cli/text.h"

namespace stele::cli {

namespace {

constexpr std::string_view kSpaces = " \t\r";

}  // namespace

void CommandWords::Skip() {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpaces), rest_.size()));
  rest_ = rest_.substr(0, rest_.find_last_not_of(kSpaces) + 1);
}

std::string_view CommandWords::Take() {
  const size_t end = std::min(rest_.find_first_of(kSpaces), rest_.size());
  const std::string_view word = rest_.substr(0, end);
  rest_.remove_prefix(end);
  Skip();
  return word;
}

bool CommandWords::TakeIf(std::string_view word) {
  CommandWords copy = *this;
  if (copy.Take() != word) return false;
  *this = copy;
  return true;
}

Result<std::string> CommandWords::TakeName() {
  if (!rest_.starts_with('"')) return std::string(Take());
  size_t end = 1;
  while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
  const Result<Value> name = ParseJson(rest_.substr(0, end + 1));
  if (!name.has_value()) return ExpectedInstead("a name in quotes", rest_);
  rest_.remove_prefix(end + 1);
  Skip();
  return name->as_string();
}

std::optional<uint64_t> CommandWords::TakeNumber() {
  CommandWords copy = *this;
  const std::string_view word = copy.Take();
  uint64_t number = 0;
  const char* const end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, number);
  if (word.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  *this = copy;
  return number;
}

Status CommandWords::End() const {
  if (rest_.empty()) return {};
  return ExpectedInstead("the end of the command", rest_);
}

std::string QuotedName(std::string_view name) {
  const bool is_word = !name.starts_with('"') && name.find_first_of(kSpaces) == name.npos;
  return is_word ? std::string(name) : ToJson(Value(name));
}

std::unexpected<Error> ExpectedInstead(std::string_view what, std::string_view found) {
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected {} but found {}", what,
                          found.empty() ? "nothing" : fmt::format("\"{}\"", Clean(found))));
}

}  // namespace stele::cli
