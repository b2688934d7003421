// What the log of a running engine comes to as spans.
#include "server/tracing/span_maker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "engine/requests/operators.h"
#include "tests/server/support/served_world.h"

namespace stele::server::tracing {
namespace {

using testing::SizeIs;

constexpr int64_t kSecond = 1'000'000;
constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

runtime::ShardOptions Tracing(double ratio) {
  runtime::ShardOptions options;
  options.trace_ratio = ratio;
  return options;
}

class Spans : public testing::Test {
 protected:
  explicit Spans(double ratio = 1) : world_(Tracing(ratio)), ratio_(ratio) {}

  const eventstore::EventStore& store() { return *world_.desk().engine().store; }

  // Of all records from that position on.
  std::vector<Span> Make(Position from = Position(1)) {
    world_.Settle();
    std::vector<Span> spans;
    SpanMaker maker(store(), ShardId(), ratio_,
                    [&](Span span) { spans.push_back(std::move(span)); });
    EXPECT_TRUE(maker.Begin(Position(from.value - 1)).has_value());
    auto cursor = store().Read(ShardId(), from);
    EXPECT_TRUE(cursor.has_value());
    while (true) {
      const auto record = (*cursor)->Next();
      EXPECT_TRUE(record.has_value()) << record.error().ToString();
      if (!record.has_value() || !record->has_value()) break;
      const Status taken = maker.Take(**record);
      EXPECT_TRUE(taken.has_value()) << taken.error().ToString();
      if (trims_) maker.Trim();
    }
    return spans;
  }
  // The one with that name; a failure of the test and an empty one otherwise.
  static Span Named(const std::vector<Span>& spans, std::string_view name) {
    std::vector<Span> found;
    for (const Span& span : spans)
      if (span.name == name) found.push_back(span);
    EXPECT_THAT(found, SizeIs(1)) << name;
    return found.empty() ? Span() : found[0];
  }
  static std::string TextOf(const Span& span, std::string_view attribute) {
    for (const auto& [key, value] : span.attributes)
      if (key == attribute) return value.is_string() ? value.as_string() : ToJson(value);
    return "none";
  }
  PolledTask Poll() {
    auto tasks = world_.Get(world_.worker_operations().Poll(
        worker_, {.worker = "anna", .types = {"worker"}, .max = 1}));
    EXPECT_THAT(tasks, SizeIs(1));
    return tasks.empty() ? PolledTask() : tasks[0];
  }
  void Fail(const PolledTask& task) {
    world_.Get(world_.worker_operations().FailTask(worker_, {"anna", task.lease},
                                                   {"flaky", "not now", true, {}}, ""));
    world_.Settle();
  }
  void Complete(const PolledTask& task) {
    world_.Get(world_.worker_operations().Complete(worker_, {"anna", task.lease}, Object(), ""));
    world_.Settle();
  }
  InstanceId StartWith(const std::string& definition, std::string_view trace_parent) {
    return world_
        .Get(world_.instances().Start(
            ServedWorld::Somebody(Role::kAdmin),
            {.definition = definition, .trace_parent = std::string(trace_parent)}))
        .instance;
  }

