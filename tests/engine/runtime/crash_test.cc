// A crash around every write of the log, in every way a write can fail.
#include <ostream>
#include <set>

#include "engine/model/payload_spans.h"
#include "tests/engine/runtime/workflow.h"
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;
using eventstore::WriteFault;

std::string Undisturbed() {
  World world(std::make_unique<MemoryStore>());
  world.Open();
  InstanceId id;
  EXPECT_TRUE(world.Start(world.Register(kMixedWorkflow), &id).has_value());
  EXPECT_TRUE(world.RunUntilEnded(id));
  return world.end_state(id);
}

struct Case {
  WriteFault fault;
  bool repeats;
  bool sealed = false;  // payloads
};

void PrintTo(const Case& given, std::ostream* out) {
  *out << "fault " << static_cast<int>(given.fault) << (given.repeats ? ", repeats" : "")
       << (given.sealed ? ", sealed" : "");
}

class Crash : public testing::TestWithParam<Case> {};

// Attempts of a run are numbered from 1; one that is repeated after a crash keeps its number, one
// that is not gets the next. A gap is an attempt that was written down and never began: only a
// write that fails and is there nevertheless can leave one.
void CheckLedger(const std::vector<Deed>& ledger, const Case& given) {
  const bool repeats = given.repeats;
  const bool gaps = given.fault == WriteFault::kWritten;
  std::map<std::string, uint32_t> last;  // by instance and run
  std::set<std::string> keys;
  for (const Deed& deed : ledger) {
    const std::string run = deed.key.substr(0, deed.key.rfind('-'));
    const uint32_t before = last.contains(run) ? last[run] : 0;
    if (repeats) {
      EXPECT_EQ(deed.attempt, 1u) << deed.key;
    } else {
      EXPECT_GT(deed.attempt, before) << deed.key;
      if (!gaps) {
        EXPECT_EQ(deed.attempt, before + 1) << deed.key;
      }
      EXPECT_TRUE(keys.insert(deed.key).second) << deed.key << " was done twice";
    }
    last[run] = deed.attempt;
  }
}

TEST_P(Crash, AroundEveryWriteLeavesWhatAnUndisturbedRunLeaves) {
  const std::string expected = Undisturbed();
  ASSERT_NE(expected.find("completed"), std::string::npos) << expected;
  int crashes = 0;
  bool uninterrupted = false;
  for (uint64_t nth = 1; nth < 40; ++nth) {
    std::vector<Deed> ledger;
    std::unique_ptr<MemoryStore> left;
    InstanceId id;
    bool acknowledged = false;
    {
      World world(GetParam().sealed
                      ? std::make_unique<MemoryStore>(std::make_shared<model::RecordPayloads>())
                      : std::make_unique<MemoryStore>());
      world.repeats_after_crash = GetParam().repeats;
      world.ledger = &ledger;
      world.store().InjectFault(nth, GetParam().fault);
      world.Open();
      acknowledged = world.Start(world.Register(kMixedWorkflow), &id).has_value();
      uninterrupted = acknowledged && world.RunUntilEnded(id);
      if (uninterrupted) break;  // fewer writes than nth
      ++crashes;
      left = world.Crash(nth % (world.store().unflushed_puts() + 1));
    }
    World world(std::move(left));
    world.repeats_after_crash = GetParam().repeats;
    world.ledger = &ledger;
    world.Open();
    world.shard().Resume("tester");
    if (!world.shard().Find(id).has_value()) {
      EXPECT_FALSE(acknowledged) << "an acknowledged start is gone, write " << nth;
      EXPECT_TRUE(ledger.empty()) << "a task ran for an instance that does not exist";
      continue;
    }
    const bool over = model::HasEnded((*world.shard().Find(id))->status);
    if (over) {
      EXPECT_EQ(EndState(**world.shard().Find(id)), expected) << "write " << nth;
    } else {
      ASSERT_TRUE(world.RunUntilEnded(id));
      EXPECT_EQ(world.end_state(id), expected) << "write " << nth;
    }
    CheckLedger(ledger, GetParam());
    EXPECT_TRUE(world.store().VerifyChain(ShardId()).has_value());
    EXPECT_EQ(world.store().payload_keys() != nullptr, GetParam().sealed);
  }
  EXPECT_TRUE(uninterrupted) << "there are writes that were never interrupted";
  EXPECT_GT(crashes, 5);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, Crash,
    testing::Values(Case{WriteFault::kNothingWritten, true},
                    Case{WriteFault::kNothingWritten, false}, Case{WriteFault::kTorn, true},
                    Case{WriteFault::kTorn, false}, Case{WriteFault::kWritten, true},
                    Case{WriteFault::kWritten, false},
                    Case{WriteFault::kNothingWritten, true, true},
                    Case{WriteFault::kTorn, false, true}, Case{WriteFault::kWritten, true, true}));

TEST(FailedWrite, StopsTheShardAndAnswersWithTheError) {
  World world(std::make_unique<MemoryStore>());
  world.Open();
  const DefinitionId definition = world.Register(kMixedWorkflow);
  world.RunUntilQuiet();
  world.store().InjectFault(1, WriteFault::kNothingWritten);
  std::vector<Deed> ledger;
  world.ledger = &ledger;
  const Result<Position> answer = world.Start(definition);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kShardStopped);
  ASSERT_TRUE(world.fatal().has_value());
  EXPECT_EQ(world.fatal()->code, ErrorCode::kStoreWriteFailed);
  EXPECT_TRUE(ledger.empty());
  EXPECT_FALSE(world.Start(definition).has_value()) << "a stopped shard takes nothing";
}

}  // namespace
}  // namespace stele::runtime
