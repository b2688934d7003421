// `stele stats`: figures of definitions and their steps.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/given.h"
#include "cli/questions.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "engine/requests/definitions.h"
#include "projections/page_cursor.h"
#include "projections/views/read_statistics.h"
#include "replay/history.h"

namespace stele::cli {

namespace {

// The shortest time of which a throughput is told.
constexpr int64_t kLeastPeriodUs = 60'000'000;

std::string Percent(double fraction) {
  return fmt::format("{:.1f} %", fraction * 100);
}

std::string Line(std::string_view name, std::string_view text) {
  return fmt::format("  {:<12}{}\n", name, text);
}

std::string DurationOf(const Document& durations, std::string_view figure) {
  return Duration(durations[figure].whole());
}

std::string DurationsText(const Document& durations) {
  if (durations["count"].whole() == 0) return "none has completed";
  return fmt::format("average {}, least {}, most {}; p50 {}, p95 {}, p99 {}",
                     DurationOf(durations, "average_us"), DurationOf(durations, "min_us"),
                     DurationOf(durations, "max_us"), DurationOf(durations, "p50_us"),
                     DurationOf(durations, "p95_us"), DurationOf(durations, "p99_us"));
}

std::string Figure(const Document& figure) {
  return fmt::format("{}", figure.whole());
}

std::vector<std::string> StepToText(const Document& step) {
  const Document durations = step["durations"];
  const bool none = durations["count"].whole() == 0;
  return {Clean(step["step"].text()),
          Clean(step["type"].text()),
          Figure(step["completed"]),
          Figure(step["failed"]),
          Figure(step["skipped"]),
          Figure(step["retried"]),
          none ? "-" : DurationOf(durations, "average_us"),
          none ? "-" : DurationOf(durations, "p95_us"),
          step["container"].is_true() ? "-" : Percent(step["share"].number())};
}

// What is worth a look among the steps.
std::string StepsInShort(const Document& statistics) {
  int64_t retried = 0;
  int64_t completed = 0;
  for (const Value& step : statistics["steps"].items()) {
    retried += Document(step)["retried"].whole();
    completed += Document(step)["retried_completed"].whole();
  }
  std::string text;
  if (retried > 0)
    text += Line("retries", fmt::format("{} retried, {} of them completed ({})",
                                        Count(static_cast<uint64_t>(retried), "run"), completed,
                                        Percent(statistics["retry_success_rate"].number())));
  if (statistics["slowest_step"].is_null()) return text;
  text += Line("slowest", Clean(statistics["slowest_step"].text()));
  std::string bottlenecks;
  for (const Value& step : statistics["bottlenecks"].items())
    bottlenecks += fmt::format("{}{} {}", bottlenecks.empty() ? "" : ", ",
                               Clean(Document(step)["step"].text()),
                               Percent(Document(step)["share"].number()));
  return text + Line("bottlenecks", bottlenecks);
}

// Which moments the figures are of.
std::string PeriodText(const Document& statistics) {
  // Instances that were migrated to a version were started in another one.
  if (statistics["from"].is_null()) return "";
  return Line(
      "from",
      fmt::format("{} to {}{}", Time(statistics["from"].time()), Time(statistics["to"].time()),
                  statistics["recorded"].is_true() ? "" : ": nothing is recorded there"));
}

std::string InstancesText(const Document& statistics) {
  const Document counts = statistics["counts"];
  const int64_t retried = counts["retried"].whole();
  std::string text = Line(
      "instances",
      fmt::format("{} started, {} completed, {} failed{}, {} cancelled, {} terminated",
                  counts["started"].whole(), counts["completed"].whole(), counts["failed"].whole(),
                  retried == 0 ? "" : fmt::format(" ({} retried)", retried),
                  counts["cancelled"].whole(), counts["terminated"].whole()));
  const int64_t came = counts["migrated_in"].whole();
  const int64_t went = counts["migrated_out"].whole();
  if (came + went == 0) return text;
  return text +
         Line("migrated", statistics["version"].is_null()
                              ? fmt::format("{} from a version to another", came)
                              : fmt::format("{} to this version, {} away from it", came, went));
}

std::string NowText(const Document& statistics) {
  const Document now = statistics["now"];
  const Document runs = now["runs"];
  const std::string attempts = Count(static_cast<uint64_t>(runs["attempts"].whole()), "attempt");
  std::string text;
  text += Line("now", fmt::format("{} open: {} queued, {} paused; {} under way, {} waiting, {} "
                                  "parked",
                                  now["open"].whole(), now["queued"].whole(), now["paused"].whole(),
                                  attempts, runs["waiting"].whole(), runs["parked"].whole()));
  text += Line("queue", fmt::format("{} for a place; {} asked for, begun or not; {} to be retried",
                                    Count(static_cast<uint64_t>(now["queued"].whole()), "instance"),
                                    attempts, runs["backoffs"].whole()));
  return text;
}

std::string ToText(const Document& statistics, const Terminal& terminal) {
  std::string text = statistics["definition"].is_null() ? "all definitions"
                                                        : Clean(statistics["definition"].text());
  if (!statistics["version"].is_null())
    text += fmt::format(" version {}", statistics["version"].whole());
  text += "\n";
  if (statistics["first_started"].is_null() && statistics["counts"]["migrated_in"].whole() == 0)
    return text + Line("instances", "none has been started");
  text += PeriodText(statistics) + InstancesText(statistics) + NowText(statistics);
  if (statistics["ended"].whole() > 0)
    text +=
        Line("success", fmt::format("{}, failure {}", Percent(statistics["success_rate"].number()),
                                    Percent(statistics["failure_rate"].number())));
  text += Line("duration", DurationsText(statistics["durations"]));
  // Of a few seconds it would be a rate that nobody has seen.
  const int64_t period_us = statistics["to"].whole() - statistics["from"].whole();
  if (!statistics["from"].is_null() && period_us >= kLeastPeriodUs)
    text += Line("throughput", fmt::format("{:.2f} completed a minute",
                                           statistics["throughput_per_minute"].number()));
  const Array& steps = statistics["steps"].items();
  if (steps.empty()) return text;
  std::vector<std::vector<std::string>> rows{
      {"STEP", "TYPE", "COMPLETED", "FAILED", "SKIPPED", "RETRIED", "AVERAGE", "P95", "SHARE"}};
  for (const Value& step : steps) rows.push_back(StepToText(Document(step)));
  if (!statistics["resolution"].is_null())
    text +=
        Line("steps", fmt::format("of whole days: {} to {}", Time(statistics["steps_from"].time()),
                                  Time(statistics["steps_to"].time())));
  text += StepsInShort(statistics);
  return text + "\n" + Table(terminal, rows);
}

Result<projections::StatisticsScope> ScopeOf(const Arguments& arguments) {
  projections::StatisticsScope scope;
  if (!arguments.operands().empty()) scope.definition = arguments.operands()[0];
  const auto version = GivenNumber(arguments, "--version", 1, UINT32_MAX);
  if (!version.has_value()) return std::unexpected(version.error());
  scope.version = static_cast<uint32_t>(version->value_or(0));
  if (scope.version != 0 && scope.definition.empty())
    return Fail(ErrorCode::kUsage, "Expected a definition's NAME beside --version but found none");
  for (const auto& [option, moment] :
       {std::pair{"--from", &scope.from}, std::pair{"--to", &scope.to}}) {
    if (!arguments.Has(option)) continue;
    const Result<TimeUs> given = GivenPast(arguments, option);
    if (!given.has_value()) return std::unexpected(given.error());
    *moment = *given;
  }
  return scope;
}

// An option that was ignored would answer another question than was asked.
Status CheckOptions(const Arguments& arguments) {
  struct Form {
    std::string_view option;
    std::vector<std::string_view> unfit;
  };
  const Form forms[] = {
      {"--each", {"--by", "--version", "--from", "--to"}},
      {"--by", {"--version", "--limit", "--cursor"}},
  };
  for (const Form& form : forms) {
    if (!arguments.Has(form.option)) continue;
    for (const std::string_view option : form.unfit)
      if (arguments.Has(option))
        return Fail(ErrorCode::kUsage,
                    fmt::format("Expected {} without {} but found both", form.option, option));
  }
  if (arguments.Has("--each") && !arguments.operands().empty())
    return Fail(ErrorCode::kUsage, fmt::format("Expected --each without a NAME but found \"{}\"",
                                               arguments.operands()[0]));
  for (const std::string_view option : {"--limit", "--cursor"})
    if (arguments.Has(option) && !arguments.Has("--each"))
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected --each beside {} but found none", option));
  return {};
}

std::string AverageText(const Document& average) {
  return average.is_null() ? "-" : Duration(average.whole());
}

// A page of definitions whose `next` is a word in any command, and refused by other lists.
Result<Value> FindEach(const Arguments& arguments, Questions& questions, size_t most) {
  const std::string search = "of definitions, " + questions.course();
  std::string after;
  if (arguments.Has("--cursor")) {
    auto cursor = projections::ReadCursor(arguments.Get("--cursor"), search);
    if (!cursor.has_value()) return std::unexpected(cursor.error());
    after = std::move(cursor->place);
  }
  Array found;
  for (;;) {
    const size_t limit = std::min<size_t>(most - found.size(), projections::kMaxPageRows);
    auto page = questions.Definitions(after, limit);
    if (!page.has_value()) return page;
    std::ranges::copy(Document(*page)["definitions"].items(), std::back_inserter(found));
    after = Document(*page)["next"].text();
    if (!after.empty() && found.size() < most) continue;
    const std::string next =
        after.empty()
            ? ""
            : projections::WriteCursor({.place = after, .behind = true, .now = {}}, search);
    return Object{{"position", Document(*page)["position"].whole()},
                  {"definitions", std::move(found)},
                  {"next", next.empty() ? Value() : Value(next)}};
  }
}

std::vector<std::string> SummaryToText(const Document& summary) {
  const int64_t started = summary["executions"].whole();
  const int64_t open = summary["open"].whole();
  return {Clean(summary["definition"].text()),
          Figure(summary["versions"]),
          summary["state"].text(),
          fmt::format("{}", started),
          fmt::format("{}", open),
          started == open ? "-" : Percent(summary["success_rate"].number()),
          AverageText(summary["average_us"]),
          Time(summary["last_executed"].time())};
}

int ShowEach(const Arguments& arguments, const Terminal& terminal, Questions& questions) {
  const auto limit = GivenNumber(arguments, "--limit", 1, projections::kMaxPageRows);
  if (!limit.has_value()) return Refuse(terminal, limit.error());
  const bool all = arguments.Has("--json") && !limit->has_value();
  const auto most = static_cast<size_t>(limit->value_or(projections::kDefaultPageRows));
  const auto page = FindEach(arguments, questions, all ? SIZE_MAX : most);
  if (!page.has_value()) return Refuse(terminal, page.error());
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(*page)) + "\n");
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows{
      {"DEFINITION", "VERSIONS", "STATE", "EXECUTIONS", "OPEN", "SUCCESS", "AVERAGE", "LAST"}};
  for (const Value& summary : Document(*page)["definitions"].items())
    rows.push_back(SummaryToText(Document(summary)));
  terminal.Print(rows.size() > 1             ? Table(terminal, rows)
                 : arguments.Has("--cursor") ? "nothing fits\n"
                                             : "nothing is registered\n");
  NoteMore(terminal, Document(*page)["next"].text());
  return kExitDone;
}