  ServedWorld world_;
  const double ratio_;
  bool trims_ = false;
  Caller worker_ = ServedWorld::Somebody(Role::kWorker);
};

TEST_F(Spans, AreOneForAnInstanceItsRunAndItsAttempt) {
  world_.Register("album", "{id: pack, type: script, config: {script: x}}");
  const InstanceId instance = StartWith("album", kParent);
  const std::vector<Span> spans = Make();
  ASSERT_THAT(spans, SizeIs(3));
  const Span attempt = Named(spans, "pack attempt");
  const Span run = Named(spans, "pack");
  const Span whole = Named(spans, "album");
  EXPECT_EQ(whole.trace.ToHex(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(ToHex(whole.parent), "00f067aa0ba902b7");
  EXPECT_EQ(run.parent, whole.id);
  EXPECT_EQ(attempt.parent, run.id);
  EXPECT_EQ(whole.status, SpanStatus::kOk);
  EXPECT_EQ(run.status, SpanStatus::kOk);
  EXPECT_EQ(attempt.status, SpanStatus::kOk);
  EXPECT_EQ(TextOf(whole, "stele.instance"), std::to_string(instance.value));
  EXPECT_EQ(TextOf(whole, "stele.version"), "1");
  EXPECT_EQ(TextOf(whole, "stele.status"), "completed");
  EXPECT_EQ(TextOf(attempt, "stele.step"), "pack");
  EXPECT_EQ(TextOf(attempt, "stele.step.type"), "script");
  EXPECT_EQ(TextOf(attempt, "stele.attempt"), "1");
}

TEST_F(Spans, OfAttemptsAreTheOnesThatTheyWereHanded) {
  world_.Register("depot", "{id: sort, type: 'custom:worker'}");
  StartWith("depot", kParent);
  world_.Settle();
  const PolledTask task = Poll();
  const Value* handed = task.task.Find("trace_parent");
  ASSERT_NE(handed, nullptr);
  Complete(task);
  const auto context = model::ParseTraceParent(handed->as_string());
  ASSERT_TRUE(context.has_value()) << handed->as_string();
  const Span attempt = Named(Make(), "sort attempt");
  EXPECT_EQ(attempt.id, context->span);
  EXPECT_EQ(attempt.trace, context->trace);
  EXPECT_EQ(TextOf(attempt, "stele.worker"), "worker/anna");
}

TEST_F(Spans, OfRetriesHaveTheTimesOfTheirAttempts) {
  world_.Register(
      "depot", "{id: sort, type: 'custom:worker', retry: {max_attempts: 3, initial_delay: 10s}}");
  StartWith("depot", "");
  world_.Settle();
  const TimeUs start = world_.clock().Now();
  world_.Advance(2 * kSecond);
  Fail(Poll());
  world_.Advance(60 * kSecond);
  const TimeUs again = world_.clock().Now();
  world_.Advance(3 * kSecond);
  Complete(Poll());
  for (const bool trims : {false, true}) {
    trims_ = trims;
    std::vector<Span> attempts;
    for (const Span& span : Make())
      if (span.name == "sort attempt") attempts.push_back(span);
    ASSERT_THAT(attempts, SizeIs(2));
    EXPECT_EQ(attempts[0].start, start);
    EXPECT_EQ(attempts[0].end, start.Plus(2 * kSecond));
    EXPECT_EQ(attempts[0].status, SpanStatus::kError);
    EXPECT_EQ(attempts[0].error, "flaky");
    EXPECT_EQ(attempts[1].start, again);
    EXPECT_EQ(attempts[1].end, again.Plus(3 * kSecond));
    EXPECT_EQ(attempts[1].status, SpanStatus::kOk);
    EXPECT_NE(attempts[0].id, attempts[1].id);
    EXPECT_EQ(attempts[0].parent, attempts[1].parent);
  }
}

TEST_F(Spans, AreTheSameAtEveryReading) {
  world_.Register("album", "{id: pack, type: script, config: {script: x}}");
  world_.Start("album");
  const std::vector<Span> first = Make();
  const std::vector<Span> again = Make();
  ASSERT_EQ(first.size(), again.size());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].id, again[i].id);
    EXPECT_EQ(first[i].trace, again[i].trace);
    EXPECT_EQ(first[i].parent, again[i].parent);
  }
}

TEST_F(Spans, OfWhatBeganBeforeTheReaderDidAreWhole) {
  world_.Register(
      "depot", "{id: sort, type: 'custom:worker', retry: {max_attempts: 3, initial_delay: 10s}}");
  StartWith("depot", "");
  world_.Settle();
  const TimeUs start = world_.clock().Now();
  world_.Advance(kSecond);
  Fail(Poll());
  world_.Advance(60 * kSecond);
  const TimeUs again = world_.clock().Now();
  const PolledTask task = Poll();
  world_.Settle();
  const Position middle = store().NextPosition(ShardId());
  world_.Advance(kSecond);
  Complete(task);
  const std::vector<Span> spans = Make(middle);
  ASSERT_THAT(spans, SizeIs(3));
  EXPECT_EQ(Named(spans, "sort attempt").start, again);
  EXPECT_EQ(Named(spans, "sort").start, start);
  EXPECT_EQ(Named(spans, "depot").start, start);
}

TEST_F(Spans, OfAChildStandInsideTheRunThatCallsIt) {
  world_.Register("album", "{id: pack, type: script, config: {script: x}}");
  world_.Register("parent", "{id: order, type: call, config: {workflow: album}}");
  StartWith("parent", kParent);
  const std::vector<Span> spans = Make();
  const Span child = Named(spans, "album");
  EXPECT_EQ(child.parent, Named(spans, "order").id);
  EXPECT_EQ(child.trace, Named(spans, "parent").trace);
  EXPECT_EQ(TextOf(child, "stele.parent_instance"), "1");
}

TEST_F(Spans, OfAFailureSayItsKindAndNoMore) {
  world_.Register("broken", "{id: fail, type: script, config: {script: x}}");
  world_.Start("broken");
  const std::vector<Span> spans = Make();
  for (const char* name : {"fail attempt", "fail", "broken"}) {
    const Span span = Named(spans, name);
    EXPECT_EQ(span.status, SpanStatus::kError) << name;
    for (const auto& [key, value] : span.attributes)
      EXPECT_EQ(ToJson(value).find("told to fail"), std::string::npos) << key;
  }
  EXPECT_EQ(Named(spans, "fail attempt").error, "boom");
  EXPECT_EQ(TextOf(Named(spans, "fail"), "error.type"), "boom");
}

TEST_F(Spans, OfARetriedInstanceStandInsideItsFirst) {
  world_.Register("broken", "{id: fail, type: script, config: {script: x}}");
  const InstanceId instance = world_.Start("broken");
  world_.Settle();
  world_.Advance(kSecond);
  world_.Get(world_.instances().Send(ServedWorld::Somebody(Role::kAdmin), Permission::kOperate,
                                     instance, requests::Retry("once more")));
  std::vector<Span> whole;
  for (const Span& span : Make())
    if (span.name == "broken") whole.push_back(span);
  ASSERT_THAT(whole, SizeIs(2));
  EXPECT_FALSE(whole[0].parent);
  EXPECT_EQ(whole[1].parent, whole[0].id);
  EXPECT_NE(whole[1].id, whole[0].id);
  EXPECT_EQ(whole[1].start, whole[0].end.Plus(kSecond));
}

TEST_F(Spans, OfCancelledWorkAreEndedWithIt) {
  world_.Register("depot", "{id: sort, type: 'custom:worker'}");
  const InstanceId instance = world_.Start("depot");
  world_.Settle();
  world_.Advance(kSecond);
  world_.Get(world_.instances().Send(ServedWorld::Somebody(Role::kAdmin), Permission::kOperate,
                                     instance, requests::Cancel(false, "not wanted")));
  const std::vector<Span> spans = Make();
  for (const char* name : {"sort attempt", "sort", "depot"}) {
    const Span span = Named(spans, name);
    EXPECT_EQ(span.status, SpanStatus::kUnset) << name;
    EXPECT_EQ(span.end, world_.clock().Now()) << name;
  }
  EXPECT_EQ(TextOf(Named(spans, "depot"), "stele.status"), "cancelled");
}

TEST_F(Spans, OfALoopsBodyStandInsideTheLoop) {
  world_.Register("each",
                  "{id: rounds, type: loop, config: {items: [1, 2]}, "
                  "steps: [{id: pack, type: script, config: {script: x}}]}");
  world_.Start("each");
  const std::vector<Span> spans = Make();
  const Span loop = Named(spans, "rounds");
  size_t inside = 0;
  for (const Span& span : spans)
    if (span.name == "pack" && span.parent == loop.id) ++inside;
  EXPECT_EQ(inside, 2u);
}

TEST_F(Spans, HaveBoundedTexts) {
  const std::string name(200, 'n');
  world_.Register("album", "{id: " + name + ", type: script, config: {script: x}}");
  world_.Start("album");
  for (const Span& span : Make()) EXPECT_LE(span.name.size(), kMaxSpanText + 8) << span.name;
}

TEST_F(Spans, AreNotMadeOfATraceThatNobodySamples) {
  world_.Register("album", "{id: pack, type: script, config: {script: x}}");
  StartWith("album", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
  EXPECT_THAT(Make(), SizeIs(0));
}

class SpansOfNone : public Spans {
 protected:
  SpansOfNone() : Spans(0) {}
};

TEST_F(SpansOfNone, AreMadeAllTheSameWhenWhoeverStartsSamples) {
  world_.Register("album", "{id: pack, type: script, config: {script: x}}");
  world_.Start("album");
  EXPECT_THAT(Make(), SizeIs(0));
  StartWith("album", kParent);
  EXPECT_THAT(Make(), SizeIs(3));
}

}  // namespace
}  // namespace stele::server::tracing
