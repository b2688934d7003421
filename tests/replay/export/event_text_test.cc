#include "replay/export/event_text.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "engine/model/codec.h"
#include "replay/export/json_scan.h"
#include "tests/engine/model/random_values.h"

namespace stele::replay {
namespace {

using testing::HasSubstr;

std::string DataOf(const model::Event& event, bool* exact = nullptr) {
  std::string data;
  const bool is_exact = WriteEventData(event, data);
  if (exact != nullptr) *exact = is_exact;
  return data;
}

// The same event with texts that are text.
struct MakePrintable {
  void operator()(std::string_view, std::string& v) const {
    for (char& c : v) c = static_cast<char>(' ' + static_cast<uint8_t>(c) % 95);
  }
  void operator()(std::string_view name, std::vector<std::string>& v) const {
    for (std::string& each : v) (*this)(name, each);
  }
  void operator()(std::string_view name, std::vector<model::NamedPayload>& v) const {
    for (model::NamedPayload& each : v) {
      (*this)(name, each.name);
      if (!each.value.has_value()) each.value = Payload::FromText("null");
    }
  }
  void operator()(std::string_view name, std::vector<model::Wait>& v) const {
    for (model::Wait& each : v)
      for (std::string* text : {&each.event, &each.name, &each.key}) (*this)(name, *text);
  }
  void operator()(std::string_view name, std::vector<model::SecretUse>& v) const {
    for (model::SecretUse& each : v)
      for (std::string* text : {&each.pointer, &each.name}) (*this)(name, *text);
  }
  template <class Other>
  void operator()(std::string_view, Other&) const {}
};

model::Event Printable(model::Event event) {
  std::visit([](auto& each) { VisitFields(each, MakePrintable()); }, event);
  return event;
}

TEST(EventText, IsReadBackAsTheSameEventOrSaysThatItIsNot) {
  model::RandomValues values(11);
  size_t exact_ones = 0;
  for (int i = 0; i < 20'000; ++i) {
    const model::Event event = values.AnyEvent();
    bool exact = false;
    const std::string data = DataOf(event, &exact);
    ASSERT_TRUE(ParseJson(data, nullptr, kWrittenJson).has_value()) << data;
    ASSERT_EQ(data.find('\n'), data.npos);
    if (!exact) continue;
    ++exact_ones;
    const auto read = ReadEventData(model::EventName(event), data);
    ASSERT_TRUE(read.has_value()) << data << read.error().message;
    ASSERT_EQ(*read, event) << model::EventName(event) << data;
  }
  EXPECT_GT(exact_ones, 4'000u);
}

TEST(EventText, IsExactForEveryKindOfEventWhoseTextsAreText) {
  for (size_t kind = 0; kind < model::kEventKinds; ++kind) {
    const std::string_view name = model::EventNameAt(kind);
    // These hold what has no form in JSON.
    if (name == "instances_purged" || name == "instance_forked") continue;
    for (const uint32_t absent : {0u, 30u, 100u}) {
      model::RandomValues values(12 + kind, absent);
      const model::Event event = Printable(values.MakeEvent(kind));
      bool exact = false;
      const std::string data = DataOf(event, &exact);
      EXPECT_TRUE(exact) << name << data;
      const auto read = ReadEventData(name, data);
      ASSERT_TRUE(read.has_value()) << data << read.error().message;
      EXPECT_EQ(*read, event) << data;
    }
  }
}

TEST(EventText, KeepsTheTextOfPayloadsByteForByte) {
  for (const std::string text :
       {"1.0", "1e5", "-0", "12345678901234567890", "9007199254740993", "123456789012345678901234",
        R"({"b":1,"a":2,"b":3})", R"([ 1 ,	2 ])", R"("\u0000\u00e9\ud83d\ude00\/")", "\"é😀\"",
        "{}", "[]", "null", "true", R"({"a":{"b":[{"c":""}]}})"}) {
    const model::StepCompleted event{.run = RunId(1), .output = Payload::FromText(text)};
    bool exact = false;
    const std::string data = DataOf(event, &exact);
    EXPECT_EQ(data, "{\"run\":1,\"output\":" + text + "}");
    EXPECT_TRUE(exact);
    const auto read = ReadEventData("step_completed", data);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(std::get<model::StepCompleted>(*read).output.text(), text);
  }
}

TEST(EventText, SaysOfPayloadsThatDoNotFitIntoALineThatTheyAreNotExact) {
  for (const std::string text :
       {"{\n\"a\":1}", "{\r\n}", " 1", "1 ", "{\"a\":", "\"\xff\"", "01", "nul", "1.", "\"\t\"",
        "[1,]", "{\"a\":1,}", "1 2", "\"\\x\"", "+1"}) {
    bool exact = true;
    const std::string data =
        DataOf(model::StepCompleted{.run = RunId(1), .output = Payload::FromText(text)}, &exact);
    EXPECT_FALSE(exact) << text;
    EXPECT_TRUE(ParseJson(data).has_value()) << data;
    EXPECT_EQ(data.find('\n'), data.npos);
  }
}

TEST(EventText, KeepsNulControlCharactersAndTheEndsOfNumbers) {
  const model::Event event = model::AttemptFailed{.run = RunId(UINT32_MAX),
                                                  .attempt = 3,
                                                  .kind = std::string("a\0b", 3),
                                                  .message = "\x01\x1f\x7f\"\\\b\n",
                                                  .retryable = true,
                                                  .details = {},
                                                  .log = "é",
                                                  .log_truncated = true};
  bool exact = false;
  auto read = ReadEventData("attempt_failed", DataOf(event, &exact));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_TRUE(exact);
  EXPECT_EQ(*read, event);
  for (const int64_t time : {INT64_MIN, INT64_MAX, int64_t{-1}}) {
    const model::Event moment = model::RetryScheduled{.run = RunId(1), .due = TimeUs(time)};
    read = ReadEventData("retry_scheduled", DataOf(moment));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, moment);
  }
  const model::Event child = model::ChildStarted{.run = RunId(1), .child = InstanceId(UINT64_MAX)};
  read = ReadEventData("child_started", DataOf(child));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, child);
}

TEST(EventText, IsNotExactOfAHashThatItWritesAsDigits) {
  bool exact = true;
  const std::string data = DataOf(
      model::InstanceForked{.origin = InstanceId(3), .origin_hash = std::string("\0\xff", 2)},
      &exact);
  EXPECT_THAT(data, HasSubstr(R"("origin_hash":"00ff")"));
  EXPECT_FALSE(exact);
}

TEST(EventText, IsRefusedWithWhatWasExpectedAndFound) {
  const auto refusal = [](std::string_view name, std::string_view data) {
    const auto read = ReadEventData(name, data);
    EXPECT_FALSE(read.has_value()) << data;
    return read.has_value() ? std::string() : read.error().message;
  };
  EXPECT_THAT(refusal("step_exploded", "{}"), HasSubstr("step_exploded"));
  EXPECT_THAT(refusal("step_completed", "[]"), HasSubstr("an object"));
  EXPECT_THAT(refusal("step_completed", R"({"run":"1"})"), HasSubstr("\"1\""));
  EXPECT_THAT(refusal("step_completed", R"({"run":4294967296})"), HasSubstr("4294967296"));
  EXPECT_THAT(refusal("step_completed", R"({"run":1,"colour":2})"), HasSubstr("colour"));
  EXPECT_THAT(refusal("step_cancelled", R"({"run":1,"reason":"boredom"})"), HasSubstr("boredom"));
  EXPECT_THAT(refusal("step_completed", R"({"undoable":false})"), HasSubstr("false"));
}

TEST(JsonScan, TakesMembersAndElementsApartAsTheyStand) {
  std::vector<JsonMember> members;
  ASSERT_TRUE(TakeMembers(R"( {"a" : [1, 2] ,"b\n":"x\"y"} )", &members));
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].key, "a");
  EXPECT_EQ(members[0].value, "[1, 2]");
  EXPECT_EQ(members[1].key, "b\\n");
  EXPECT_EQ(StringOf(members[1].value), "x\"y");
  EXPECT_FALSE(TakeMembers("[1]", &members));
  EXPECT_FALSE(TakeMembers("{\"a\":1} 2", &members));
  EXPECT_FALSE(TakeMembers("{\"a\":1", &members));
  std::vector<std::string_view> elements;
  ASSERT_TRUE(TakeElements("[]", &elements));
  EXPECT_TRUE(elements.empty());
  EXPECT_FALSE(TakeElements("{}", &elements));
  // As deep as the engine writes, and no deeper: whoever made the file must not end the program.
  EXPECT_FALSE(FitsIntoLine(std::string(1'000'000, '[')));
}

}  // namespace
}  // namespace stele::replay
