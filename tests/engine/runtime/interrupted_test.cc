// Stories that a crash interrupts at every write, and that are then told to their end: what comes
// out is what comes out undisturbed.
#include <fmt/format.h>

#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;
using eventstore::WriteFault;

// Who tells a story says everything again after a crash: with the same keys and ids.
struct Story {
  const char* name;
  void (*tell)(World&);
  bool (*is_over)(World&);
  std::string (*outcome)(World&);
};

bool StartKeyed(World& world, DefinitionId definition, const std::string& key,
                const std::string& input = "{}") {
  return world
      .Start(model::StartInstance{
          .definition = definition, .input = Payload::FromText(input), .idempotency_key = key})
      .has_value();
}

// Instances 1 to `count`, each in its end state; and that there are no more.
std::string EndsOf(World& world, uint64_t count) {
  std::string text = fmt::format("{} instances\n", world.shard().last_instance().value);
  for (uint64_t i = 1; i <= count; ++i) text += EndState(world.At(InstanceId(i)));
  return text;
}

// After a write that failed, what was not written is not there.
bool Is(World& world, uint64_t id, bool (*holds)(const model::Instance&)) {
  const auto found = world.shard().Find(InstanceId(id));
  return found.has_value() && holds(**found);
}

bool IsThere(World& world, uint64_t id) {
  return Is(world, id, [](const model::Instance&) { return true; });
}

bool HaveEnded(World& world, uint64_t count) {
  for (uint64_t i = 1; i <= count; ++i)
    if (!Is(world, i, [](const auto& instance) { return model::HasEnded(instance.status); }))
      return false;
  return true;
}

// Two wait for two messages each; four are published, one of them by a step.
constexpr Story kMessages{
    "messages",
    [](World& world) {
      const DefinitionId waits = world.Register(
          "version: '1.0'\nname: waits\nsteps:\n"
          "  - {id: first, type: message, config: {action: wait, name: m, key: k}}\n"
          "  - {id: work, type: script, depends_on: [first], config: {script: x}}\n"
          "  - {id: second, type: message, depends_on: [work], config: {action: wait, name: m, "
          "key: k}}\n");
      const DefinitionId says = world.Register(
          "version: '1.0'\nname: says\nsteps:\n"
          "  - {id: say, type: message, config: {action: publish, name: m, key: k, payload: 3}}\n");
      (void)(world.Publish("m", "k", "1", "one").has_value() && StartKeyed(world, waits, "a") &&
             StartKeyed(world, waits, "b") && StartKeyed(world, says, "c") &&
             world.Publish("m", "k", "2", "two").has_value() &&
             world.Publish("m", "k", "4", "four").has_value());
    },
    [](World& world) { return HaveEnded(world, 3); },
    [](World& world) {
      // Which message meets which wait depends on when; that each is met once does not.
      int64_t sum = 0;
      std::string text = fmt::format("{} instances\n", world.shard().last_instance().value);
      for (uint64_t i = 1; i <= 2; ++i)
        for (const model::Slot& slot : world.At(InstanceId(i)).scopes[0].slots)
          if (slot.output.has_value() && slot.output.value().is_int())
            sum += slot.output.value().as_int();
      EXPECT_TRUE(world.shard().board().Topics()->empty());
      return text + fmt::format("sum {}", sum);
    }};

constexpr Story kCalls{
    "calls",
    [](World& world) {
      world.Register(
          "version: '1.0'\nname: child\nsteps:\n"
          "  - {id: soft, type: script, config: {script: x}}\n"
          "  - {id: hard, type: script, depends_on: [soft], config: {script: x}}\n");
      const DefinitionId parent = world.Register(
          "version: '1.0'\nname: parent\nsteps:\n"
          "  - {id: one, type: call, config: {workflow: child}}\n"
          "  - {id: two, type: call, depends_on: [one], config: {workflow: child, wait: false}}\n"
          "  - {id: three, type: script, depends_on: [two], config: {script: x}}\n");
      StartKeyed(world, parent, "p");
    },
    [](World& world) { return HaveEnded(world, 3); },
    [](World& world) { return EndsOf(world, 3); }};

