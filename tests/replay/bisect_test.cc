#include "replay/bisect.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "replay/past_state.h"
#include "replay/state_environment.h"
#include "tests/replay/random_history.h"

namespace stele::replay {
namespace {

using test::CoreDriver;
using test::DrivenSource;
using test::RandomHistory;

constexpr const char* kLoop =
    "name: looping\n"
    "steps:\n"
    "  - id: again\n"
    "    type: loop\n"
    "    times: 50\n"
    "    steps:\n"
    "      - {id: work, type: script, config: {script: x}}\n";

// Fifty iterations; `total` is what is counted behind each but the last.
class Counted : public testing::Test {
 protected:
  Counted() : driver_(kLoop), source_(driver_) {
    driver_.Start("{\"total\":0}");
    for (int i = 1; i <= 50; ++i) {
      driver_.Complete("work", "{\"n\":" + std::to_string(i) + "}");
      if (i < 50) driver_.Assign("{\"total\":" + std::to_string(i) + "}");
    }
    machine_ =
        *TimeMachine::Open(source_, driver_.instance().id, source_.Registry(), {.interval = 8});
  }

  // Searched for, unless it is to be looked behind every event.
  Bisection Found(std::string_view text, bool exact = false) {
    const auto expression = expression::Expression::Compile(text);
    EXPECT_TRUE(expression.has_value()) << expression.error().message;
    const auto found = Bisect(*machine_, *expression, exact ? kSearchedInFull : 0);
    EXPECT_TRUE(found.has_value()) << found.error().ToString();
    return found.value_or(Bisection());
  }
  int64_t TotalAt(Seq seq) {
    return machine_->At(seq)->state.scopes[0].variables[0].value.value().as_int();
  }

