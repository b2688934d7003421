#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "base/json.h"
#include "replay/export/cloud_events.h"
#include "replay/export/instance_walk.h"
#include "replay/export/ocel.h"
#include "replay/export/time_text.h"
#include "replay/export/trace_walk.h"
#include "replay/export/xes.h"
#include "replay/xml_text.h"
#include "tests/replay/export/exported.h"
#include "tests/replay/recorded_log.h"

namespace stele::replay {
namespace {

using testing::HasSubstr;
using testing::Not;

Value Parsed(const std::string& line) {
  const auto value = ParseJson(line, nullptr, kWrittenJson);
  EXPECT_TRUE(value.has_value()) << line;
  return value.value_or(Value());
}

TEST(LogWalk, WritesTheSameWhateverTheThreads) {
  RecordedLog log;
  for (uint64_t id = 1; id <= 50; ++id) {
    model::Instance instance = log.Start(id);
    log.Decide(instance, Complete(1));
  }
  const auto alone = ExportLines(log.store, {.threads = 1});
  ASSERT_TRUE(alone.has_value());
  EXPECT_EQ(*ExportLines(log.store, {.threads = 4}), *alone);
}

TEST(LogWalk, WritesARange) {
  RecordedLog log;
  model::Instance one = log.Start(1);
  log.Decide(one, Complete(1));
  const auto lines =
      *ExportLines(log.store, {.from = Position(3), .end = Position(4), .whole = false});
  ASSERT_GT(lines.size(), 2u);
  for (size_t i = 1; i + 1 < lines.size(); ++i) {
    const Value line = Parsed(lines[i]);
    EXPECT_EQ(line.Find("position")->as_int(), 3);
    // Which definition it runs is said before the range begins.
    EXPECT_EQ(line.Find("definition")->as_string(), "two");
  }
}

TEST(LogWalk, NamesThePositionOfADamagedRecord) {
  RecordedLog log;
  eventstore::Batch batch;
  batch.Add({.instance = InstanceId(1), .first_seq = Seq(1), .event_count = 1, .time = TimeUs(1)},
            "no record at all");
  ASSERT_TRUE(log.store.Append(kShard, Position(2), batch).has_value());
  const auto lines = ExportLines(log.store);
  ASSERT_FALSE(lines.has_value());
  EXPECT_EQ(lines.error().code, ErrorCode::kStoreCorrupt);
}

TEST(LogWalk, WritesWhatCameBeforeARecordThatCannotBeRead) {
  RecordedLog log;
  log.Start(1);
  const Position damaged = log.store.NextPosition(kShard);
  eventstore::Batch batch;
  batch.Add({.instance = InstanceId(2), .first_seq = Seq(1), .event_count = 1, .time = TimeUs(9)},
            "no record at all");
  ASSERT_TRUE(log.store.Append(kShard, damaged, batch).has_value());
  const StoreSource source(log.store, kShard);
  const auto registry = *ReadRegistry(source);
  InstanceDefinitions definitions(source, registry);
  std::string text;
  const auto counts = WalkLog(log.store, definitions,
                              {.shard = kShard,
                               .end = log.store.NextPosition(kShard),
                               .make_format = [] { return std::make_unique<JsonLines>(false); },
                               .progress = nullptr},
                              [&](std::string_view piece) -> Status {
                                text += piece;
                                return {};
                              });
  ASSERT_FALSE(counts.has_value());
  EXPECT_THAT(text, HasSubstr(fmt::format("{{\"position\":{},", damaged.value - 1)));
}

TEST(LogWalk, EndsWhereItCannotWrite) {
  RecordedLog log;
  log.Start(1);
  const StoreSource source(log.store, kShard);
  const auto registry = *ReadRegistry(source);
  InstanceDefinitions definitions(source, registry);
  const LogWalk walk{.shard = kShard,
                     .end = log.store.NextPosition(kShard),
                     .make_format = [] { return std::make_unique<JsonLines>(false); },
                     .progress = nullptr};
  const auto counts = WalkLog(log.store, definitions, walk, [](std::string_view) -> Status {
    return Fail(ErrorCode::kIo, "the disk is full");
  });
  ASSERT_FALSE(counts.has_value());
  EXPECT_EQ(counts.error().message, "the disk is full");
}

TEST(JsonLines, GiveNamesToWhatIsRecordedByNumber) {
  RecordedLog log;
  model::Instance one = log.Start(1);
  log.Decide(one, Complete(1));
  const auto lines = *ExportLines(log.store);
  bool seen = false;
  for (const std::string& text : lines) {
    const Value line = Parsed(text);
    const Value* event = line.Find("event");
    if (event == nullptr || event->as_string() != "step_activated") continue;
    seen = true;
    EXPECT_THAT(line.Find("ids")->Find("step")->as_string(), testing::AnyOf("a", "b"));
    EXPECT_TRUE(line.Find("data")->Find("step")->is_int());
    EXPECT_EQ(line.Find("version")->as_int(), 1);
  }
  EXPECT_TRUE(seen);
}

TEST(JsonLines, LeaveOutPayloadsWhenAsked) {
  RecordedLog log;
  model::Instance one = log.Start(1);
  log.Decide(one, Complete(1));
  const auto with = *ExportLines(log.store, {.whole = false});
  EXPECT_THAT(fmt::format("{}", fmt::join(with, "\n")), HasSubstr("printed"));
  const auto without = *ExportLines(log.store, {.payloads = false, .whole = false});
  EXPECT_EQ(without.size(), with.size());
  const std::string text = fmt::format("{}", fmt::join(without, "\n"));
  for (const char* const secret : {"printed", "\"ok\"", "canonical"})
    EXPECT_THAT(text, Not(HasSubstr(secret)));
}

TEST(CloudEvents, HaveTheAttributesOfTheSpecification) {
  RecordedLog log;
  model::Instance one = log.Start(1);
  log.Decide(one, Complete(1));
  const auto text = TextOf(log.store, [] { return std::make_unique<CloudEvents>("/stele"); }, {});
  ASSERT_TRUE(text.has_value()) << text.error().message;
  std::set<std::string> ids;
  for (const std::string& line : LinesOf(*text)) {
    const Value event = Parsed(line);
    EXPECT_EQ(event.Find("specversion")->as_string(), "1.0");
    EXPECT_EQ(event.Find("source")->as_string(), "/stele");
    EXPECT_THAT(event.Find("type")->as_string(), testing::StartsWith("dev.stele."));
    EXPECT_TRUE(ids.insert(event.Find("id")->as_string()).second);
    for (const Member& member : event.as_object())
      for (const char c : member.key) EXPECT_TRUE((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'));
  }
  EXPECT_GT(ids.size(), 5u);
}

TEST(TimeText, IsRfc3339) {
  const auto text = [](int64_t time) {
    std::string out;
    WriteTime(TimeUs(time), out);
    return out;
  };
  EXPECT_EQ(text(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(text(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(text(1'772'368'205'250'001), "2026-03-01T12:30:05.250001Z");
  EXPECT_EQ(text(INT64_MAX), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(text(INT64_MIN), "0000-01-01T00:00:00.000000Z");
}

// What the walk over instances writes of one.
std::string WalkOver(const RecordedLog& log, InstanceId instance, RecordFormat& format,
                     const TimeRange& times = {}) {
  const StoreSource source(log.store, kShard);
  const auto registry = ReadRegistry(source);
  InstanceDefinitions definitions(source, *registry);
  InstanceWalk walk(source, definitions, times, /*payloads=*/true);
  std::string out;
  const Status done = walk.Walk(instance, format, [&](std::string_view text) -> Status {
    out += text;
    return {};
  });
  EXPECT_TRUE(done.has_value()) << done.error().message;
  return out;
}

TEST(Xes, HasATransitionForEachTurnInTheLifeOfAStep) {
  RecordedLog log;
  model::Instance one = log.Start(1);
  log.Decide(one, Complete(1));
  Xes format;
  format.BeginTrace(one.id);
  std::string text = WalkOver(log, one.id, format);
  format.EndTrace(text);
  for (const char* const transition : {"start", "complete"})
    EXPECT_THAT(text,
                HasSubstr(fmt::format("key=\"lifecycle:transition\" value=\"{}\"", transition)));
  EXPECT_THAT(text, HasSubstr("<string key=\"output\" value=\"{&quot;ok&quot;:true}\"/>"));
  EXPECT_THAT(text, HasSubstr("<string key=\"org:resource\" value=\"test\"/>"));
  EXPECT_THAT(text, testing::StartsWith("<trace><string key=\"concept:name\" value=\"1\"/>"));
  EXPECT_THAT(text, testing::EndsWith("</event>\n</trace>\n"));
}

TEST(Xes, KnowsTheStepsOfRunsThatBeganBeforeItsTime) {
  RecordedLog log;
  model::Instance one = log.Start(1);
  log.Decide(one, Complete(1));
  Xes format;
  format.BeginTrace(one.id);
  const std::string text = WalkOver(log, one.id, format, {.since = TimeUs(3000)});
  EXPECT_THAT(text, Not(HasSubstr("instance_started")));
  EXPECT_THAT(text, HasSubstr("<event><string key=\"concept:name\" value=\"a\"/>"));
}

TEST(Xes, HasNothingThatXmlCannotHold) {
  std::string out;
  WriteXmlText(std::string("<&\">\0\x01\x7f\n\xff\xc3\xa9\xef\xbf\xbf", 14), out);
  EXPECT_EQ(out,
            "&lt;&amp;&quot;&gt;\xEF\xBF\xBD\xEF\xBF\xBD\x7f&#10;\xEF\xBF\xBD\xc3\xa9\xEF\xBF\xBD");
}

// Traces as the walk along the log gives them, by the name of the trace.
std::map<std::string, std::string> TracesOf(const RecordedLog& log, size_t most_bytes,
                                            const TraceWalk& walk) {
  const StoreSource source(log.store, kShard);
  const auto registry = *ReadRegistry(source);
  InstanceDefinitions definitions(source, registry);
  TraceWalk bounded = walk;
  bounded.most_bytes = most_bytes;
  Xes format;
  std::string text;
  const auto counts =
      WalkTraces(log.store, definitions, bounded, format, [&](std::string_view piece) -> Status {
        text += piece;
        return {};
      });
  EXPECT_TRUE(counts.has_value()) << counts.error().message;
  std::map<std::string, std::string> traces;
  for (const std::string& line : LinesOf(text)) {
    static std::string name;
    if (line.starts_with("<trace>")) {
      name = line.substr(0, line.find("/>"));
      EXPECT_FALSE(traces.contains(name)) << "twice: " << name;
    }
    traces[name] += line + "\n";
  }
  return traces;
}

TEST(TraceWalk, GivesEachInstanceOnceAndWholeWhateverItMayKeep) {
  RecordedLog log;
  std::vector<model::Instance> instances;
  for (uint64_t id = 1; id <= 12; ++id) instances.push_back(log.Start(id));
  for (model::Instance& each : instances) log.Decide(each, Complete(1));
  for (model::Instance& each : instances)
    if (each.id.value % 3 == 0) log.Decide(each, Complete(2));
  // One fails, and goes on when others have ended.
  log.Decide(instances[0], model::FailAttempt{.run = RunId(2), .kind = "exit", .message = "no"});
  ASSERT_EQ(instances[0].status, model::Status::kFailed);
  log.Decide(instances[3], Complete(2));
  log.Decide(instances[0], model::RetryInstance{});
  log.Decide(instances[0], Complete(instances[0].last_run.value));

  std::map<std::string, std::string> expected;
  for (const model::Instance& each : instances) {
    Xes format;
    format.BeginTrace(each.id);
    std::string text = WalkOver(log, each.id, format);
    format.EndTrace(text);
    expected[text.substr(0, text.find("/>"))] = text;
  }
  const TraceWalk walk{.shard = kShard, .end = log.store.NextPosition(kShard), .progress = nullptr};
  for (const size_t most_bytes : {size_t{0}, size_t{1000}, size_t{4000}, kWaitingBytes})
    EXPECT_EQ(TracesOf(log, most_bytes, walk), expected) << most_bytes;
  // Up to a position, whatever came behind it.
  TraceWalk early = walk;
  early.end = Position(20);
  EXPECT_EQ(TracesOf(log, 0, early), TracesOf(log, kWaitingBytes, early));
}

TEST(Activities, KnowTheStepsOfTheRunsThatAForkBeganWith) {
  const auto definition = *definition::Load(
      "name: two\n"
      "steps:\n"
      "  - {id: a, type: script, config: {script: x}}\n"
      "  - {id: b, type: script, config: {script: x}, depends_on: [a]}\n",
      definition::Syntax::kYaml, "two");
  model::Instance origin;
  origin.runs.emplace_back();
  origin.runs.back().id = RunId(3);
  origin.runs.back().step = StepIndex(1);
  const model::ForkedState state(std::make_shared<const model::Instance>(std::move(origin)));
  const model::Event completed = model::StepCompleted{.run = RunId(3)};

  Activities activities;
  activities.BeginInstance();
  EXPECT_FALSE(activities.Of(completed, definition.get()).has_value());
  EXPECT_TRUE(activities.Of(model::InstanceForked{.state = state}, definition.get()).has_value());
  EXPECT_EQ(activities.Of(completed, definition.get())->name, "b");

  activities.BeginInstance();
  (void)activities.Of(model::InstanceForked{.state = state, .definition = DefinitionId(2)},
                      definition.get());
  (void)activities.Of(
      model::InstanceMigrated{.definition = DefinitionId(2), .steps = {StepIndex(1), StepIndex(0)}},
      definition.get());
  EXPECT_EQ(activities.Of(completed, definition.get())->name, "a");
}

TEST(Ocel, NamesNoObjectThatItDoesNotHave) {
  RecordedLog log;
  model::Instance one = log.Start(1), two = log.Start(2);
  log.Decide(one, Complete(1));
  log.Decide(two, model::FailAttempt{.run = RunId(1), .kind = "exit", .message = "no"});
  const auto registry = *ReadRegistry(log.store, kShard);
  std::string text;
  WriteOcelTypes(registry, text);
  OcelEvents events;
  for (const InstanceId id : {one.id, two.id}) {
    events.BeginTrace(id);
    text += WalkOver(log, id, events);
  }
  OcelObjects objects([](InstanceId) { return true; });
  objects.WriteBegin(registry, text);
  for (const InstanceId id : {one.id, two.id}) text += WalkOver(log, id, objects);
  objects.WriteActors(text);
  WriteOcelEnd(text);

  const Value document = Parsed(text);
  std::set<std::string> types, known;
  for (const Value& each : document.Find("eventTypes")->as_array())
    types.insert(each.Find("name")->as_string());
  for (const Value& each : document.Find("objects")->as_array())
    EXPECT_TRUE(known.insert(each.Find("id")->as_string()).second) << ToJson(each);
  ASSERT_GT(document.Find("events")->as_array().size(), 6u);
  for (const Value& event : document.Find("events")->as_array()) {
    EXPECT_TRUE(types.contains(event.Find("type")->as_string())) << ToJson(event);
    for (const Value& relation : event.Find("relationships")->as_array())
      EXPECT_TRUE(known.contains(relation.Find("objectId")->as_string())) << ToJson(relation);
  }
}

// The objects of one record, among nothing else.
Value ObjectsOf(const model::Event& event, const OcelObjects::Has& has,
                const model::Registry& registry = {}) {
  model::RecordEncoder encoder;
  const std::vector<model::Event> events{event};
  eventstore::MemoryStore store;
  eventstore::Batch batch;
  batch.Add({.instance = InstanceId(5), .first_seq = Seq(1), .event_count = 1, .time = TimeUs(1)},
            encoder.Encode(events));
  EXPECT_TRUE(store.Append(kShard, Position(1), batch).has_value());
  std::string text = "{\"events\":[";
  OcelObjects objects(has);
  objects.WriteBegin(registry, text);
  const auto write = [&](const eventstore::RecordView& record) -> Status {
    const auto written = objects.Write({.record = record}, text);
    return written.has_value() ? Status() : std::unexpected(written.error());
  };
  EXPECT_TRUE(eventstore::ForEachRecord(store.Read(kShard, Position(1)), write).has_value());
  objects.WriteActors(text);
  WriteOcelEnd(text);
  return *Parsed(text).Find("objects");
}

TEST(Ocel, RelatesAnInstanceToThoseAloneThatAreWritten) {
  const model::Event forked = model::InstanceForked{.origin = InstanceId(3)};
  const Value with = ObjectsOf(forked, [](InstanceId id) { return id == InstanceId(3); });
  ASSERT_EQ(with.as_array().size(), 1u);
  EXPECT_THAT(ToJson(with), HasSubstr(R"({"objectId":"instance:3","qualifier":"forked from"})"));
  // It was purged, or does not fit the query.
  const Value without = ObjectsOf(forked, [](InstanceId) { return false; });
  EXPECT_THAT(ToJson(without), Not(HasSubstr("instance:3")));
}

TEST(Ocel, LeavesOutDefinitionsThatAServerKeepsBack) {
  model::Registry registry;
  for (const uint64_t id : {1, 2})
    registry.definitions.push_back(
        {.id = DefinitionId(id), .definition = std::make_shared<definition::Definition>()});
  const Value objects =
      ObjectsOf(model::InstanceStarted{.definition = DefinitionId(1)}, nullptr, registry);
  ASSERT_EQ(objects.as_array().size(), 1u);
  EXPECT_EQ(objects.as_array()[0].Find("id")->as_string(), "instance:5");
}

TEST(InstanceDefinitions, NameNoneThatAServerKeepsBack) {
  RecordedLog log;
  log.Start(1);
  const StoreSource source(log.store, kShard);
  auto registry = *ReadRegistry(source);
  const auto named = [&] {
    InstanceDefinitions definitions(source, registry);
    bool found = false;
    const Status read =
        eventstore::ForEachRecord(log.store.ReadInstance(kShard, InstanceId(1), Seq(1)),
                                  [&](const eventstore::RecordView& record) -> Status {
                                    found |= *definitions.Of(record) != nullptr;
                                    return {};
                                  });
    EXPECT_TRUE(read.has_value());
    return found;
  };
  EXPECT_TRUE(named());
  for (model::RegisteredDefinition& each : registry.definitions) each.canonical.clear();
  EXPECT_FALSE(named());
}

}  // namespace
}  // namespace stele::replay
