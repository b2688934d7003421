// What waits: memory of instances that wait for a message, a signal, a person or a timer and have
// left memory; timers through a shard; a parallel for-each over very many items.
//
//     waiting_bench [--kind message|signal|person|timer|timers|each] [--count N] [--data DIR]
//
// One kind in one process, because memory is measured over the whole process.
#include <fmt/format.h>
#include <unistd.h>
#include <uv.h>

#include <fstream>
#include <set>

#include "base/check.h"
#include "bench/measuring.h"
#include "engine/definition/canonical.h"
#include "engine/definition/load.h"
#include "engine/runtime/shard.h"
#include "engine/tasks/function_executor.h"
#include "eventstore/rocksdb_store.h"

namespace stele {
namespace {

using bench::SecondsSince;
using bench::Steady;

constexpr uint64_t kAtOnce = 4'096;
constexpr int64_t kHourUs = 3'600'000'000;

// Bytes of memory that the process has now.
int64_t Resident() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

struct Settings {
  std::string kind = "message";
  uint64_t count = 1'000'000;
  std::string data = ".";  // where a folder is made and removed
};

const char* DefinitionOf(std::string_view kind) {
  if (kind == "message")
    return "{id: w, type: message, config: {action: wait, name: paid, key: '{{execution.id}}'}}";
  if (kind == "signal") return "{id: w, type: signal, config: {name: go}}";
  if (kind == "person") return "{id: w, type: approval, config: {assignees: [ada]}}";
  if (kind == "timer" || kind == "timers") return "{id: w, type: delay, config: {duration: 1h}}";
  return "{id: w, type: loop, items: '{{input.items}}', max_concurrent: 64,\n"
         "     max_iterations: 1000000,\n"
         "     steps: [{id: work, type: script, config: {script: x}}]}";
}

class World final : public runtime::Observer {
 public:
  World(const Settings& settings, runtime::ShardOptions options) : folder_(settings.data) {
    uv_loop_init(&loop_);
    auto store = eventstore::OpenRocksDbStore(folder_.path(), {});
    CHECK(store.has_value(), "{}", store.error().ToString());
    store_ = *std::move(store);
    tasks_.Register("script", std::make_unique<tasks::FunctionExecutor>(
                                  tasks::Always(Payload::FromText(R"({"ok":true})"))));
    auto shard =
        runtime::Shard::Open({&loop_, store_.get(), &tasks_, &clock_, &secrets_, this}, options);
    CHECK(shard.has_value(), "{}", shard.error().ToString());
    shard_ = *std::move(shard);
    const std::string text =
        std::string("version: \"1.0\"\nname: w\nsteps:\n  - ") + DefinitionOf(settings.kind) + "\n";
    definition::LoadResult loaded =
        definition::Load(text, definition::Syntax::kYaml, settings.kind);
    CHECK(loaded.has_value(), "{}", loaded.error().front().message);
    definition_ = shard_->Register({definition::WriteCanonical(**loaded), "w", "", ""}, "bench",
                                   [](const auto&) {});
  }
  ~World() override {
    bool stopped = false;
    shard_->Stop([&] { stopped = true; });
    while (!stopped) uv_run(&loop_, UV_RUN_ONCE);
    shard_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    store_.reset();
  }

  void StartAll(uint64_t count, const Payload& input) {
    uint64_t begun = 0, durable = 0;
    while (durable < count) {
      for (; begun < count && begun - durable < kAtOnce; ++begun)
        shard_->Start({.definition = definition_, .input = input}, "bench",
                      [&](const Result<Position>& answer) {
                        CHECK(answer.has_value(), "{}", answer.error().ToString());
                        ++durable;
                      });
      uv_run(&loop_, UV_RUN_ONCE);
    }
    for (int i = 0; i < 100; ++i) uv_run(&loop_, UV_RUN_NOWAIT);
  }
  void RunUntilEnded(uint64_t count) {
    while (ended_ < count) uv_run(&loop_, UV_RUN_ONCE);
  }
  runtime::Shard& shard() { return *shard_; }
  ManualClock& clock() { return clock_; }
  size_t largest_record() const { return largest_record_; }
  void WantRecords() { wants_records_ = true; }

