// What may start, and when: keys that are used once, definitions' states and limits.
#include <algorithm>

#include "tests/engine/runtime/workflow.h"
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;
using model::DefinitionState;
using model::Status;

std::string Limited(const std::string& concurrency) {
  return std::string(kWork) + "concurrency: " + concurrency + "\n";
}

class Admission : public testing::Test {
 protected:
  Admission() { Reopen(std::make_unique<MemoryStore>()); }
  void Reopen(std::unique_ptr<MemoryStore> store) {
    world_ = std::make_unique<World>(std::move(store));
    world_->held = {"work"};
    world_->Open();
  }
  void Crash() {
    std::unique_ptr<MemoryStore> left = world_->Crash();
    Reopen(std::move(left));
    world_->shard().Resume("tester");
    world_->RunUntilQuiet();
  }
  void Restart() {
    world_->Stop();
    Reopen(world_->store().Crash());
    world_->shard().Resume("tester");
    world_->RunUntilQuiet();
  }
  Result<Position> StartKeyed(const std::string& key, InstanceId* id) {
    return world_->Start(
        model::StartInstance{.definition = world_->Register(kWork), .idempotency_key = key}, id);
  }
  Result<Position> StartUnique(const std::string& key, InstanceId* id = nullptr) {
    return world_->Start(
        model::StartInstance{.definition = world_->Register(kWork), .business_key = key}, id,
        {.unique_business_key = true});
  }
  InstanceId StartLimited(const std::string& concurrency, int32_t priority = 0,
                          const std::string& input = "{}") {
    InstanceId id;
    EXPECT_TRUE(
        world_
            ->Start(model::StartInstance{.definition = world_->Register(Limited(concurrency)),
                                         .input = Payload::FromText(input),
                                         .priority = priority},
                    &id)
            .has_value());
    world_->RunUntilQuiet();
    return id;
  }
  bool IsQueued(InstanceId id) { return world_->At(id).queued; }

  std::unique_ptr<World> world_;
};

