// Forks in a shard: their attempts, keys, places, waits and timers; resets; crashes around them.
#include <algorithm>
#include <set>

#include "engine/definition/load.h"
#include "eventstore/for_each_record.h"
#include "tests/engine/runtime/workflow.h"
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;
using eventstore::WriteFault;
using model::Status;

class Fork : public testing::Test {
 protected:
  Fork() { Reopen(std::make_unique<MemoryStore>()); }
  void Reopen(std::unique_ptr<MemoryStore> store) {
    world_ = std::make_unique<World>(std::move(store));
    world_->held = {"work"};
    world_->Open();
  }
  void Restart() {
    world_->Stop();
    Reopen(world_->store().Crash());
    world_->shard().Resume("tester");
    world_->RunUntilQuiet();
  }
  InstanceId Start(const std::string& yaml, const std::string& business_key = "") {
    InstanceId id;
    EXPECT_TRUE(world_
                    ->Start(model::StartInstance{.definition = world_->Register(yaml),
                                                 .business_key = business_key},
                            &id)
                    .has_value());
    world_->RunUntilQuiet();
    return id;
  }
  Status StatusOf(InstanceId id) { return world_->At(id).status; }

  std::unique_ptr<World> world_;
};

TEST_F(Fork, RunsBesideItsOrigin) {
  const InstanceId origin = Start(kWork);
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(world_->ForkOf(origin), &fork).has_value());
  world_->RunUntilQuiet();
  EXPECT_EQ(world_->outside("work"), (std::vector<std::string>{"1-1-1", "2-1-2"}));
  while (world_->Finish("work")) {
  }
  EXPECT_EQ(StatusOf(origin), Status::kCompleted);
  EXPECT_EQ(StatusOf(fork), Status::kCompleted);
}

TEST_F(Fork, IsThereAfterARestart) {
  const InstanceId origin = Start(kWork);
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(world_->ForkOf(origin), &fork).has_value());
  Restart();
  while (world_->Finish("work")) {
  }
  EXPECT_EQ(StatusOf(fork), Status::kCompleted);
  EXPECT_EQ(world_->At(fork).origin, origin);
}

TEST_F(Fork, OfOneThatHasGoneOnBeginsWhereItWas) {
  const InstanceId origin = Start(kWork);
  const model::ForkInstance before = world_->ForkOf(origin);
  ASSERT_TRUE(world_->Finish("work"));
  ASSERT_EQ(StatusOf(origin), Status::kCompleted);
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(before, &fork).has_value());
  world_->RunUntilQuiet();
  EXPECT_TRUE(world_->Finish("work"));
  EXPECT_EQ(StatusOf(fork), Status::kCompleted);
}

TEST_F(Fork, WithTheSameKeyIsTheSameOne) {
  const InstanceId origin = Start(kWork);
  model::ForkInstance command = world_->ForkOf(origin);
  command.idempotency_key = "once";
  InstanceId first, again;
  ASSERT_TRUE(world_->Fork(command, &first).has_value());
  ASSERT_TRUE(world_->Fork(command, &again).has_value());
  EXPECT_EQ(first, again);
  model::ForkInstance other = command;
  other.origin_seq = Seq(1);
  model::ForkInstance reset = command;
  reset.ends_origin = true;
  for (const model::ForkInstance& another : {other, reset}) {
    const auto refused = world_->Fork(another);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kDuplicateKey);
  }
  EXPECT_EQ(StatusOf(origin), Status::kRunning);
  const auto start = world_->Start(
      model::StartInstance{.definition = world_->Register(kWork), .idempotency_key = "once"});
  ASSERT_FALSE(start.has_value());
  EXPECT_EQ(start.error().code, ErrorCode::kDuplicateKey);
}

TEST_F(Fork, IsTheSameOneInWhateverOrderItsVariablesAreGiven) {
  const InstanceId origin = Start(kWork);
  model::ForkInstance command = world_->ForkOf(origin);
  command.idempotency_key = "once";
  command.variables = {{"a", Payload::FromText("1")}, {"b", Payload::FromText(R"({"c":2,"d":3})")}};
  InstanceId first, again;
  ASSERT_TRUE(world_->Fork(command, &first).has_value());
  command.variables = {{"b", Payload::FromText(R"({"c":2,"d":3})")}, {"a", Payload::FromText("1")}};
  ASSERT_TRUE(world_->Fork(command, &again).has_value());
  EXPECT_EQ(first, again);
  command.variables.pop_back();
  const auto refused = world_->Fork(command);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kDuplicateKey);
}

