// A crash around every write of the log, in every way a write can fail: each firing starts exactly
// one instance.
#include <ostream>

#include "base/json.h"
#include "engine/triggers/moment.h"
#include "tests/engine/triggers/trigger_world.h"

namespace stele::triggers {
namespace {

using eventstore::MemoryStore;
using eventstore::WriteFault;

constexpr int64_t kMinute = 60'000'000;
constexpr TimeUs kStart(1'777'626'030'000'000);  // 2026-05-01T09:00:30Z

struct Case {
  WriteFault fault;
  uint64_t checkpoint_records;
  uint64_t note_records;
};

void PrintTo(const Case& given, std::ostream* out) {
  *out << "fault " << static_cast<int>(given.fault) << ", checkpoints every "
       << given.checkpoint_records << ", notes every " << given.note_records;
}

class TriggerCrash : public testing::TestWithParam<Case> {};

constexpr const char* kTriggers =
    "[{type: schedule, name: tick, cron: '* * * * *', overlap: buffer_all}, "
    "{type: event, name: e}, "
    "{type: condition, name: c, condition: instances.completed > 3, for: 1m}, "
    "{type: webhook, name: h, path: /in}]";

// Some of everything; true: it came to its end.
bool Play(TriggerWorld& world, size_t from) {
  for (size_t minute = from; minute < 4 && !world.failed(); ++minute) {
    world.AdvanceTo(kStart.Plus(static_cast<int64_t>(minute + 1) * kMinute));
    if (world.failed()) return false;
    const std::string number = std::to_string(minute);
    world.Publish("e", number, "{}", "message-" + number);
    if (world.failed()) return false;
    WebhookRequest request{
        .method = "POST", .path = "/in", .query = {}, .headers = {}, .body = "{}"};
    request.headers.emplace_back("Idempotency-Key", number);
    world.Deliver(request);
    world.RunUntilQuiet();
  }
  return !world.failed();
}

TEST_P(TriggerCrash, NeitherLosesNorDoublesAFiring) {
  const runtime::ShardOptions options{.snapshot_events = 3,
                                      .checkpoint_records = GetParam().checkpoint_records};
  int crashes = 0;
  bool uninterrupted = false;
  for (uint64_t nth = 2; nth < 200; ++nth) {
    std::unique_ptr<MemoryStore> left;
    {
      TriggerWorld world(std::make_unique<MemoryStore>(), kStart, options, GetParam().note_records);
      world.store().InjectFault(nth, GetParam().fault);
      world.Register("w", kTriggers);
      uninterrupted = Play(world, 0);
      if (uninterrupted) break;  // fewer writes than nth
      ++crashes;
      left = world.Crash(nth % (world.store().unflushed_puts() + 1));
    }
    TriggerWorld world(std::move(left), kStart, options, GetParam().note_records);
    world.Register("w", kTriggers);
    world.RunUntilQuiet();
    // Whoever was not answered asks again; ids and keys make that one.
    ASSERT_TRUE(Play(world, 0)) << "write " << nth;
    world.RunUntilQuiet();
    EXPECT_EQ(world.Unstarted(), std::vector<std::string>()) << "write " << nth;
    std::map<std::string, int> by_trigger;
    for (const Start& start : world.Starts())
      ++by_trigger[start.key.substr(0, start.key.find(':', 8))];
    EXPECT_EQ(by_trigger["trigger:1"], 4) << "schedule, write " << nth;
    EXPECT_EQ(by_trigger["trigger:2"], 4) << "event, write " << nth;
    EXPECT_EQ(by_trigger["trigger:3"], 1) << "condition, write " << nth;
    EXPECT_EQ(by_trigger["trigger:4"], 4) << "webhook, write " << nth;
  }
  EXPECT_TRUE(uninterrupted) << "there are writes that were never interrupted";
  EXPECT_GT(crashes, 10);
}

INSTANTIATE_TEST_SUITE_P(Faults, TriggerCrash,
                         testing::Values(Case{WriteFault::kNothingWritten, 200'000, 1},
                                         Case{WriteFault::kNothingWritten, 3, 1},
                                         Case{WriteFault::kTorn, 5, 7},
                                         Case{WriteFault::kWritten, 200'000, 1},
                                         Case{WriteFault::kWritten, 3, 1},
                                         Case{WriteFault::kWritten, 3, 1'000}));

TEST(TriggerRestart, AtEveryMomentOfACourseLosesNothing) {
  const runtime::ShardOptions options{.checkpoint_records = 4};
  std::vector<std::unique_ptr<MemoryStore>> moments;
  {
    TriggerWorld world(std::make_unique<MemoryStore>(), kStart, options, 2);
    world.Register("w", kTriggers);
    world.store().OnWrite([&](uint64_t number) {
      moments.push_back(world.store().Crash(number % (world.store().unflushed_puts() + 1)));
    });
    ASSERT_TRUE(Play(world, 0));
    world.store().OnWrite({});
  }
  ASSERT_GT(moments.size(), 10u);
  for (std::unique_ptr<MemoryStore>& moment : moments) {
    TriggerWorld world(std::move(moment), kStart.Plus(4 * kMinute), options, 2);
    world.RunUntilQuiet();
    EXPECT_EQ(world.Unstarted(), std::vector<std::string>());
    size_t ticks = 0;
    for (const Start& start : world.Starts()) ticks += start.key.starts_with("trigger:1:") ? 1 : 0;
    EXPECT_EQ(ticks, 4u) << "within the window every minute is made up for";
  }
}

TEST(TriggerRestart, FindsOneInThePlaceOfOneThatWasReplaced) {
  std::vector<std::unique_ptr<MemoryStore>> moments;
  TriggerId id;
  {
    TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
    world.Register("w", "");
    const auto webhook = *ParseJson(R"({"type": "webhook", "name": "h", "path": "/in"})");
    id = world.Add("w", ToJson(webhook));
    world.store().OnWrite([&](uint64_t) {
      for (size_t kept = 0; kept <= world.store().unflushed_puts(); ++kept)
        moments.push_back(world.store().Crash(kept));
    });
    world.service().Replace(id, webhook, "tester", [](const auto&) {});
    world.RunUntilQuiet();
    world.store().OnWrite({});
    moments.push_back(world.store().Crash(world.store().unflushed_puts()));
  }
  bool before = false;
  bool after = false;
  for (std::unique_ptr<MemoryStore>& moment : moments) {
    TriggerWorld world(std::move(moment), kStart);
    world.RunUntilQuiet();
    int standing = 0;
    for (const auto& [each, trigger] : world.service().table().all()) {
      if (trigger.state != model::TriggerState::kActive) continue;
      ++standing;
      (each == id ? before : after) = true;
    }
    EXPECT_EQ(standing, 1);
  }
  EXPECT_TRUE(before && after);
}

}  // namespace
}  // namespace stele::triggers