constexpr Story kCancelledCalls{
    "cancelled calls",
    [](World& world) {
      world.Register(
          "version: '1.0'\nname: child\nsteps:\n"
          "  - {id: never, type: signal, config: {name: never}}\n");
      const DefinitionId parent = world.Register(
          "version: '1.0'\nname: parent\nsteps:\n"
          "  - {id: one, type: call, config: {workflow: child}}\n");
      // One after the other, so that each asks for writes of its own.
      for (const uint64_t first : {1, 3}) {
        if (!StartKeyed(world, parent, first == 1 ? "p" : "q")) return;
        if (!world.RunUntil([&] { return IsThere(world, first + 1); })) return;
        (void)world.Ask(InstanceId(first), model::CancelInstance{});
        if (!world.RunUntil([&] { return HaveEnded(world, first + 1); })) return;
      }
    },
    [](World& world) { return HaveEnded(world, 4); },
    [](World& world) {
      std::string text = fmt::format("{} instances\n", world.shard().last_instance().value);
      for (uint64_t i = 1; i <= 4; ++i)
        text += fmt::format("{}\n", model::StatusName(world.At(InstanceId(i)).status));
      return text;
    }};

constexpr Story kPausedCalls{
    "paused calls",
    [](World& world) {
      world.Register(
          "version: '1.0'\nname: child\nsteps:\n"
          "  - {id: go, type: signal, config: {name: go}}\n");
      const DefinitionId parent = world.Register(
          "version: '1.0'\nname: parent\nsteps:\n"
          "  - {id: one, type: call, config: {workflow: child}}\n");
      if (!StartKeyed(world, parent, "p")) return;
      if (!world.RunUntil([&] { return IsThere(world, 2); })) return;
      const InstanceId first(1), second(2);
      const auto waits = [](const model::Instance& child) {
        return !model::HasEnded(child.status) && !child.runs.empty() &&
               child.runs[0].state == model::RunState::kWaiting;
      };
      if (Is(world, 2, waits)) {
        (void)world.Ask(first, model::PauseInstance{});
        const auto paused = [](const model::Instance& child) { return child.paused; };
        const bool both = world.RunUntil([&] { return Is(world, 2, paused); });
        EXPECT_TRUE(both || world.fatal().has_value());
        (void)world.Ask(second, model::SendSignal{"go", Payload()});
      }
      if (world.fatal().has_value()) return;
      (void)world.Ask(first, model::ResumeInstance{});
    },
    [](World& world) { return HaveEnded(world, 2); },
    [](World& world) {
      return fmt::format("{} {} of {}", model::StatusName(world.At(InstanceId(1)).status),
                         model::StatusName(world.At(InstanceId(2)).status),
                         world.shard().last_instance().value);
    }};

constexpr Story kQueue{"a definition's limit",
                       [](World& world) {
                         const DefinitionId limited = world.Register(
                             "version: '1.0'\nname: limited\nconcurrency: {limit: 1}\nsteps:\n"
                             "  - {id: a, type: script, config: {script: x}}\n"
                             "  - {id: b, type: script, depends_on: [a], config: {script: x}}\n");
                         for (const char* key : {"1", "2", "3"})
                           if (!StartKeyed(world, limited, key)) return;
                       },
                       [](World& world) { return HaveEnded(world, 3); },
                       [](World& world) { return EndsOf(world, 3); }};