TEST_F(Fork, HasNoKeyThatIsUsed) {
  const InstanceId origin = Start(kWork, "order-7");
  model::ForkInstance command = world_->ForkOf(origin);
  command.business_key = "order-7";
  const auto refused = world_->Fork(command, nullptr, {.unique_business_key = true});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kDuplicateKey);
}

TEST_F(Fork, OfWhatIsGoneIsRefused) {
  const InstanceId origin = Start(kWork);
  model::ForkInstance command = world_->ForkOf(origin);
  command.state = {};
  const auto refused = world_->Fork(command);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnknownDefinition);
}

TEST_F(Fork, ThatIsRefusedTakesNoNumber) {
  const std::string rated = std::string(kWork) + "variables: {rate: {type: integer, default: 1}}\n";
  const InstanceId origin = Start(rated);
  model::ForkInstance wrong = world_->ForkOf(origin);
  wrong.variables = {{"rate", Payload::FromText("\"x\"")}};
  const auto refused = world_->Fork(wrong);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidInput);
  const DefinitionId other = world_->Register(R"(
version: "1.0"
name: work
steps:
  - {id: other, type: script, config: {script: x}}
)");
  model::ForkInstance elsewhere = world_->ForkOf(origin);
  elsewhere.definition = other;
  const auto lost = world_->Fork(elsewhere);
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().code, ErrorCode::kCannotMigrate);
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(world_->ForkOf(origin), &fork).has_value());
  EXPECT_EQ(fork, origin.Next());
}

TEST_F(Fork, GoesOnInADraftAndInNothingThatIsPausedOrRetired) {
  const InstanceId origin = Start(kWork);
  const DefinitionId own = world_->At(origin).definition;
  const DefinitionId other = world_->Register(std::string(kWork) + "variables: {note: x}\n");
  ASSERT_NE(own, other);
  const auto change = [&](DefinitionId definition, model::DefinitionState state) {
    world_->shard().ChangeDefinition(definition, state, "", "tester",
                                     [](const auto& answer) { EXPECT_TRUE(answer.has_value()); });
  };
  model::ForkInstance command = world_->ForkOf(origin);
  command.definition = other;
  change(other, model::DefinitionState::kDraft);
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(command, &fork).has_value());
  EXPECT_EQ(world_->At(fork).definition, other);
  EXPECT_EQ(world_->shard().registry().Startable("work")->id, own);
  for (const auto state : {model::DefinitionState::kPaused, model::DefinitionState::kRetired}) {
    change(other, state);
    const auto refused = world_->Fork(command);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kDefinitionState);
  }
  change(own, model::DefinitionState::kRetired);
  EXPECT_TRUE(world_->Fork(world_->ForkOf(origin)).has_value()) << "what runs in it goes on";
  change(own, model::DefinitionState::kPaused);
  EXPECT_FALSE(world_->Fork(world_->ForkOf(origin)).has_value());
}

TEST_F(Fork, IsJudgedBeforeItsVersionIsRegistered) {
  const InstanceId origin = Start(kWork);
  model::ForkInstance command = world_->ForkOf(origin);
  const model::Registry& registry = world_->shard().registry();
  command.definition = DefinitionId(static_cast<uint32_t>(registry.definitions.size() + 1));
  const auto judge = [&](const std::string& yaml) {
    const auto loaded = definition::Load(yaml, definition::Syntax::kYaml, "");
    EXPECT_TRUE(loaded.has_value());
    return world_->shard().RefuseFork(command, {}, loaded->get());
  };
  EXPECT_FALSE(judge(std::string(kWork) + "variables: {note: x}\n").has_value());
  std::string renamed = kWork;
  renamed.replace(renamed.find("id: work"), 8, "id: toil");
  const auto refused = judge(renamed);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, ErrorCode::kCannotMigrate);
  command.plan = R"({"work":"toil"})";
  EXPECT_FALSE(judge(renamed).has_value());
  EXPECT_EQ(registry.definitions.size(), 1u);
}

TEST_F(Fork, WaitsForAPlaceOfItsDefinition) {
  const InstanceId origin = Start(std::string(kWork) + "concurrency: 1\n");
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(world_->ForkOf(origin), &fork).has_value());
  world_->RunUntilQuiet();
  EXPECT_TRUE(world_->At(fork).queued);
  EXPECT_EQ(world_->outside("work").size(), 1u);
  ASSERT_TRUE(world_->Finish("work"));
  world_->RunUntilQuiet();
  EXPECT_FALSE(world_->At(fork).queued);
  ASSERT_TRUE(world_->Finish("work"));
  EXPECT_EQ(StatusOf(fork), Status::kCompleted);
}

