// Erasing instances and what was sent to them: what a crash behind any step leaves, and that the
// next start, or the same once more, does the rest.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/model/payload_spans.h"
#include "engine/triggers/occurrences.h"
#include "tests/engine/retention/retained.h"

namespace stele::retention {
namespace {

using eventstore::MemoryStore;
using eventstore::TempDir;

// Which nothing compresses.
constexpr const char* kText = "q7Zk9xW2vB5nT8mR1cY4";
constexpr const char* kSteps[] = {"the erasure is decided", "the views have passed",
                                  "the messages are forgotten", "the views are compacted",
                                  "the keys are destroyed"};

std::string Waiting(const std::string& key) {
  return "id: waits-" + key +
         "\nsteps: [{id: paid, type: message, config: {action: wait, name: pay, key: " + key +
         "}}]\n";
}

class ErasureTest : public testing::Test {
 protected:
  void Open(std::unique_ptr<MemoryStore> store, int stop_at = 0) {
    engine_ = std::make_unique<Retained>(std::move(store), directory_.path(), RetentionPolicy());
    engine_->Start(/*runs=*/false, stop_at);
  }
  InstanceId StartWaiting(const std::string& key) {
    InstanceId id;
    EXPECT_TRUE(engine_->world.Start(engine_->world.Register(Waiting(key)), &id).has_value());
    return id;
  }
  Position Publish(const std::string& key) {
    const auto position =
        engine_->world.Publish("pay", key, "\"" + std::string(kText) + "\"", "", TimeUs());
    EXPECT_TRUE(position.has_value());
    return position.value_or(Position());
  }
  Result<ErasureReport> Erase(std::vector<InstanceId> instances, const std::string& key) {
    return engine_->Do(
        [&](RetentionService& service) { return service.Erase(instances, key, "asked for"); });
  }
  // Whether the payloads of the record at the position are gone.
  bool IsErased(Position position) {
    const auto cursor = engine_->world.store().Read(ShardId(), position);
    const auto record = (*cursor)->Next();
    return record.has_value() && record->has_value() && (*record)->erased;
  }
  bool LogHasText() {
    const auto cursor = engine_->world.store().Read(ShardId(), Position(1));
    for (;;) {
      const auto record = (*cursor)->Next();
      if (!record.has_value() || !record->has_value()) return false;
      if ((*record)->body.find(kText) != std::string_view::npos) return true;
    }
  }
  bool AnyFileHasText() {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(file), {});
      if (bytes.find(kText) != std::string::npos) return true;
    }
    return false;
  }

  TempDir directory_;
  std::unique_ptr<Retained> engine_;
};

TEST_F(ErasureTest, IsFinishedAfterACrashBehindAnyStep) {
  for (int stop_at = 1; stop_at <= static_cast<int>(std::size(kSteps)); ++stop_at) {
    SCOPED_TRACE(kSteps[stop_at - 1]);
    Open(std::make_unique<MemoryStore>(std::make_shared<model::RecordPayloads>()), stop_at);
    const InstanceId id = StartWaiting("k1");
    const Position met = Publish("k1");
    ASSERT_TRUE(engine_->world.RunUntilEnded(id));
    const Position kept = Publish("k2");
    ASSERT_TRUE(LogHasText());
    ASSERT_FALSE(Erase({id}, "k2").has_value());
    ASSERT_EQ(engine_->steps.size(), static_cast<size_t>(stop_at));
    EXPECT_EQ(engine_->steps.back(), kSteps[stop_at - 1]);
    auto left = engine_->Crash();
    engine_.reset();

    // The start finishes what is known by the instance.
    Open(std::move(left));
    (void)engine_->Do([](RetentionService&) { return true; });
    EXPECT_TRUE(*engine_->world.store().KeyDestroyed(ShardId(), id));
    EXPECT_TRUE(IsErased(met));
    // The same once more, what was named by its key.
    const auto again = Erase({id}, "k2");
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_TRUE(IsErased(kept));
    EXPECT_FALSE(LogHasText());
    EXPECT_FALSE(AnyFileHasText());
    engine_->ExpectVerified("behind the crash");
    // Nobody gets it any more.
    const InstanceId later = StartWaiting("k2");
    engine_->world.RunUntilQuiet();
    EXPECT_FALSE(engine_->world.ended(later));
    engine_->EndThreads();
    EXPECT_TRUE(engine_->problems.empty()) << testing::PrintToString(engine_->problems);
    engine_.reset();
    std::filesystem::remove_all(directory_.path());
    std::filesystem::create_directories(directory_.path());
  }
}