constexpr Story kRetried{
    "a failed instance that is retried",
    [](World& world) {
      world.failing["a"] = 1;
      const DefinitionId fails = world.Register(
          "version: '1.0'\nname: fails\nsteps:\n"
          "  - {id: a, type: script, config: {script: x}}\n"
          "  - {id: b, type: signal, depends_on: [a], config: {name: go}}\n"
          "  - {id: c, type: signal, depends_on: [b], config: {name: on}}\n");
      if (!StartKeyed(world, fails, "f")) return;
      const InstanceId id(1);
      const auto rests = [](const model::Instance& instance) {
        return model::HasEnded(instance.status) ||
               (!instance.runs.empty() && instance.runs[0].state == model::RunState::kWaiting);
      };
      if (!world.RunUntil([&] { return Is(world, 1, rests); })) return;
      world.failing["a"] = 0;
      // Refused when it has been done before.
      (void)world.Ask(id, model::RetryInstance{});
      (void)world.Ask(id, model::SendSignal{"go", Payload()});
      (void)world.Ask(id, model::SendSignal{"on", Payload()});
    },
    [](World& world) {
      return Is(world, 1,
                [](const auto& instance) { return instance.status == model::Status::kCompleted; });
    },
    [](World& world) { return EndsOf(world, 1); }};

struct Case {
  const Story* story;
  WriteFault fault;
  uint64_t checkpoint_records;
  size_t idle_memory_bytes;
};

void PrintTo(const Case& given, std::ostream* out) {
  *out << given.story->name << ", fault " << static_cast<int>(given.fault) << ", checkpoints every "
       << given.checkpoint_records << ", memory " << given.idle_memory_bytes;
}

class Interrupted : public testing::TestWithParam<Case> {
 protected:
  ShardOptions options() const {
    return {.idle_memory_bytes = GetParam().idle_memory_bytes,
            .checkpoint_records = GetParam().checkpoint_records};
  }
};

TEST_P(Interrupted, EndsAsIfNothingHadHappened) {
  const Story& story = *GetParam().story;
  std::string expected;
  {
    World world(std::make_unique<MemoryStore>(), options());
    world.Open();
    story.tell(world);
    ASSERT_TRUE(world.RunUntil([&] { return story.is_over(world); }));
    expected = story.outcome(world);
  }
  int crashes = 0;
  bool uninterrupted = false;
  for (uint64_t nth = 1; nth < 60; ++nth) {
    SCOPED_TRACE(nth);
    std::unique_ptr<MemoryStore> left;
    {
      World world(std::make_unique<MemoryStore>(), options());
      world.store().InjectFault(nth, GetParam().fault);
      world.Open();
      story.tell(world);
      uninterrupted =
          !world.fatal().has_value() && world.RunUntil([&] { return story.is_over(world); });
      if (uninterrupted) break;  // fewer writes than nth
      ASSERT_TRUE(world.fatal().has_value()) << "it does not come to its end without a crash";
      ++crashes;
      left = world.Crash(nth % (world.store().unflushed_puts() + 1));
    }
    World world(std::move(left), options());
    world.Open();
    world.shard().Resume("tester");
    world.RunUntilQuiet();
    story.tell(world);
    ASSERT_TRUE(world.RunUntil([&] { return story.is_over(world); }))
        << testing::PrintToString(world.records());
    EXPECT_EQ(story.outcome(world), expected);
    EXPECT_TRUE(world.store().VerifyChain(ShardId()).has_value());
    if (HasFailure()) return;
  }
  EXPECT_TRUE(uninterrupted) << "there are writes that were never interrupted";
  EXPECT_GT(crashes, 3);
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const Story* story :
       {&kMessages, &kCalls, &kCancelledCalls, &kPausedCalls, &kQueue, &kRetried})
    for (const WriteFault fault : {WriteFault::kNothingWritten, WriteFault::kWritten})
      for (const uint64_t records : {uint64_t{2}, uint64_t{1'000}})
        for (const size_t memory : {size_t{0}, kIdleMemoryBytes})
          cases.push_back({story, fault, records, memory});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Stories, Interrupted, testing::ValuesIn(Cases()));

}  // namespace
}  // namespace stele::runtime
