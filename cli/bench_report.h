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

// What a sync takes (cli/load/disk_sync.h).
struct SyncsMeasured {
  projections::Histogram block_us;
  projections::Histogram record_us;
};

struct BenchReport {
  std::string place;  // of the data: a directory; empty: it is the server's
  bool temporary = false;
  std::optional<load::Measured> measured;
  std::optional<load::UseBetween> client;  // this process, where the engine is another one
  std::optional<load::UseBetween> engine;  // the engine's process; this one, when it is embedded
  std::optional<SubscribersMeasured> subscribers;
  // Beside what was measured; the scenario sync has the first alone.
  SyncsMeasured before;
  SyncsMeasured after;
};

std::string TextOf(const BenchOptions& options, const BenchReport& report);
Object JsonOf(const BenchOptions& options, const BenchReport& report);

}  // namespace stele::cli
