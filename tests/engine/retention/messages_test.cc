// Messages behind a purge: an engine that opens what is left gives each to whom the one before it
// would have given it, and to nobody what somebody had.
#include <filesystem>

#include "tests/engine/retention/triggered_engine.h"
#include "tests/eventstore/records.h"

namespace stele::retention {
namespace {

using eventstore::TempDir;
using model::MessagePlace;

constexpr const char* kWaiting =
    "id: waiting\n"
    "steps: [{id: w, type: message, config: {action: wait, name: go, key: all}}]\n";
constexpr const char* kFirstSays =
    "id: first\n"
    "steps: [{id: s, type: message, config: {action: publish, name: go, key: all, id: once,"
    " payload: first}}]\n";
constexpr const char* kSecondSays =
    "id: second\n"
    "steps: [{id: s, type: message, config: {action: publish, name: go, key: all, id: once,"
    " payload: second}}]\n";
constexpr int64_t kHourUs = 3'600'000'000;

enum class Restart : uint8_t { kNone, kFromCheckpoint, kWithoutState };
struct Case {
  const char* name;
  Restart restart;
};
void PrintTo(const Case& given, std::ostream* out) {
  *out << given.name;
}

class PurgedMessages : public testing::TestWithParam<Case> {
 protected:
  PurgedMessages() { Open(); }
  void Open() { engine_ = std::make_unique<TriggeredEngine>(directory_.path()); }
  void StartAgain() {
    if (GetParam().restart == Restart::kNone) return;
    engine_.reset();
    if (GetParam().restart == Restart::kWithoutState)
      std::filesystem::remove_all(directory_.path() + "/state");
    Open();
  }
  // The payloads of the messages that it met.
  std::string Met(InstanceId instance) const {
    std::string met;
    engine_->ForEachEvent([&](const eventstore::RecordView& record, const model::Event& event) {
      const auto* message = std::get_if<model::MessageCorrelated>(&event);
      if (message != nullptr && record.header.instance == instance) met += message->payload.text();
    });
    return met;
  }
  // Of the last purge.
  model::InstancesPurged Record() const {
    model::InstancesPurged last;
    engine_->ForEachEvent([&](const auto&, const model::Event& event) {
      if (const auto* purged = std::get_if<model::InstancesPurged>(&event)) last = *purged;
    });
    return last;
  }
  // Where the engine says that a message with the id is.
  Position PublishOnce(const std::string& payload) {
    Position position;
    engine_->shard().Publish(
        {.name = "go",
         .key = "all",
         .payload = Payload::FromText(payload),
         .expires = {},
         .message_id = "once"},
        "tester", [&](const Result<Position>& answer) { position = answer.value_or(Position()); });
    engine_->RunUntilQuiet();
    return position;
  }
  Position End() const {
    Position end;
    engine_->ForEachEvent([&](const auto& record, const auto&) { end = record.position; });
    return end;
  }