 private:
  bool wants_records() const override { return wants_records_; }
  void OnRecord(InstanceId, std::span<const model::Event> events,
                const model::RecordContext&) override {
    largest_record_ = std::max(largest_record_, events.size());
  }
  void OnEnded(const model::Instance& instance) override {
    CHECK(instance.status == model::Status::kCompleted, "instance {}: {}", instance.id.value,
          instance.failure.message);
    ++ended_;
  }
  void OnFatal(const Error& error) override { CHECK(false, "{}", error.ToString()); }

  const bench::Folder folder_;
  uv_loop_t loop_;
  std::unique_ptr<eventstore::EventStore> store_;
  tasks::TaskRegistry tasks_;
  ManualClock clock_{TimeUs(1'700'000'000'000'000)};
  secrets::EnvironmentSecrets secrets_;
  std::unique_ptr<runtime::Shard> shard_;
  DefinitionId definition_;
  uint64_t ended_ = 0;
  size_t largest_record_ = 0;
  bool wants_records_ = false;
};

// Instances that leave memory as soon as they wait.
void MeasureMemory(const Settings& settings) {
  World world(settings, {.idle_memory_bytes = 1u << 20});
  world.StartAll(kAtOnce, Payload());
  const int64_t before = Resident();
  const auto start = Steady::now();
  world.StartAll(settings.count, Payload());
  const double seconds = SecondsSince(start);
  const int64_t after = Resident();
  fmt::print("{:<8} {} wait, {} in memory: {:.0f} bytes each (process {} MiB), {:.0f} started/s\n",
             settings.kind, settings.count, world.shard().live_instances(),
             static_cast<double>(after - before) / static_cast<double>(settings.count), after >> 20,
             static_cast<double>(settings.count) / seconds);
  if (settings.kind != "timer") return;
  const auto due = Steady::now();
  world.clock().Advance(kHourUs);
  world.shard().ElapseTimers();
  world.RunUntilEnded(settings.count + kAtOnce);
  fmt::print("{:<8} fired from disk at {:.0f}/s, at most {} MiB\n", settings.kind,
             static_cast<double>(settings.count + kAtOnce) / SecondsSince(due),
             bench::MostResidentBytes() >> 20);
}

// Timers of instances that stay in memory.
void MeasureTimers(const Settings& settings) {
  World world(settings, {.idle_memory_bytes = size_t{64} << 30});
  const auto start = Steady::now();
  world.StartAll(settings.count, Payload());
  const double set = static_cast<double>(settings.count) / SecondsSince(start);
  const auto due = Steady::now();
  world.clock().Advance(kHourUs);
  world.shard().ElapseTimers();
  world.RunUntilEnded(settings.count);
  fmt::print("timers   {} set with their instances at {:.0f}/s, fired at {:.0f}/s, durable\n",
             settings.count, set, static_cast<double>(settings.count) / SecondsSince(due));
}

// One instance whose loop goes over all items, 64 at once.
void MeasureEach(const Settings& settings) {
  World world(settings, {});
  world.WantRecords();
  Array items;
  for (uint64_t i = 0; i < settings.count; ++i)
    items.push_back(Value(Object{{"number", Value(static_cast<int64_t>(i))}}));
  const Payload input = Payload::FromValue(Object{{"items", Value(std::move(items))}});
  const int64_t before = Resident();
  const auto start = Steady::now();
  world.StartAll(1, input);
  world.RunUntilEnded(1);
  fmt::print(
      "each     {} items of {} bytes, 64 at once: {:.2f} s, {} MiB more at most, largest "
      "record {} events\n",
      settings.count, input.text().size(), SecondsSince(start),
      (bench::MostResidentBytes() - before) >> 20, world.largest_record());
}

}  // namespace
}  // namespace stele

int main(int argc, char** argv) {
  stele::Settings settings;
  const std::set<std::string> kinds = {"message", "signal", "person", "timer", "timers", "each"};
  stele::bench::ReadArguments(
      argc, argv, "[--kind message|signal|person|timer|timers|each] [--count N] [--data DIR]",
      {{"--kind",
        [&](const std::string& kind) {
          settings.kind = kind;
          return kinds.contains(kind);
        }},
       {"--count", stele::bench::Into(settings.count)},
       {"--data", stele::bench::Into(settings.data)}});
  if (settings.kind == "timers") {
    stele::MeasureTimers(settings);
  } else if (settings.kind == "each") {
    stele::MeasureEach(settings);
  } else {
    stele::MeasureMemory(settings);
  }
}
