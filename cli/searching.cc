#include "cli/searching.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "base/clock.h"
#include "cli/given.h"
#include "cli/remote/server_option.h"
#include "projections/field_values.h"

namespace stele::cli {

Result<projections::SearchRequest> SearchRequestOf(const Arguments& arguments) {
  auto query = projections::ParseQuery(fmt::format("{}", fmt::join(arguments.operands(), " ")));
  if (!query.has_value()) return std::unexpected(query.error());
  const auto limit = GivenNumber(arguments, "--limit", 1, projections::kMaxPageRows);
  if (!limit.has_value()) return std::unexpected(limit.error());
  return projections::SearchRequest{
      .query = *std::move(query),
      .sort = arguments.Get("--sort"),
      .cursor = arguments.Get("--cursor"),
      .limit = static_cast<size_t>(limit->value_or(projections::kDefaultPageRows)),
      .now = {},
      .course = {}};
}

Result<projections::Query> GivenQuery(const Arguments& arguments, std::string_view option) {
  auto query = projections::ParseQuery(arguments.Get(option));
  if (query.has_value() && IsForServer(arguments))
    for (projections::Condition& condition : query->conditions) condition.column = 0;
  return query;
}

namespace {

Result<int64_t> MomentOf(const std::string& word, std::string_view what, std::string_view option) {
  if (const auto moment = projections::MomentOf(word, SystemClock().Now())) return moment->begin;
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected {}{}{} for {} but found \"{}\"", what,
                          projections::kMomentForms, projections::MomentBound(word), option, word));
}

}  // namespace

Result<TimeUs> GivenPast(const Arguments& arguments, std::string_view option) {
  const Result<int64_t> moment = MomentOf(arguments.Get(option), "", option);
  if (!moment.has_value()) return std::unexpected(moment.error());
  // 0 would be none.
  return TimeUs(std::max<int64_t>(*moment, 1));
}

Result<GivenPoint> GivenPointOf(const Arguments& arguments, std::string_view option) {
  const std::string word = arguments.Get(option);
  uint64_t position = 0;
  const char* const end = word.data() + word.size();
  const auto [rest, failed] = std::from_chars(word.data(), end, position);
  if (rest == end && failed == std::errc())
    return GivenPoint{.is_position = true, .position = Position(position), .time = {}};
  const Result<int64_t> moment = MomentOf(word, "a position, ", option);
  if (!moment.has_value()) return std::unexpected(moment.error());
  return GivenPoint{.is_position = false, .position = {}, .time = TimeUs(*moment)};
}

Value PageToJson(Position position, std::string_view name, Array rows, const std::string& next) {
  Object page{{"position", static_cast<int64_t>(position.value)}};
  page.Set(std::string(name), std::move(rows));
  page.Set("next", next.empty() ? Value() : Value(next));
  return page;
}

void PrintNothing(const Terminal& terminal, const projections::Query& query,
                  std::string_view sentence, std::string_view unfit) {
  terminal.Print(fmt::format("{}\n", query.conditions.empty() ? sentence : unfit));
  const auto is_named = [](const projections::Condition& condition) {
    return condition.field.starts_with("var.") || condition.field.starts_with("input.");
  };
  if (std::ranges::any_of(query.conditions, is_named))
    terminal.PrintNote(
        "a row keeps 32 of an instance's variables and members of its input, texts of up to 100 "
        "bytes; others are not found");
}

void NoteMore(const Terminal& terminal, const std::string& next) {
  if (!next.empty()) terminal.PrintNote(fmt::format("there are more: --cursor {}", next));
}

}  // namespace stele::cli
