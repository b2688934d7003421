#include "engine/model/codec.h"

#include <capnp/message.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "schemas/record.capnp.h"
#include "tests/engine/model/random_values.h"

namespace stele::model {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::vector<Event> RoundTrip(const std::vector<Event>& events) {
  RecordEncoder encoder;
  Result<std::vector<Event>> decoded = Decode(encoder.Encode(events));
  EXPECT_TRUE(decoded.has_value()) << decoded.error().ToString();
  return decoded.value_or(std::vector<Event>());
}

// A record that `fill` makes with the schema itself, as another build might have.
template <class Fill>
std::string Foreign(Fill fill) {
  capnp::MallocMessageBuilder message;
  fill(message.initRoot<schema::Record>());
  const auto segments = message.getSegmentsForOutput();
  EXPECT_THAT(segments, SizeIs(1));
  return {reinterpret_cast<const char*>(segments[0].begin()), segments[0].size() * 8};
}

TEST(Codec, KeepsEveryFieldOfEveryEvent) {
  RandomValues values(1, /*absent=*/0);
  for (size_t index = 0; index < kEventKinds; ++index) {
    const std::vector<Event> events{values.MakeEvent(index)};
    EXPECT_TRUE(RoundTrip(events) == events) << EventNameAt(index);
  }
}

TEST(Codec, KeepsEveryEventWhoseFieldsAreAllEmpty) {
  RandomValues values(2, /*absent=*/100);
  for (size_t index = 0; index < kEventKinds; ++index) {
    const std::vector<Event> events{values.MakeEvent(index)};
    EXPECT_TRUE(RoundTrip(events) == events) << EventNameAt(index);
  }
}

TEST(Codec, KeepsRandomRecords) {
  RandomValues values(3);
  RecordEncoder encoder;
  for (int round = 0; round < 2'000; ++round) {
    const std::vector<Event> events = values.Events(values.Below(8));
    const std::string_view body = encoder.Encode(events);
    EXPECT_EQ(body.size() % 8, 0u);
    const Result<std::vector<Event>> decoded = Decode(body);
    ASSERT_TRUE(decoded.has_value()) << round << ": " << decoded.error().ToString();
    ASSERT_TRUE(*decoded == events) << round;
  }
}

TEST(Codec, WritesTheSameBytesWhateverWasWrittenBefore) {
  RandomValues values(4);
  RecordEncoder used;
  for (int round = 0; round < 200; ++round) {
    const std::vector<Event> events = values.Events(1 + values.Below(6));
    RecordEncoder fresh;
    ASSERT_EQ(used.Encode(events), fresh.Encode(events)) << round;
  }
}

TEST(Codec, WritesNothingForAbsentTextAndLists) {
  RecordEncoder encoder;
  // Root pointer, record (2), list tag, event (2), StepCompleted (1 or 2 of data, 1 pointer).
  EXPECT_LE(encoder.Encode({{StepCompleted{.run = RunId(1)}}}).size(), 9u * 8);
  EXPECT_EQ(RoundTrip({StepCompleted{.run = RunId(1)}}).size(), 1u);
}

TEST(Codec, TellsAbsentPayloadsFromJsonNull) {
  const std::vector<Event> events =
      RoundTrip({StepCompleted{}, StepCompleted{.output = Payload::FromText("null")}});
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_FALSE(std::get<StepCompleted>(events[0]).output.has_value());
  EXPECT_EQ(std::get<StepCompleted>(events[1]).output.text(), "null");
}

TEST(Codec, WritesARecordBeyondItsScratchAsOneSegmentAndGoesOn) {
  RecordEncoder encoder;
  const std::string text = fmt::format("\"{}\"", std::string(3'000'000, 'x'));
  std::vector<Event> big{StepCompleted{.run = RunId(1), .output = Payload::FromText(text)},
                         StepCompleted{.run = RunId(2), .output = Payload::FromText("2")}};
  for (uint32_t i = 0; i < 500; ++i) big.push_back(AttemptStarted{.run = RunId(i)});
  const std::string body(encoder.Encode(big));
  EXPECT_GT(body.size(), text.size());
  EXPECT_TRUE(Decode(body) == big);

  const std::vector<Event> small{StepCompleted{.run = RunId(7)}};
  RecordEncoder fresh;
  EXPECT_EQ(encoder.Encode(small), fresh.Encode(small));
  EXPECT_EQ(encoder.Encode(big), body);
}

TEST(Codec, ReadsABodyThatIsNotAligned) {
  RecordEncoder encoder;
  const std::vector<Event> events = RandomValues(5).Events(3);
  const std::string body(encoder.Encode(events));
  std::string shifted;
  for (size_t shift = 1; shift < 8; ++shift) {
    shifted = std::string(shift, ' ') + body;
    EXPECT_TRUE(Decode(std::string_view(shifted).substr(shift)) == events) << shift;
  }
}

TEST(DecodeEach, GivesTheEventsOfDecodeInOrder) {
  RandomValues values(6);
  RecordEncoder encoder;
  for (int round = 0; round < 500; ++round) {
    const std::vector<Event> events = values.Events(1 + values.Below(6));
    std::vector<Event> seen;
    const auto status =
        DecodeEach(encoder.Encode(events), [&](const Event& event) { seen.push_back(event); });
    ASSERT_TRUE(status.has_value()) << status.error().ToString();
    ASSERT_TRUE(seen == events) << round;
  }
}

TEST(DecodeEach, EndsWithTheErrorOfTheVisitor) {
  RecordEncoder encoder;
  int visited = 0;
  const auto status =
      DecodeEach(encoder.Encode(std::vector<Event>(3)), [&](const Event&) -> ::stele::Status {
        if (++visited == 2) return Fail(ErrorCode::kIo, "enough");
        return {};
      });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error(), (Error{ErrorCode::kIo, "enough"}));
  EXPECT_EQ(visited, 2);
}

