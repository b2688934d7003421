// Families of metrics, as Prometheus has them: a name, what it is, and its series.
//
// Thread: any, one at a time.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "eventstore/doubling_counts.h"
#include "server/observation/durations.h"

namespace stele::server {

using MetricFamily = prometheus::MetricFamily;
using Families = std::vector<MetricFamily>;
using MetricLabels = std::vector<prometheus::ClientMetric::Label>;

MetricFamily CounterFamily(std::string name, std::string help);
MetricFamily GaugeFamily(std::string name, std::string help);
MetricFamily HistogramFamily(std::string name, std::string help);

// Of a counter or a gauge.
void AddValue(MetricFamily& family, double value, MetricLabels labels = {});
// Of a histogram.
void AddDurations(MetricFamily& family, const Durations& durations, MetricLabels labels = {});

// Of a histogram: values up to `unit` times the powers of two from 2^first to 2^last.
void AddDoublings(MetricFamily& family, const eventstore::DoublingCounts::Reading& reading,
                  size_t first, size_t last, double unit, MetricLabels labels = {});

// A family of one series without labels.
MetricFamily OneCounter(std::string name, std::string help, double value);
MetricFamily OneGauge(std::string name, std::string help, double value);

// The text format 0.0.4.
std::string WriteFamilies(const Families& families);

}  // namespace stele::server
