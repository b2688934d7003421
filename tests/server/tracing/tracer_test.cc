// From the log of a running engine to a collector.
#include "server/tracing/tracer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/json.h"
#include "tests/engine/tasks/http_server.h"
#include "tests/server/support/served_world.h"

namespace stele::server::tracing {
namespace {

using tasks::HttpServer;
using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;

runtime::ShardOptions Traced() {
  runtime::ShardOptions options;
  options.trace_ratio = 1;
  return options;
}

class Tracing : public testing::Test {
 protected:
  void Follow(const std::string& url) {
    TracerOptions options{.exporting = {.url = url, .gzip = false, .resource = {}, .version = "1"}};
    options.exporting.first_backoff_us = 1'000;
    options.exporting.max_queued = 20;
    auto tracer = Tracer::Start(*world_.desk().engine().store, ShardId(), std::move(options),
                                [this](const std::string& sentence) {
                                  const std::lock_guard lock(mutex_);
                                  told_.push_back(sentence);
                                });
    ASSERT_TRUE(tracer.has_value()) << tracer.error().ToString();
    tracer_ = *std::move(tracer);
  }
  void Work(int instances) {
    for (int i = 0; i < instances; ++i) world_.Start("album");
    world_.Settle();
  }
  static size_t SpansIn(const std::vector<HttpServer::Request>& requests) {
    size_t spans = 0;
    for (const HttpServer::Request& request : requests) {
      const auto body = ParseJson(request.body);
      EXPECT_TRUE(body.has_value()) << request.body;
      for (const Value& resource : body->Find("resourceSpans")->as_array())
        for (const Value& scope : resource.Find("scopeSpans")->as_array())
          spans += scope.Find("spans")->as_array().size();
    }
    return spans;
  }

  ServedWorld world_{Traced()};
  std::mutex mutex_;
  std::vector<std::string> told_;
  std::unique_ptr<Tracer> tracer_;
};

TEST_F(Tracing, SendsWhatTheLogHasComeToBeforeItEnds) {
  HttpServer collector([](const HttpServer::Request&) { return HttpServer::Response{}; });
  world_.Register("album", "{id: pack, type: script, config: {script: x}}");
  Work(1);
  Follow(collector.Url("/v1/traces"));
  Work(15);
  tracer_->Stop();
  EXPECT_EQ(SpansIn(collector.requests()), 45u) << "of what came after it had begun";
  EXPECT_EQ(tracer_->figures().exported, 45u);
  EXPECT_EQ(tracer_->figures().dropped, 0u) << "the queue is shorter than that, the log is not";
  EXPECT_EQ(tracer_->figures().lag_records, 0u);
}

TEST_F(Tracing, CostsSpansAndNothingElseWhenNobodyListens) {
  world_.Register("album", "{id: pack, type: script, config: {script: x}}");
  Follow(fmt::format("http://127.0.0.1:{}/v1/traces", tasks::ClosedPort()));
  Work(1);
  world_.Until([&] { return tracer_->figures().failed_requests > 0; });
  Work(40);
  world_.Until([&] { return tracer_->figures().lag_records == 0; });
  EXPECT_LE(tracer_->figures().queued, 20u + kMaxBatchSpans);
  EXPECT_GT(tracer_->figures().dropped, 0u);
  tracer_->Stop(0);
  const TracingFigures figures = tracer_->figures();
  EXPECT_EQ(figures.dropped, 41u * 3);
  EXPECT_EQ(figures.queued, 0u);
  EXPECT_THAT(told_, Contains(HasSubstr("does not take spans")));
  EXPECT_THAT(told_, SizeIs(1));
}

TEST_F(Tracing, EndsInTimeWhenTheCollectorNeverAnswers) {
  HttpServer collector(
      [](const HttpServer::Request&) { return HttpServer::Response{.silent = true}; });
  world_.Register("album", "{id: pack, type: script, config: {script: x}}");
  Follow(collector.Url("/v1/traces"));
  Work(3);
  const uint64_t before = uv_hrtime();
  tracer_->Stop(50'000);
  EXPECT_LT(uv_hrtime() - before, 5'000'000'000u);
  EXPECT_EQ(tracer_->figures().dropped, 9u);
}

}  // namespace
}  // namespace stele::server::tracing
