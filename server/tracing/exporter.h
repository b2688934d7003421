// Sends spans to a collector, in batches, one request at a time: OTLP/HTTP with JSON.
//
//     Add ──► queue ──► batch ──► POST ──► taken
//              │                   ├─► 429, 502, 503, 504, no connection: again later, or dropped
//              └─► full: dropped   └─► anything else: dropped
//
// Thread: its loop's; the figures any.
#pragma once

#include <uv.h>

#include <atomic>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/tasks/curl_multi.h"
#include "server/tracing/limits.h"
#include "server/tracing/otlp_json.h"

namespace stele::server::tracing {

struct ExportOptions {
  std::string url;  // with its path: http://127.0.0.1:4318/v1/traces
  std::vector<std::pair<std::string, std::string>> headers;
  std::string ca_file;  // empty: the system's
  bool gzip = true;
  Resource resource;
  std::string version;  // of this program
  // Times, for tests that do not wait.
  int64_t first_backoff_us = kFirstBackoffUs;
  int64_t max_retry_us = kMaxRetryUs;
  size_t max_queued = kMaxQueuedSpans;
};

// Since the start, but for `queued`.
struct ExportFigures {
  std::atomic<uint64_t> exported = 0;
  std::atomic<uint64_t> dropped = 0;
  std::atomic<uint64_t> failed_requests = 0;
  std::atomic<uint64_t> queued = 0;  // spans, those that are being sent included
};

class Exporter {
 public:
  // Told when a collector ceases to take what it is sent, and when it takes it again.
  using Tell = std::function<void(const std::string& sentence)>;

  // REQUIRES: loop and figures outlive it.
  Exporter(uv_loop_t* loop, ExportOptions options, ExportFigures& figures, Tell tell);
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // Never waits. Beyond the bound the oldest one goes.
  void Add(Span span);
  // Sends what there is, unless a request is under way or a wait is.
  void Pump();

  bool full() const { return queue_.size() >= options_.max_queued; }
  // Spans that fit before one goes.
  size_t room() const { return full() ? 0 : options_.max_queued - queue_.size(); }
  // The collector takes nothing now.
  bool failing() const { return failures_ > 0; }
  // Everything was sent or dropped.
  bool idle() const { return queue_.empty() && batch_.empty(); }
  // What is left is dropped.
  void DropAll();

 private:
  using Answer = std::expected<tasks::HttpClient::Response, tasks::TaskFailure>;

  void Send();
  void Answered(const Answer& answer);
  void Taken(const tasks::HttpClient::Response& response);
  void Again(const Answer& answer);
  void Drop(std::string_view why);
  int64_t WaitAfter(const Answer& answer) const;
  void CountQueued();

  uv_loop_t* const loop_;
  const ExportOptions options_;
  ExportFigures& figures_;
  const Tell tell_;
  tasks::HttpClient client_;
  tasks::UvHandle<uv_timer_t> timer_;
  std::deque<Span> queue_;
  std::vector<Span> batch_;  // under way
  bool waiting_ = false;     // for an answer, or until it is sent again
  uint32_t failures_ = 0;    // of the batch
  uint64_t batch_since_ms_ = 0;
  bool told_ = false;
};

}  // namespace stele::server::tracing
