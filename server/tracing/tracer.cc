#include "server/tracing/tracer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace stele::server::tracing {

Result<std::unique_ptr<Tracer>> Tracer::Start(const eventstore::EventStore& store, ShardId shard,
                                              TracerOptions options, Exporter::Tell tell) {
  std::unique_ptr<Tracer> tracer(new Tracer(store, shard, std::move(options), std::move(tell)));
  const Position last(store.NextPosition(shard).value - 1);
  tracer->looked_at_ = last.value;
  STELE_RETURN_IF_ERROR(tracer->maker_.Begin(last));
  auto cursor = store.Read(shard, last.Next());
  if (!cursor.has_value()) return std::unexpected(cursor.error());
  tracer->cursor_ = *std::move(cursor);
  tracer->thread_ = std::thread([raw = tracer.get()] { raw->Run(); });
  return tracer;
}

Tracer::Tracer(const eventstore::EventStore& store, ShardId shard, TracerOptions options,
               Exporter::Tell tell)
    : store_(store),
      shard_(shard),
      options_(std::move(options)),
      tell_(std::move(tell)),
      maker_(store, shard, options_.ratio, [this](Span span) { exporter_->Add(std::move(span)); }) {
  CHECK(uv_loop_init(&loop_) == 0);
  uv_async_init(&loop_, &stop_,
                [](uv_async_t* handle) { static_cast<Tracer*>(handle->data)->BeginStop(); });
  stop_.data = this;
}

Tracer::~Tracer() {
  if (thread_.joinable()) Stop(0);
  // Of one that was never started.
  if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&stop_)) == 0)
    uv_close(reinterpret_cast<uv_handle_t*>(&stop_), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop_) == 0);
}

void Tracer::Stop(int64_t patience_us) {
  if (!thread_.joinable()) return;
  patience_us_ = std::max<int64_t>(patience_us, 0);
  uv_async_send(&stop_);
  thread_.join();
}

TracingFigures Tracer::figures() const {
  const uint64_t last = store_.NextPosition(shard_).value - 1;
  const uint64_t looked_at = looked_at_.load(std::memory_order_relaxed);
  return {.exported = figures_.exported.load(std::memory_order_relaxed),
          .dropped = figures_.dropped.load(std::memory_order_relaxed),
          .failed_requests = figures_.failed_requests.load(std::memory_order_relaxed),
          .queued = figures_.queued.load(std::memory_order_relaxed),
          .lag_records = last > looked_at ? last - looked_at : 0};
}

void Tracer::Run() {
  exporter_ = std::make_unique<Exporter>(&loop_, options_.exporting, figures_, tell_);
  timer_ = tasks::MakeTimer(&loop_, this);
  LookSoon(0);
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void Tracer::LookSoon(int64_t after_us) {
  uv_timer_start(
      timer_.get(),
      [](uv_timer_t* timer) {
        if (timer->data != nullptr) static_cast<Tracer*>(timer->data)->Look();
      },
      tasks::ToTimerMs(after_us), 0);
}

void Tracer::Look() {
  const bool goes_on = Follow();
  exporter_->Pump();
  if (end_by_ms_ == 0) return LookSoon(goes_on ? 0 : options_.look_every_us);
  if (!MayEnd()) return LookSoon(goes_on ? 0 : std::min<int64_t>(options_.look_every_us, 10'000));
  exporter_->DropAll();
  // The loop ends when the handles have closed.
  exporter_.reset();
  timer_.reset();
  uv_close(reinterpret_cast<uv_handle_t*>(&stop_), nullptr);
}

bool Tracer::Follow() {
  // While it takes spans, a collector that is slow is waited for: what is not read yet costs
  // nothing.
  const auto has_room = [&] {
    return exporter_->room() >= kSpansOfARecord || exporter_->failing();
  };
  for (size_t taken = 0; taken < kRecordsAtOnce; ++taken) {
    if (broken_ || !has_room()) return false;
    const Result<bool> more = TakeNext();
    if (!more.has_value()) {
      broken_ = true;
      tell_(fmt::format("traces end here, because the log cannot be followed: {}",
                        more.error().ToString()));
    }
    if (!more.value_or(false)) {
      maker_.Trim();
      return false;
    }
  }
  maker_.Trim();
  return true;
}

Result<bool> Tracer::TakeNext() {
  const auto record = cursor_->Next();
  if (!record.has_value()) return std::unexpected(record.error());
  looked_at_.store(cursor_->Passed().value, std::memory_order_relaxed);
  if (!record->has_value()) return false;
  STELE_RETURN_IF_ERROR(maker_.Take(**record));
  return true;
}

void Tracer::BeginStop() {
  const int64_t patience_ms = patience_us_.load() / 1'000;
  end_by_ms_ = std::max<uint64_t>(uv_now(&loop_) + static_cast<uint64_t>(patience_ms), 1);
  LookSoon(0);
}

bool Tracer::MayEnd() const {
  const uint64_t last = store_.NextPosition(shard_).value - 1;
  const bool all_read = broken_ || looked_at_.load(std::memory_order_relaxed) >= last;
  return uv_now(&loop_) >= end_by_ms_ || (all_read && exporter_->idle());
}

}  // namespace stele::server::tracing