int ShowSeries(const Arguments& arguments, const Terminal& terminal, Questions& questions,
               const projections::StatisticsScope& scope) {
  const auto resolution = projections::FindResolution(arguments.Get("--by"));
  if (!resolution.has_value())
    return Refuse(terminal, {ErrorCode::kUsage,
                             fmt::format("Expected minute, hour or day for --by but found \"{}\"",
                                         arguments.Get("--by"))});
  const auto series = questions.Series(scope, *resolution);
  if (!series.has_value()) return Refuse(terminal, series.error());
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(*series)) + "\n");
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows{
      {"FROM", "STARTED", "COMPLETED", "FAILED", "RETRIED", "CANCELLED", "TERMINATED", "AVERAGE"}};
  for (const Value& each : Document(*series)["points"].items()) {
    const Document point(each);
    rows.push_back({Time(point["from"].time()), Figure(point["started"]),
                    Figure(point["completed"]), Figure(point["failed"]), Figure(point["retried"]),
                    Figure(point["cancelled"]), Figure(point["terminated"]),
                    AverageText(point["average_us"])});
  }
  terminal.Print(rows.size() == 1 ? "nothing has happened\n" : Table(terminal, rows));
  if (scope.from || scope.to)
    terminal.PrintNote(fmt::format("of whole {}s: {} to {}", arguments.Get("--by"),
                                   Time(Document(*series)["from"].time()),
                                   Time(Document(*series)["to"].time())));
  return kExitDone;
}

