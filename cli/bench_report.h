// What a measurement came to, as a table for people and as a document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/value.h"
#include "cli/bench_options.h"
#include "cli/load/load.h"
#include "cli/load/process_use.h"
#include "cli/terminal.h"
#include "projections/histogram.h"

namespace stele::cli {

struct SubscribersMeasured {
  uint64_t subscribers = 0;
  // Of the server's process, before they came, when all were there, and when all had been told of
  // an event; none: it is not known which process that is.
  std::optional<uint64_t> bytes_before;
  std::optional<uint64_t> bytes_idle;
  std::optional<uint64_t> bytes_told;
  projections::Histogram delivery_us;  // from the start of an instance to each, of its end
};

struct BenchReport {
  std::string place;  // of the data: a directory; empty: it is the server's
  bool temporary = false;
  std::optional<load::Measured> measured;
  std::optional<load::UseBetween> client;  // this process, where the engine is another one
  std::optional<load::UseBetween> engine;  // the engine's process; this one, when it is embedded
  std::optional<SubscribersMeasured> subscribers;
  std::optional<projections::Histogram> syncs_us;  // of the scenario sync
  projections::Histogram before_us;                // the same, beside what was measured
  projections::Histogram after_us;
};

std::string TextOf(const BenchOptions& options, const BenchReport& report);
Object JsonOf(const BenchOptions& options, const BenchReport& report);

}  // namespace stele::cli