TEST_F(ErasureTest, ReachesTheFiringThatStartedAnInstance) {
  Open(std::make_unique<MemoryStore>(std::make_shared<model::RecordPayloads>()));
  runtime::Shard& shard = engine_->world.shard();
  const DefinitionId plain = engine_->world.Register("id: p\nsteps: [{id: a, type: script}]\n");
  const TriggerId trigger = shard.RegisterTrigger("p", "event", "{}", "tester", [](const auto&) {});
  std::vector<Position> fired;
  InstanceId id;
  for (const char* key : {"one", "two"}) {
    const Payload payload = Payload::FromText("{\"is\":\"" + std::string(kText) + "\"}");
    shard.Fire({trigger, TimeUs(), "start", key, payload}, "tester",
               [&](const Result<Position>& answer) { fired.push_back(answer.value()); });
    engine_->world.RunUntilQuiet();
    model::StartInstance start{.definition = plain, .input = payload};
    start.idempotency_key = runtime::FiringKey(trigger, key);
    ASSERT_TRUE(engine_->world.Start(start, &id).has_value());
    ASSERT_TRUE(engine_->world.RunUntilEnded(id));
  }
  const auto erased = Erase({id}, "");
  ASSERT_TRUE(erased.has_value()) << erased.error().message;
  EXPECT_EQ(erased->sent, 1u);
  ASSERT_EQ(fired.size(), 2u);
  EXPECT_FALSE(IsErased(fired[0]));
  EXPECT_TRUE(IsErased(fired[1]));
}

TEST_F(ErasureTest, NamesWhomAnErasedMessageHadStarted) {
  Open(std::make_unique<MemoryStore>(std::make_shared<model::RecordPayloads>()));
  runtime::Shard& shard = engine_->world.shard();
  const DefinitionId waits = engine_->world.Register(Waiting("never"));
  const TriggerId trigger =
      shard.RegisterTrigger("waits-never", "event", "{}", "tester", [](const auto&) {});
  const Position message = Publish("k2");
  model::StartInstance start{.definition = waits};
  start.idempotency_key = runtime::FiringKey(trigger, triggers::KeyOfMessage(message, 0));
  InstanceId open;
  ASSERT_TRUE(engine_->world.Start(start, &open).has_value());
  StartWaiting("k3");
  const auto erased = Erase({}, "k2");
  ASSERT_TRUE(erased.has_value()) << erased.error().message;
  EXPECT_TRUE(IsErased(message));
  EXPECT_EQ(erased->started, std::vector<InstanceId>{open});
}

TEST_F(ErasureTest, LeavesWhatWasSentToOthers) {
  Open(std::make_unique<MemoryStore>(std::make_shared<model::RecordPayloads>()));
  const InstanceId id = StartWaiting("k1");
  const Position met = Publish("k1");
  ASSERT_TRUE(engine_->world.RunUntilEnded(id));
  const Position kept = Publish("k2");
  const auto erased = Erase({id}, "");
  ASSERT_TRUE(erased.has_value()) << erased.error().message;
  EXPECT_EQ(erased->sent, 1u);
  EXPECT_TRUE(IsErased(met));
  EXPECT_FALSE(IsErased(kept));
  const InstanceId later = StartWaiting("k2");
  EXPECT_TRUE(engine_->world.RunUntilEnded(later));
}

}  // namespace
}  // namespace stele::retention
