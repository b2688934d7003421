#include "server/tracing/otlp_json.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace stele::server::tracing {
namespace {

Span Sample() {
  Span span;
  span.trace = {.high = 1, .low = 2};
  span.id = model::SpanId(0xAB);
  span.parent = model::SpanId(0xCD);
  span.name = "pack \"it\"";
  span.kind = SpanKind::kClient;
  span.start = TimeUs(1'790'000'000'000'001);
  span.end = TimeUs(1'790'000'000'250'000);
  span.attributes.emplace_back("stele.instance", int64_t{7});
  span.attributes.emplace_back("stele.step", "pack");
  return span;
}

Value SpansOf(const std::string& json) {
  const auto body = ParseJson(json);
  EXPECT_TRUE(body.has_value()) << json;
  return *body->Find("resourceSpans")
              ->as_array()[0]
              .Find("scopeSpans")
              ->as_array()[0]
              .Find("spans");
}

TEST(OtlpJson, HasWhatTheProtocolAsksFor) {
  const Span span = Sample();
  EXPECT_EQ(ToOtlpJson({&span, 1}, {{"service.name", "stele"}}, "1.2"),
            R"({"resourceSpans":[{"resource":{"attributes":[)"
            R"({"key":"service.name","value":{"stringValue":"stele"}}]},)"
            R"("scopeSpans":[{"scope":{"name":"stele","version":"1.2"},"spans":[)"
            R"({"traceId":"00000000000000010000000000000002","spanId":"00000000000000ab",)"
            R"("parentSpanId":"00000000000000cd","name":"pack \"it\"","kind":3,)"
            R"("startTimeUnixNano":"1790000000000001000","endTimeUnixNano":"1790000000250000000",)"
            R"("attributes":[{"key":"stele.instance","value":{"intValue":"7"}},)"
            R"({"key":"stele.step","value":{"stringValue":"pack"}}],"status":{"code":0}}]}]}]})");
}

TEST(OtlpJson, TellsOfErrorsAndLinks) {
  Span span = Sample();
  span.status = SpanStatus::kError;
  span.error = "timeout";
  span.link = model::SpanId(0xEF);
  span.parent = model::SpanId();
  const Value spans = SpansOf(ToOtlpJson({&span, 1}, {}, ""));
  const Value& told = spans.as_array()[0];
  EXPECT_EQ(ToJson(*told.Find("status")), R"({"code":2,"message":"timeout"})");
  EXPECT_EQ(ToJson(*told.Find("links")),
            R"([{"traceId":"00000000000000010000000000000002","spanId":"00000000000000ef"}])");
  EXPECT_EQ(told.Find("parentSpanId"), nullptr);
}

TEST(OtlpJson, IsWellFormedWhateverTheTextsHold) {
  Span span = Sample();
  span.name = std::string("cut \xC3", 5) + "\n\x01";
  const Span two[] = {span, Sample()};
  EXPECT_EQ(SpansOf(ToOtlpJson(two, {{"a", "\""}, {"b", "\\"}}, "\"")).as_array().size(), 2u);
}

TEST(RejectedSpans, AreReadFromAnAnswerOfSuccess) {
  EXPECT_EQ(RejectedSpans(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"old"}})"), 3u);
  EXPECT_EQ(RejectedSpans(R"({"partialSuccess":{"rejectedSpans":4}})"), 4u);
  for (const char* none : {"", "{}", "[]", R"({"partialSuccess":{}})", "oops",
                           R"({"partialSuccess":{"rejectedSpans":"x"}})",
                           R"({"partialSuccess":{"rejectedSpans":-1}})"})
    EXPECT_EQ(RejectedSpans(none), 0u) << none;
}

}  // namespace
}  // namespace stele::server::tracing