TEST_F(Admission, LongKeysAndTagsAreRefusedAndUseUpNoInstance) {
  const DefinitionId work = world_->Register(kWork);
  const std::string large(1'025, 'x');
  const auto expect = [&](model::StartInstance start, const char* what) {
    start.definition = work;
    const auto refused = world_->Start(std::move(start));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
    EXPECT_EQ(refused.error().message,
              std::string("Expected ") + what + " of at most 1024 bytes but found 1025");
  };
  expect({.business_key = large}, "a business key");
  expect({.idempotency_key = large}, "an idempotency key");
  expect({.tags = {"a", large}}, "a tag");
  EXPECT_EQ(world_->shard().last_instance(), InstanceId());
}

TEST_F(Admission, GivesTheSameInstanceForTheSameIdempotencyKey) {
  InstanceId in_one_turn[2];
  int answers = 0;
  const DefinitionId definition = world_->Register(kWork);
  for (InstanceId& id : in_one_turn)
    id = world_->shard().Start({.definition = definition, .idempotency_key = "k"}, "tester",
                               [&](const auto& answer) { answers += answer.has_value(); });
  EXPECT_EQ(in_one_turn[0], in_one_turn[1]);
  ASSERT_TRUE(world_->RunUntil([&] { return answers == 2; }));
  InstanceId later;
  ASSERT_TRUE(StartKeyed("k", &later).has_value());
  EXPECT_EQ(later, in_one_turn[0]);
  ASSERT_TRUE(StartKeyed("other", &later).has_value());
  EXPECT_EQ(later, in_one_turn[0].Next());
}

TEST_F(Admission, RemembersIdempotencyKeysOverRestarts) {
  InstanceId first, again;
  ASSERT_TRUE(StartKeyed("k", &first).has_value());
  Crash();
  ASSERT_TRUE(StartKeyed("k", &again).has_value());
  EXPECT_EQ(again, first) << "from the log";
  Restart();
  ASSERT_TRUE(StartKeyed("k", &again).has_value());
  EXPECT_EQ(again, first) << "from the checkpoint";
  world_->RunUntilQuiet();
  ASSERT_TRUE(world_->Finish("work"));
  ASSERT_TRUE(StartKeyed("k", &again).has_value());
  EXPECT_EQ(again, first) << "though it has ended";
}

TEST_F(Admission, RefusesAnIdempotencyKeyThatStartedSomethingElse) {
  const std::string declares =
      std::string(kWork) + "variables:\n  n: {type: integer, default: 1}\n";
  const DefinitionId work = world_->Register(kWork);
  const DefinitionId other = world_->Register(
      "version: '1.0'\nname: other\nsteps:\n  - {id: work, type: script, config: {script: x}}\n");
  const DefinitionId newer = world_->Register(declares);
  const model::StartInstance first{.definition = newer,
                                   .input = Payload::FromText(R"({"a": [1]})"),
                                   .variables = {{"m", Payload::FromText("2")}},
                                   .business_key = "b",
                                   .idempotency_key = "k"};
  model::StartInstance same = first;
  same.definition = work;  // another version is the same definition
  same.input = Payload::FromText(R"({ "a":[1] })");
  same.variables.push_back({"n", Payload::FromText("1")});
  std::vector<model::StartInstance> others(6, first);
  others[0].definition = other;
  others[1].input = Payload::FromText(R"({"a": [2]})");
  others[2].input = Payload();
  others[3].business_key = "";
  others[4].variables[0].value = Payload::FromText("3");
  others[5].variables.push_back({"n", Payload::FromText("2")});
  // At once, when it is durable, and after a restart.
  std::vector<std::optional<Error>> at_once(others.size());
  world_->RunUntilQuiet();
  InstanceId id = world_->shard().Start(first, "tester", [](const auto&) {});
  for (size_t i = 0; i < others.size(); ++i)
    world_->shard().Start(others[i], "tester", [&, i](const Result<Position>& answer) {
      if (!answer.has_value()) at_once[i] = answer.error();
    });
  world_->RunUntilQuiet();
  for (const bool restarted : {false, true}) {
    if (restarted) Restart();
    InstanceId again;
    EXPECT_TRUE(world_->Start(same, &again).has_value());
    EXPECT_EQ(again, id);
    for (size_t i = 0; i < others.size(); ++i) {
      const auto refused = world_->Start(others[i]);
      ASSERT_FALSE(refused.has_value()) << i;
      EXPECT_EQ(refused.error().code, ErrorCode::kDuplicateKey) << i;
      EXPECT_EQ(at_once[i], refused.error()) << i;
    }
  }
  EXPECT_EQ(
      at_once[1]->message,
      "Expected a new idempotency key for this start but instance 1 was started with \"k\" and "
      "another input");
}

TEST_F(Admission, FreesAnIdempotencyKeyWhoseStartWasRefused) {
  const DefinitionId strict = world_->Register(
      "version: '1.0'\nname: strict\nvariables:\n  n: {type: integer, default: 1}\nsteps:\n  - "
      "{id: a, type: script, config: {script: x}}\n");
  model::StartInstance bad{.definition = strict, .idempotency_key = "k"};
  bad.variables.push_back({"n", Payload::FromText("\"text\"")});
  InstanceId id;
  EXPECT_FALSE(world_->Start(bad, &id).has_value());
  EXPECT_TRUE(StartKeyed("k", &id).has_value());
}

TEST_F(Admission, RefusesABusinessKeyThatAnOpenInstanceHas) {
  InstanceId id;
  ASSERT_TRUE(StartUnique("order-1", &id).has_value());
  EXPECT_EQ(StartUnique("order-1").error().code, ErrorCode::kDuplicateKey);
  EXPECT_TRUE(StartUnique("order-2").has_value());
  Crash();
  EXPECT_EQ(StartUnique("order-1").error().code, ErrorCode::kDuplicateKey);
  ASSERT_TRUE(world_->Ask(id, model::CancelInstance{}).has_value());
  EXPECT_TRUE(StartUnique("order-1").has_value()) << "free again";
}

TEST_F(Admission, KeepsABusinessKeyForAFailedInstanceThatIsRetried) {
  world_->held = {};
  world_->failing["work"] = 1;
  InstanceId id;
  ASSERT_TRUE(StartUnique("k", &id).has_value());
  ASSERT_TRUE(world_->RunUntilEnded(id));
  world_->held = {"work"};
  ASSERT_TRUE(world_->Ask(id, model::RetryInstance{}).has_value());
  EXPECT_EQ(StartUnique("k").error().code, ErrorCode::kDuplicateKey);
  Crash();
  EXPECT_EQ(StartUnique("k").error().code, ErrorCode::kDuplicateKey);
}

TEST_F(Admission, LetsSoManyRunAtOnceAsTheDefinitionSays) {
  std::vector<InstanceId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(StartLimited("{limit: 3}"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(IsQueued(ids[static_cast<size_t>(i)]), i >= 3) << i;
  EXPECT_EQ(model::StatusOf(world_->At(ids[4])), "queued");
  ASSERT_TRUE(world_->Finish("work"));
  EXPECT_FALSE(IsQueued(ids[3]));
  EXPECT_TRUE(IsQueued(ids[4]));
  while (world_->Finish("work")) EXPECT_LE(world_->outside("work").size(), 3u);
  for (const InstanceId id : ids) EXPECT_TRUE(world_->ended(id));
}

TEST_F(Admission, CountsEachKeyOfALimitByItself) {
  const std::string limit = "{key: '{{input.k}}', limit: 1}";
  const InstanceId a = StartLimited(limit, 0, R"({"k":"a"})");
  const InstanceId b = StartLimited(limit, 0, R"({"k":"b"})");
  const InstanceId next = StartLimited(limit, 0, R"({"k":"a"})");
  EXPECT_FALSE(IsQueued(a));
  EXPECT_FALSE(IsQueued(b));
  EXPECT_TRUE(IsQueued(next));
  ASSERT_TRUE(world_->Finish("work"));
  EXPECT_FALSE(IsQueued(next));
}

TEST_F(Admission, AdmitsTheHigherPriorityFirstThenWhoCameFirst) {
  StartLimited("{limit: 1}");
  const InstanceId low = StartLimited("{limit: 1}", -1);
  const InstanceId early = StartLimited("{limit: 1}");
  const InstanceId late = StartLimited("{limit: 1}");
  const InstanceId high = StartLimited("{limit: 1}", 5);
  for (const InstanceId next : {high, early, late, low}) {
    EXPECT_TRUE(IsQueued(next));
    ASSERT_TRUE(world_->Finish("work"));
    EXPECT_FALSE(IsQueued(next)) << next.value;
    EXPECT_EQ(world_->outside("work").size(), 1u);
  }
}

TEST_F(Admission, PassesOverAQueuedInstanceThatIsCancelled) {
  StartLimited("{limit: 1}");
  const InstanceId cancelled = StartLimited("{limit: 1}");
  const InstanceId next = StartLimited("{limit: 1}");
  ASSERT_TRUE(world_->Ask(cancelled, model::CancelInstance{}).has_value());
  EXPECT_TRUE(world_->ended(cancelled));
  EXPECT_TRUE(IsQueued(next));
  ASSERT_TRUE(world_->Finish("work"));
  EXPECT_FALSE(IsQueued(next));
}

TEST_F(Admission, NeverExceedsALimitWhenOneEndsAndAnotherStartsInOneTurn) {
  const InstanceId first = StartLimited("{limit: 1}");
  const InstanceId second = StartLimited("{limit: 1}");
  const DefinitionId definition = world_->At(first).definition;
  world_->shard().Send(first, model::TerminateInstance{}, "tester", nullptr);
  const InstanceId third = world_->shard().Start({.definition = definition}, "tester", nullptr);
  world_->RunUntilQuiet();
  EXPECT_FALSE(IsQueued(second));
  EXPECT_TRUE(IsQueued(third));
  EXPECT_EQ(world_->outside("work").size(), 1u);
}

TEST_F(Admission, KeepsQueuesOverACrash) {
  StartLimited("{limit: 1}");
  const InstanceId second = StartLimited("{limit: 1}");
  const InstanceId third = StartLimited("{limit: 1}");
  Crash();
  EXPECT_TRUE(IsQueued(second));
  ASSERT_TRUE(world_->Finish("work"));
  EXPECT_FALSE(IsQueued(second));
  EXPECT_TRUE(IsQueued(third));
}

TEST_F(Admission, AdmitsWhoWaitsWhenANewVersionHasNoLimit) {
  StartLimited("{limit: 1}");
  const InstanceId second = StartLimited("{limit: 1}");
  world_->Register(kWork);
  ASSERT_TRUE(world_->Finish("work"));
  EXPECT_FALSE(IsQueued(second));
}

TEST_F(Admission, FreesThePlaceOfAnInstanceThatMigratesToAVersionWithoutALimit) {
  const InstanceId first = StartLimited("{limit: 1}");
  const InstanceId second = StartLimited("{limit: 1}");
  const DefinitionId free = world_->Register(kWork);
  ASSERT_TRUE(world_->Ask(first, model::MigrateInstance{free, ""}).has_value());
  world_->RunUntilQuiet();
  EXPECT_FALSE(IsQueued(second));
  EXPECT_EQ(world_->outside("work").size(), 2u);
}

TEST_F(Admission, PassesOverAQueuedInstanceThatIsMigratedAndCancelledInOneTurn) {
  StartLimited("{limit: 1}");
  const InstanceId second = StartLimited("{limit: 1}");
  const InstanceId third = StartLimited("{limit: 1}");
  const DefinitionId free = world_->Register(kWork);
  world_->shard().Send(second, model::MigrateInstance{free, ""}, "tester", nullptr);
  world_->shard().Send(second, model::CancelInstance{}, "tester", nullptr);
  world_->RunUntilQuiet();
  EXPECT_EQ(world_->At(second).status, Status::kCancelled);
  EXPECT_TRUE(IsQueued(third));
  ASSERT_TRUE(world_->Finish("work"));
  EXPECT_FALSE(IsQueued(third));
}

TEST_F(Admission, AQueuedInstanceThatIsMigratedToAVersionWithoutALimitBegins) {
  StartLimited("{limit: 1}");
  const InstanceId second = StartLimited("{limit: 1}");
  const DefinitionId free = world_->Register(kWork);
  ASSERT_TRUE(world_->Ask(second, model::MigrateInstance{free, ""}).has_value());
  world_->RunUntilQuiet();
  EXPECT_FALSE(IsQueued(second));
  EXPECT_EQ(world_->outside("work").size(), 2u);
}

TEST_F(Admission, AQueuedInstanceThatIsMigratedBeginsAfterACrashToo) {
  StartLimited("{limit: 1}");
  const InstanceId second = StartLimited("{limit: 1}");
  const DefinitionId free = world_->Register(kWork);
  // The crash comes before it is admitted.
  std::unique_ptr<MemoryStore> left;
  ASSERT_TRUE(world_->Ask(second, model::MigrateInstance{free, ""}).has_value());
  Crash();
  EXPECT_FALSE(IsQueued(second));
}

TEST_F(Admission, AdmitsAsManyAsThereArePlacesFor) {
  std::vector<InstanceId> running, queued;
  for (int i = 0; i < 3; ++i) running.push_back(StartLimited("{limit: 3}"));
  for (int i = 0; i < 5; ++i) queued.push_back(StartLimited("{limit: 3}"));
  for (const InstanceId id : running)
    world_->shard().Send(id, model::TerminateInstance{}, "tester", nullptr);
  world_->RunUntilQuiet();
  EXPECT_EQ(std::ranges::count_if(queued, [this](InstanceId id) { return IsQueued(id); }), 2);
  EXPECT_EQ(world_->outside("work").size(), 3u);
}

TEST_F(Admission, RefusesABusinessKeyThatAStartInTheSameTurnHas) {
  const DefinitionId definition = world_->Register(kWork);
  const model::StartInstance start{.definition = definition, .business_key = "K"};
  const StartOptions unique{.unique_business_key = true};
  std::optional<Result<Position>> second;
  const InstanceId first = world_->shard().Start(start, "tester", nullptr, unique);
  EXPECT_TRUE(first);
  const InstanceId refused = world_->shard().Start(
      start, "tester", [&](const Result<Position>& answer) { second = answer; }, unique);
  EXPECT_FALSE(refused);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->error().code, ErrorCode::kDuplicateKey);
  world_->RunUntilQuiet();
  ASSERT_TRUE(world_->Ask(first, model::TerminateInstance{}).has_value());
  EXPECT_TRUE(StartUnique("K").has_value()) << "it is free again";
}

TEST_F(Admission, CountsARetriedInstanceThatEndsBeforeTheNextCheckpointOnce) {
  world_->held = {};
  world_->hanging = {"work"};
  const InstanceId id = StartLimited("{limit: 9}");
  world_->RunUntilQuiet();
  world_->Stop();
  world_ = std::make_unique<World>(world_->store().Crash());
  world_->hanging = {"work"};
  world_->Open();
  world_->shard().Resume("tester");
  world_->RunUntilQuiet();
  const auto end = [&](auto make) {
    const model::StepRun& run = world_->At(id).runs.at(0);
    ASSERT_TRUE(world_->Ask(id, make(run)).has_value());
    world_->RunUntilQuiet();
  };
  end([](const model::StepRun& run) {
    return model::FailAttempt{.run = run.id, .attempt = run.attempt, .kind = "boom"};
  });
  ASSERT_TRUE(world_->ended(id));
  ASSERT_TRUE(world_->Ask(id, model::RetryInstance{}).has_value());
  end([](const model::StepRun& run) {
    return model::CompleteAttempt{.run = run.id, .attempt = run.attempt};
  });
  EXPECT_EQ(world_->At(id).status, Status::kCompleted);
  world_->Stop();
  World restarted(world_->store().Crash(), {.max_open_instances = 1});
  restarted.Open();
  EXPECT_EQ(restarted.shard().Resume("tester"), 0u);
  EXPECT_TRUE(restarted.Start(restarted.Register(kWork)).has_value()) << "nothing else is open";
}

TEST_F(Admission, QueuesAFailedInstanceThatIsRetriedWhileItsPlaceIsTaken) {
  world_->held = {};
  world_->failing["work"] = 1;
  const InstanceId failed = StartLimited("{limit: 1}");
  ASSERT_TRUE(world_->RunUntilEnded(failed));
  world_->held = {"work"};
  const InstanceId running = StartLimited("{limit: 1}");
  ASSERT_TRUE(world_->Ask(failed, model::RetryInstance{}).has_value());
  EXPECT_TRUE(IsQueued(failed));
  const InstanceId later = StartLimited("{limit: 1}");
  Crash();
  EXPECT_EQ(world_->outside("work").size(), 1u);
  EXPECT_TRUE(IsQueued(failed));
  ASSERT_TRUE(world_->Finish("work"));
  EXPECT_EQ(world_->At(running).status, Status::kCompleted);
  EXPECT_FALSE(IsQueued(failed)) << "it came first";
  EXPECT_TRUE(IsQueued(later));
  ASSERT_TRUE(world_->Finish("work"));
  EXPECT_EQ(world_->At(failed).status, Status::kCompleted);
  EXPECT_FALSE(IsQueued(later));
}

TEST_F(Admission, ARetriedInstanceTakesAFreePlace) {
  world_->held = {};
  world_->failing["work"] = 1;
  const InstanceId failed = StartLimited("{limit: 1}");
  ASSERT_TRUE(world_->RunUntilEnded(failed));
  world_->held = {"work"};
  ASSERT_TRUE(world_->Ask(failed, model::RetryInstance{}).has_value());
  EXPECT_FALSE(IsQueued(failed));
  EXPECT_TRUE(IsQueued(StartLimited("{limit: 1}")));
}

TEST_F(Admission, ARetryBeginsTheDefinitionsDeadlineAnew) {
  InstanceId id;
  ASSERT_TRUE(
      world_->Start(world_->Register(std::string(kWork) + "timeout: 10s\n"), &id).has_value());
  const TimeUs first = world_->At(id).deadline;
  world_->Advance(10'000'000);
  ASSERT_TRUE(world_->ended(id));
  ASSERT_TRUE(world_->Ask(id, model::RetryInstance{}).has_value());
  EXPECT_EQ(world_->At(id).deadline, first.Plus(10'000'000));
  world_->Advance(9'000'000);
  EXPECT_EQ(world_->At(id).status, Status::kRunning);
  world_->Advance(1'000'000);
  EXPECT_EQ(world_->At(id).failure.kind, "deadline");
}

TEST_F(Admission, ARetryKeepsAGivenDeadlineThatIsStillAhead) {
  world_->held = {};
  world_->failing["work"] = 2;
  const DefinitionId work = world_->Register(std::string(kWork) + "timeout: 10s\n");
  const TimeUs given = TimeUs(1'700'000'000'000'000).Plus(60'000'000);
  InstanceId id;
  ASSERT_TRUE(world_->Start({.definition = work, .deadline = given}, &id).has_value());
  ASSERT_TRUE(world_->RunUntilEnded(id));
  ASSERT_TRUE(world_->Ask(id, model::RetryInstance{}).has_value());
  ASSERT_TRUE(world_->RunUntil([&] { return world_->At(id).status == Status::kFailed; }));
  EXPECT_EQ(world_->At(id).deadline, given);
  world_->held = {"work"};
  world_->Advance(60'000'000);
  ASSERT_TRUE(world_->Ask(id, model::RetryInstance{}).has_value());
  EXPECT_EQ(world_->At(id).deadline, given.Plus(10'000'000)) << "the definition's, as it passed";
}

TEST_F(Admission, StartsNothingOfADefinitionThatIsNotActive) {
  const DefinitionId definition = world_->Register(kWork);
  InstanceId open;
  ASSERT_TRUE(world_->Start(definition, &open).has_value());
  for (const DefinitionState state :
       {DefinitionState::kDraft, DefinitionState::kPaused, DefinitionState::kRetired}) {
    world_->shard().ChangeDefinition(definition, state, "because", "tester",
                                     [](const auto& a) { EXPECT_TRUE(a.has_value()); });
    const Result<Position> refused = world_->Start(definition);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kDefinitionState);
    EXPECT_TRUE(refused.error().message.ends_with(": because")) << refused.error().message;
  }
  EXPECT_EQ(world_->shard().registry().Startable("work"), nullptr);
  world_->RunUntilQuiet();
  ASSERT_TRUE(world_->Finish("work")) << "what is open goes on";
  EXPECT_EQ(world_->At(open).status, Status::kCompleted);
  Crash();
  EXPECT_EQ(world_->Start(definition).error().code, ErrorCode::kDefinitionState);
  world_->shard().ChangeDefinition(definition, DefinitionState::kActive, "", "tester",
                                   [](const auto&) {});
  EXPECT_TRUE(world_->Start(definition).has_value());
}

TEST_F(Admission, AStopFreesTheKeyOfAStartThatItRefuses) {
  const DefinitionId definition = world_->Register(kWork);
  world_->RunUntilQuiet();
  bool refused = false;
  world_->shard().Start({.definition = definition, .idempotency_key = "k"}, "tester",
                        [&](const auto& answer) { refused = !answer.has_value(); });
  bool stopped = false;
  world_->shard().Stop([&] { stopped = true; });
  ASSERT_TRUE(world_->RunUntil([&] { return refused; }));
  world_->shard().Start({.definition = definition, .idempotency_key = "k"}, "tester",
                        [](const auto& answer) { EXPECT_FALSE(answer.has_value()); });
}

}  // namespace
}  // namespace stele::runtime
