#include "cli/searching.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/given.h"

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

void AddCondition(projections::Query& query, std::string_view field,
                  const std::vector<std::string>& values) {
  if (values.empty()) return;
  projections::Condition condition{.field = std::string(field)};
  for (const std::string& value : values) condition.values.push_back({.text = value});
  query.conditions.push_back(std::move(condition));
}

void NoteMore(const Terminal& terminal, const std::string& next) {
  if (!next.empty()) terminal.PrintNote(fmt::format("there are more: --cursor {}", next));
}

}  // namespace stele::cli
