#include "engine/embed/retainer.h"

#include "projections/all_views.h"

namespace stele::embed {

namespace {

// How often it looks at the clock.
constexpr uint64_t kTickMs = 1'000;

int64_t Micros(std::chrono::seconds seconds) {
  return std::chrono::microseconds(seconds).count();
}

retention::RetentionPolicy PolicyOf(const Retention& given) {
  return {.closed_us = Micros(given.closed),
          .archive_after_us = Micros(given.archive_after),
          .hot_log_bytes = given.hot_log_bytes,
          .every_us = Micros(given.every)};
}

}  // namespace

Retainer::Retainer(uv_loop_t* loop, runtime::Shard& shard, eventstore::EventStore& store,
                   Views& views, const Clock& clock, const Options& options, Problem problem)
    : service_(
          {.store = &store,
           .shard = ShardId(),
           .projector = &views.projector(),
           .views = projections::AllViews(),
           .clock = &clock,
           .policy = PolicyOf(options.retention),
           .asker = {options.actor, std::string(model::kProgramSource)},
           .problem = [problem = std::move(problem)](
                          const stele::Error& error) { problem("retention: " + error.ToString()); },
           .at_step = nullptr}) {
  uv_timer_init(loop, &timer_);
  timer_.data = this;
  const bool runs = options.retention.every.count() > 0;
  if (runs)
    uv_timer_start(
        &timer_, [](uv_timer_t* timer) { static_cast<Retainer*>(timer->data)->Tick(); }, kTickMs,
        kTickMs);
  service_.Start(&shard, runs);
}

void Retainer::CloseTimer() {
  uv_timer_stop(&timer_);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
}

}  // namespace stele::embed
