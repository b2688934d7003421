// A million timers: set in any order, taken in theirs.
#include <benchmark/benchmark.h>
#include <uv.h>

#include <memory>

#include "base/check.h"
#include "base/clock.h"
#include "engine/runtime/timer_queue.h"

namespace stele {
namespace {

void SetAndTake(benchmark::State& state) {
  const int64_t count = state.range(0);
  uv_loop_t loop;
  uv_loop_init(&loop);
  for (auto _ : state) {
    // Making and unmaking the queue is not what is measured.
    state.PauseTiming();
    ManualClock clock(TimeUs(1));
    auto timers_made = std::make_unique<runtime::TimerQueue>(&loop, clock, [] {});
    runtime::TimerQueue& timers = *timers_made;
    state.ResumeTiming();
    for (int64_t i = 0; i < count; ++i)
      timers.Add(TimeUs(1 + i * 2654435761 % 3'600'000'000),
                 InstanceId(static_cast<uint64_t>(i + 1)));
    clock.Advance(3'600'000'000);
    int64_t taken = 0;
    while (timers.TakeDue(clock.Now())) ++taken;
    CHECK(taken == count, "{} of {}", taken, count);
    state.PauseTiming();
    timers_made.reset();
    state.ResumeTiming();
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(SetAndTake)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace stele