TEST_F(Fork, WaitsForItsPlaceAcrossARestart) {
  const InstanceId origin = Start(std::string(kWork) + "concurrency: 1\n");
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(world_->ForkOf(origin), &fork).has_value());
  world_->RunUntilQuiet();
  Restart();
  EXPECT_EQ(world_->outside("work").size(), 1u);
  EXPECT_TRUE(world_->At(fork).queued);
  ASSERT_TRUE(world_->Finish("work"));
  world_->RunUntilQuiet();
  EXPECT_EQ(StatusOf(origin), Status::kCompleted);
  EXPECT_FALSE(world_->At(fork).queued);
  ASSERT_TRUE(world_->Finish("work"));
  EXPECT_EQ(StatusOf(fork), Status::kCompleted);
}

TEST_F(Fork, WaitsForAMessageOfItsOwn) {
  const InstanceId origin = Start(R"(
version: "1.0"
name: waits
steps:
  - {id: paid, type: message, config: {name: paid, key: A}}
)");
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(world_->ForkOf(origin), &fork).has_value());
  ASSERT_TRUE(world_->Publish("paid", "A", "{}").has_value());
  world_->RunUntilQuiet();
  EXPECT_EQ(StatusOf(origin), Status::kCompleted);
  EXPECT_EQ(StatusOf(fork), Status::kRunning);
  ASSERT_TRUE(world_->Publish("paid", "A", "{}").has_value());
  world_->RunUntilQuiet();
  EXPECT_EQ(StatusOf(fork), Status::kCompleted);
}

TEST_F(Fork, TakesAMessageThatWaitsAlready) {
  const InstanceId origin = Start(R"(
version: "1.0"
name: waits
steps:
  - {id: paid, type: message, config: {name: paid, key: A}}
)");
  const model::ForkInstance before = world_->ForkOf(origin);
  ASSERT_TRUE(world_->Publish("paid", "A", "{}").has_value());
  ASSERT_TRUE(world_->Publish("paid", "A", "{}").has_value());
  world_->RunUntilQuiet();
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(before, &fork).has_value());
  world_->RunUntilQuiet();
  EXPECT_EQ(StatusOf(fork), Status::kCompleted);
}

TEST_F(Fork, ElapsesAtOnceWhatHasPassedMeanwhile) {
  const InstanceId origin = Start(R"(
version: "1.0"
name: sleeps
steps:
  - {id: sleep, type: delay, config: {duration: 1h}}
)");
  const model::ForkInstance before = world_->ForkOf(origin);
  world_->Advance(7'200'000'000);
  ASSERT_EQ(StatusOf(origin), Status::kCompleted);
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(before, &fork).has_value());
  world_->Advance(1);
  EXPECT_EQ(StatusOf(fork), Status::kCompleted);
}

TEST_F(Fork, ThatResetsEndsItsOrigin) {
  const InstanceId origin = Start(kWork, "order-7");
  model::ForkInstance command = world_->ForkOf(origin);
  command.ends_origin = true;
  command.business_key = "order-7";
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(command, &fork).has_value());
  world_->RunUntilQuiet();
  EXPECT_EQ(StatusOf(origin), Status::kTerminated);
  EXPECT_EQ(world_->cancelled, std::vector<std::string>{"1-1-1"});
  EXPECT_EQ(world_->shard().board().ByBusinessKey("work", "order-7"), fork);
  EXPECT_EQ(world_->outside("work"), std::vector<std::string>{"2-1-2"});
}

TEST_F(Fork, ThatResetOneWhichHadFailedLeavesItAloneWhenItIsRetried) {
  const InstanceId origin = Start(kWork);
  const model::ForkInstance before = world_->ForkOf(origin);
  const RunId run = before.state->runs.at(0).id;
  ASSERT_TRUE(
      world_->Ask(origin, model::FailAttempt{.run = run, .kind = "boom", .message = "told to"})
          .has_value());
  world_->RunUntilQuiet();
  ASSERT_EQ(StatusOf(origin), Status::kFailed);
  model::ForkInstance command = before;
  command.ends_origin = true;
  InstanceId fork;
  ASSERT_TRUE(world_->Fork(command, &fork).has_value());
  world_->RunUntilQuiet();
  EXPECT_EQ(StatusOf(origin), Status::kFailed);
  ASSERT_TRUE(world_->Ask(origin, model::RetryInstance{}).has_value());
  world_->RunUntilQuiet();
  Restart();
  EXPECT_EQ(StatusOf(origin), Status::kRunning);
  EXPECT_EQ(StatusOf(fork), Status::kRunning);
}

