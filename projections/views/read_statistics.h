// Reads the view of statistics. docs/statistics.md says what each figure is.
//
// Every answer names the position of the view that it shows. Rates and shares are fractions of 1,
// times and durations microseconds. Thread: the reader's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "projections/hidden.h"
#include "projections/view_store.h"
#include "projections/views/statistics_rows.h"

namespace stele::projections {

struct StepStatistics {
  std::string step;  // its id
  std::string type;
  bool container = false;
  StepCounts counts;
  RunGauges now;
  double share = 0;  // of the time of all steps that are no containers
};

// What is asked for. A name without a version is all its versions together; without a name it is
// all definitions, without their steps. Without `from` and `to` it is all time.
struct StatisticsScope {
  std::string definition;
  uint32_t version = 0;
  TimeUs from;
  TimeUs to;  // the first moment that is not in it; 0: none
  // All definitions are then all but these; no matter where one is named.
  Hidden hidden = nullptr;
};

struct Statistics {
  StatisticsScope scope;
  Position position;  // of the view
  TimeUs latest;      // the time of its last record
  // What was counted: whole minutes, hours or days around what was asked for, as far back as they
  // are kept (statistics_window.h), not before the first start's minute; of all time from the first
  // start to the last record.
  TimeUs from;
  TimeUs to;
  std::optional<Resolution> resolution;  // of the coarser border; none: all time

  InstanceCounts counts;
  int64_t open = 0;  // now, as are those that follow
  int64_t queued = 0;
  int64_t paused = 0;
  RunGauges runs;
  TimeUs first_started;  // ever, as are those that follow
  TimeUs last_started;
  TimeUs last_ended;

  TimeUs steps_from;  // of a window: steps are counted by days
  TimeUs steps_to;
  std::vector<StepStatistics> steps;  // in the order of the newest version

  // Of a stretch of time: whether any of it is within what is recorded.
  bool is_recorded() const { return !resolution.has_value() || from < to; }
  uint64_t ended() const;
  // Those that failed and that nobody has retried.
  uint64_t failed_for_good() const;
  // Of those that ended; 0 when none has.
  double success_rate() const;
  double failure_rate() const;
  // Completed instances a minute of [from, to).
  double throughput_per_minute() const;
  // Runs that completed although an attempt had failed, of all that began one again.
  double retry_success_rate() const;
  // The step that is no container whose completed runs take longest on average; empty: none.
  std::string slowest_step() const;
  // Steps that are no containers by their share of the time, the largest first: as many as make up
  // 80 % of it, five at most.
  std::vector<const StepStatistics*> bottlenecks() const;
};

// kUnknownDefinition: no such name or version is registered. kInvalidInput: a window of one
// version, or one that ends before it begins.
Result<Statistics> ReadStatistics(const ViewReader& reader, const StatisticsScope& scope);
// All versions of a definition, in [from, to); both 0: of all time.
Result<Statistics> ReadStatistics(const ViewReader& reader, std::string_view definition,
                                  TimeUs from, TimeUs to);

struct SeriesPoint {
  TimeUs from;
  InstanceCounts counts;
};
struct Series {
  Resolution resolution = Resolution::kMinute;
  TimeUs from;  // what was counted: whole slots, from that of the first start on
  TimeUs to;
  Position position;
  std::vector<SeriesPoint> points;  // those in which something happened, the oldest first
};
// What happened to instances of the scope, by minute, hour or day; of all versions.
Result<Series> ReadSeries(const ViewReader& reader, const StatisticsScope& scope,
                          Resolution resolution);

struct DefinitionSummary {
  std::string definition;
  uint32_t versions = 0;
  uint32_t newest = 0;
  std::string state;  // of the newest: "active", …
  DefinitionRow row;  // of all versions together
};
struct DefinitionPage {
  Position position;
  std::vector<DefinitionSummary> definitions;  // by name
  std::string next;                            // a name to go on behind; empty: there is no more
};
// Those whose name is behind `after`, at most `limit`, but for hidden ones.
Result<DefinitionPage> ListDefinitions(const ViewReader& reader, std::string_view after,
                                       size_t limit, const Hidden& hidden = nullptr);

std::string_view ResolutionName(Resolution resolution);  // "minute", "hour", "day"
std::optional<Resolution> FindResolution(std::string_view name);

Object ToJson(const Histogram& durations);
Object ToJson(const Statistics& statistics);
Object ToJson(const Series& series);
Object ToJson(const DefinitionPage& page);

}  // namespace stele::projections
