// An engine over a store on the disk, with its views and its retention, under a load of instances
// of three steps. Its clock is the test's: a day is over when all that was begun in it has ended.
//
// Thread: one; it runs the loop.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <uv.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/definition/canonical.h"
#include "engine/definition/load.h"
#include "engine/model/payload_spans.h"
#include "engine/retention/service.h"
#include "engine/tasks/function_executor.h"
#include "eventstore/rocksdb_store.h"
#include "projections/all_views.h"
#include "tests/engine/retention/driven_clock.h"

namespace stele::retention {

struct SteadyOptions {
  std::string directory;
  int64_t days = 0;  // since the clock's first day
  // Told of each instance that has ended, durably. On the loop.
  std::function<void(InstanceId)> ended;
  // Told before and after whatever changes the disk in a purge or an archiving. On the service's
  // thread.
  std::function<void(std::string_view)> step;
  bool sealed = false;  // payloads are
};

inline constexpr int64_t kSteadyDayUs = int64_t{86'400} * 1'000'000;
inline constexpr ShardId kSteadyShard{0};

class SteadyEngine final : public runtime::Observer {
 public:
  explicit SteadyEngine(SteadyOptions options) : options_(std::move(options)) {
    uv_loop_init(&loop_);
    clock_.Advance(options_.days * kSteadyDayUs);
    tasks_.Register(
        "script", std::make_unique<tasks::FunctionExecutor>([](const tasks::TaskRequest& request) {
          const uint64_t number = request.key.instance.value * 2654435761u;
          return tasks::TaskResult{Payload::FromText(fmt::format(R"({{"of":{},"is":{}}})",
                                                                 request.key.run.value, number)),
                                   {}};
        }));
    eventstore::RocksDbOptions store_options;
    store_options.archive_segment_bytes = 1u << 20;
    store_options.on_archive_step = options_.step;
    if (options_.sealed) {
      store_options.master_key = eventstore::CipherKey(std::string(eventstore::kKeyBytes, 'k'));
      store_options.payloads = std::make_shared<model::RecordPayloads>();
    }
    auto store = eventstore::OpenRocksDbStore(options_.directory, store_options);
    if (!store.has_value()) std::abort();
    store_ = *std::move(store);
    auto shard =
        runtime::Shard::Open({&loop_, store_.get(), &tasks_, &clock_, &secrets_, this}, {});
    if (!shard.has_value()) std::abort();
    shard_ = *std::move(shard);
    auto views = projections::Projector::Open(*store_, kSteadyShard, options_.directory + "/views",
                                              projections::AllViews());
    if (!views.has_value()) std::abort();
    views_ = *std::move(views);
    views_->Start();
    service_ = std::make_unique<RetentionService>(
        RetentionParts{.store = store_.get(),
                       .shard = kSteadyShard,
                       .projector = views_.get(),
                       .views = projections::AllViews(),
                       .clock = &clock_,
                       .policy = {.closed_us = 3 * kSteadyDayUs, .archive_after_us = kSteadyDayUs},
                       .asker = {.actor = "tester", .source = {}},
                       .problem = nullptr,
                       .at_step = [this](std::string_view step) -> Status {
                         if (options_.step) options_.step(step);
                         return {};
                       }});
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
    clock_.Advance(kSteadyDayUs);
  }
  RetentionReport Retain() {
    BeginRetaining();
    return AwaitRetained();
  }
  // The two halves, for a load meanwhile.
  void BeginRetaining() {
    retained_ = false;
    service_->Do([this](RetentionService& service) {
      report_ = service.Run(/*dry=*/false);
      if (report_.has_value())
        if (const Status compacted = views_->Compact(); !compacted.has_value())
          report_ = std::unexpected(compacted.error());
      retained_ = true;
      shard_->Post([] {});
    });
  }
  RetentionReport AwaitRetained() {
    while (!retained_) uv_run(&loop_, UV_RUN_ONCE);
    EXPECT_TRUE(report_.has_value()) << report_.error().message;
    return report_.value_or(RetentionReport());
  }
  void Erase(InstanceId id) {
    retained_ = false;
    service_->Do([this, id](RetentionService& service) {
      const auto erased = service.Erase({id}, "", "asked for");
      EXPECT_TRUE(erased.has_value()) << erased.error().message;
      retained_ = true;
      shard_->Post([] {});
    });
    while (!retained_) uv_run(&loop_, UV_RUN_ONCE);
  }
  // What an earlier process left undone is done when it returns.
  void AwaitFinished() {
    std::atomic<bool> done = false;
    service_->Do([&](RetentionService&) {
      done = true;
      shard_->Post([] {});
    });
    while (!done) uv_run(&loop_, UV_RUN_ONCE);
  }
  // With what an earlier process left open.
  void GoOn() { shard_->Resume("tester"); }
  void RunReady() { uv_run(&loop_, UV_RUN_NOWAIT); }
  eventstore::EventStore& store() { return *store_; }
  projections::Projector& views() { return *views_; }

 private:
  void OnEnded(const model::Instance& instance) override {
    if (open_ > 0) --open_;
    if (options_.ended) options_.ended(instance.id);
  }
  void OnFatal(const Error&) override { fatal_ = true; }

  const SteadyOptions options_;
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
  std::atomic<bool> retained_ = false;
  Result<RetentionReport> report_;
};

}  // namespace stele::retention
