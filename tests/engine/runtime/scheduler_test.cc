// What may begin, and in which order: against limits, over very many random loads.
#include "engine/runtime/scheduler.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace stele::runtime {
namespace {

using Course = Scheduler::Course;

definition::Definition Named(const std::string& name) {
  definition::Definition definition;
  definition.name = name;
  return definition;
}

definition::Step TaskStep(const std::string& id, const std::string& type = "script") {
  definition::Step step;
  step.id = id;
  step.task_type = type;
  return step;
}

definition::Step KeyedStep(uint32_t limit) {
  definition::Step step = TaskStep("keyed");
  step.concurrency.emplace(definition::NoKey(), limit);
  return step;
}

tasks::AttemptKey Numbered(uint64_t number) {
  return {InstanceId(number), RunId(1), 1};
}

// Begins all that may, and says which.
std::vector<uint64_t> Begun(Scheduler& scheduler, TimeUs now = TimeUs(1)) {
  std::vector<uint64_t> begun;
  while (const auto next = scheduler.Next(now)) begun.push_back(next->instance.value);
  return begun;
}

using Numbers = std::vector<uint64_t>;

TEST(Scheduler, BeginsAtOnceWhatNothingLimits) {
  Scheduler scheduler({.max_open = 2});
  Course* course = scheduler.CourseOf(Named("d"), TaskStep("s"), true);
  EXPECT_TRUE(scheduler.BeginsAtOnce(*course));
  EXPECT_TRUE(scheduler.BeginsAtOnce(*course));
  EXPECT_FALSE(scheduler.BeginsAtOnce(*course)) << "two are open";
  scheduler.Ended(*course, Numbered(1));
  EXPECT_TRUE(scheduler.BeginsAtOnce(*course));
  EXPECT_EQ(scheduler.open(), 2u);
}

TEST(Scheduler, DoesNotCountWhatOnlyWaits) {
  Scheduler scheduler({.max_open = 1});
  Course* call = scheduler.CourseOf(Named("d"), TaskStep("c", "call"), false);
  Course* work = scheduler.CourseOf(Named("d"), TaskStep("s"), true);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(scheduler.BeginsAtOnce(*call));
  EXPECT_TRUE(scheduler.BeginsAtOnce(*work));
}

TEST(Scheduler, TakesTheHigherPriorityFirstThenWhoCameFirst) {
  Scheduler scheduler({.task_types = {{"script", {.at_once = 1}}}});
  Course* course = scheduler.CourseOf(Named("d"), TaskStep("s"), true);
  const std::vector<int32_t> priorities = {0, 5, -3, 5, 0};
  for (size_t i = 0; i < priorities.size(); ++i)
    scheduler.Enqueue(*course, Numbered(i + 1), priorities[i], "");
  Numbers order;
  while (const auto next = scheduler.Next(TimeUs(1))) {
    order.push_back(next->instance.value);
    EXPECT_FALSE(scheduler.Next(TimeUs(1)).has_value()) << "one at a time";
    scheduler.Ended(*course, *next);
  }
  EXPECT_EQ(order, (Numbers{2, 4, 1, 5, 3}));
}

TEST(Scheduler, GivesEachDefinitionItsTurn) {
  Scheduler scheduler({.task_types = {{"script", {.at_once = 1}}}});
  Course* many = scheduler.CourseOf(Named("many"), TaskStep("s"), true);
  Course* few = scheduler.CourseOf(Named("few"), TaskStep("s"), true);
  for (uint64_t i = 1; i <= 4; ++i) scheduler.Enqueue(*many, Numbered(i), 0, "");
  for (uint64_t i = 11; i <= 12; ++i) scheduler.Enqueue(*few, Numbered(i), 0, "");
  Numbers order;
  while (const auto next = scheduler.Next(TimeUs(1))) {
    order.push_back(next->instance.value);
    scheduler.Ended(next->instance.value > 10 ? *few : *many, *next);
  }
  EXPECT_EQ(order, (Numbers{1, 11, 2, 12, 3, 4}));
}

TEST(Scheduler, CountsAKeyOverVersionsAndLetsOthersPass) {
  Scheduler scheduler({});
  Course* first = scheduler.CourseOf(Named("d"), KeyedStep(1), true);
  Course* second = scheduler.CourseOf(Named("d"), KeyedStep(1), true);
  scheduler.Enqueue(*first, Numbered(1), 0, "a");
  scheduler.Enqueue(*second, Numbered(2), 0, "a");
  scheduler.Enqueue(*second, Numbered(3), 0, "b");
  EXPECT_EQ(Begun(scheduler), (Numbers{1, 3}));
  scheduler.Ended(*second, Numbered(3));
  EXPECT_EQ(Begun(scheduler), Numbers());
  scheduler.Ended(*first, Numbered(1));
  EXPECT_EQ(Begun(scheduler), Numbers{2});
}

TEST(Scheduler, NamesTheMomentAtWhichARateLetsTheNextBegin) {
  definition::Step step = TaskStep("s");
  step.rate = {.count = 2, .per_us = 1'000};
  Scheduler scheduler({});
  Course* course = scheduler.CourseOf(Named("d"), step, true);
  for (uint64_t i = 1; i <= 5; ++i) scheduler.Enqueue(*course, Numbered(i), 0, "");
  EXPECT_EQ(Begun(scheduler, TimeUs(100)), (Numbers{1, 2}));
  EXPECT_EQ(scheduler.NextMoment(), TimeUs(1'100));
  EXPECT_EQ(Begun(scheduler, TimeUs(1'099)), Numbers());
  EXPECT_EQ(Begun(scheduler, TimeUs(1'100)), (Numbers{3, 4}));
  EXPECT_EQ(scheduler.NextMoment(), TimeUs(2'100));
  EXPECT_EQ(Begun(scheduler, TimeUs(2'100)), Numbers{5});
  EXPECT_EQ(scheduler.NextMoment(), TimeUs()) << "nothing waits";
}

TEST(Scheduler, ForgetsWhatIsWithdrawn) {
  Scheduler scheduler({});
  Course* course = scheduler.CourseOf(Named("d"), KeyedStep(1), true);
  for (uint64_t i = 1; i <= 4; ++i) scheduler.Enqueue(*course, Numbered(i), 0, "k");
  EXPECT_EQ(Begun(scheduler), Numbers{1});
  scheduler.Withdraw(InstanceId(2), [](const auto&) { return true; });
  scheduler.Withdraw(InstanceId(3), [](const auto&) { return false; });
  EXPECT_EQ(scheduler.queued(), 2u);
  scheduler.Ended(*course, Numbered(1));
  EXPECT_EQ(Begun(scheduler), Numbers{3});
  EXPECT_EQ(scheduler.TakeAll().size(), 1u);
  EXPECT_EQ(scheduler.queued(), 0u);
  scheduler.Ended(*course, Numbered(3));
  EXPECT_EQ(Begun(scheduler), Numbers());
}

TEST(RateWindow, IsExactForSmallCountsAndNeverAboveForLargeOnes) {
  for (const uint32_t count : {1u, 7u, 1'024u, 1'025u, 5'000u}) {
    RateWindow window({.count = count, .per_us = 1'000'000});
    std::vector<TimeUs> began;
    TimeUs now(1);
    while (now.value < 3'000'000) {
      now = std::max(now, window.Opens());
      window.Begin(now);
      began.push_back(now);
    }
    size_t oldest = 0;
    for (size_t i = 0; i < began.size(); ++i) {
      while (began[oldest].value <= began[i].value - 1'000'000) ++oldest;
      ASSERT_LE(i - oldest + 1, count);
    }
    if (count <= RateWindow::kMaxKept) {
      EXPECT_EQ(began.size(), 3u * count + 1) << "all that is allowed begins";
    }
  }
}

// A random load, looked at from outside.
class Load {
 public:
  explicit Load(uint32_t seed) : random_(seed), scheduler_(Settings()) {
    for (int d = 0; d < 3; ++d) {
      for (int s = 0; s < 3; ++s) {
        definition::Step step = TaskStep("s" + std::to_string(s), s == 2 ? "http" : "script");
        if (s == 1) step.concurrency.emplace(definition::NoKey(), 2);
        if (s == 2) step.rate = {.count = 3, .per_us = 50};
        definition::Definition definition = Named("d" + std::to_string(d));
        if (d == 2) definition.rate = {.count = 5, .per_us = 40};
        courses_.push_back({scheduler_.CourseOf(definition, step, true), d, s});
      }
    }
  }

  void Run(int moves) {
    for (int i = 0; i < moves; ++i) {
      const uint32_t dice = random_() % 10;
      if (dice < 4) {
        Enqueue();
      } else if (dice < 7 && !running_.empty()) {
        End();
      } else if (dice == 7) {
        Withdraw();
      } else {
        now_ = now_.Plus(static_cast<int64_t>(random_() % 10));
      }
      BeginAll();
      Check();
    }
  }

  // No starvation: when all that runs ends and time goes on, all that waits begins.
  void Drain() {
    for (int i = 0; scheduler_.queued() > 0; ++i) {
      ASSERT_LT(i, 100'000) << scheduler_.queued() << " never begin";
      while (!running_.empty()) End();
      BeginAll();
      if (running_.empty() && scheduler_.queued() > 0) {
        ASSERT_TRUE(scheduler_.NextMoment()) << "nothing runs, and no moment is named";
        now_ = std::max(now_, scheduler_.NextMoment());
      }
      BeginAll();
      Check();
    }
    EXPECT_TRUE(waiting_.empty());
  }

 private:
  struct Kind {
    Course* course;
    int definition;
    int step;
  };
  struct Item {
    Kind kind;
    int32_t priority;
    std::string key;
  };

  static SchedulerSettings Settings() {
    return {.task_types = {{"script", {.at_once = 4}}},
            .definitions = {{"d1", {.at_once = 2}}},
            .max_open = 6};
  }

  void Enqueue() {
    const uint64_t id = ++last_;
    Item item{courses_[random_() % courses_.size()], static_cast<int32_t>(random_() % 2), ""};
    if (item.kind.step == 1) item.key = std::string(1, static_cast<char>('a' + random_() % 2));
    scheduler_.Enqueue(*item.kind.course, Numbered(id), item.priority, item.key);
    waiting_.emplace(id, item);
  }
  void End() {
    auto at = running_.begin();
    std::advance(at, static_cast<long>(random_() % running_.size()));
    scheduler_.Ended(*at->second.kind.course, Numbered(at->first));
    running_.erase(at);
  }
  void Withdraw() {
    if (waiting_.empty()) return;
    const uint64_t id = waiting_.begin()->first;
    scheduler_.Withdraw(InstanceId(id), [](const auto&) { return true; });
    waiting_.erase(id);
  }
  void BeginAll() {
    while (const auto next = scheduler_.Next(now_)) {
      const uint64_t id = next->instance.value;
      const auto found = waiting_.find(id);
      ASSERT_NE(found, waiting_.end()) << id << " does not wait";
      // Of those that are limited alike it is the first: by priority, then by number.
      for (const auto& [other, item] : waiting_) {
        const bool alike =
            item.kind.course == found->second.kind.course && item.key == found->second.key;
        if (!alike) continue;
        EXPECT_LE(item.priority, found->second.priority);
        if (item.priority == found->second.priority) {
          EXPECT_GE(other, id);
        }
      }
      if (found->second.kind.step == 2) times_[{0, found->second.kind.definition}].push_back(now_);
      if (found->second.kind.definition == 2) times_[{1, 2}].push_back(now_);
      running_.insert(waiting_.extract(found));
    }
    ASSERT_EQ(scheduler_.queued(), waiting_.size());
    ASSERT_EQ(scheduler_.open(), running_.size());
  }
  void Check() {
    std::map<std::string, size_t> at_once;
    for (const auto& [id, item] : running_) {
      if (item.kind.step != 2) ++at_once["script"];
      if (item.kind.definition == 1) ++at_once["d1"];
      if (item.kind.step == 1) {
        EXPECT_LE(++at_once[std::to_string(item.kind.definition) + item.key], 2u);
      }
    }
    EXPECT_LE(running_.size(), 6u);
    EXPECT_LE(at_once["script"], 4u);
    EXPECT_LE(at_once["d1"], 2u);
    for (const auto& [what, times] : times_) {
      const size_t count = what.first == 0 ? 3 : 5;
      const int64_t per = what.first == 0 ? 50 : 40;
      if (times.size() > count) {
        EXPECT_GE(times.back().value - times[times.size() - 1 - count].value, per);
      }
    }
  }

  std::mt19937 random_;
  Scheduler scheduler_;
  std::vector<Kind> courses_;
  TimeUs now_{1};
  uint64_t last_ = 0;
  std::map<uint64_t, Item> waiting_;
  std::map<uint64_t, Item> running_;
  std::map<std::pair<int, int>, std::vector<TimeUs>> times_;
};

TEST(Scheduler, NeverGoesAboveALimitAndStarvesNobody) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Load load(seed);
    load.Run(400);
    load.Drain();
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Scheduler, TreatsDefinitionsWithEqualLoadEqually) {
  std::mt19937 random(7);
  Scheduler scheduler({.task_types = {{"script", {.at_once = 3}}}});
  std::vector<Course*> courses;
  for (const char* name : {"a", "b"})
    for (const char* step : {"one", "two"})
      courses.push_back(scheduler.CourseOf(Named(name), TaskStep(step), true));
  std::map<uint64_t, size_t> of;
  uint64_t last = 0;
  const auto enqueue = [&](size_t definition) {
    const size_t course = definition * 2 + random() % 2;
    of[++last] = course;
    scheduler.Enqueue(*courses[course], Numbered(last), 0, "");
  };
  for (int i = 0; i < 10; ++i) enqueue(0);
  for (int i = 0; i < 10; ++i) enqueue(1);
  std::vector<uint64_t> running;
  std::array<int, 2> turns{};
  for (int i = 0; i < 2'000; ++i) {
    for (const uint64_t id : Begun(scheduler)) {
      running.push_back(id);
      ++turns[of[id] / 2];
      EXPECT_LE(std::abs(turns[0] - turns[1]), 1);
      enqueue(of[id] / 2);
    }
    const size_t which = random() % running.size();
    scheduler.Ended(*courses[of[running[which]]], Numbered(running[which]));
    running.erase(running.begin() + static_cast<long>(which));
  }
}

}  // namespace
}  // namespace stele::runtime
