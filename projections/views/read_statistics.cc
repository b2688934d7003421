#include "projections/views/read_statistics.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include "engine/model/registry.h"
#include "projections/views/statistics_window.h"

namespace stele::projections {

namespace {

constexpr std::array<std::string_view, 3> kResolutionNames = {"minute", "hour", "day"};
constexpr size_t kMaxBottlenecks = 5;
constexpr double kBottleneckShare = 0.8;

double Fraction(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

template <class Row>
Status Decode(std::string_view bytes, Row* row) {
  if (DecodeRow(bytes, row)) return {};
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected a row of the view {} but found {} bytes that are none; "
                          "`stele projections rebuild` makes it anew",
                          kStatisticsView, bytes.size()));
}

// The row of that key, or as it is made when there is none.
template <class Row>
Result<Row> Load(const ViewReader& reader, const std::string& key) {
  Row row;
  const auto bytes = reader.Get(key);
  if (!bytes.has_value()) return std::unexpected(bytes.error());
  if (bytes->has_value()) STELE_RETURN_IF_ERROR(Decode(**bytes, &row));
  return row;
}

// Calls visit(key behind the prefix, row) for each row until it says false.
template <class Row, class Visit>
Status ForEach(const ViewReader& reader, const std::string& prefix, Visit visit) {
  KeyCursor keys = reader.Keys(prefix);
  for (; keys.valid(); keys.Next()) {
    Row row;
    STELE_RETURN_IF_ERROR(Decode(keys.value(), &row));
    KeyReader rest(keys.key().substr(prefix.size()));
    if (!visit(rest, row)) break;
  }
  return keys.status();
}

Error NoDefinition(const StatisticsScope& scope) {
  const std::string version = scope.version == 0 ? "" : fmt::format(" {}", scope.version);
  return {ErrorCode::kUnknownDefinition,
          fmt::format("Expected a definition that is registered but found no \"{}\"{}",
                      scope.definition, version)};
}

std::string InstantText(TimeUs time) {
  const std::chrono::sys_time<std::chrono::microseconds> at(std::chrono::microseconds(time.value));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", std::chrono::floor<std::chrono::seconds>(at));
}

Status CheckWindow(TimeUs from, TimeUs to) {
  if (!to || from < to) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected a window that ends after it begins but found {} to {}",
                          InstantText(from), InstantText(to)));
}

Result<TimeUs> LatestOf(const ViewReader& reader) {
  const auto latest = Load<LatestRow>(reader, LatestKey());
  if (!latest.has_value()) return std::unexpected(latest.error());
  return latest->time;
}

// Before the first start nothing was counted: the begin of [from, to), in whole slots.
TimeUs BeginOf(TimeUs from, TimeUs to, TimeUs first_started, Resolution resolution) {
  if (!first_started) return from;
  const Stretch slot =
      Around(first_started, TimeUs(first_started.value + 1), first_started, resolution);
  return std::clamp(slot.from(), from, to);
}

// Of these definitions together; "" is all of them.
Result<std::map<int64_t, InstanceCounts>> SlotsIn(const ViewReader& reader,
                                                  const std::vector<std::string>& names,
                                                  const Stretch& stretch) {
  std::map<int64_t, InstanceCounts> slots;
  for (const std::string& name : names)
    STELE_RETURN_IF_ERROR(ForEach<SlotRow>(
        reader, SlotsPrefix(stretch.resolution, name), [&](KeyReader&, const SlotRow& row) {
          if (row.number >= stretch.first && row.number < stretch.end)
            slots[row.number].Merge(row.counts);
          return true;
        }));
  return slots;
}

