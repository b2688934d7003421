// Messages and signals between what is outside and instances: each meets one wait, once.
#include "engine/decide/limits.h"
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;
using testing::Test;

constexpr const char* kPays = R"(
version: "1.0"
name: pays
steps:
  - {id: paid, type: message, config: {action: wait, name: paid, key: "{{input.order ?? 'o'}}"}}
)";

constexpr const char* kTwice = R"(
version: "1.0"
name: twice
steps:
  - {id: first, type: message, config: {action: wait, name: paid, key: o}}
  - {id: second, type: message, depends_on: [first], config: {action: wait, name: paid, key: o}}
)";

constexpr const char* kSender = R"(
version: "1.0"
name: sender
steps:
  - {id: say, type: message, config: {action: publish, name: paid, key: o, payload: {by: step}, ttl: 1m}}
)";

model::StartInstance With(DefinitionId definition, const std::string& input) {
  return {.definition = definition, .input = Payload::FromText(input)};
}

class Messages : public Test {
 protected:
  Messages() : world_(std::make_unique<MemoryStore>()) { world_.Open(); }
  // An instance that waits for the order.
  InstanceId Waiting(const std::string& order = "o") {
    InstanceId id;
    const DefinitionId definition = world_.Register(kPays);
    EXPECT_TRUE(world_.Start(With(definition, R"({"order":")" + order + R"("})"), &id).has_value());
    world_.RunUntilQuiet();
    return id;
  }
  bool HasEnded(InstanceId id) {
    world_.RunUntilQuiet();
    return world_.ended(id);
  }

  World world_;
};

TEST_F(Messages, MeetTheWaitOfTheirNameAndKey) {
  const InstanceId other = Waiting("other");
  const InstanceId id = Waiting();
  ASSERT_TRUE(world_.Publish("paid", "o", R"({"sum":5})").has_value());
  ASSERT_TRUE(HasEnded(id));
  EXPECT_NE(world_.end_state(id).find(R"({"sum":5})"), std::string::npos) << world_.end_state(id);
  EXPECT_FALSE(HasEnded(other));
}

TEST_F(Messages, ThatAStepPublishesMeetWaits) {
  const InstanceId id = Waiting();
  InstanceId sender;
  ASSERT_TRUE(world_.Start(world_.Register(kSender), &sender).has_value());
  EXPECT_TRUE(HasEnded(id));
  EXPECT_TRUE(HasEnded(sender));
  EXPECT_NE(world_.end_state(id).find("step"), std::string::npos);
}

TEST_F(Messages, AreKeptForWhoComesLater) {
  ASSERT_TRUE(world_.Publish("paid", "o", "1").has_value());
  EXPECT_TRUE(HasEnded(Waiting()));
  EXPECT_FALSE(HasEnded(Waiting())) << "it was for one";
}

TEST_F(Messages, AreForgottenWhenTheirTimeIsOver) {
  InstanceId sender;
  ASSERT_TRUE(world_.Start(world_.Register(kSender), &sender).has_value());
  world_.Advance(59'000'000);
  EXPECT_TRUE(HasEnded(Waiting()));
  ASSERT_TRUE(world_.Start(world_.Register(kSender), &sender).has_value());
  world_.Advance(61'000'000);
  EXPECT_FALSE(HasEnded(Waiting()));
}

TEST_F(Messages, MeetTheOlderOfTwoWaits) {
  const InstanceId first = Waiting();
  const InstanceId second = Waiting();
  ASSERT_TRUE(world_.Publish("paid", "o", "1").has_value());
  EXPECT_TRUE(HasEnded(first));
  EXPECT_FALSE(HasEnded(second));
  ASSERT_TRUE(world_.Publish("paid", "o", "2").has_value());
  EXPECT_TRUE(HasEnded(second));
}

