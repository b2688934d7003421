#include "server/tracing/exporter.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>

#include "server/http/gzip.h"
#include "tests/engine/tasks/http_server.h"

namespace stele::server::tracing {
namespace {

using tasks::HttpServer;
using testing::HasSubstr;
using testing::SizeIs;

Span Numbered(uint64_t number) {
  Span span;
  span.trace = {.high = 0, .low = 1};
  span.id = model::SpanId(number);
  span.name = "work";
  return span;
}

class Exporting : public testing::Test {
 protected:
  Exporting() {
    uv_loop_init(&loop_);
    uv_timer_init(&loop_, &glance_);
    uv_unref(reinterpret_cast<uv_handle_t*>(&glance_));
  }
  ~Exporting() override {
    exporter_.reset();
    uv_close(reinterpret_cast<uv_handle_t*>(&glance_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0) << "a handle was not let go of";
  }

  Exporter& Make(const std::string& url, std::function<void(ExportOptions&)> change = nullptr) {
    ExportOptions options{.url = url, .resource = {{"service.name", "stele"}}, .version = "1"};
    options.first_backoff_us = 1'000;
    if (change) change(options);
    exporter_.emplace(&loop_, std::move(options), figures_,
                      [this](const std::string& sentence) { told_.push_back(sentence); });
    return *exporter_;
  }
  void Until(const std::function<bool()>& done) {
    uv_timer_start(&glance_, [](uv_timer_t*) {}, 5, 5);
    while (!done()) uv_run(&loop_, UV_RUN_ONCE);
    uv_timer_stop(&glance_);
  }

  uv_loop_t loop_;
  uv_timer_t glance_;
  ExportFigures figures_;
  std::vector<std::string> told_;
  std::optional<Exporter> exporter_;
};

TEST_F(Exporting, SendsBatchesWithTheHeadersOfTheCollector) {
  HttpServer collector([](const HttpServer::Request&) { return HttpServer::Response{}; });
  Exporter& exporter = Make(collector.Url("/v1/traces"), [](ExportOptions& options) {
    options.headers = {{"X-Tenant", "seven"}};
  });
  for (uint64_t i = 1; i <= kMaxBatchSpans + 10; ++i) exporter.Add(Numbered(i));
  exporter.Pump();
  Until([&] { return exporter.idle(); });
  const auto requests = collector.requests();
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].target, "/v1/traces");
  EXPECT_EQ(requests[0].headers.at("content-type"), "application/json");
  EXPECT_EQ(requests[0].headers.at("x-tenant"), "seven");
  ASSERT_EQ(requests[0].headers.at("content-encoding"), "gzip");
  const auto body = http::Gunzip(requests[1].body, 1u << 20);
  ASSERT_TRUE(body.has_value());
  EXPECT_THAT(*body, HasSubstr(R"("spanId":"0000000000000201")"));
  EXPECT_EQ(figures_.exported, kMaxBatchSpans + 10);
  EXPECT_EQ(figures_.dropped, 0u);
  EXPECT_EQ(figures_.queued, 0u);
}

TEST_F(Exporting, TriesAgainWhatTheCollectorCannotTakeNow) {
  std::atomic<int> asked = 0;
  HttpServer collector([&](const HttpServer::Request&) {
    const int statuses[] = {503, 429, 502, 504};
    const int number = asked++;
    return HttpServer::Response{.status = number < 4 ? statuses[number] : 200};
  });
  Exporter& exporter = Make(collector.Url("/v1/traces"));
  exporter.Add(Numbered(1));
  exporter.Pump();
  Until([&] { return exporter.idle(); });
  EXPECT_EQ(asked, 5);
  EXPECT_EQ(figures_.exported, 1u);
  EXPECT_EQ(figures_.dropped, 0u);
  EXPECT_EQ(figures_.failed_requests, 4u);
  ASSERT_THAT(told_, SizeIs(2)) << "once when it began, once when it was over";
  EXPECT_THAT(told_[0], HasSubstr("503"));
}

TEST_F(Exporting, WaitsAsLongAsTheCollectorAsks) {
  HttpServer collector([](const HttpServer::Request&) {
    return HttpServer::Response{.status = 503, .headers = {{"Retry-After", "100"}}};
  });
  Exporter& exporter = Make(collector.Url("/v1/traces"));
  exporter.Add(Numbered(1));
  exporter.Pump();
  Until([&] { return exporter.failing(); });
  const uint64_t now = uv_now(&loop_);
  uv_timer_start(&glance_, [](uv_timer_t*) {}, 30, 0);
  while (uv_now(&loop_) < now + 20) uv_run(&loop_, UV_RUN_ONCE);
  EXPECT_THAT(collector.requests(), SizeIs(1)) << "the usual wait would have been over by now";
}

TEST_F(Exporting, DropsWhatTheCollectorRefuses) {
  HttpServer collector(
      [](const HttpServer::Request&) { return HttpServer::Response{.status = 400}; });
  Exporter& exporter = Make(collector.Url("/v1/traces"));
  exporter.Add(Numbered(1));
  exporter.Add(Numbered(2));
  exporter.Pump();
  Until([&] { return exporter.idle(); });
  EXPECT_THAT(collector.requests(), SizeIs(1));
  EXPECT_EQ(figures_.exported, 0u);
  EXPECT_EQ(figures_.dropped, 2u);
  ASSERT_THAT(told_, SizeIs(1));
  EXPECT_THAT(told_[0], HasSubstr("400"));
}

TEST_F(Exporting, CountsWhatTheCollectorHasRejectedOfABatch) {
  HttpServer collector([](const HttpServer::Request&) {
    return HttpServer::Response{.body = R"({"partialSuccess":{"rejectedSpans":"2"}})"};
  });
  Exporter& exporter = Make(collector.Url("/v1/traces"));
  for (uint64_t i = 1; i <= 5; ++i) exporter.Add(Numbered(i));
  exporter.Pump();
  Until([&] { return exporter.idle(); });
  EXPECT_EQ(figures_.exported, 3u);
  EXPECT_EQ(figures_.dropped, 2u);
}

TEST_F(Exporting, KeepsTheNewestWithinItsBoundWhileNobodyListens) {
  Exporter& exporter = Make(fmt::format("http://127.0.0.1:{}/v1/traces", tasks::ClosedPort()),
                            [](ExportOptions& options) { options.max_queued = 10; });
  exporter.Add(Numbered(1));
  exporter.Pump();
  Until([&] { return exporter.failing(); });
  for (uint64_t i = 2; i <= 31; ++i) exporter.Add(Numbered(i));
  EXPECT_TRUE(exporter.full());
  EXPECT_EQ(figures_.queued, 11u) << "ten that wait, and the batch";
  EXPECT_EQ(figures_.dropped, 20u);
}

TEST_F(Exporting, DropsABatchThatCouldNotBeSentForTooLong) {
  Exporter& exporter = Make(fmt::format("http://127.0.0.1:{}/v1/traces", tasks::ClosedPort()),
                            [](ExportOptions& options) { options.max_retry_us = 0; });
  exporter.Add(Numbered(1));
  exporter.Pump();
  Until([&] { return exporter.idle(); });
  EXPECT_EQ(figures_.dropped, 1u);
}

}  // namespace
}  // namespace stele::server::tracing