// Collects steps of several versions, by id.
class StepTable {
 public:
  // The newest version that has it says what it is.
  void Add(uint64_t version, uint64_t index, const StepRow& row) {
    places_[{version, index}] = row.step;
    Entry& entry = entries_[row.step];
    entry.statistics.step = row.step;
    if (version >= entry.version) {
      entry.version = version;
      entry.index = index;
      entry.statistics.type = row.type;
      entry.statistics.container = row.container;
    }
    entry.statistics.counts.Merge(row.counts);
    entry.statistics.now.Merge(row.runs);
  }
  // What was counted of all time goes.
  void ForgetCounts() {
    for (auto& [step, entry] : entries_) entry.statistics.counts = {};
  }
  void Count(uint64_t version, uint64_t index, const StepCounts& counts) {
    if (const auto found = places_.find({version, index}); found != places_.end())
      entries_[found->second].statistics.counts.Merge(counts);
  }
  // Those of the newest version first, in its order; then those that only older ones have.
  std::vector<StepStatistics> Take() {
    std::vector<Entry> sorted;
    double time = 0;
    for (auto& [step, entry] : entries_) {
      if (!entry.statistics.container)
        time += static_cast<double>(entry.statistics.counts.durations.sum());
      sorted.push_back(std::move(entry));
    }
    std::ranges::stable_sort(sorted, [](const Entry& one, const Entry& other) {
      if (one.version != other.version) return one.version > other.version;
      return one.index < other.index;
    });
    std::vector<StepStatistics> steps;
    for (Entry& entry : sorted) {
      StepStatistics& step = entry.statistics;
      if (!step.container && time > 0)
        step.share = static_cast<double>(step.counts.durations.sum()) / time;
      steps.push_back(std::move(step));
    }
    return steps;
  }

 private:
  struct Entry {
    uint64_t version = 0;
    uint64_t index = 0;
    StepStatistics statistics;
  };
  std::map<std::string, Entry> entries_;                         // by the step's id
  std::map<std::pair<uint64_t, uint64_t>, std::string> places_;  // version and index: the id
};

Status ReadSteps(const ViewReader& reader, const std::optional<Window>& window,
                 Statistics& statistics) {
  const StatisticsScope& scope = statistics.scope;
  StepTable table;
  STELE_RETURN_IF_ERROR(ForEach<StepsRow>(reader, StepsPrefix(scope.definition),
                                          [&](KeyReader& key, const StepsRow& row) {
                                            const uint64_t version = key.Number();
                                            const uint64_t first = key.Number() * kStepsInARow;
                                            if (scope.version != 0 && scope.version != version)
                                              return true;
                                            for (size_t i = 0; i < row.steps.size(); ++i)
                                              table.Add(version, first + i, row.steps[i]);
                                            return true;
                                          }));
  if (window.has_value()) {
    const Stretch days = Around(window->from, window->to, statistics.latest, Resolution::kDay);
    statistics.steps_from = days.from();
    statistics.steps_to = days.to();
    table.ForgetCounts();
    STELE_RETURN_IF_ERROR(ForEach<StepsSlotRow>(
        reader, StepsSlotsPrefix(scope.definition), [&](KeyReader& key, const StepsSlotRow& row) {
          const uint64_t version = key.Number();
          const uint64_t first = key.Number() * kStepsInARow;
          if (row.number < days.first || row.number >= days.end) return true;
          for (size_t i = 0; i < row.counts.steps.size(); ++i)
            table.Count(version, first + i, row.counts.steps[i]);
          return true;
        }));
  }
  statistics.steps = table.Take();
  return {};
}

// All time, of what the scope names; and the names under which its slots are.
struct Summed {
  DefinitionRow row;
  std::vector<std::string> names;
};

// What is kept of all of them has the hidden ones in it.
Result<Summed> SumVisible(const ViewReader& reader, const Hidden& hidden) {
  Summed sum;
  STELE_RETURN_IF_ERROR(
      ForEach<DefinitionRow>(reader, "v", [&](KeyReader& key, const DefinitionRow& row) {
        std::string name = key.Text();
        if (Hides(hidden, name)) return true;
        sum.row.Merge(row);
        if (sum.names.empty() || sum.names.back() != name) sum.names.push_back(std::move(name));
        return true;
      }));
  return sum;
}