TEST_F(Messages, ComeOneAfterTheOther) {
  ASSERT_TRUE(world_.Publish("paid", "o", "1").has_value());
  ASSERT_TRUE(world_.Publish("paid", "o", "2").has_value());
  InstanceId id;
  ASSERT_TRUE(world_.Start(world_.Register(kTwice), &id).has_value());
  ASSERT_TRUE(HasEnded(id));
  EXPECT_NE(world_.end_state(id).find("completed 2"), std::string::npos) << world_.end_state(id);
  EXPECT_FALSE(HasEnded(Waiting())) << "both are gone";
}

TEST_F(Messages, ThatAreToldTwiceWithOneIdComeOnce) {
  ASSERT_TRUE(world_.Publish("paid", "o", "1", "id-1").has_value());
  ASSERT_TRUE(world_.Publish("paid", "o", "1", "id-1").has_value());
  EXPECT_TRUE(HasEnded(Waiting()));
  EXPECT_FALSE(HasEnded(Waiting()));
}

TEST_F(Messages, WithAnIdThatIsKnownAreAnsweredWithTheFirst) {
  const auto first = world_.Publish("paid", "o", R"({"sum":1})", "id-1");
  ASSERT_TRUE(first.has_value());
  const size_t records = world_.records().size();
  const auto again = world_.Publish("paid", "o", R"({ "sum": 1 })", "id-1");
  ASSERT_TRUE(again.has_value()) << again.error().ToString();
  EXPECT_EQ(*again, *first);
  EXPECT_EQ(world_.records().size(), records) << "nothing is recorded of the second";
}

TEST_F(Messages, WithTheIdOfAnotherMessageAreRefused) {
  const auto first = world_.Publish("paid", "o", "1", "id-1");
  ASSERT_TRUE(first.has_value());
  const auto expect = [&](const char* name, const char* key, const char* payload,
                          const char* difference) {
    const auto refused = world_.Publish(name, key, payload, "id-1");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kDuplicateKey);
    EXPECT_NE(refused.error().message.find(difference), std::string::npos)
        << refused.error().message;
  };
  expect("paid", "o", "2", "payload");
  expect("paid", "p", "1", "key \"o\" but found \"p\"");
  expect("sent", "o", "1", "name \"paid\" but found \"sent\"");
}

TEST_F(Messages, AreComparedWithTheFirstThoughItIsNotDurableYet) {
  const auto publish = [&](const char* payload, std::optional<Result<Position>>& answer) {
    world_.shard().Publish(
        {.name = "paid", .payload = Payload::FromText(payload), .message_id = "x"}, "tester",
        [&](const Result<Position>& given) { answer = given; });
  };
  std::optional<Result<Position>> first, same, other;
  publish("1", first);
  publish("1", same);
  publish("2", other);
  ASSERT_TRUE(world_.RunUntil([&] { return first && same && other; }));
  ASSERT_TRUE(first->has_value() && same->has_value());
  EXPECT_EQ(**first, **same);
  ASSERT_FALSE(other->has_value());
  EXPECT_EQ(other->error().code, ErrorCode::kDuplicateKey);
}

TEST_F(Messages, WithLongNamesOrKeysAreRefused) {
  const std::string large(decide::kMaxKeyBytes + 1, 'x');
  const std::string fits(decide::kMaxKeyBytes, 'x');
  EXPECT_TRUE(world_.Publish(fits, fits, "1", fits).has_value());
  for (const auto& refused : {world_.Publish(large, "o", "1"), world_.Publish("paid", large, "1"),
                              world_.Publish("paid", "o", "1", large)}) {
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
    EXPECT_NE(refused.error().message.find("at most 1024 bytes but found 1025"), std::string::npos);
  }
  const auto signal = world_.Ask(Waiting(), model::SendSignal{large, Payload()});
  ASSERT_FALSE(signal.has_value());
  EXPECT_EQ(signal.error().code, ErrorCode::kLimitExceeded);
}

TEST_F(Messages, DoNotMeetAWaitThatIsOver) {
  const InstanceId first = Waiting();
  ASSERT_TRUE(world_.Ask(first, model::CancelInstance{}).has_value());
  const InstanceId second = Waiting();
  ASSERT_TRUE(world_.Publish("paid", "o", "1").has_value());
  EXPECT_TRUE(HasEnded(second));
}