TEST(Decode, NamesAnEventOfTheSchemaThatThisBuildDoesNotRead) {
  const auto decoded = Decode(Foreign([](schema::Record::Builder record) {
    record.setFormat(kRecordFormat);
    record.initEvents(1)[0].initUserChanged();
  }));
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().code, ErrorCode::kStoreUnknownFormat);
  EXPECT_THAT(decoded.error().message, HasSubstr("number 50 (userChanged)"));
}

TEST(Decode, NamesTheNumberOfAnEventThatNoSchemaHas) {
  std::string body = Foreign([](schema::Record::Builder record) {
    record.setFormat(kRecordFormat);
    record.initEvents(1)[0].initSingleStepSet();
  });
  // Root pointer, record's data and pointer, list tag; then the event's discriminant.
  const uint16_t number = 999;
  std::memcpy(body.data() + 4 * 8, &number, sizeof(number));
  const auto decoded = Decode(body);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().code, ErrorCode::kStoreUnknownFormat);
  EXPECT_THAT(decoded.error().message, HasSubstr("number 999"));
}

TEST(Decode, NamesAnUnknownEnumNumber) {
  const auto decoded = Decode(Foreign([](schema::Record::Builder record) {
    record.setFormat(kRecordFormat);
    record.initEvents(1)[0].initScopeClosed().setOutcome(static_cast<schema::Outcome>(77));
  }));
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().code, ErrorCode::kStoreUnknownFormat);
  EXPECT_THAT(decoded.error().message, HasSubstr("'outcome'"));
  EXPECT_THAT(decoded.error().message, HasSubstr("77"));
}

TEST(Decode, RefusesAnotherRecordFormat) {
  const auto decoded =
      Decode(Foreign([](schema::Record::Builder record) { record.setFormat(kRecordFormat + 1); }));
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().code, ErrorCode::kStoreUnknownFormat);
  EXPECT_THAT(decoded.error().message, HasSubstr("found format 2"));
}

