// Exports: how many events a second JSON Lines and CloudEvents take, how many an import, and what
// memory an export needs for a log that is four times as long.
//
//     export_bench [--instances N] [--data DIR]
//
// The log is that of ten_steps.h. What is read was written a moment before, so that it comes from
// the page cache; what an export writes goes nowhere, what an import reads comes from memory.
#include <cstdio>
#include <filesystem>
#include <thread>

#include "bench/measuring.h"
#include "bench/ten_step_load.h"
#include "eventstore/rocksdb_store.h"
#include "replay/export/cloud_events.h"
#include "replay/export/import.h"
#include "replay/export/instance_walk.h"
#include "replay/export/json_lines.h"
#include "replay/export/log_walk.h"
#include "replay/export/trace_walk.h"
#include "replay/export/xes.h"

namespace stele {
namespace {

using bench::CpuSeconds;
using bench::Load;
using bench::Median;
using bench::SecondsSince;
using bench::Steady;

constexpr uint64_t kAtOnce = 1'000;
constexpr ShardId kShard{0};

struct Settings {
  uint64_t instances = 65'000;
  std::string data = ".";  // where a folder is made and removed
};

using MakeFormat = std::function<std::unique_ptr<replay::RecordFormat>()>;

replay::ExportCounts Export(const eventstore::EventStore& store, const MakeFormat& make,
                            unsigned threads, Position end, const replay::WriteText& write) {
  const replay::StoreSource source(store, kShard);
  const auto registry = replay::ReadRegistry(source);
  CHECK(registry.has_value(), "{}", registry.error().ToString());
  replay::InstanceDefinitions definitions(source, *registry);
  const auto counts = replay::WalkLog(
      store, definitions,
      {.shard = kShard, .end = end, .threads = threads, .make_format = make, .progress = nullptr},
      write);
  CHECK(counts.has_value(), "{}", counts.error().ToString());
  return *counts;
}

void MeasureExport(const eventstore::EventStore& store, std::string_view what,
                   const MakeFormat& make, unsigned threads) {
  std::vector<double> rates, cpu;
  uint64_t events = 0, bytes = 0;
  for (int round = 0; round < 3; ++round) {
    bytes = 0;
    const double cpu_before = CpuSeconds();
    const auto start = Steady::now();
    events = Export(store, make, threads, store.NextPosition(kShard),
                    [&](std::string_view text) -> Status {
                      bytes += text.size();
                      return {};
                    })
                 .events;
    rates.push_back(static_cast<double>(events) / SecondsSince(start));
    cpu.push_back((CpuSeconds() - cpu_before) / static_cast<double>(events) * 1e6);
  }
  fmt::print("{:<12} {} threads: {:>9.0f} events/s, {:.2f} µs of all cores and {} bytes an event\n",
             what, threads, Median(rates), Median(cpu), bytes / events);
}

// Traces as instances end.
void MeasureTraces(const eventstore::EventStore& store) {
  const replay::StoreSource source(store, kShard);
  const auto registry = replay::ReadRegistry(source);
  CHECK(registry.has_value(), "{}", registry.error().ToString());
  replay::InstanceDefinitions definitions(source, *registry);
  replay::Xes format;
  const Position end = store.NextPosition(kShard);
  const auto start = Steady::now();
  const auto counts =
      replay::WalkTraces(store, definitions, {.shard = kShard, .end = end, .progress = nullptr},
                         format, [](std::string_view) -> Status { return {}; });
  CHECK(counts.has_value(), "{}", counts.error().ToString());
  const double seconds = SecondsSince(start);
  fmt::print("xes                     {:>9.0f} records/s, {:.0f} events of activities/s\n",
             static_cast<double>(end.value - 1) / seconds,
             static_cast<double>(counts->events) / seconds);
}

// The same by instance, one after the other: each is looked up in the index.
void MeasureByInstance(const eventstore::EventStore& store, uint64_t instances) {
  const replay::StoreSource source(store, kShard);
  const auto registry = replay::ReadRegistry(source);
  CHECK(registry.has_value(), "{}", registry.error().ToString());
  replay::InstanceDefinitions definitions(source, *registry);
  replay::InstanceWalk walk(source, definitions, {}, /*payloads=*/true);
  replay::Xes format;
  uint64_t bytes = 0;
  const auto write = [&](std::string_view text) -> Status {
    bytes += text.size();
    return {};
  };
  const auto start = Steady::now();
  for (uint64_t id = 1; id <= instances; ++id) {
    format.BeginTrace(InstanceId(id));
    const Status walked = walk.Walk(InstanceId(id), format, write);
    CHECK(walked.has_value(), "{}", walked.error().ToString());
  }
  const double seconds = SecondsSince(start);
  fmt::print("by instance             {:>9.0f} instances/s, {:.0f} events of activities/s\n",
             static_cast<double>(instances) / seconds,
             static_cast<double>(walk.counts().events) / seconds);
}

void MeasureImport(const eventstore::EventStore& store, const std::string& target) {
  std::string text;
  replay::WriteHead({.shard = kShard, .sealed = false, .partial = {}}, text);
  const auto counts = Export(
      store, [] { return std::make_unique<replay::JsonLines>(true); }, 2,
      store.NextPosition(kShard),
      [&](std::string_view piece) -> Status {
        text += piece;
        return {};
      });
  const eventstore::LogTail tail = store.Tail(kShard);
  replay::WriteEnd(counts, &tail.hash, text);
  const auto start = Steady::now();
  auto log = eventstore::LogImport::Begin(target);
  CHECK(log.has_value(), "{}", log.error().ToString());
  Status done = (*log)->Open(kShard, {});
  replay::JsonLinesImport import(**log, /*seals=*/false);
  std::string_view rest = text;
  while (done.has_value() && !rest.empty()) {
    const size_t end = rest.find('\n');
    done = import.Take(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  CHECK(done.has_value(), "{}", done.error().ToString());
  const auto report = import.Finish();
  CHECK(report.has_value() && (*log)->Finish().has_value());
  CHECK(report->imported == tail.hash);
  fmt::print("import                  {:>9.0f} events/s\n",
             static_cast<double>(counts.events) / SecondsSince(start));
}

int Main(const Settings& settings) {
  const bench::Folder folder(settings.data);
  uv_loop_t loop;
  uv_loop_init(&loop);
  auto store = eventstore::OpenRocksDbStore(folder.path() + "/data");
  CHECK(store.has_value(), "{}", store.error().ToString());
  {
    Load load(&loop, **store);
    load.Open();
    load.Run(settings.instances, kAtOnce);
    load.Close();
  }
  const auto lines = [] { return std::make_unique<replay::JsonLines>(true); };
  const auto nowhere = [](std::string_view) -> Status { return {}; };
  const Position end = (*store)->NextPosition(kShard);
  const unsigned cores = std::max(std::thread::hardware_concurrency(), 1u);
  const auto peak = [] { return bench::MostResidentBytes() >> 20; };
  const int64_t before = peak();
  Export(**store, lines, cores, Position(end.value / 4), nowhere);
  const int64_t quarter = peak();
  const uint64_t events = Export(**store, lines, cores, end, nowhere).events;
  fmt::print("log: {} events of {} records\n", events, end.value - 1);
  fmt::print(
      "memory: {} MiB at most before, {} behind an export of a quarter, {} behind one of all\n",
      before, quarter, peak());
  MeasureExport(**store, "jsonl", lines, 1);
  MeasureExport(**store, "jsonl", lines, cores);
  MeasureExport(
      **store, "cloudevents", [] { return std::make_unique<replay::CloudEvents>("/stele"); },
      cores);
  MeasureTraces(**store);
  MeasureByInstance(**store, settings.instances);
  MeasureImport(**store, folder.path() + "/imported");
  store->reset();
  uv_loop_close(&loop);
  return 0;
}

}  // namespace
}  // namespace stele

int main(int argc, char** argv) {
  stele::Settings settings;
  stele::bench::ReadArguments(argc, argv, "[--instances N] [--data DIR]",
                              {{"--instances", stele::bench::Into(settings.instances)},
                               {"--data", stele::bench::Into(settings.data)}});
  return stele::Main(settings);
}
