// Disk use of an engine under steady load with retention: flat, but for the hashes of what was cut
// out. STELE_STEADY_ROUNDS and STELE_STEADY_INSTANCES make it a long run, by hand; it prints what
// it finds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "engine/definition/canonical.h"
#include "engine/definition/load.h"
#include "engine/retention/service.h"
#include "engine/tasks/function_executor.h"
#include "eventstore/rocksdb_store.h"
#include "projections/all_views.h"
#include "tests/engine/retention/driven_clock.h"
#include "tests/eventstore/records.h"

namespace stele::retention {
namespace {

constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
constexpr ShardId kShard{0};

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

uint64_t BytesUnder(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code gone;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, gone))
    if (entry.is_regular_file(gone)) bytes += entry.file_size(gone);
  return bytes;
}

// A shard, its views and its retention over a store on the disk.
class SteadyEngine final : public runtime::Observer {
 public:
  explicit SteadyEngine(std::string directory) : directory_(std::move(directory)) {
    uv_loop_init(&loop_);
    tasks_.Register(
        "script", std::make_unique<tasks::FunctionExecutor>([](const tasks::TaskRequest& request) {
          const uint64_t number = request.key.instance.value * 2654435761u;
          return tasks::TaskResult{Payload::FromText(fmt::format(R"({{"of":{},"is":{}}})",
                                                                 request.key.run.value, number)),
                                   {}};
        }));
    eventstore::RocksDbOptions options;
    options.archive_segment_bytes = 1u << 20;
    auto store = eventstore::OpenRocksDbStore(directory_, options);
    if (!store.has_value()) std::abort();
    store_ = *std::move(store);
    auto shard =
        runtime::Shard::Open({&loop_, store_.get(), &tasks_, &clock_, &secrets_, this}, {});
    if (!shard.has_value()) std::abort();
    shard_ = *std::move(shard);
    auto views = projections::Projector::Open(*store_, kShard, directory_ + "/views",
                                              projections::AllViews());
    if (!views.has_value()) std::abort();
    views_ = *std::move(views);
    views_->Start();
    service_ = std::make_unique<RetentionService>(
        RetentionParts{.store = store_.get(),
                       .shard = kShard,
                       .projector = views_.get(),
                       .views = projections::AllViews(),
                       .clock = &clock_,
                       .policy = {.closed_us = 3 * kDayUs, .archive_after_us = kDayUs},
                       .actor = "tester",
                       .problem = nullptr,
                       .at_step = nullptr});
    service_->Start(shard_.get(), /*runs=*/false);
  }
  ~SteadyEngine() override {
    service_->Stop();
    views_->Stop();
    bool stopped = false;
    shard_->Stop([&] { stopped = true; });
    while (!stopped) uv_run(&loop_, UV_RUN_ONCE);
    service_.reset();
    shard_.reset();
    views_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  void Register() {
    auto loaded = definition::Load(R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a]}
  - {id: c, type: script, depends_on: [b]}
)",
                                   definition::Syntax::kYaml, "test");
    ASSERT_TRUE(loaded.has_value());
    flow_ = shard_->Register({definition::WriteCanonical(**loaded), "flow", "", ""}, "tester",
                             [](const auto&) {});
  }
  // A day in which so many instances run.
  void Day(uint64_t instances) {
    open_ = instances;
    for (uint64_t i = 0; i < instances; ++i)
      shard_->Start({.definition = flow_, .input = Payload::FromText(R"({"some":"input"})")},
                    "tester", nullptr);
    while (open_ > 0 && !fatal_) uv_run(&loop_, UV_RUN_ONCE);
    ASSERT_FALSE(fatal_);
    clock_.Advance(kDayUs);
  }
  RetentionReport Retain() {
    std::atomic<bool> done = false;
    Result<RetentionReport> report;
    service_->Do([&](RetentionService& service) {
      report = service.Run(/*dry=*/false);
      if (report.has_value())
        if (const Status compacted = views_->Compact(); !compacted.has_value())
          report = std::unexpected(compacted.error());
      done = true;
      shard_->Post([] {});
    });
    while (!done) uv_run(&loop_, UV_RUN_ONCE);
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return report.value_or(RetentionReport());
  }
  eventstore::EventStore& store() { return *store_; }
  projections::Projector& views() { return *views_; }

 private:
  void OnEnded(const model::Instance&) override { --open_; }
  void OnFatal(const Error&) override { fatal_ = true; }

  const std::string directory_;
  uv_loop_t loop_;
  tasks::TaskRegistry tasks_;
  DrivenClock clock_;
  secrets::EnvironmentSecrets secrets_;
  std::unique_ptr<eventstore::EventStore> store_;
  std::unique_ptr<runtime::Shard> shard_;
  std::unique_ptr<projections::Projector> views_;
  std::unique_ptr<RetentionService> service_;
  DefinitionId flow_;
  uint64_t open_ = 0;
  bool fatal_ = false;
};

TEST(SteadyLoad, KeepsTheDiskFlatButForHashes) {
  const uint64_t rounds = FromEnvironment("STELE_STEADY_ROUNDS", 12);
  const uint64_t instances = FromEnvironment("STELE_STEADY_INSTANCES", 50);
  // The first days fill what is kept.
  constexpr uint64_t kFilling = 6;
  ASSERT_GT(rounds, kFilling);
  eventstore::TempDir directory;
  SteadyEngine engine(directory.path());
  engine.Register();
  uint64_t purged = 0, cut = 0, cut_before = 0;
  int64_t filled = 0, last = 0;
  for (uint64_t round = 1; round <= rounds; ++round) {
    engine.Day(instances);
    const RetentionReport report = engine.Retain();
    purged += report.instances;
    cut += report.records;
    last = static_cast<int64_t>(BytesUnder(directory.path() + "/archive") +
                                engine.store().Stats().log_bytes);
    if (round == kFilling) {
      filled = last;
      cut_before = cut;
    }
    fmt::print(
        "day {}: {} instances purged, {} records cut out in all; log and archive {} KiB, "
        "all files {} KiB\n",
        round, purged, cut, last / 1024, BytesUnder(directory.path()) / 1024);
  }
  EXPECT_EQ(purged, (rounds - 3) * instances);
  ASSERT_TRUE(engine.store().VerifyChain(kShard).has_value());
  for (const projections::ViewState& state : engine.views().States()) {
    const auto compared = engine.views().Verify(state.name);
    ASSERT_TRUE(compared.has_value()) << state.name;
    EXPECT_EQ(compared->differing, 0u) << state.name;
  }
  // A hash has 32 bytes, its frame and block a little more; the record of each purge some KiB.
  const auto hashes = static_cast<int64_t>((cut - cut_before) * 48);
  const auto records = static_cast<int64_t>((rounds - kFilling) * 16 * 1024);
  EXPECT_LT(last, filled + hashes + records);
}

}  // namespace
}  // namespace stele::retention
