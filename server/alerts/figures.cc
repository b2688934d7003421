#include "server/alerts/figures.h"

#include <algorithm>

namespace stele::server::alerts {

namespace {

Value Whole(uint64_t number) {
  return static_cast<int64_t>(std::min<uint64_t>(number, INT64_MAX));
}

Value Seconds(int64_t us) {
  return static_cast<double>(us) / 1e6;
}

// Of one that has `completed` in a minute on average, from the window's begin to now.
double PerMinute(uint64_t completed, const projections::Statistics& statistics, TimeUs now) {
  const int64_t stretch = std::max<int64_t>(now.value - statistics.from.value, 60'000'000);
  return static_cast<double>(completed) * 60e6 / static_cast<double>(stretch);
}

}  // namespace

Object FiguresOf(const projections::Statistics& statistics, TimeUs now) {
  const projections::InstanceCounts& counts = statistics.counts;
  Object figures;
  if (statistics.ended() > 0) {
    figures.Set("failure_rate", statistics.failure_rate());
    figures.Set("success_rate", statistics.success_rate());
  }
  figures.Set("started", Whole(counts.started));
  figures.Set("ended", Whole(statistics.ended()));
  figures.Set("completed", Whole(counts.completed));
  figures.Set("failed", Whole(statistics.failed_for_good()));
  figures.Set("cancelled", Whole(counts.cancelled));
  figures.Set("terminated", Whole(counts.terminated));
  figures.Set("retried", Whole(counts.retried));
  figures.Set("failed_attempts", Whole(counts.failed_attempts));
  figures.Set("throughput", PerMinute(counts.completed, statistics, now));
  if (const projections::Histogram& durations = counts.durations; durations.count() > 0) {
    figures.Set("average_duration", Seconds(durations.Average()));
    figures.Set("p50_duration", Seconds(durations.Percentile(500)));
    figures.Set("p90_duration", Seconds(durations.Percentile(900)));
    figures.Set("p95_duration", Seconds(durations.Percentile(950)));
    figures.Set("p99_duration", Seconds(durations.Percentile(990)));
    figures.Set("max_duration", Seconds(durations.max()));
  }
  const auto now_open = [](int64_t count) { return Value(std::max<int64_t>(count, 0)); };
  figures.Set("active", now_open(statistics.open));
  figures.Set("queued", now_open(statistics.queued));
  figures.Set("paused", now_open(statistics.paused));
  figures.Set("attempts", now_open(statistics.runs.attempts));
  figures.Set("backoffs", now_open(statistics.runs.backoffs));
  figures.Set("waiting", now_open(statistics.runs.waiting));
  figures.Set("incidents", now_open(statistics.runs.parked));
  figures.Set("queue_depth",
              now_open(statistics.queued + statistics.runs.attempts + statistics.runs.backoffs));
  return figures;
}

Object SampleFigures() {
  projections::Statistics statistics;
  statistics.counts.completed = 1;
  statistics.counts.durations.Add(1'000'000);
  return FiguresOf(statistics, TimeUs());
}

std::vector<std::string> FigureNames() {
  std::vector<std::string> names;
  for (const Member& member : SampleFigures()) names.push_back(member.key);
  return names;
}

}  // namespace stele::server::alerts