TEST_F(Messages, MeetTheSecondAttemptOfAWait) {
  InstanceId id;
  ASSERT_TRUE(world_
                  .Start(world_.Register("version: '1.0'\nname: again\nsteps:\n"
                                         "  - {id: paid, type: message, timeout: 1m, config: "
                                         "{action: wait, name: paid, key: o},\n"
                                         "     retry: {max_attempts: 2, initial_delay: 1m}}\n"),
                         &id)
                  .has_value());
  world_.Advance(61'000'000);
  // Between two attempts nothing waits: the message is kept.
  ASSERT_TRUE(world_.Publish("paid", "o", "7").has_value());
  EXPECT_FALSE(HasEnded(id));
  world_.Advance(61'000'000);
  ASSERT_TRUE(HasEnded(id));
  EXPECT_NE(world_.end_state(id).find("completed 7"), std::string::npos) << world_.end_state(id);
}

TEST_F(Messages, WithoutANameOrTooLargeAreRefused) {
  EXPECT_EQ(world_.Publish("", "o", "1").error().code, ErrorCode::kInvalidInput);
  const std::string large = '"' + std::string(kMaxPayloadBytes, 'x') + '"';
  EXPECT_EQ(world_.Publish("paid", "o", large).error().code, ErrorCode::kLimitExceeded);
}

TEST_F(Messages, ASignalMeetsItsInstanceAlone) {
  const DefinitionId definition = world_.Register(
      "version: '1.0'\nname: s\nsteps:\n  - {id: go, type: signal, config: {name: go}}\n");
  InstanceId first, second;
  ASSERT_TRUE(world_.Start(definition, &first).has_value());
  ASSERT_TRUE(world_.Start(definition, &second).has_value());
  ASSERT_TRUE(
      world_.Ask(second, model::SendSignal{"go", Payload::FromText(R"({"n":1})")}).has_value());
  EXPECT_TRUE(HasEnded(second));
  EXPECT_FALSE(HasEnded(first));
}

TEST_F(Messages, ASignalThatComesEarlyIsKept) {
  world_.held = {"before"};
  InstanceId id;
  ASSERT_TRUE(
      world_
          .Start(world_.Register("version: '1.0'\nname: s\nsteps:\n"
                                 "  - {id: before, type: script, config: {script: x}}\n"
                                 "  - {id: go, type: signal, depends_on: [before], config: {name: "
                                 "go}}\n"),
                 &id)
          .has_value());
  world_.RunUntilQuiet();
  ASSERT_TRUE(world_.Ask(id, model::SendSignal{"go", Payload()}).has_value());
  EXPECT_FALSE(HasEnded(id));
  ASSERT_TRUE(world_.Finish("before"));
  EXPECT_TRUE(HasEnded(id));
}

TEST_F(Messages, AreTakenWhileTheInstanceIsPaused) {
  const InstanceId id = Waiting();
  ASSERT_TRUE(world_.Ask(id, model::PauseInstance{}).has_value());
  ASSERT_TRUE(world_.Publish("paid", "o", "1").has_value());
  EXPECT_FALSE(HasEnded(id));
  ASSERT_TRUE(world_.Ask(id, model::ResumeInstance{}).has_value());
  EXPECT_TRUE(HasEnded(id));
}

TEST(MessagesAndMemory, FindAnInstanceThatHasLeftIt) {
  World world(std::make_unique<MemoryStore>(), {.idle_memory_bytes = 0, .checkpoint_records = 2});
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world.Start(world.Register(kPays), &id).has_value());
  world.RunUntilQuiet();
  ASSERT_EQ(world.shard().live_instances(), 0u);
  ASSERT_TRUE(world.Publish("paid", "o", "1").has_value());
  EXPECT_TRUE(world.RunUntilEnded(id));
}

