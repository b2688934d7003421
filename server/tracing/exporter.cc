#include "server/tracing/exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "server/http/gzip.h"

namespace stele::server::tracing {

namespace {

constexpr int kGzipLevel = 1;

// https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
bool MayTryAgain(int64_t status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

// Seconds that the collector asks for; 0: it does not, or as a date.
int64_t RetryAfterUs(const tasks::HttpClient::Response& response) {
  for (const auto& [name, value] : response.headers) {
    if (name != "retry-after") continue;
    int64_t seconds = 0;
    const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    const bool fits = fault == std::errc() && end == value.data() + value.size() && seconds > 0;
    return fits ? std::min(seconds, kMaxRetryAfterUs / 1'000'000) * 1'000'000 : 0;
  }
  return 0;
}

}  // namespace

Exporter::Exporter(uv_loop_t* loop, ExportOptions options, ExportFigures& figures, Tell tell)
    : loop_(loop),
      options_(std::move(options)),
      figures_(figures),
      tell_(std::move(tell)),
      client_(loop),
      timer_(tasks::MakeTimer(loop, this)) {}

void Exporter::Add(Span span) {
  if (full()) {
    queue_.pop_front();
    figures_.dropped.fetch_add(1, std::memory_order_relaxed);
  }
  queue_.push_back(std::move(span));
  CountQueued();
}

void Exporter::Pump() {
  if (waiting_ || queue_.empty()) return;
  const size_t count = std::min(queue_.size(), kMaxBatchSpans);
  const auto end = queue_.begin() + static_cast<ptrdiff_t>(count);
  batch_.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  batch_since_ms_ = uv_now(loop_);
  Send();
}

void Exporter::Send() {
  waiting_ = true;
  tasks::HttpClient::Request request;
  request.method = "POST";
  request.url = options_.url;
  request.headers = options_.headers;
  request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back("User-Agent", "stele/" + options_.version);
  std::string body = ToOtlpJson(batch_, options_.resource, options_.version);
  if (options_.gzip) {
    body = http::Gzip(body, kGzipLevel);
    request.headers.emplace_back("Content-Encoding", "gzip");
  }
  request.body = std::move(body);
  request.timeout_us = kRequestTimeoutUs;
  request.follow_redirects = false;
  request.ca_file = options_.ca_file;
  request.max_response_bytes = kMaxAnswerBytes;
  client_.Send(std::move(request), [this](Answer answer) { Answered(answer); });
}

void Exporter::Answered(const Answer& answer) {
  waiting_ = false;
  if (answer.has_value() && answer->status >= 200 && answer->status < 300) return Taken(*answer);
  figures_.failed_requests.fetch_add(1, std::memory_order_relaxed);
  const bool may =
      answer.has_value() ? MayTryAgain(answer->status) : answer.error().kind != "config";
  if (may &&
      (uv_now(loop_) - batch_since_ms_) * 1'000 < static_cast<uint64_t>(options_.max_retry_us))
    return Again(answer);
  Drop(answer.has_value() ? fmt::format("it answers with {}", answer->status)
                          : answer.error().message);
}

void Exporter::Taken(const tasks::HttpClient::Response& response) {
  const uint64_t rejected = std::min<uint64_t>(RejectedSpans(response.body), batch_.size());
  figures_.exported.fetch_add(batch_.size() - rejected, std::memory_order_relaxed);
  figures_.dropped.fetch_add(rejected, std::memory_order_relaxed);
  batch_.clear();
  failures_ = 0;
  if (std::exchange(told_, false)) tell_("the collector of traces takes spans again");
  CountQueued();
  Pump();
}

void Exporter::Again(const Answer& answer) {
  const int64_t wait_us = WaitAfter(answer);
  ++failures_;
  waiting_ = true;
  if (!std::exchange(told_, true))
    tell_(fmt::format("the collector of traces does not take spans: {}; they are kept, up to {}",
                      answer.has_value() ? fmt::format("it answers with {}", answer->status)
                                         : answer.error().message,
                      options_.max_queued));
  uv_timer_start(
      timer_.get(),
      [](uv_timer_t* timer) {
        if (timer->data != nullptr) static_cast<Exporter*>(timer->data)->Send();
      },
      tasks::ToTimerMs(wait_us), 0);
}

int64_t Exporter::WaitAfter(const Answer& answer) const {
  if (answer.has_value())
    if (const int64_t asked = RetryAfterUs(*answer); asked > 0) return asked;
  const uint32_t doublings = std::min(failures_, 10U);
  const int64_t most = std::min(options_.first_backoff_us << doublings, kMaxBackoffUs);
  // Between three quarters of it and all, as the batch has it: servers that were turned away
  // together do not come back together.
  return most - most / 4 * static_cast<int64_t>(batch_.front().id.value % 256) / 256;
}

void Exporter::Drop(std::string_view why) {
  if (!std::exchange(told_, true))
    tell_(fmt::format("the collector of traces does not take spans: {}; they are dropped", why));
  figures_.dropped.fetch_add(batch_.size(), std::memory_order_relaxed);
  batch_.clear();
  failures_ = 0;
  CountQueued();
}

void Exporter::DropAll() {
  figures_.dropped.fetch_add(queue_.size() + batch_.size(), std::memory_order_relaxed);
  queue_.clear();
  batch_.clear();
  waiting_ = true;  // nothing is sent any more
  CountQueued();
}

void Exporter::CountQueued() {
  figures_.queued.store(queue_.size() + batch_.size(), std::memory_order_relaxed);
}

}  // namespace stele::server::tracing
