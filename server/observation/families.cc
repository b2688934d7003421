#include "server/observation/families.h"

#include <prometheus/text_serializer.h>

#include <cmath>
#include <utility>

#include "base/check.h"

namespace stele::server {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

MetricFamily FamilyOf(MetricType type, std::string name, std::string help) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

}  // namespace

MetricFamily CounterFamily(std::string name, std::string help) {
  return FamilyOf(MetricType::Counter, std::move(name), std::move(help));
}

MetricFamily GaugeFamily(std::string name, std::string help) {
  return FamilyOf(MetricType::Gauge, std::move(name), std::move(help));
}

MetricFamily HistogramFamily(std::string name, std::string help) {
  return FamilyOf(MetricType::Histogram, std::move(name), std::move(help));
}

void AddValue(MetricFamily& family, double value, MetricLabels labels) {
  CHECK(family.type == MetricType::Counter || family.type == MetricType::Gauge);
  ClientMetric metric;
  metric.label = std::move(labels);
  (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  family.metric.push_back(std::move(metric));
}

void AddDurations(MetricFamily& family, const Durations& durations, MetricLabels labels) {
  CHECK(family.type == MetricType::Histogram);
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.histogram.sample_count = durations.count();
  metric.histogram.sample_sum = durations.sum_seconds();
  uint64_t up_to = 0;
  for (size_t i = 0; i < durations.bounds().size(); ++i) {
    up_to += durations.counts()[i];
    metric.histogram.bucket.push_back(
        {.cumulative_count = up_to, .upper_bound = durations.bounds()[i]});
  }
  family.metric.push_back(std::move(metric));
}

void AddDoublings(MetricFamily& family, const eventstore::DoublingCounts::Reading& reading,
                  size_t first, size_t last, double unit, MetricLabels labels) {
  CHECK(family.type == MetricType::Histogram && last < eventstore::DoublingCounts::kBounds);
  ClientMetric metric;
  metric.label = std::move(labels);
  uint64_t up_to = 0;
  for (size_t i = 0; i < reading.counts.size(); ++i) {
    up_to += reading.counts[i];
    if (i >= first && i <= last)
      metric.histogram.bucket.push_back(
          {.cumulative_count = up_to, .upper_bound = std::ldexp(unit, static_cast<int>(i))});
  }
  metric.histogram.sample_count = up_to;
  metric.histogram.sample_sum = static_cast<double>(reading.sum) * unit;
  family.metric.push_back(std::move(metric));
}

MetricFamily OneCounter(std::string name, std::string help, double value) {
  MetricFamily family = CounterFamily(std::move(name), std::move(help));
  AddValue(family, value);
  return family;
}

MetricFamily OneGauge(std::string name, std::string help, double value) {
  MetricFamily family = GaugeFamily(std::move(name), std::move(help));
  AddValue(family, value);
  return family;
}

std::string WriteFamilies(const Families& families) {
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace stele::server
