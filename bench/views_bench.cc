// The views: how fast all of them are built from a log, how soon a live write is seen in them.
//
//     views_bench [--instances N] [--max-lag RECORDS] [--data DIR]
//
// One building is one thread; RocksDB flushes and compacts on threads of its own. What is read was
// written a moment before, so that it comes from the page cache.
#include <sys/resource.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/clock.h"
#include "bench/measuring.h"
#include "bench/ten_step_load.h"
#include "eventstore/rocksdb_store.h"
#include "projections/all_views.h"
#include "projections/pace.h"

namespace stele {
namespace {

using bench::Load;
using bench::Median;
using bench::SecondsSince;
using bench::Steady;

constexpr uint64_t kAtOnce = 1'000;
constexpr int64_t kPatienceUs = 10'000'000;
constexpr int64_t kTickUs = 100'000;  // how long the end of the load may go unseen

struct Settings {
  uint64_t instances = 100'000;
  uint64_t max_lag = 3'000;
  std::string data = ".";  // where a folder is made and removed
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Records a second of three buildings from nothing.
void MeasureBuilding(const eventstore::EventStore& store, const std::string& path,
                     std::string_view what, const std::vector<projections::MakeView>& views) {
  const double records = static_cast<double>(store.NextPosition(ShardId()).value - 1);
  std::vector<double> rates, cpu;
  for (int round = 0; round < 3; ++round) {
    std::filesystem::remove_all(path);
    auto projector = projections::Projector::Open(store, ShardId(), path, views);
    CHECK(projector.has_value(), "{}", projector.error().ToString());
    const double cpu_before = CpuSeconds();
    const auto start = Steady::now();
    const Status built = (*projector)->CatchUp();
    CHECK(built.has_value(), "{}", built.error().ToString());
    rates.push_back(records / SecondsSince(start));
    cpu.push_back((CpuSeconds() - cpu_before) / records * 1e6);
  }
  fmt::print("{:<12} built at {:>9.0f} records/s, {:.2f} µs of all cores a record\n", what,
             Median(rates), Median(cpu));
}

int64_t NowUs() {
  return SystemClock().Now().value;
}

TimeUs TimeOf(const eventstore::EventStore& store, Position position) {
  const auto cursor = store.Read(ShardId(), position);
  CHECK(cursor.has_value(), "{}", cursor.error().ToString());
  const auto record = (*cursor)->Next();
  CHECK(record.has_value() && record->has_value(), "no record {}", position.value);
  return (*record)->header.time;
}

// From the moment that a record tells, before it is durable, to when it is seen in all views, while
// the shard is under full load. `max_lag`: how many records the views may be behind before new
// instances wait; 0: any number.
void MeasureLag(uv_loop_t* loop, eventstore::EventStore& store, const std::string& path,
                uint64_t instances, uint64_t max_lag) {
  auto projector = projections::Projector::Open(store, ShardId(), path, projections::AllViews());
  CHECK(projector.has_value(), "{}", projector.error().ToString());
  const Status built = (*projector)->CatchUp();
  CHECK(built.has_value(), "{}", built.error().ToString());
  (*projector)->Start();
  const projections::Pace pace(**projector, max_lag);
  Load load(loop, store);
  load.set_may_start([&] { return pace.MayStart(); });
  load.Open();
  std::atomic<bool> stop = false;
  std::vector<double> lags;
  std::thread asker([&] {
    Position written(store.NextPosition(ShardId()).value - 1);
    while (!stop || lags.empty()) {  // at least one, however short the load
      if (!store.WaitForRecords(ShardId(), written, kTickUs)) continue;
      const Position end(store.NextPosition(ShardId()).value - 1);
      if (end <= std::exchange(written, end)) continue;
      const Status seen = (*projector)->WaitFor(written, kPatienceUs);
      const int64_t now = NowUs();
      CHECK(seen.has_value(), "{}", seen.error().ToString());
      lags.push_back(static_cast<double>(now - TimeOf(store, written).value) * 1e-3);
    }
  });
  const double rate = load.Run(instances, kAtOnce);
  stop = true;
  asker.join();
  load.Close();
  (*projector)->Stop();
  std::ranges::sort(lags);
  fmt::print(
      "{:<12} {:.0f} instances/s; a write is seen after {:.2f} ms (median), {:.2f} ms (p99) of "
      "{}\n",
      max_lag == 0 ? "live" : fmt::format("live, {}", max_lag), rate, Median(lags),
      lags[lags.size() * 99 / 100], lags.size());
}

int Main(const Settings& settings) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  const bench::Folder folder(settings.data);
  auto store = eventstore::OpenRocksDbStore(folder.path());
  CHECK(store.has_value(), "{}", store.error().ToString());
  {
    Load load(&loop, **store);
    load.Open();
    const double rate = load.Run(settings.instances, kAtOnce);
    load.Close();
    fmt::print("{:<12} {:.0f} instances/s without views, {} records\n", "log", rate,
               (*store)->NextPosition(ShardId()).value - 1);
  }
  const std::string views = folder.path() + "/views";
  MeasureBuilding(**store, views, "all views", projections::AllViews());
  for (const projections::MakeView& make : projections::AllViews())
    MeasureBuilding(**store, views, make()->name(), {make});
  for (const uint64_t max_lag : {settings.max_lag, uint64_t{0}}) {
    std::filesystem::remove_all(views);
    MeasureLag(&loop, **store, views, settings.instances, max_lag);
  }
  store->reset();
  uv_loop_close(&loop);
  return 0;
}

}  // namespace
}  // namespace stele

int main(int argc, char** argv) {
  stele::Settings settings;
  stele::bench::ReadArguments(argc, argv, "[--instances N] [--max-lag RECORDS] [--data DIR]",
                              {{"--instances", stele::bench::Into(settings.instances)},
                               {"--max-lag", stele::bench::Into(settings.max_lag)},
                               {"--data", [&](const std::string& data) {
                                  settings.data = data;
                                  return !data.empty();
                                }}});
  return stele::Main(settings);
}