Result<Summed> ReadRow(const ViewReader& reader, const StatisticsScope& scope) {
  if (scope.definition.empty()) {
    if (scope.hidden != nullptr) return SumVisible(reader, scope.hidden);
    auto all = Load<DefinitionRow>(reader, AllKey());
    if (!all.has_value()) return std::unexpected(all.error());
    return Summed{*std::move(all), {""}};
  }
  DefinitionRow sum;
  bool found = false;
  STELE_RETURN_IF_ERROR(ForEach<DefinitionRow>(
      reader, VersionsPrefix(scope.definition), [&](KeyReader& key, const DefinitionRow& row) {
        if (scope.version != 0 && key.Number() != scope.version) return true;
        sum.Merge(row);
        found = true;
        return true;
      }));
  if (!found) return std::unexpected(NoDefinition(scope));
  return Summed{std::move(sum), {scope.definition}};
}

}  // namespace

uint64_t Statistics::failed_for_good() const {
  return counts.failed - std::min(counts.failed, counts.retried);
}

uint64_t Statistics::ended() const {
  return counts.completed + failed_for_good() + counts.cancelled + counts.terminated;
}

double Statistics::success_rate() const {
  return Fraction(counts.completed, ended());
}

double Statistics::failure_rate() const {
  return Fraction(failed_for_good(), ended());
}

double Statistics::throughput_per_minute() const {
  if (to <= from) return 0;
  return static_cast<double>(counts.completed) * 60e6 / static_cast<double>(to.value - from.value);
}

double Statistics::retry_success_rate() const {
  uint64_t retried = 0, completed = 0;
  for (const StepStatistics& step : steps) {
    retried += step.counts.retried;
    completed += step.counts.retried_completed;
  }
  return Fraction(completed, retried);
}

std::string Statistics::slowest_step() const {
  const StepStatistics* slowest = nullptr;
  for (const StepStatistics& step : steps) {
    if (step.container || step.counts.durations.count() == 0) continue;
    if (slowest == nullptr || step.counts.durations.Average() > slowest->counts.durations.Average())
      slowest = &step;
  }
  return slowest == nullptr ? "" : slowest->step;
}

std::vector<const StepStatistics*> Statistics::bottlenecks() const {
  std::vector<const StepStatistics*> sorted;
  for (const StepStatistics& step : steps)
    if (step.share > 0) sorted.push_back(&step);
  std::ranges::stable_sort(sorted, std::ranges::greater(), &StepStatistics::share);
  double share = 0;
  size_t count = 0;
  while (count < std::min(sorted.size(), kMaxBottlenecks) && share < kBottleneckShare)
    share += sorted[count++]->share;
  sorted.resize(count);
  return sorted;
}

Result<Statistics> ReadStatistics(const ViewReader& reader, const StatisticsScope& scope) {
  STELE_RETURN_IF_ERROR(CheckWindow(scope.from, scope.to));
  const bool windowed = scope.from || scope.to;
  if (windowed && scope.version != 0)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a window of all versions of \"{}\" but found version {}",
                            scope.definition, scope.version));
  const Result<TimeUs> latest = LatestOf(reader);
  if (!latest.has_value()) return std::unexpected(latest.error());
  auto summed = ReadRow(reader, scope);
  if (!summed.has_value()) return std::unexpected(summed.error());
  DefinitionRow* const row = &summed->row;
  Statistics statistics{.scope = scope,
                        .position = reader.position(),
                        .latest = *latest,
                        .from = row->first_started,
                        .to = row->first_started ? *latest : TimeUs(),
                        .resolution = {},
                        .counts = std::move(row->counts),
                        .open = row->open,
                        .queued = row->queued,
                        .paused = row->paused,
                        .runs = row->runs,
                        .first_started = row->first_started,
                        .last_started = row->last_started,
                        .last_ended = row->last_ended};
  std::optional<Window> window;
  if (windowed) {
    window = WindowOf(scope.from, scope.to, *latest);
    statistics.from =
        BeginOf(window->from, window->to, statistics.first_started, Resolution::kMinute);
    statistics.to = window->to;
    statistics.resolution = window->resolution;
    statistics.counts = {};
    for (const Stretch& stretch : window->stretches) {
      const auto slots = SlotsIn(reader, summed->names, stretch);
      if (!slots.has_value()) return std::unexpected(slots.error());
      for (const auto& [number, counts] : *slots) statistics.counts.Merge(counts);
    }
  }
  if (!scope.definition.empty()) STELE_RETURN_IF_ERROR(ReadSteps(reader, window, statistics));
  return statistics;
}

