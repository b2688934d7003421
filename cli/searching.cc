#include "cli/searching.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"
#include "cli/given.h"
#include "projections/field_values.h"

namespace stele::cli {

Result<projections::SearchRequest> SearchRequestOf(const Arguments& arguments, TimeUs now) {
  auto query = projections::ParseQuery(fmt::format("{}", fmt::join(arguments.operands(), " ")));
  if (!query.has_value()) return std::unexpected(query.error());
  const auto limit = GivenNumber(arguments, "--limit", 1, projections::kMaxPageRows);
  if (!limit.has_value()) return std::unexpected(limit.error());
  return projections::SearchRequest{
      .query = *std::move(query),
      .sort = arguments.Get("--sort"),
      .cursor = arguments.Get("--cursor"),
      .limit = static_cast<size_t>(limit->value_or(projections::kDefaultPageRows)),
      .now = now};
}

// "24h" ago, a day, or an instant.
Result<TimeUs> GivenPast(const Arguments& arguments, std::string_view option) {
  const std::string word = arguments.Get(option);
  if (const auto moment = projections::MomentOf(word, SystemClock().Now()))
    return TimeUs(moment->begin);
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected a time such as 24h (ago), 2026-11-21 or 2026-11-21T09:30:00Z "
                          "for {} but found \"{}\"",
                          option, word));
}

void NoteMore(const Terminal& terminal, const std::string& next) {
  if (!next.empty()) terminal.PrintNote(fmt::format("there are more: --cursor {}", next));
}

}  // namespace stele::cli