  TempDir directory_;
  std::unique_ptr<TriggeredEngine> engine_;
};

TEST_P(PurgedMessages, OfOutsideComeToOneAlone) {
  const DefinitionId waiting = engine_->Register(kWaiting);
  const Position first = engine_->Publish("go", "all", "1");
  engine_->WriteCheckpoint();
  const InstanceId gone = engine_->Start(waiting);
  ASSERT_EQ(Met(gone), "1");
  engine_->Purge({gone});
  EXPECT_EQ(Record().messages, (std::vector<MessagePlace>{{first, 0}}));
  const InstanceId next = engine_->Start(waiting);

  StartAgain();
  EXPECT_EQ(Met(next), "");
  engine_->Publish("go", "all", "2");
  EXPECT_EQ(Met(next), "2");
}

TEST_P(PurgedMessages, OfOneThatStaysComeToOneAlone) {
  const DefinitionId waiting = engine_->Register(kWaiting);
  const InstanceId publisher = engine_->Start(engine_->Register(kFirstSays));
  engine_->WriteCheckpoint();
  const InstanceId gone = engine_->Start(waiting);
  ASSERT_EQ(Met(gone), "\"first\"");
  engine_->Purge({gone});
  EXPECT_EQ(Record().messages.size(), 1u);
  const InstanceId next = engine_->Start(waiting);

  StartAgain();
  EXPECT_EQ(Met(next), "");
  // The publisher goes too; nothing is left to be said of its message.
  engine_->Purge({publisher});
  EXPECT_TRUE(Record().messages.empty());
  StartAgain();
  EXPECT_EQ(Met(next), "");
}

TEST_P(PurgedMessages, ThatNobodyHadMetAreKept) {
  const DefinitionId waiting = engine_->Register(kWaiting);
  engine_->Publish("go", "all", "1");
  engine_->Publish("go", "all", "2");
  engine_->WriteCheckpoint();
  const InstanceId gone = engine_->Start(waiting);
  const InstanceId stays = engine_->Start(waiting);
  engine_->Publish("go", "all", "3");
  engine_->Purge({gone});

  StartAgain();
  EXPECT_EQ(Met(stays), "2");
  EXPECT_EQ(Met(engine_->Start(waiting)), "3");
}

TEST_P(PurgedMessages, AreNotRecordedWhenTheyCouldNotComeAgain) {
  const DefinitionId waiting = engine_->Register(kWaiting);
  engine_->Publish("go", "all", "1");
  const InstanceId late = engine_->Start(waiting);
  engine_->Advance(kHourUs);
  engine_->Purge({late});
  EXPECT_TRUE(Record().messages.empty()) << "it has expired";

  // Nor when its publisher goes with who met it, or has gone before.
  const DefinitionId first = engine_->Register(kFirstSays);
  const InstanceId publisher = engine_->Start(first);
  const InstanceId with = engine_->Start(waiting);
  engine_->Purge({publisher, with});
  EXPECT_TRUE(Record().messages.empty());
  const InstanceId earlier = engine_->Start(first);
  engine_->Publish("go", "of nobody", "2");  // stands next to what is cut out
  const InstanceId met = engine_->Start(waiting);
  ASSERT_EQ(Met(met), "\"first\"");
  engine_->Purge({earlier});
  engine_->Purge({met});
  EXPECT_TRUE(Record().messages.empty());

  StartAgain();
  EXPECT_EQ(Met(engine_->Start(waiting)), "");
}

TEST_P(PurgedMessages, DoNotGiveTheirIdsToWhoHadThemInVain) {
  const DefinitionId waiting = engine_->Register(kWaiting);
  const InstanceId first = engine_->Start(engine_->Register(kFirstSays));
  engine_->Start(engine_->Register(kSecondSays));
  engine_->WriteCheckpoint();
  const InstanceId met = engine_->Start(waiting);
  ASSERT_EQ(Met(met), "\"first\"");
  engine_->Purge({first});
  EXPECT_EQ(Record().message_ids, std::vector<std::string>{"once"});
  const InstanceId next = engine_->Start(waiting);

  StartAgain();
  EXPECT_EQ(Met(next), "") << "the second was a repetition";
  const Position before = End();
  EXPECT_GT(PublishOnce("3"), before) << "the id is free";
  EXPECT_EQ(Met(next), "3");
  // What has it now has it after another start.
  StartAgain();
  EXPECT_LE(PublishOnce("3"), End());
  EXPECT_EQ(Met(engine_->Start(waiting)), "");
}

TEST_P(PurgedMessages, ThatRepeatedAnIdDoNotFreeIt) {
  const DefinitionId waiting = engine_->Register(kWaiting);
  engine_->Start(engine_->Register(kFirstSays));
  const InstanceId second = engine_->Start(engine_->Register(kSecondSays));
  engine_->WriteCheckpoint();
  engine_->Purge({second});
  EXPECT_TRUE(Record().message_ids.empty());

  StartAgain();
  EXPECT_EQ(Met(engine_->Start(waiting)), "\"first\"");
  EXPECT_EQ(PublishOnce("3"), Position()) << "it is another message under that id";
}

TEST_P(PurgedMessages, WithAnIdThatIsFreeAgainAreKept) {
  const DefinitionId waiting = engine_->Register(kWaiting);
  const Position first = PublishOnce("1");
  engine_->Advance(2 * kHourUs);
  engine_->WriteCheckpoint();
  const Position second = PublishOnce("2");
  ASSERT_GT(second, first) << "the first has expired";

  StartAgain();
  EXPECT_EQ(PublishOnce("2"), second);
  EXPECT_EQ(Met(engine_->Start(waiting)), "2");
  // What becomes of the first does not free the id.
  engine_->WriteCheckpoint();
  EXPECT_EQ(PublishOnce("2"), second);
}

INSTANTIATE_TEST_SUITE_P(Starts, PurgedMessages,
                         testing::Values(Case{"no start", Restart::kNone},
                                         Case{"from an old checkpoint", Restart::kFromCheckpoint},
                                         Case{"from a log whose state is gone",
                                              Restart::kWithoutState}));

}  // namespace
}  // namespace stele::retention
