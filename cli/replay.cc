// `stele replay`: recorded causes decided again by this build, or with a changed definition.
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/given_definition.h"
#include "cli/open_data.h"
#include "cli/questions.h"
#include "cli/remote/server_option.h"
#include "cli/searching.h"
#include "cli/source.h"
#include "cli/text.h"
#include "cli/views.h"
#include "engine/requests/definitions.h"
#include "replay/regression/regression.h"

namespace stele::cli {

namespace {

using replay::RegressionReport;

constexpr int64_t kMostJobs = 256;

struct Given {
  replay::RegressionOptions options;
  std::optional<projections::Query> query;  // nothing: all instances
};

// Reads a source in the order of these instances: the next ones are asked for at once.
class Ahead final : public replay::Source {
 public:
  Ahead(const cli::Source& source, std::span<const InstanceId> instances)
      : source_(source), instances_(instances) {}
  Result<std::unique_ptr<eventstore::Cursor>> RecordsFrom(InstanceId instance,
                                                          Seq from) const override {
    if (read_ % kAskedAhead == 0)
      source_.Expect(instances_.subspan(read_, std::min(kAskedAhead, instances_.size() - read_)));
    ++read_;
    return source_.RecordsFrom(instance, from);
  }

 private:
  const cli::Source& source_;
  const std::span<const InstanceId> instances_;
  mutable size_t read_ = 0;
};

// By number: instances that began together lie together in the log.
Result<std::vector<InstanceId>> InstancesOf(Questions& questions, const Given& given) {
  projections::SearchRequest request{.query = *given.query,
                                     .sort = "",
                                     .cursor = "",
                                     .limit = projections::kMaxPageRows,
                                     .now = {},
                                     .course = {}};
  if (given.options.changed != nullptr)
    projections::AddCondition(request.query, "definition", {given.options.changed->name});
  std::vector<InstanceId> instances;
  do {
    auto page = questions.Find<projections::InstanceRow>(request);
    if (!page.has_value()) return std::unexpected(page.error());
    for (const projections::InstanceRow& row : page->rows) instances.push_back(row.id);
    request.cursor = std::move(page->next);
  } while (!request.cursor.empty());
  std::ranges::sort(instances);
  const auto repeated = std::ranges::unique(instances);
  instances.erase(repeated.begin(), repeated.end());
  return instances;
}

replay::RegressionProgress Progress(const Terminal& terminal, std::string_view what) {
  return [show = ShowProgress(terminal, what)](uint64_t done, uint64_t all) -> Status {
    if (show) show(done, all);
    return {};
  };
}

// At a server, or of a directory those that fit the query: what a view says is read instance by
// instance, or picked from the whole log.
Result<RegressionReport> ReplayFound(const Arguments& arguments, const Terminal& terminal,
                                     const model::Registry& registry, const Given& given) {
  std::vector<InstanceId> instances;
  {
    const auto questions = AskViews(arguments, terminal, "instances");
    if (!questions.has_value()) return std::unexpected(questions.error());
    auto found = InstancesOf(**questions, given);
    if (!found.has_value()) return std::unexpected(found.error());
    instances = *std::move(found);
    if (IsForServer(arguments)) {
      const Ahead source((*questions)->source(), instances);
      return replay::ReplayInstances(source, registry, instances, given.options,
                                     Progress(terminal, "instance"));
    }
  }
  const auto store = OpenForReading(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  const std::vector<InstanceRange> ranges = RangesOf(instances);
  return replay::ReplayLog(**store, kShard, given.options, &ranges, Progress(terminal, "position"));
}

Result<RegressionReport> ReplayAll(const Arguments& arguments, const Terminal& terminal,
                                   const Given& given) {
  const auto store = OpenForReading(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  return replay::ReplayLog(**store, kShard, given.options, nullptr, Progress(terminal, "position"));
}

std::string Heading(const replay::DifferenceKey& key) {
  const std::string where = key.step.empty() ? "the instance" : key.step;
  if (key.kind == replay::DifferenceKind::kAsked)
    return fmt::format("{}: is asked something else ({})", where, key.member);
  return fmt::format("{}: {} → {}{}", where, key.recorded, key.now,
                     key.member.empty() ? "" : fmt::format(" ({})", key.member));
}

std::string PlaceText(const replay::DifferencePlace& place) {
  return fmt::format("instance {}, seq {}, position {}", place.instance.value, place.seq.value,
                     place.position.value);
}

void PrintGroup(const Terminal& terminal, const replay::RankedGroup& ranked) {
  const auto& [key, group] = ranked;
  std::string text = fmt::format("\n{}   {}\n", terminal.Paint(Colour::kBold, Clean(Heading(key))),
                                 Count(group.instances, "instance"));
  const auto line = [&](Colour colour, std::string_view sign, const std::string& event) {
    text += fmt::format("    {} {}\n", terminal.Paint(colour, sign),
                        event.empty() ? "nothing" : Clean(event));
  };
  for (size_t i = 0; i < group.first.size(); ++i) {
    const replay::DifferencePlace& place = group.first[i];
    text += fmt::format("  {}\n", PlaceText(place));
    if (i > 0) continue;
    line(Colour::kRed, "-", place.recorded);
    line(Colour::kGreen, "+", place.now.empty() && key.now != "nothing" ? key.now : place.now);
  }
  if (group.instances > group.first.size())
    text += fmt::format("  and {} more\n", group.instances - group.first.size());
  terminal.Print(text);
}

void Print(const Terminal& terminal, const RegressionReport& report) {
  std::string text =
      fmt::format("replayed: {} with {} of {}\n", Count(report.records, "record"),
                  Count(report.events, "event"), Count(report.instances, "instance"));
  const auto line = [&](uint64_t instances, std::string_view what) {
    if (instances > 0) text += fmt::format("  {} {}\n", instances, what);
  };
  line(report.same, "the same");
  line(report.different, "different");
  line(report.asked, "the same, but tasks would be asked something else");
  line(report.erased, "erased: what they were decided on cannot be read any more");
  terminal.Print(text);
  for (const replay::RankedGroup* group : replay::Ranked(report)) PrintGroup(terminal, *group);
}

Result<Given> ReadGiven(const Arguments& arguments) {
  const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  const auto jobs = GivenNumber(arguments, "--jobs", 1, kMostJobs);
  if (!jobs.has_value()) return std::unexpected(jobs.error());
  Given given;
  given.options.jobs = static_cast<unsigned>(jobs->value_or(processors));
  if (arguments.Has("--instances") || IsForServer(arguments)) {
    auto query = GivenQuery(arguments, "--instances");
    if (!query.has_value()) return std::unexpected(query.error());
    given.query = *std::move(query);
  }
  return given;
}

}  // namespace

int Replay(const Arguments& arguments, const Terminal& terminal) {
  auto given = ReadGiven(arguments);
  if (!given.has_value()) return Refuse(terminal, given.error());
  const auto registry = ReadRegistryOf(arguments);
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  auto changed = GivenDefinition(arguments, terminal, *registry);
  if (!changed.has_value()) return changed.error();
  given->options.changed = *std::move(changed);
  // Of a name that nobody has registered there is no history: a job that compares nothing would
  // pass for ever.
  if (given->options.changed != nullptr)
    if (const auto known = requests::FindDefinition(*registry, given->options.changed->name,
                                                    /*version=*/0, /*startable=*/false);
        !known.has_value())
      return Refuse(terminal, known.error());

  const auto report = given->query.has_value() ? ReplayFound(arguments, terminal, *registry, *given)
                                               : ReplayAll(arguments, terminal, *given);
  EndProgress(terminal);
  if (!report.has_value()) return Refuse(terminal, report.error());
  if (report->instances == 0) terminal.PrintNote("nothing was replayed: no instance fits");
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(replay::ToJson(*report))) + "\n");
  } else {
    Print(terminal, *report);
  }
  return report->all_same() ? kExitDone : kExitFailed;
}

}  // namespace stele::cli
