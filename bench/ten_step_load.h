// The workload of ten_steps.h, run by a shard on a store: some instances at once, until so many
// have ended. What else follows the log may be told of everything.
//
// Thread: the loop's.
#pragma once

#include <fmt/format.h>
#include <uv.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "base/check.h"
#include "bench/measuring.h"
#include "bench/ten_steps.h"
#include "engine/runtime/shard.h"
#include "engine/tasks/function_executor.h"
#include "engine/tasks/uv_handle.h"
#include "eventstore/event_store.h"

namespace stele::bench {

// Keeps a number of instances running until so many have ended.
class Load final : public runtime::Observer {
 public:
  // What a step comes to, as JSON.
  using MakeOutput = std::function<std::string(const tasks::TaskRequest&)>;

  // No two outputs are alike, as in life: the figures of stored bytes depend on it.
  static std::string SmallOutput(const tasks::TaskRequest& request) {
    const uint64_t number = (request.key.instance.value * 16 + request.key.run.value) * 2654435761u;
    return fmt::format(R"({{"ok":true,"n":{}}})", number);
  }

  Load(uv_loop_t* loop, eventstore::EventStore& store, MakeOutput output = SmallOutput)
      : loop_(loop), store_(store) {
    tasks_.Register("script", std::make_unique<tasks::FunctionExecutor>(
                                  [output = std::move(output)](const tasks::TaskRequest& request) {
                                    return tasks::TaskResult{Payload::FromText(output(request)),
                                                             {}};
                                  }));
  }

  void Open() {
    const runtime::ShardParts parts{loop_, &store_, &tasks_, &clock_, &secrets_, this};
    auto opened = runtime::Shard::Open(parts, {});
    CHECK(opened.has_value(), "{}", opened.error().ToString());
    shard_ = *std::move(opened);
  }

  // Instances a second, so many at once.
  double Run(uint64_t instances, uint64_t at_once) {
    Begin(instances);
    const auto start = Steady::now();
    for (uint64_t i = 0; i < std::min(at_once, instances); ++i) StartOne();
    uv_run(loop_, UV_RUN_DEFAULT);
    return static_cast<double>(instances) / SecondsSince(start);
  }

  // Instances a second that ended, while they were started `rate` a second, whatever became of
  // those before.
  double RunAtRate(uint64_t instances, uint64_t rate) {
    Begin(instances);
    tick_ = tasks::MakeTimer(loop_, this);  // the loop frees it when it has closed
    rate_ = static_cast<double>(rate);
    begun_ = Steady::now();
    uv_timer_start(tick_.get(), OnTick, 1, 1);
    uv_run(loop_, UV_RUN_DEFAULT);
    tick_.reset();
    return static_cast<double>(instances) / SecondsSince(begun_);
  }

  // From opening to the first command that is durable.
  double FirstCommand() {
    const auto start = Steady::now();
    Open();
    shard_->Start({.definition = DefinitionId(1)}, "bench", [this](const Result<Position>& answer) {
      CHECK(answer.has_value(), "{}", answer.error().ToString());
      uv_stop(loop_);
    });
    to_start_ = 0;
    to_end_ = UINT64_MAX;
    uv_run(loop_, UV_RUN_DEFAULT);
    return SecondsSince(start);
  }

  void Close() {
    bool stopped = false;
    shard_->Stop([&] { stopped = true; });
    while (!stopped) uv_run(loop_, UV_RUN_ONCE);
    shard_.reset();
    uv_run(loop_, UV_RUN_NOWAIT);
  }

 private:
  void OnEnded(const model::Instance& instance) override {
    CHECK(instance.status == model::Status::kCompleted, "instance {}: {}", instance.id.value,
          instance.failure.message);
    if (to_start_ > 0 && rate_ == 0) StartOne();
    if (--to_end_ == 0) uv_stop(loop_);
  }
  void OnFatal(const Error& error) override { CHECK(false, "{}", error.ToString()); }

  void Begin(uint64_t instances) {
    const auto definition = TenSteps();
    id_ = shard_->Register({definition::WriteCanonical(*definition), definition->name, "", ""},
                           "bench", [](const auto&) {});
    to_start_ = to_end_ = instances;
    started_ = 0;
    rate_ = 0;
  }

  void StartOne() {
    --to_start_;
    shard_->Start({.definition = id_, .input = input_}, "bench", nullptr);
  }

  static void OnTick(uv_timer_t* timer) {
    auto& self = *static_cast<Load*>(timer->data);
    const auto due = static_cast<uint64_t>(SecondsSince(self.begun_) * self.rate_);
    for (; self.started_ < due && self.to_start_ > 0; ++self.started_) self.StartOne();
  }

  uv_loop_t* loop_;
  eventstore::EventStore& store_;
  tasks::TaskRegistry tasks_;
  SystemClock clock_;
  secrets::EnvironmentSecrets secrets_;
  std::unique_ptr<runtime::Shard> shard_;
  Payload input_ = Payload::FromText(kInput);
  DefinitionId id_;
  uint64_t to_start_ = 0;
  uint64_t to_end_ = 0;
  double rate_ = 0;  // instances to start a second; 0: one for each that ends
  uint64_t started_ = 0;
  Steady::time_point begun_;
  tasks::UvHandle<uv_timer_t> tick_;
};

}  // namespace stele::bench
