// The views: how fast all of them are built from a log, how soon a live write is seen in them.
//
//     views_bench [--instances N] [--rate INSTANCES] [--seconds S] [--data DIR]
//
// One building is one thread; RocksDB flushes and compacts on threads of its own. What is read was
// written a moment before, so that it comes from the page cache.
#include <atomic>
#include <filesystem>
#include <thread>

#include "base/clock.h"
#include "bench/measuring.h"
#include "bench/ten_step_load.h"
#include "eventstore/rocksdb_store.h"
#include "projections/all_views.h"
#include "projections/projector.h"

namespace stele {
namespace {

using bench::CpuSeconds;
using bench::Load;
using bench::Median;
using bench::SecondsSince;
using bench::Steady;

constexpr uint64_t kAtOnce = 1'000;
constexpr int64_t kPatienceUs = 600'000'000;
constexpr int64_t kTickUs = 100'000;  // how long the end of the load may go unseen

struct Settings {
  uint64_t instances = 100'000;
  uint64_t rate = 20'000;  // the highest of those that are tried
  uint64_t seconds = 3;    // of each
  std::string data = ".";  // where a folder is made and removed
};

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

// When the views came to which position.
struct Sighting {
  Position position;
  int64_t at_us = 0;
};

Position SeenInAll(const projections::Projector& projector) {
  return std::ranges::min(projector.States(), {}, &projections::ViewState::position).position;
}

// Watches until `stop`, and on until the views are at the end of the log.
std::vector<Sighting> Watch(const eventstore::EventStore& store, projections::Projector& projector,
                            const std::atomic<bool>& stop) {
  std::vector<Sighting> sightings{{SeenInAll(projector), NowUs()}};
  for (;;) {
    const Position seen = sightings.back().position;
    if (!store.WaitForRecords(ShardId(), seen.Next(), kTickUs, {})) {
      if (stop) return sightings;
      continue;
    }
    const Status waited = projector.WaitFor(seen.Next(), kPatienceUs);
    const int64_t now = NowUs();
    CHECK(waited.has_value(), "{}", waited.error().ToString());
    sightings.push_back({SeenInAll(projector), now});
  }
}

// Milliseconds of each record from the moment that it tells, which is before it is durable, to when
// all views had it. Sorted.
std::vector<double> Lags(const eventstore::EventStore& store,
                         const std::vector<Sighting>& sightings) {
  std::vector<double> lags;
  const auto cursor = store.Read(ShardId(), sightings.front().position.Next());
  CHECK(cursor.has_value(), "{}", cursor.error().ToString());
  auto sighting = sightings.begin();
  for (;;) {
    const auto record = (*cursor)->Next();
    CHECK(record.has_value(), "{}", record.error().ToString());
    if (!record->has_value()) break;
    while (sighting->position < (*record)->position) ++sighting;
    lags.push_back(static_cast<double>(sighting->at_us - (*record)->header.time.value) * 1e-3);
  }
  std::ranges::sort(lags);
  return lags;
}

// While `rate` instances are started each second, whatever became of those before. What is written
// faster than views follow is seen later and later: their full load is the highest rate with a
// steady figure.
void MeasureLag(uv_loop_t* loop, eventstore::EventStore& store, const std::string& path,
                uint64_t rate, uint64_t seconds) {
  std::filesystem::remove_all(path);
  auto projector = projections::Projector::Open(store, ShardId(), path, projections::AllViews());
  CHECK(projector.has_value(), "{}", projector.error().ToString());
  const Status built = (*projector)->CatchUp();
  CHECK(built.has_value(), "{}", built.error().ToString());
  (*projector)->Start();
  Load load(loop, store);
  load.Open();
  std::atomic<bool> stop = false;
  std::vector<Sighting> sightings;
  std::thread watcher([&] { sightings = Watch(store, **projector, stop); });
  const double ended = load.RunAtRate(rate * seconds, rate);
  load.Close();
  stop = true;
  watcher.join();
  (*projector)->Stop();
  const std::vector<double> lags = Lags(store, sightings);
  fmt::print(
      "{:<12} {:>9.0f} instances/s, {:.0f} records/s; seen after {:.2f} ms (median), {:.2f} ms "
      "(p99)\n",
      fmt::format("live, {}", rate), ended,
      ended / static_cast<double>(rate * seconds) * static_cast<double>(lags.size()), Median(lags),
      lags[lags.size() * 99 / 100]);
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
  for (uint64_t rate = settings.rate / 4; rate <= settings.rate; rate += settings.rate / 4)
    MeasureLag(&loop, **store, views, rate, settings.seconds);
  store->reset();
  uv_loop_close(&loop);
  return 0;
}

}  // namespace
}  // namespace stele

int main(int argc, char** argv) {
  stele::Settings settings;
  stele::bench::ReadArguments(argc, argv,
                              "[--instances N] [--rate INSTANCES] [--seconds S] [--data DIR]",
                              {{"--instances", stele::bench::Into(settings.instances)},
                               {"--rate", stele::bench::Into(settings.rate)},
                               {"--seconds", stele::bench::Into(settings.seconds)},
                               {"--data", stele::bench::Into(settings.data)}});
  return stele::Main(settings);
}
