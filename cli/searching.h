// Options and output that lists of rows have in common: a query, an order, pages.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "cli/arguments.h"
#include "cli/options.h"
#include "cli/questions.h"
#include "cli/terminal.h"
#include "projections/search.h"

namespace stele::cli {

inline constexpr OptionSpec kSort{"--sort", "FIELD",
                                  "the order, \"-\" before it: the latest first"};
inline constexpr OptionSpec kLimit{"--limit", "N", "at most so many (default 50; all with --json)"};
inline constexpr OptionSpec kCursor{"--cursor", "CURSOR", "goes on where an earlier page ended"};
inline constexpr OptionSpec kAsOf{"--as-of", "POSITION|TIME", "as it was then"};

// What the operands, --sort, --limit and --cursor ask for.
// What is not of the words is filled in by FindAll.
Result<projections::SearchRequest> SearchRequestOf(const Arguments& arguments);

// The query that the option has; every row fits when it has none. At a server it goes along as what
// options say, for there are no words behind the command.
Result<projections::Query> GivenQuery(const Arguments& arguments, std::string_view option);

// The moment that the option names, as queries write them (docs/queries.md); a day is its begin.
Result<TimeUs> GivenPast(const Arguments& arguments, std::string_view option);

// A place in the log.
struct GivenPoint {
  bool is_position = false;
  Position position;
  TimeUs time;  // when it is none; below 0 before 1970
};
// The digits of a position, or a moment as GivenPast reads it.
Result<GivenPoint> GivenPointOf(const Arguments& arguments, std::string_view option);

// The document of a page: {"position", NAME, "next"}.
Value PageToJson(Position position, std::string_view name, Array rows, const std::string& next);

// That nothing was found: the sentence, or `unfit` when something was asked for. What
// rows do not keep is told beside it.
void PrintNothing(const Terminal& terminal, const projections::Query& query,
                  std::string_view sentence, std::string_view unfit = "nothing fits");

// Pages until --limit is reached: one page of text, all of them as JSON. `next` is where the rest
// begins; empty: there is none.
template <class Row>
struct FoundAll {
  std::vector<Row> rows;
  std::string next;
};
template <class Row>
Result<FoundAll<Row>> FindAll(const Arguments& arguments, Questions& questions,
                              projections::SearchRequest request) {
  const bool all = arguments.Has("--json") && !arguments.Has("--limit");
  const size_t most = all ? SIZE_MAX : request.limit;
  if (all) request.limit = projections::kMaxPageRows;
  FoundAll<Row> found;
  do {
    request.limit = std::min(request.limit, most - found.rows.size());
    auto page = questions.Find<Row>(request);
    if (!page.has_value()) return std::unexpected(page.error());
    std::ranges::move(page->rows, std::back_inserter(found.rows));
    found.next = request.cursor = std::move(page->next);
  } while (!found.next.empty() && found.rows.size() < most);
  return found;
}

// On standard error: that there is more, and how to see it.
void NoteMore(const Terminal& terminal, const std::string& next);

}  // namespace stele::cli