// The log as a crash leaves it whose last durable record is that one.
std::unique_ptr<MemoryStore> EndingAt(const MemoryStore& store, Position last) {
  auto ending = std::make_unique<MemoryStore>();
  eventstore::Batch batch;
  const auto copy = [&](const eventstore::RecordView& record) -> Result<bool> {
    if (record.position > last) return false;
    batch.Add(record.header, record.body);
    return true;
  };
  EXPECT_TRUE(eventstore::ForEachRecord(store.Read(ShardId(), Position(1)), copy).has_value());
  EXPECT_TRUE(ending->Append(ShardId(), Position(1), batch).has_value());
  return ending;
}

TEST_F(Fork, ThatResetsEndsItsOriginBehindACrashBetweenTheTwoRecords) {
  const InstanceId origin = Start(kWork);
  model::ForkInstance command = world_->ForkOf(origin);
  command.ends_origin = true;
  InstanceId fork;
  const auto forked = world_->Fork(command, &fork);
  ASSERT_TRUE(forked.has_value());
  world_->RunUntilQuiet();
  Reopen(EndingAt(world_->store(), *forked));
  world_->shard().Resume("another");
  world_->RunUntilQuiet();
  EXPECT_EQ(StatusOf(origin), Status::kTerminated);
  EXPECT_EQ(StatusOf(fork), Status::kRunning);
}

TEST_F(Fork, ThatResetsAndEndsInItsFirstRecordEndsItsOriginBehindACrash) {
  const InstanceId origin = Start(R"(
version: "1.0"
name: tells
steps:
  - {id: work, type: script, config: {script: x}}
  - {id: tell, type: publish, depends_on: [work], config: {name: told}}
)");
  ASSERT_TRUE(world_->Ask(origin, model::PauseInstance{}).has_value());
  ASSERT_TRUE(world_->Finish("work"));
  model::ForkInstance command = world_->ForkOf(origin);
  command.ends_origin = true;
  InstanceId fork;
  const auto forked = world_->Fork(command, &fork);
  ASSERT_TRUE(forked.has_value());
  world_->RunUntilQuiet();
  ASSERT_EQ(StatusOf(fork), Status::kCompleted);
  ASSERT_EQ(StatusOf(origin), Status::kTerminated);
  Reopen(EndingAt(world_->store(), *forked));
  EXPECT_EQ(StatusOf(fork), Status::kCompleted);
  world_->RunUntilQuiet();
  EXPECT_EQ(StatusOf(origin), Status::kTerminated);
}

// Whatever write is the last: the origin goes on, or the fork goes on and the origin has ended.
TEST(ForkThatResets, LeavesOneOfTheTwoAfterAnyCrash) {
  std::set<bool> seen;
  for (const WriteFault fault :
       {WriteFault::kNothingWritten, WriteFault::kTorn, WriteFault::kWritten, WriteFault::kLost})
    for (uint64_t nth = 1; nth < 8; ++nth) {
      std::unique_ptr<MemoryStore> left;
      {
        World world(std::make_unique<MemoryStore>());
        world.held = {"work"};
        world.Open();
        InstanceId origin;
        ASSERT_TRUE(world.Start(world.Register(kWork), &origin).has_value());
        world.RunUntilQuiet();
        world.store().InjectFault(nth, fault);
        model::ForkInstance command = world.ForkOf(origin);
        command.ends_origin = true;
        (void)world.Fork(command);
        world.RunUntilQuiet();
        left = world.Crash();
      }
      World world(std::move(left));
      world.held = {"work"};
      world.Open();
      world.shard().Resume("tester");
      world.RunUntilQuiet();
      const bool forked = world.shard().last_instance() == InstanceId(2);
      seen.insert(forked);
      EXPECT_EQ(world.At(InstanceId(1)).status, forked ? Status::kTerminated : Status::kRunning)
          << nth;
      if (forked) {
        EXPECT_EQ(world.At(InstanceId(2)).status, Status::kRunning) << nth;
      }
    }
  EXPECT_EQ(seen.size(), 2u);
}

}  // namespace
}  // namespace stele::runtime
