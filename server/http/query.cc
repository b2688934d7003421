#include "server/http/query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/nearest.h"

namespace stele::server::http {
namespace {

constexpr size_t kMaxQuoted = 60;

std::string Quoted(std::string_view text) {
  return text.size() <= kMaxQuoted ? fmt::format("\"{}\"", text)
                                   : fmt::format("a text of {} bytes", text.size());
}

std::unexpected<Error> Bad(std::string sentence) {
  return Fail(ErrorCode::kBadRequest, std::move(sentence));
}

}  // namespace

Status Query::AllowOnly(std::span<const std::string_view> names) const {
  for (const auto& [name, value] : parameters_) {
    if (std::ranges::find(names, name) != names.end()) continue;
    if (names.empty())
      return Bad(fmt::format("Expected no query parameters but found {}", Quoted(name)));
    const std::string near = Nearest(name, {names.begin(), names.end()});
    return Bad(fmt::format("Expected query parameters of {} but found {}{}", fmt::join(names, ", "),
                           Quoted(name),
                           near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
  return {};
}

Result<std::optional<std::string>> Query::Text(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [known, value] : parameters_) {
    if (known != name) continue;
    if (found.has_value())
      return Bad(fmt::format("Expected the query parameter {} once but found it twice", name));
    found = value;
  }
  return found;
}

Result<std::optional<int64_t>> Query::Number(std::string_view name, int64_t least,
                                             int64_t most) const {
  const Result<std::optional<std::string>> text = Text(name);
  if (!text.has_value()) return std::unexpected(text.error());
  if (!text->has_value()) return std::nullopt;
  const std::string& digits = **text;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < least ||
      number > most)
    return Bad(
        fmt::format("Expected a number from {} to {} for the query parameter {} but found {}",
                    least, most, name, Quoted(digits)));
  return number;
}

Result<std::optional<bool>> Query::Bool(std::string_view name) const {
  const Result<std::optional<std::string>> text = Text(name);
  if (!text.has_value()) return std::unexpected(text.error());
  if (!text->has_value()) return std::nullopt;
  const std::string& word = **text;
  if (word == "true" || word == "1" || word.empty()) return true;
  if (word == "false" || word == "0") return false;
  return Bad(fmt::format("Expected true or false for the query parameter {} but found {}", name,
                         Quoted(word)));
}

std::vector<std::string> Query::All(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [known, value] : parameters_)
    if (known == name) values.push_back(value);
  return values;
}

}  // namespace stele::server::http
