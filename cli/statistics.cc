// `stele stats` and `stele errors`: figures of definitions and their steps, and what goes wrong.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "cli/views.h"
#include "projections/field_values.h"
#include "projections/views/errors.h"
#include "projections/views/read_statistics.h"

namespace stele::cli {

namespace {

using projections::Histogram;
using projections::Statistics;
using projections::StepStatistics;

std::string Percent(double fraction) {
  return fmt::format("{:.1f} %", fraction * 100);
}

std::string Line(std::string_view name, std::string_view text) {
  return fmt::format("  {:<12}{}\n", name, text);
}

std::string DurationsText(const Histogram& durations) {
  if (durations.count() == 0) return "none has completed";
  return fmt::format("average {}, least {}, most {}; p50 {}, p95 {}, p99 {}",
                     Duration(durations.Average()), Duration(durations.min()),
                     Duration(durations.max()), Duration(durations.Percentile(500)),
                     Duration(durations.Percentile(950)), Duration(durations.Percentile(990)));
}

std::vector<std::string> StepToText(const StepStatistics& step) {
  const projections::StepCounts& counts = step.counts;
  return {Clean(step.step),
          Clean(step.type),
          fmt::format("{}", counts.completed),
          fmt::format("{}", counts.failed),
          fmt::format("{}", counts.skipped),
          fmt::format("{}", counts.retried),
          counts.durations.count() == 0 ? "-" : Duration(counts.durations.Average()),
          counts.durations.count() == 0 ? "-" : Duration(counts.durations.Percentile(950)),
          step.container ? "-" : Percent(step.share)};
}

std::string ToText(const Statistics& statistics) {
  const projections::InstanceCounts& counts = statistics.counts;
  const std::string name =
      statistics.scope.definition.empty() ? "all definitions" : Clean(statistics.scope.definition);
  std::string text = fmt::format(
      "{}{}\n", name,
      statistics.scope.version == 0 ? "" : fmt::format(" version {}", statistics.scope.version));
  text += Line("from", fmt::format("{} to {}", Time(statistics.from), Time(statistics.to)));
  text += Line("instances",
               fmt::format("{} started, {} completed, {} failed, {} cancelled, {} terminated",
                           counts.started, counts.completed, counts.failed, counts.cancelled,
                           counts.terminated));
  text += Line("now", fmt::format("{} open: {} queued, {} paused; {} under way, {} waiting, {} "
                                  "parked",
                                  statistics.open, statistics.queued, statistics.paused,
                                  Count(static_cast<uint64_t>(statistics.runs.attempts), "attempt"),
                                  statistics.runs.waiting, statistics.runs.parked));
  if (statistics.ended() > 0)
    text += Line("success", fmt::format("{}, failure {}", Percent(statistics.success_rate()),
                                        Percent(statistics.failure_rate())));
  text += Line("duration", DurationsText(counts.durations));
  text += Line("throughput",
               fmt::format("{:.2f} completed a minute", statistics.throughput_per_minute()));
  if (statistics.steps.empty()) return text;
  std::vector<std::vector<std::string>> rows{
      {"STEP", "TYPE", "COMPLETED", "FAILED", "SKIPPED", "RETRIED", "AVERAGE", "P95", "SHARE"}};
  for (const StepStatistics& step : statistics.steps) rows.push_back(StepToText(step));
  return text + "\n" + Table(rows);
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

}  // namespace

int ShowStatistics(const Arguments& arguments, const Terminal& terminal) {
  const auto scope = ScopeOf(arguments);
  if (!scope.has_value()) return Refuse(terminal, scope.error());
  const auto asked = AskView(arguments, terminal, projections::kStatisticsView);
  if (!asked.has_value()) return Refuse(terminal, asked.error());
  const auto statistics = projections::ReadStatistics(*asked->reader, *scope);
  if (!statistics.has_value()) return Refuse(terminal, statistics.error());
  terminal.Print(arguments.Has("--json")
                     ? CleanJson(ToPrettyJson(projections::ToJson(*statistics))) + "\n"
                     : ToText(*statistics));
  return kExitDone;
}

int ListErrors(const Arguments& arguments, const Terminal& terminal) {
  const auto limit = GivenNumber(arguments, "--limit", 1, projections::kMaxPageRows);
  if (!limit.has_value()) return Refuse(terminal, limit.error());
  projections::ErrorFilter filter{.definition = arguments.Get("--definition"),
                                  .step = arguments.Get("--step"),
                                  .kind = arguments.Get("--kind"),
                                  .since = {}};
  if (arguments.Has("--since")) {
    const Result<TimeUs> since = GivenPast(arguments, "--since");
    if (!since.has_value()) return Refuse(terminal, since.error());
    filter.since = *since;
  }
  const auto asked = AskView(arguments, terminal, projections::kErrorsView);
  if (!asked.has_value()) return Refuse(terminal, asked.error());
  const auto page = projections::ListErrors(
      *asked->reader, filter, static_cast<size_t>(limit->value_or(projections::kDefaultPageRows)),
      arguments.Get("--cursor"));
  if (!page.has_value()) return Refuse(terminal, page.error());
  std::vector<std::vector<std::string>> rows{
      {"COUNT", "LAST", "DEFINITION", "STEP", "KIND", "INSTANCE", "MESSAGE"}};
  for (const projections::ErrorRow& row : page->errors)
    rows.push_back({fmt::format("{}", std::max(row.count, row.instances)), Time(row.last),
                    Clean(row.definition), row.step.empty() ? "-" : Clean(row.step),
                    Clean(row.kind), row.instance ? fmt::format("{}", row.instance.value) : "-",
                    Cut(Clean(row.message), 80)});
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(projections::ToJson(*page))) + "\n");
    return kExitDone;
  }
  terminal.Print(rows.size() == 1 ? "nothing has gone wrong\n" : Table(rows));
  NoteMore(terminal, page->next);
  return kExitDone;
}

}  // namespace stele::cli