TEST(MessagesAndMemory, LeaveNothingOnTheBoard) {
  World world(std::make_unique<MemoryStore>());
  world.Open();
  const DefinitionId definition = world.Register(kPays);
  for (int i = 0; i < 10; ++i) {
    InstanceId id;
    ASSERT_TRUE(world.Start(definition, &id).has_value());
    ASSERT_TRUE(world.Publish("paid", "o", "1").has_value());
    ASSERT_TRUE(world.RunUntilEnded(id));
  }
  EXPECT_EQ(world.shard().board().notes().BeginWriting().size(), 0u);
  world.shard().board().notes().EndWriting();
}

TEST_F(Messages, LeaveNothingOfARunThatFellBackAndWasRetried) {
  InstanceId id;
  ASSERT_TRUE(
      world_
          .Start(world_.Register("version: '1.0'\nname: back\nerror_handling: park\nsteps:\n"
                                 "  - {id: paid, type: message, timeout: 1m, fallback: "
                                 "other, config: {action: wait, name: paid, key: o}}\n"
                                 "  - {id: other, type: script, config: {script: x}}\n"),
                 &id)
          .has_value());
  world_.failing["other"] = 1;
  world_.Advance(61'000'000);
  const model::StepRun& parked = world_.At(id).runs.at(0);
  ASSERT_EQ(parked.state, model::RunState::kParked);
  ASSERT_TRUE(world_.Ask(id, model::ResolveIncident{parked.id}).has_value());
  world_.Advance(1'000'000);
  ASSERT_TRUE(world_.Publish("paid", "o", "7").has_value());
  ASSERT_TRUE(HasEnded(id));
  const auto waits = world_.shard().board().Waits("paid", "o", 1);
  ASSERT_TRUE(waits.has_value());
  EXPECT_TRUE(waits->empty());
}

TEST(MessagesAndMemory, AreRefusedWhileTheDiskIsTooFarBehind) {
  World world(std::make_unique<MemoryStore>(), {.max_bytes_in_flight = 1'000});
  world.Open();
  world.RunUntilQuiet();
  size_t refused = 0;
  for (int i = 0; i < 10; ++i)
    world.shard().Publish(
        {.name = "paid", .key = "o", .payload = Payload::FromText(std::string(500, '1'))}, "tester",
        [&](const Result<Position>& answer) {
          if (answer.has_value()) return;
          EXPECT_EQ(answer.error().code, ErrorCode::kBackPressure);
          ++refused;
        });
  EXPECT_EQ(refused, 8u);
  world.RunUntilQuiet();
  EXPECT_TRUE(world.Publish("paid", "o", "1").has_value()) << "it has caught up";
}

TEST_F(Messages, ThatHaveExpiredAreForgottenWhenSomebodyLooks) {
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(world_.Publish("paid", "o", "1", "", world_.clock().Now().Plus(1)).has_value());
  world_.Advance(10);
  Waiting();
  size_t left = 0;
  ASSERT_TRUE(world_.shard()
                  .board()
                  .notes()
                  .Scan("m",
                        [&](std::string_view, std::string_view) {
                          ++left;
                          return true;
                        })
                  .has_value());
  EXPECT_EQ(left, 0u);
}

TEST(Migration, KeepsWhoWaitsForAMessage) {
  World world(std::make_unique<MemoryStore>());
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world.Start(world.Register(kPays), &id).has_value());
  world.RunUntilQuiet();
  const DefinitionId next =
      world.Register(std::string(kPays) +
                     "  - {id: thanks, type: script, depends_on: [paid], config: {script: x}}\n");
  ASSERT_TRUE(world.Ask(id, model::MigrateInstance{next, ""}).has_value());
  std::vector<Deed> ledger;
  world.ledger = &ledger;
  ASSERT_TRUE(world.Publish("paid", "o", "1").has_value());
  ASSERT_TRUE(world.RunUntilEnded(id));
  ASSERT_EQ(ledger.size(), 1u) << "the new version's step ran";
  EXPECT_EQ(ledger[0].step, "thanks");
}

}  // namespace
}  // namespace stele::runtime
