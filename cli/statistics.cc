// `stele stats`: figures of definitions and their steps.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "cli/views.h"
#include "engine/requests/definitions.h"
#include "projections/page_cursor.h"
#include "projections/views/read_statistics.h"
#include "replay/history.h"

namespace stele::cli {

namespace {

using projections::Histogram;
using projections::Statistics;
using projections::StepStatistics;

// The shortest time of which a throughput is told.
constexpr int64_t kLeastPeriodUs = 60'000'000;

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

// What is worth a look among the steps.
std::string StepsInShort(const Statistics& statistics) {
  uint64_t retried = 0;
  uint64_t completed = 0;
  for (const StepStatistics& step : statistics.steps) {
    retried += step.counts.retried;
    completed += step.counts.retried_completed;
  }
  std::string text;
  if (retried > 0)
    text +=
        Line("retries", fmt::format("{} retried, {} of them completed ({})", Count(retried, "run"),
                                    completed, Percent(statistics.retry_success_rate())));
  const std::string slowest = statistics.slowest_step();
  if (slowest.empty()) return text;
  text += Line("slowest", Clean(slowest));
  std::string bottlenecks;
  for (const StepStatistics* step : statistics.bottlenecks())
    bottlenecks += fmt::format("{}{} {}", bottlenecks.empty() ? "" : ", ", Clean(step->step),
                               Percent(step->share));
  return text + Line("bottlenecks", bottlenecks);
}

// Which moments the figures are of.
std::string PeriodText(const Statistics& statistics) {
  // Instances that were migrated to a version were started in another one.
  if (!statistics.from) return "";
  return Line("from", fmt::format("{} to {}{}", Time(statistics.from), Time(statistics.to),
                                  statistics.is_recorded() ? "" : ": nothing is recorded there"));
}

std::string InstancesText(const Statistics& statistics) {
  const projections::InstanceCounts& counts = statistics.counts;
  std::string text =
      Line("instances",
           fmt::format("{} started, {} completed, {} failed{}, {} cancelled, {} terminated",
                       counts.started, counts.completed, counts.failed,
                       counts.retried == 0 ? "" : fmt::format(" ({} retried)", counts.retried),
                       counts.cancelled, counts.terminated));
  if (counts.migrated_in + counts.migrated_out == 0) return text;
  return text +
         Line("migrated", statistics.scope.version == 0
                              ? fmt::format("{} from a version to another", counts.migrated_in)
                              : fmt::format("{} to this version, {} away from it",
                                            counts.migrated_in, counts.migrated_out));
}

std::string NowText(const Statistics& statistics) {
  std::string text;
  text += Line("now", fmt::format("{} open: {} queued, {} paused; {} under way, {} waiting, {} "
                                  "parked",
                                  statistics.open, statistics.queued, statistics.paused,
                                  Count(static_cast<uint64_t>(statistics.runs.attempts), "attempt"),
                                  statistics.runs.waiting, statistics.runs.parked));
  text +=
      Line("queue", fmt::format("{} for a place; {} asked for, begun or not; {} to be retried",
                                Count(static_cast<uint64_t>(statistics.queued), "instance"),
                                Count(static_cast<uint64_t>(statistics.runs.attempts), "attempt"),
                                statistics.runs.backoffs));
  return text;
}

std::string ToText(const Statistics& statistics, const Terminal& terminal) {
  const projections::InstanceCounts& counts = statistics.counts;
  const std::string name =
      statistics.scope.definition.empty() ? "all definitions" : Clean(statistics.scope.definition);
  std::string text = fmt::format(
      "{}{}\n", name,
      statistics.scope.version == 0 ? "" : fmt::format(" version {}", statistics.scope.version));
  if (!statistics.first_started && counts.migrated_in == 0)
    return text + Line("instances", "none has been started");
  text += PeriodText(statistics) + InstancesText(statistics) + NowText(statistics);
  if (statistics.ended() > 0)
    text += Line("success", fmt::format("{}, failure {}", Percent(statistics.success_rate()),
                                        Percent(statistics.failure_rate())));
  text += Line("duration", DurationsText(counts.durations));
  // Of a few seconds it would be a rate that nobody has seen.
  if (statistics.from && statistics.to.value - statistics.from.value >= kLeastPeriodUs)
    text += Line("throughput",
                 fmt::format("{:.2f} completed a minute", statistics.throughput_per_minute()));
  if (statistics.steps.empty()) return text;
  std::vector<std::vector<std::string>> rows{
      {"STEP", "TYPE", "COMPLETED", "FAILED", "SKIPPED", "RETRIED", "AVERAGE", "P95", "SHARE"}};
  for (const StepStatistics& step : statistics.steps) rows.push_back(StepToText(step));
  if (statistics.resolution.has_value())
    text += Line("steps", fmt::format("of whole days: {} to {}", Time(statistics.steps_from),
                                      Time(statistics.steps_to)));
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

std::string AverageText(const Histogram& durations) {
  return durations.count() == 0 ? "-" : Duration(durations.Average());
}

// A page of definitions whose `next` is a word in any command, and refused by other lists.
Result<projections::DefinitionPage> FindEach(const Arguments& arguments, const AskedView& asked,
                                             size_t limit) {
  const std::string search = "of definitions, " + asked.course;
  std::string after;
  if (arguments.Has("--cursor")) {
    auto cursor = projections::ReadCursor(arguments.Get("--cursor"), search);
    if (!cursor.has_value()) return std::unexpected(cursor.error());
    after = std::move(cursor->place);
  }
  auto page = projections::ListDefinitions(*asked.reader, after, limit);
  if (page.has_value() && !page->next.empty())
    page->next = projections::WriteCursor({.place = page->next, .behind = true, .now = {}}, search);
  return page;
}

int ShowEach(const Arguments& arguments, const Terminal& terminal, const AskedView& asked) {
  const auto limit = GivenNumber(arguments, "--limit", 1, projections::kMaxPageRows);
  if (!limit.has_value()) return Refuse(terminal, limit.error());
  const bool all = arguments.Has("--json") && !limit->has_value();
  const auto most = static_cast<size_t>(limit->value_or(projections::kDefaultPageRows));
  const auto page = FindEach(arguments, asked, all ? SIZE_MAX : most);
  if (!page.has_value()) return Refuse(terminal, page.error());
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(projections::ToJson(*page))) + "\n");
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows{
      {"DEFINITION", "VERSIONS", "STATE", "EXECUTIONS", "OPEN", "SUCCESS", "AVERAGE", "LAST"}};
  for (const projections::DefinitionSummary& summary : page->definitions) {
    const Statistics of{.scope = {}, .resolution = {}, .counts = summary.row.counts, .steps = {}};
    rows.push_back({Clean(summary.definition), fmt::format("{}", summary.versions), summary.state,
                    fmt::format("{}", summary.row.counts.started),
                    fmt::format("{}", summary.row.open),
                    of.ended() == 0 ? "-" : Percent(of.success_rate()),
                    AverageText(summary.row.counts.durations), Time(summary.row.last_started)});
  }
  terminal.Print(rows.size() > 1             ? Table(terminal, rows)
                 : arguments.Has("--cursor") ? "nothing fits\n"
                                             : "nothing is registered\n");
  NoteMore(terminal, page->next);
  return kExitDone;
}

int ShowSeries(const Arguments& arguments, const Terminal& terminal,
               const projections::ViewReader& reader, const projections::StatisticsScope& scope) {
  const auto resolution = projections::FindResolution(arguments.Get("--by"));
  if (!resolution.has_value())
    return Refuse(terminal, {ErrorCode::kUsage,
                             fmt::format("Expected minute, hour or day for --by but found \"{}\"",
                                         arguments.Get("--by"))});
  const auto series = projections::ReadSeries(reader, scope, *resolution);
  if (!series.has_value()) return Refuse(terminal, series.error());
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(projections::ToJson(*series))) + "\n");
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows{
      {"FROM", "STARTED", "COMPLETED", "FAILED", "RETRIED", "CANCELLED", "TERMINATED", "AVERAGE"}};
  for (const projections::SeriesPoint& point : series->points) {
    const projections::InstanceCounts& counts = point.counts;
    rows.push_back({Time(point.from), fmt::format("{}", counts.started),
                    fmt::format("{}", counts.completed), fmt::format("{}", counts.failed),
                    fmt::format("{}", counts.retried), fmt::format("{}", counts.cancelled),
                    fmt::format("{}", counts.terminated), AverageText(counts.durations)});
  }
  terminal.Print(rows.size() == 1 ? "nothing has happened\n" : Table(terminal, rows));
  if (scope.from || scope.to)
    terminal.PrintNote(fmt::format("of whole {}s: {} to {}", arguments.Get("--by"),
                                   Time(series->from), Time(series->to)));
  return kExitDone;
}

// With the nearest name.
Status CheckName(const projections::StatisticsScope& scope, const eventstore::EventStore& store) {
  if (scope.definition.empty()) return {};
  const Result<model::Registry> registry = replay::ReadRegistry(store, kShard);
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
  const auto asked = AskView(arguments, terminal, projections::kStatisticsView);
  if (!asked.has_value()) return Refuse(terminal, asked.error());
  if (const Status known = CheckName(*scope, *asked->views.store); !known.has_value())
    return Refuse(terminal, known.error());
  if (arguments.Has("--each")) return ShowEach(arguments, terminal, *asked);
  if (arguments.Has("--by")) return ShowSeries(arguments, terminal, *asked->reader, *scope);
  const auto statistics = projections::ReadStatistics(*asked->reader, *scope);
  if (!statistics.has_value()) return Refuse(terminal, statistics.error());
  terminal.Print(arguments.Has("--json")
                     ? CleanJson(ToPrettyJson(projections::ToJson(*statistics))) + "\n"
                     : ToText(*statistics, terminal));
  return kExitDone;
}

}  // namespace stele::cli
