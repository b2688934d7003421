// What `stele bench` was asked to measure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/load/clients.h"
#include "cli/load/load.h"
#include "cli/load/work.h"

namespace stele::cli {

enum class Scenario : uint8_t { kStart, kComplete, kWorker, kSubscribers, kSync };
// Where the engine is: in this process, in a `stele serve` of the measurement's own, or wherever
// --server says.
enum class BenchTarget : uint8_t { kEmbedded, kOwnServer, kServer };

std::string_view NameOf(Scenario scenario);
std::string_view NameOf(BenchTarget target);

struct BenchOptions {
  Scenario scenario = Scenario::kStart;
  BenchTarget target = BenchTarget::kEmbedded;
  std::string data;            // empty: a directory of its own, which is removed
  load::ServerAddress server;  // of kServer
  load::Plan plan;
  size_t connections = 1;  // of a server
  size_t workers = 1;      // kWorker, of a server
  bool json = false;
  bool quiet = false;

  load::Work work() const;
};

// kUsage: an option that the scenario does not take, or two that exclude each other.
Result<BenchOptions> ReadBenchOptions(const Arguments& arguments);

}  // namespace stele::cli
