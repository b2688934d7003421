#include "engine/model/trace_context.h"

#include <gtest/gtest.h>

#include <set>

namespace stele::model {
namespace {

// The example of the specification.
constexpr std::string_view kExample = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceParent, IsReadAndWrittenAsTheSpecificationHasIt) {
  const auto context = ParseTraceParent(kExample);
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->trace.ToHex(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(ToHex(context->span), "00f067aa0ba902b7");
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(TraceParent(*context), kExample);
}

TEST(TraceParent, CountsAsNoneWhenItIsMalformed) {
  const std::string_view malformed[] = {
      "",
      "00",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
      "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
      " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01what",
  };
  for (const std::string_view text : malformed) {
    EXPECT_FALSE(ParseTraceParent(text).has_value()) << text;
    EXPECT_EQ(NormalTraceParent(text), "") << text;
  }
}

TEST(TraceParent, OfALaterVersionIsReadAsFarAsItIsKnown) {
  EXPECT_EQ(NormalTraceParent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), kExample);
  EXPECT_EQ(NormalTraceParent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what"),
            kExample);
}

TEST(TraceParent, KeepsOfTheFlagsThatOfSampling) {
  EXPECT_EQ(NormalTraceParent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff"), kExample);
  EXPECT_FALSE(
      ParseTraceParent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe")->sampled);
}

TEST(TraceOf, IsTheTraceOfWhoeverStartedTheInstance) {
  const auto trace = TraceOf(InstanceId(7), TimeUs(1), kExample, std::nullopt);
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->context.trace.ToHex(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(ToHex(trace->parent), "00f067aa0ba902b7");
  EXPECT_NE(trace->context.span, trace->parent);
  EXPECT_TRUE(trace->context.sampled);
}

TEST(TraceOf, IsNoneWithoutAnyoneToStartIt) {
  EXPECT_FALSE(TraceOf(InstanceId(7), TimeUs(1), "", std::nullopt).has_value());
}

TEST(TraceOf, IsTheSameAtEveryLookAndAnotherForEveryInstance) {
  std::set<std::string> traces;
  for (uint64_t id = 1; id <= 1'000; ++id) {
    const auto trace = TraceOf(InstanceId(id), TimeUs(1'000), "", 1.0);
    EXPECT_EQ(trace->context, TraceOf(InstanceId(id), TimeUs(1'000), "", 1.0)->context);
    EXPECT_FALSE(trace->parent);
    traces.insert(trace->context.trace.ToHex());
  }
  EXPECT_EQ(traces.size(), 1'000u);
  EXPECT_NE(TraceOf(InstanceId(1), TimeUs(1'000), "", 1.0)->context.trace,
            TraceOf(InstanceId(1), TimeUs(1'001), "", 1.0)->context.trace);
}

TEST(TraceOf, SamplesTheShareThatIsAskedFor) {
  const auto sampled = [](double ratio) {
    int count = 0;
    for (uint64_t id = 1; id <= 10'000; ++id)
      if (TraceOf(InstanceId(id), TimeUs(5), "", ratio)->context.sampled) ++count;
    return count;
  };
  EXPECT_EQ(sampled(0), 0);
  EXPECT_NEAR(sampled(0.1), 1'000, 150);
  EXPECT_NEAR(sampled(0.5), 5'000, 300);
  EXPECT_EQ(sampled(1), 10'000);
}

TEST(TraceOf, LeavesItToThePartThatStartedItWhetherItIsSampled) {
  const auto trace = TraceOf(InstanceId(1), TimeUs(1),
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", 1.0);
  EXPECT_FALSE(trace->context.sampled);
}

TEST(Spans, OfAnInstanceItsRunsAndItsAttemptsAreAllDifferent) {
  const InstanceId instance(3);
  const auto trace = TraceOf(instance, TimeUs(9), "", 1.0);
  std::set<uint64_t> spans{trace->context.span.value};
  size_t made = 1;
  for (uint32_t run = 1; run <= 20; ++run) {
    spans.insert(TraceOfRun(*trace, instance, RunId(run)).span.value);
    spans.insert(TraceOfRetry(*trace, instance, Seq(run)).span.value);
    made += 2;
    for (uint32_t attempt = 1; attempt <= 20; ++attempt, ++made) {
      const TraceContext context = TraceOfAttempt(*trace, instance, RunId(run), attempt);
      EXPECT_EQ(context.trace, trace->context.trace);
      EXPECT_EQ(context.sampled, trace->context.sampled);
      spans.insert(context.span.value);
    }
  }
  EXPECT_EQ(spans.size(), made);
  EXPECT_FALSE(spans.contains(0));
}

// What is stored must give the same spans for ever: the hash must not change.
TEST(Spans, HaveTheIdsThatTheyHadInTheFirstRelease) {
  const InstanceId instance(42);
  const auto trace = TraceOf(instance, TimeUs(1'790'000'000'000'000), "", 1.0);
  EXPECT_EQ(TraceParent(trace->context), "00-3a8596662cb3541969e1f6a704bbb387-3b8e9c1025a6b889-01");
  EXPECT_EQ(TraceParent(TraceOfRun(*trace, instance, RunId(7))),
            "00-3a8596662cb3541969e1f6a704bbb387-28029facc171ab4a-01");
  EXPECT_EQ(TraceParent(TraceOfAttempt(*trace, instance, RunId(7), 2)),
            "00-3a8596662cb3541969e1f6a704bbb387-9bbe22ad49adf793-01");
}

}  // namespace
}  // namespace stele::model