// With the nearest name.
Status CheckName(const projections::StatisticsScope& scope, const Source& source) {
  if (scope.definition.empty()) return {};
  const Result<model::Registry> registry = replay::ReadRegistry(source);
  if (!registry.has_value()) return std::unexpected(registry.error());
  const auto known = requests::FindDefinition(*registry, scope.definition, 0, false);
  return known.has_value() ? Status() : std::unexpected(known.error());
}

}  // namespace

int ShowStatistics(const Arguments& arguments, const Terminal& terminal) {
  if (const Status fits = CheckOptions(arguments); !fits.has_value())
    return Refuse(terminal, fits.error());
  const auto scope = ScopeOf(arguments);
  if (!scope.has_value()) return Refuse(terminal, scope.error());
  const auto questions = AskViews(arguments, terminal, projections::kStatisticsView);
  if (!questions.has_value()) return Refuse(terminal, questions.error());
  if (const Status known = CheckName(*scope, (*questions)->source()); !known.has_value())
    return Refuse(terminal, known.error());
  if (arguments.Has("--each")) return ShowEach(arguments, terminal, **questions);
  if (arguments.Has("--by")) return ShowSeries(arguments, terminal, **questions, *scope);
  const auto statistics = (*questions)->Statistics(*scope);
  if (!statistics.has_value()) return Refuse(terminal, statistics.error());
  terminal.Print(arguments.Has("--json") ? CleanJson(ToPrettyJson(*statistics)) + "\n"
                                         : ToText(Document(*statistics), terminal));
  return kExitDone;
}

}  // namespace stele::cli