TEST(Decode, RefusesAPayloadThatIsAnEmptyText) {
  const auto decoded = Decode(Foreign([](schema::Record::Builder record) {
    record.setFormat(kRecordFormat);
    record.initEvents(1)[0].initStepCompleted().setOutput("");
  }));
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().code, ErrorCode::kStoreCorrupt);
}

TEST(Decode, RefusesWhatIsNoRecord) {
  for (const std::string& body :
       {std::string(), std::string("x"), std::string(15, '\0'), std::string(64, '\xff')}) {
    const auto decoded = Decode(body);
    ASSERT_FALSE(decoded.has_value());
    EXPECT_EQ(decoded.error().code, ErrorCode::kStoreCorrupt) << decoded.error().ToString();
  }
}

TEST(Decode, RefusesListsThatAreLargerThanTheBody) {
  // Four billion variables of no bytes, as a hostile pointer may claim.
  std::string body = Foreign([](schema::Record::Builder record) {
    record.setFormat(kRecordFormat);
    record.initEvents(1)[0].initVariablesSet();
  });
  // The list of VariablesSet is its only pointer, the body's last word: a list of 2^29-1 voids.
  const uint64_t pointer = 1 | (uint64_t{0x1FFFFFFF} << 35);
  std::memcpy(body.data() + body.size() - 8, &pointer, sizeof(pointer));
  const auto decoded = Decode(body);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().code, ErrorCode::kStoreCorrupt);
}

// Only these two may come of damage.
void ExpectHonest(const Result<std::vector<Event>>& decoded) {
  if (decoded.has_value()) return;
  EXPECT_TRUE(decoded.error().code == ErrorCode::kStoreCorrupt ||
              decoded.error().code == ErrorCode::kStoreUnknownFormat)
      << decoded.error().ToString();
}

TEST(Decode, SurvivesEveryTruncation) {
  RecordEncoder encoder;
  const std::string body(encoder.Encode(RandomValues(7, 0).Events(6)));
  size_t refused = 0;
  for (size_t size = 0; size < body.size(); ++size) {
    const auto decoded = Decode(body.substr(0, size));
    ExpectHonest(decoded);
    refused += decoded.has_value() ? 0 : 1;
  }
  EXPECT_EQ(refused, body.size());
}

TEST(Decode, SurvivesFiftyThousandMutations) {
  RandomValues values(8);
  RecordEncoder encoder;
  size_t refused = 0;
  for (int round = 0; round < 1'000; ++round) {
    const std::string body(encoder.Encode(values.Events(1 + values.Below(5))));
    for (int i = 0; i < 50; ++i) {
      std::string mutated = body;
      for (uint64_t flips = 1 + values.Below(4); flips > 0; --flips) {
        mutated[values.Below(mutated.size())] ^= static_cast<char>(1 + values.Below(255));
      }
      const auto decoded = Decode(mutated);
      ExpectHonest(decoded);
      refused += decoded.has_value() ? 0 : 1;
      // What was accepted can be written and read again.
      if (decoded.has_value()) {
        EXPECT_TRUE(RoundTrip(*decoded) == *decoded);
      }
    }
  }
  EXPECT_GT(refused, 1'000u);
}

TEST(EventName, IsUniqueAndSnakeCase) {
  std::set<std::string_view> names;
  for (size_t index = 0; index < kEventKinds; ++index) names.insert(EventNameAt(index));
  EXPECT_EQ(names.size(), kEventKinds);
  EXPECT_EQ(EventName(StepActivated{}), "step_activated");
  EXPECT_EQ(EventName(DefinitionRegistered{}), "definition_registered");
}

TEST(EventNumber, IsTheSchemas) {
  EXPECT_EQ(EventNumber(InstanceStarted{}), 0);
  EXPECT_EQ(EventNumber(StepActivated{}), 10);
  EXPECT_EQ(EventNumber(DefinitionRegistered{}), 45);
}

}  // namespace
}  // namespace stele::model