  CoreDriver driver_;
  DrivenSource source_;
  std::unique_ptr<TimeMachine> machine_;
};

TEST_F(Counted, TheFirstEventIsFoundByLookingBehindAFew) {
  const Bisection found = Found("total >= 37");
  EXPECT_EQ(TotalAt(found.at), 37);
  EXPECT_EQ(TotalAt(Seq(found.at.value - 1)), 36);
  EXPECT_FALSE(found.holds_first);
  EXPECT_TRUE(found.holds_last);
  EXPECT_LT(found.looked_at, machine_->last().value / 6);
  const Bisection exact = Found("total >= 37", true);
  EXPECT_EQ(exact.at, found.at);
  EXPECT_EQ(exact.looked_at, found.at.value);
}

TEST_F(Counted, SaysWhenItHoldsFromTheStartAndWhenNever) {
  const Bisection first = Found("total >= 0");
  EXPECT_TRUE(first.holds_first);
  EXPECT_EQ(first.at, Seq(1));
  const Bisection never = Found("total > 100");
  EXPECT_EQ(never.at, Seq());
  EXPECT_FALSE(never.holds_last);
  // The first event, and each state that is kept, once; that of the last event is one of these.
  EXPECT_EQ(never.looked_at, machine_->Keyframes().size() + 1);
  EXPECT_EQ(Found("total > 100", true).looked_at, machine_->last().value);
}

TEST_F(Counted, WhatHoldsForAWhileIsFoundByLookingBehindEveryEvent) {
  const Bisection exact = Found("total == 20", true);
  EXPECT_EQ(TotalAt(exact.at), 20);
  EXPECT_EQ(TotalAt(Seq(exact.at.value - 1)), 19);
  // A search may miss it, and says how much it looked at; what it finds is a beginning.
  const Bisection searched = Found("total == 20");
  EXPECT_TRUE(!searched.at || searched.at == exact.at);
  EXPECT_LT(searched.looked_at, machine_->last().value);
}

TEST_F(Counted, SeesTheStateAndTheEvent) {
  EXPECT_EQ(TotalAt(Found("steps.again.status == 'completed'").at), 49);
  EXPECT_EQ(Found("status == 'completed'", true).at, Found("state.status == 'completed'").at);
  const Bisection by_event = Found("event.event == 'variables_set' and total == 3", true);
  EXPECT_EQ(TotalAt(by_event.at), 3);
  EXPECT_EQ(Found("seq >= 17").at, Seq(17));
  EXPECT_EQ(Found("size(runs) > 1", true).at, Found("state.runs['2'] is not null", true).at);
  EXPECT_EQ(Found("actor == 'test'").at, Seq(1));
}

TEST_F(Counted, AShortHistoryIsLookedAtInFull) {
  const auto expression = expression::Expression::Compile("total == 20");
  const uint64_t last = machine_->last().value;
  const Bisection all = *Bisect(*machine_, *expression, last);
  EXPECT_TRUE(all.exact);
  EXPECT_EQ(TotalAt(all.at), 20);
  EXPECT_FALSE(Bisect(*machine_, *expression, last - 1)->exact);
  const auto document = PastBisection(*machine_, "total == 20", false);
  EXPECT_EQ(*document->Find("exact"), Value(true));
  EXPECT_EQ(document->Find("holds_at_end"), nullptr);
}

TEST_F(Counted, WhatIsThereForAWhileHoldsThen) {
  // Behind the first event and behind the last there is no such run.
  const char* const kAttempt = "runs['3'].attempt >= 1";
  const Bisection found = Found(kAttempt, true);
  ASSERT_NE(found.at, Seq());
  EXPECT_GT(found.undefined, 0u);
  EXPECT_EQ(machine_->At(found.at)->state.FindRun(RunId(3))->attempt, 1u);
  const Bisection searched = Found(kAttempt);
  EXPECT_GT(searched.undefined, 0u);
  EXPECT_TRUE(!searched.at || searched.at == found.at);
  for (const char* const never : {"runs['9999'].attempt > 1", "steps.again.output.no_such > 1"}) {
    EXPECT_EQ(Found(never, true).at, Seq()) << never;
    EXPECT_EQ(Found(never, true).undefined, machine_->last().value) << never;
    const Bisection some = Found(never);
    EXPECT_EQ(some.at, Seq()) << never;
    EXPECT_EQ(some.undefined, some.looked_at) << never;
  }
}

TEST_F(Counted, ANameThatNoStateHasIsRefused) {
  for (const char* const text : {"nothing_like_it > 3", "runs['9999'].attempt > nothing_like_it",
                                 "steps.nothing_like_it.status == 'failed'",
                                 "variables.nothing_like_it > 3", "state.nothing_like_it > 3"}) {
    const auto expression = expression::Expression::Compile(text);
    for (const uint64_t in_full : {uint64_t{0}, kSearchedInFull})
      EXPECT_FALSE(Bisect(*machine_, *expression, in_full).has_value()) << text;
  }
  const auto expression = expression::Expression::Compile("nothing_like_it > 3");
  EXPECT_NE(Bisect(*machine_, *expression, 0).error().message.find("nothing_like_it"),
            std::string::npos);
  EXPECT_EQ(PastBisection(*machine_, "total >", false).error().code, ErrorCode::kExpressionSyntax);
}

TEST_F(Counted, TheDocumentSaysWhatTheEventChanged) {
  const auto found = PastBisection(*machine_, "total >= 37", false);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(*found->Find("found"), Value("began"));
  EXPECT_EQ(*found->Find("event")->Find("event"), Value("variables_set"));
  EXPECT_EQ(*found->Find("exact"), Value(true));
  EXPECT_EQ(found->Find("holds_at_end"), nullptr);
  bool seen = false;
  for (const Value& change : found->Find("changes")->as_array())
    if (*change.Find("at") == Value("/variables/total")) {
      seen = true;
      EXPECT_EQ(*change.Find("from"), Value(36));
      EXPECT_EQ(*change.Find("to"), Value(37));
    }
  EXPECT_TRUE(seen);
}

TEST(Bisect, FindsAPlaceWhereItBegan) {
  const auto expression = expression::Expression::Compile("size(runs) >= 2");
  size_t found_some = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const RandomHistory history(seed);
    const auto machine = *TimeMachine::Open(history.source, history.driver.instance().id,
                                            history.source.Registry(), {.interval = 3});
    const auto holds = [&](Seq seq) {
      return expression->EvaluateBool(StateEnvironment(*machine->At(seq))).value_or(false);
    };
    const Bisection found = *Bisect(*machine, *expression, 0);
    const Bisection exact = *Bisect(*machine, *expression, kSearchedInFull);
    if (found.at) {
      ++found_some;
      EXPECT_TRUE(holds(found.at)) << seed;
      EXPECT_FALSE(found.at > Seq(1) && holds(Seq(found.at.value - 1))) << seed;
      EXPECT_LE(exact.at, found.at) << seed;
    }
    for (uint64_t seq = 1; seq < (exact.at ? exact.at.value : history.size() + 1); ++seq)
      ASSERT_FALSE(holds(Seq(seq))) << seed;
  }
  EXPECT_GT(found_some, 10u);
}

}  // namespace
}  // namespace stele::replay
