#include "replay/state_json.h"

#include <gtest/gtest.h>

#include <random>

#include "base/json.h"
#include "base/json_pointer.h"
#include "replay/json_patch.h"
#include "replay/state_timers.h"
#include "replay/time_machine.h"
#include "tests/engine/model/random_values.h"
#include "tests/replay/random_history.h"
#include "tests/support/definitions.h"

namespace stele::replay {
namespace {

using test::RandomHistory;

std::unique_ptr<TimeMachine> Opened(const RandomHistory& history) {
  return *TimeMachine::Open(history.source, history.driver.instance().id,
                            history.source.Registry());
}

Value DocumentAt(TimeMachine& machine, uint64_t seq) {
  const auto moment = machine.At(Seq(seq));
  return StateToJson(moment->state, moment->definition, moment->version);
}

TEST(StateDocument, IsMadeOfAnotherByThePatchBetweenThem) {
  for (uint64_t seed = 1; seed <= 80; ++seed) {
    const RandomHistory history(seed);
    const auto machine = Opened(history);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 30; ++i) {
      const Value from = DocumentAt(*machine, 1 + random() % history.size());
      const Value to = DocumentAt(*machine, 1 + random() % history.size());
      const auto patched = ApplyPatch(from, PatchBetween(from, to));
      ASSERT_TRUE(patched.has_value()) << patched.error().ToString();
      ASSERT_EQ(*patched, to) << "seed " << seed;
    }
  }
}

// A state without where it stands, which no two moments have in common.
std::pair<std::string, Value> Unplaced(const std::string& snapshot,
                                       const definition::Definition& definition) {
  model::Instance state = *model::DecodeSnapshot(snapshot);
  state.seq = Seq();
  state.position = Position();
  return {model::EncodeSnapshot(state), StateToJson(state, definition)};
}

TEST(StateDocument, DiffersWhereStatesDo) {
  size_t same = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const RandomHistory history(seed);
    const definition::Definition& definition = history.driver.definition();
    for (uint64_t seq = 1; seq < history.size(); ++seq) {
      const auto [before, shown_before] = Unplaced(history.states[seq - 1], definition);
      const auto [behind, shown_behind] = Unplaced(history.states[seq], definition);
      ASSERT_EQ(before == behind, shown_before == shown_behind) << "seed " << seed << " " << seq;
      same += before == behind ? 1 : 0;
    }
  }
  EXPECT_GT(same, 0u);
}

// Every bit of a state in which nothing is absent.
TEST(StateDocument, LeavesNothingOfTheStateOut) {
  const auto definition = test::Load(
      "name: two\nsteps:\n  - {id: a, type: script, config: {script: x}}\n"
      "  - {id: b, type: script, config: {script: x}, depends_on: [a]}\n");
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const std::string bytes =
        model::EncodeSnapshot(model::RandomValues(seed, /*absent=*/0).MakeInstance());
    const Value shown = StateToJson(*model::DecodeSnapshot(bytes), *definition);
    size_t compared = 0;
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      std::string changed = bytes;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
      const auto state = model::DecodeSnapshot(changed);
      if (!state.has_value() || model::EncodeSnapshot(*state) == bytes) continue;
      ++compared;
      ASSERT_FALSE(Value(StateToJson(*state, *definition)) == shown)
          << "bit " << bit << " of " << 8 * bytes.size();
    }
    EXPECT_GT(compared, 4 * bytes.size());
  }
}

TEST(StateDocument, HasEveryTimerAndTheFirstOneFirst) {
  size_t timers = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const RandomHistory history(seed);
    for (const std::string& snapshot : history.states) {
      const model::Instance state = *model::DecodeSnapshot(snapshot);
      const std::vector<model::Timer> all = TimersOf(state);
      timers += all.size();
      if (state.paused) continue;
      const model::Timer next = model::NextTimer(state);
      ASSERT_EQ(all.empty(), !next.at);
      if (all.empty()) continue;
      ASSERT_EQ(all[0].at, next.at);
      ASSERT_EQ(all[0].kind, next.kind);
      ASSERT_EQ(all[0].run, next.run);
    }
  }
  EXPECT_GT(timers, 100u);
}

TEST(StateDocument, GivesEachMemberAlone) {
  const RandomHistory history(7);
  const auto machine = Opened(history);
  const auto moment = machine->At(machine->last());
  const Object whole = StateToJson(moment->state, moment->definition, moment->version);
  for (const Member& member : whole)
    EXPECT_EQ(StateMember(moment->state, moment->definition, moment->version, member.key),
              member.value)
        << member.key;
  EXPECT_EQ(StateMember(moment->state, moment->definition, 1, "nothing"), std::nullopt);
}

TEST(StateDocument, ReadsLikeThis) {
  test::CoreDriver driver(
      "name: order\n"
      "steps:\n"
      "  - {id: reserve, type: script, config: {script: x}, compensation: release}\n"
      "  - {id: release, type: script, config: {script: x}}\n"
      "  - {id: check, type: approval, config: {assignees: [ann, bob], min_approvers: 2},\n"
      "     depends_on: [reserve]}\n"
      "  - {id: wait, type: delay, config: {duration: 5s}, depends_on: [reserve]}\n"
      "  - {id: ship, type: script, config: {script: x}, depends_on: [check, wait]}\n");
  driver.Start("{\"total\":42}").Complete("reserve", "{\"n\":1}").Elapse();
  driver.Approve("check", "ann", "fine");
  const Value state = StateToJson(driver.instance(), driver.definition(), 3);
  const auto at = [&](std::string_view pointer) {
    const Value* found = ValueAt(state, *PointerKeys(pointer));
    return found == nullptr ? std::string("nothing") : ToJson(*found);
  };
  EXPECT_EQ(at("/definition"), R"({"id":1,"name":"order","version":3})");
  EXPECT_EQ(at("/variables/total"), "42");
  EXPECT_EQ(at("/steps/reserve"), R"({"status":"completed","completions":1,"output":{"n":1}})");
  EXPECT_EQ(at("/runs/2/task/votes/0/person"), "\"ann\"");
  EXPECT_EQ(at("/runs/2/state"), "\"waiting\"");
  EXPECT_EQ(
      at("/tokens/0"),
      R"({"kind":"arrived","scope":0,"step":"ship","transition":"wait -> ship","live":true})");
  EXPECT_EQ(at("/undo/0"),
            R"({"run":1,"step":"reserve","by":"release","scope":0,"output":{"n":1}})");
}

}  // namespace
}  // namespace stele::replay