Result<Statistics> ReadStatistics(const ViewReader& reader, std::string_view definition,
                                  TimeUs from, TimeUs to) {
  return ReadStatistics(reader, {.definition = std::string(definition), .from = from, .to = to});
}

Result<Series> ReadSeries(const ViewReader& reader, const StatisticsScope& scope,
                          Resolution resolution) {
  STELE_RETURN_IF_ERROR(CheckWindow(scope.from, scope.to));
  const Result<TimeUs> latest = LatestOf(reader);
  if (!latest.has_value()) return std::unexpected(latest.error());
  StatisticsScope all_versions = scope;
  all_versions.version = 0;
  const auto summed = ReadRow(reader, all_versions);
  if (!summed.has_value()) return std::unexpected(summed.error());
  const Stretch stretch = Around(scope.from, scope.to, *latest, resolution);
  auto slots = SlotsIn(reader, summed->names, stretch);
  if (!slots.has_value()) return std::unexpected(slots.error());
  Series series{resolution,
                BeginOf(stretch.from(), stretch.to(), summed->row.first_started, resolution),
                stretch.to(),
                reader.position(),
                {}};
  for (auto& [number, counts] : *slots)
    series.points.push_back({TimeUs(number * SlotUs(resolution)), std::move(counts)});
  return series;
}

Result<DefinitionPage> ListDefinitions(const ViewReader& reader, std::string_view after,
                                       size_t limit, const Hidden& hidden) {
  DefinitionPage page{.position = reader.position(), .definitions = {}, .next = {}};
  KeyCursor keys = reader.Keys("v");
  if (!after.empty()) keys.Seek(EndOfPrefix(VersionsPrefix(after)));
  for (; keys.valid(); keys.Next()) {
    KeyReader key(keys.key());
    key.Byte();
    std::string name = key.Text();
    if (Hides(hidden, name)) continue;
    DefinitionRow row;
    STELE_RETURN_IF_ERROR(Decode(keys.value(), &row));
    if (page.definitions.empty() || page.definitions.back().definition != name) {
      if (page.definitions.size() == limit) {
        if (limit > 0) page.next = page.definitions.back().definition;
        break;
      }
      page.definitions.push_back({.definition = std::move(name), .state = {}, .row = {}});
    }
    DefinitionSummary& summary = page.definitions.back();
    ++summary.versions;
    summary.newest = static_cast<uint32_t>(key.Number());
    summary.state = model::DefinitionStateName(static_cast<model::DefinitionState>(row.state));
    summary.row.Merge(row);
  }
  STELE_RETURN_IF_ERROR(keys.status());
  return page;
}

std::string_view ResolutionName(Resolution resolution) {
  return kResolutionNames[static_cast<size_t>(resolution)];
}

std::optional<Resolution> FindResolution(std::string_view name) {
  const auto found = std::ranges::find(kResolutionNames, name);
  if (found == kResolutionNames.end()) return std::nullopt;
  return static_cast<Resolution>(found - kResolutionNames.begin());
}

}  // namespace stele::projections
