// What somebody is told who may not see all that there is.
#include <gmock/gmock.h>

#include "tests/server/support/guarded_world.h"

namespace stele::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class SightTest : public testing::Test {
 protected:
  SightTest() { BeginTelling(world_, 3); }

  // The definitions of all rows, page by page of so many; and how many pages that took.
  template <class Row>
  std::pair<std::multiset<std::string>, int> Walk(
      const Caller& caller, size_t limit, const std::string& sort,
      Promised<Found<Row>> (Questions::*find)(const Caller&, const Search&)) {
    std::multiset<std::string> definitions;
    int pages = 0;
    Search search{.query = "", .sort = sort, .cursor = "", .limit = limit, .freshness = {}};
    do {
      const Found<Row> found = world_.Get((world_.questions().*find)(caller, search));
      for (const Row& row : found.page.rows) definitions.insert(row.definition);
      search.cursor = found.page.next;
      ++pages;
    } while (!search.cursor.empty() && pages < 20);
    return {definitions, pages};
  }
  projections::Statistics Figures(const Caller& caller, projections::StatisticsScope scope = {}) {
    return world_.Get(world_.questions().Statistics(caller, scope, {}));
  }

  ServedWorld world_;
  const Caller operator_ = ServedWorld::Somebody(Role::kOperator);
  const Caller admin_ = ServedWorld::Somebody(Role::kAdmin);
};

TEST_F(SightTest, LeavesInstancesOutOfEveryPage) {
  const std::multiset<std::string> plain{kPlain, kPlain, kPlain};
  for (const char* sort :
       {"", "started", "-started", "definition", "-definition", "key", "status"}) {
    for (const size_t limit : {1u, 2u, 3u, 4u}) {
      const auto [seen, pages] =
          Walk<projections::InstanceRow>(operator_, limit, sort, &Questions::Instances);
      EXPECT_EQ(seen, plain) << sort << " by " << limit;
      // A page more would tell of others behind the last one.
      EXPECT_EQ(pages, static_cast<int>((3 + limit - 1) / limit)) << sort << " by " << limit;
    }
    EXPECT_EQ(Walk<projections::InstanceRow>(Ada(), 2, sort, &Questions::Instances).first.size(),
              6u);
    EXPECT_EQ(Walk<projections::InstanceRow>(admin_, 2, sort, &Questions::Instances).first.size(),
              6u);
  }
}

TEST_F(SightTest, LeavesThemOutWhateverIsLookedFor) {
  for (const char* query :
       {"definition:secret-flow", "id:1", "key:secret-key", "tag:secret-tag", "input.a:secret",
        "-definition:plain-flow", "step:ask_secret", "secret"}) {
    const auto found = world_.Get(world_.questions().Instances(operator_, {.query = query}));
    EXPECT_THAT(found.page.rows, IsEmpty()) << query;
    EXPECT_EQ(found.page.next, "") << query;
    EXPECT_THAT(world_.Get(world_.questions().Instances(admin_, {.query = query})).page.rows,
                Not(IsEmpty()))
        << query;
  }
}

TEST_F(SightTest, LeavesTasksOut) {
  const auto [seen, pages] = Walk<projections::TaskRow>(operator_, 1, "", &Questions::Tasks);
  EXPECT_EQ(seen, (std::multiset<std::string>{kPlain, kPlain, kPlain}));
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(Walk<projections::TaskRow>(Ada(), 1, "", &Questions::Tasks).first.size(), 6u);
}

TEST_F(SightTest, SealsTheCursorsOfWhomNotAllIsShown) {
  const auto page = world_.Get(world_.questions().Instances(operator_, {.limit = 1})).page;
  ASSERT_NE(page.next, "");
  EXPECT_EQ(world_.CodeOf(world_.questions().Instances(admin_, {.cursor = page.next, .limit = 1})),
            ErrorCode::kInvalidInput);
  const auto open = world_.Get(world_.questions().Instances(admin_, {.limit = 1})).page;
  EXPECT_EQ(
      world_.CodeOf(world_.questions().Instances(operator_, {.cursor = open.next, .limit = 1})),
      ErrorCode::kInvalidInput);
  EXPECT_THAT(
      world_.Get(world_.questions().Instances(admin_, {.cursor = open.next, .limit = 1})).page.rows,
      testing::SizeIs(1));
}

TEST_F(SightTest, SumsFiguresOfWhatIsSeen) {
  EXPECT_EQ(Figures(admin_).counts.started, 6u);
  EXPECT_EQ(Figures(Ada()).counts.started, 6u);
  const auto seen = Figures(operator_);
  EXPECT_EQ(seen.counts.started, 3u);
  const auto alone = Figures(operator_, {.definition = kPlain});
  EXPECT_EQ(seen.counts.failed_attempts, alone.counts.failed_attempts);
  EXPECT_EQ(seen.open, alone.open);
  EXPECT_EQ(seen.first_started, alone.first_started);
  const TimeUs begin(1);
  EXPECT_EQ(Figures(operator_, {.from = begin}).counts.started, 3u);
  EXPECT_EQ(Figures(admin_, {.from = begin}).counts.started, 6u);
  EXPECT_EQ(world_.CodeOf(world_.questions().Statistics(operator_, {.definition = kGuarded}, {})),
            ErrorCode::kForbidden);
  EXPECT_EQ(world_.CodeOf(world_.questions().Statistics(
                operator_, {.definition = kGuarded, .version = 1}, {})),
            ErrorCode::kForbidden);
}

TEST_F(SightTest, CountsSeriesOfWhatIsSeen) {
  const auto started = [&](const Caller& caller) {
    uint64_t sum = 0;
    for (const auto& point :
         world_.Get(world_.questions().Series(caller, {}, projections::Resolution::kMinute, {}))
             .points)
      sum += point.counts.started;
    return sum;
  };
  EXPECT_EQ(started(operator_), 3u);
  EXPECT_EQ(started(Ada()), 6u);
  EXPECT_EQ(world_.CodeOf(world_.questions().Series(operator_, {.definition = kGuarded},
                                                    projections::Resolution::kHour, {})),
            ErrorCode::kForbidden);
}

TEST_F(SightTest, LeavesDefinitionsAndTheirErrorsOut) {
  const auto names = [&](const Caller& caller) {
    std::vector<std::string> found;
    std::string after;
    do {
      const auto page = world_.Get(world_.questions().Definitions(caller, after, 1));
      for (const auto& each : page.definitions) found.push_back(each.definition);
      after = page.next;
    } while (!after.empty());
    return found;
  };
  EXPECT_THAT(names(operator_), ElementsAre(kPlain));
  EXPECT_THAT(names(Ada()), ElementsAre(kPlain, kGuarded));

  const auto errors = world_.Get(world_.questions().Errors(operator_, {}, 1, "", {}));
  ASSERT_EQ(errors.errors.size(), 1u);
  EXPECT_EQ(errors.errors[0].definition, kPlain);
  EXPECT_EQ(world_.Get(world_.questions().Errors(operator_, {}, 10, "", {})).errors.size(),
            world_.Get(world_.questions().Errors(admin_, {}, 10, "", {})).errors.size() / 2);
  EXPECT_EQ(
      world_.CodeOf(world_.questions().Errors(operator_, {.definition = kGuarded}, 10, "", {})),
      ErrorCode::kForbidden);
}

TEST_F(SightTest, PagesErrorsWithoutOneTooMany) {
  size_t found = 0, pages = 0;
  std::string cursor;
  do {
    const auto page = world_.Get(world_.questions().Errors(operator_, {}, 1, cursor, {}));
    for (const auto& error : page.errors) EXPECT_EQ(error.definition, kPlain);
    found += page.errors.size();
    cursor = page.next;
    ++pages;
  } while (!cursor.empty() && pages < 10);
  EXPECT_GT(found, 0u);
  EXPECT_EQ(pages, found);
}

TEST_F(SightTest, LeavesWhatIsRegisteredOut) {
  const auto listed = world_.definitions().List(operator_, "");
  ASSERT_TRUE(listed.has_value());
  EXPECT_THAT(*listed, ElementsAre(testing::Field(&DefinitionStatus::name, kPlain)));
  EXPECT_EQ(world_.definitions().List(Ada(), "")->size(), 2u);
  EXPECT_EQ(world_.definitions().List(operator_, kGuarded).error().code, ErrorCode::kForbidden);

  const auto triggers = world_.triggers().List(operator_, "", true);
  ASSERT_TRUE(triggers.has_value());
  EXPECT_THAT(*triggers, ElementsAre(testing::Field(&TriggerStatus::definition, kPlain)));
  EXPECT_EQ(world_.triggers().List(Ada(), "", true)->size(), 2u);
}

// Reading instances and reading definitions are narrowed each for itself.
TEST_F(SightTest, GoesByTheActionThatIsNarrowed) {
  RegisterTelling(world_, "half", ForAdaAlone("read"));
  StartTelling(world_, "half");
  world_.CatchUp();
  EXPECT_EQ(world_.definitions().List(operator_, "")->size(), 2u);
  EXPECT_EQ(Walk<projections::InstanceRow>(operator_, 9, "", &Questions::Instances).first.size(),
            3u);
  EXPECT_EQ(Figures(operator_).counts.started, 3u);
}

// The newest version that may start says it for all.
TEST_F(SightTest, FollowsTheNewestVersion) {
  RegisterTelling(world_, "secret", "# opened\ntags: [opened]\n");
  EXPECT_EQ(Walk<projections::InstanceRow>(operator_, 9, "", &Questions::Instances).first.size(),
            6u);
  EXPECT_EQ(world_.definitions().List(operator_, "")->size(), 3u);
  RegisterTelling(world_, "plain", ForAdaAlone("read"));
  EXPECT_EQ(Walk<projections::InstanceRow>(operator_, 9, "", &Questions::Instances).first,
            (std::multiset<std::string>{kGuarded, kGuarded, kGuarded}));
}

class SightOfEvents : public SightTest {
 protected:
  // The texts of what a follower is told until an event of that name and definition comes.
  std::string Told(Events::Follower& follower, std::string_view name, std::string_view definition) {
    std::string all;
    for (;;) {
      for (const EventPointer& event : world_.Get(follower.Next())) {
        all += event->json + "\n";
        if (event->name == name && event->definition == definition) return all;
      }
    }
  }
  kj::Own<Events::Follower> Follow(const Caller& caller, Position from, EventFilter filter = {}) {
    auto follower = world_.events().Follow(caller, std::move(filter), {from});
    EXPECT_TRUE(follower.has_value());
    return *kj::mv(follower);
  }
  // Until the last of what has happened: a message to the instance of a definition that all see.
  void Mark() {
    world_.Register("mark", "{id: a, type: script}");
    world_.Start("mark");
    world_.Settle();
  }
};

TEST_F(SightOfEvents, TellsNothingOfOthersFromTheLog) {
  world_.Get(world_.instances().Publish(admin_, {.name = "secret-message", .key = "k"}));
  Mark();
  const std::string told = Told(*Follow(operator_, Position(1)), "instance_completed", "mark");
  EXPECT_THAT(told, Not(testing::HasSubstr("secret")));
  EXPECT_THAT(told, testing::HasSubstr("plain-key"));
  EXPECT_THAT(told, testing::HasSubstr("definition_registered"));
  EXPECT_THAT(told, testing::HasSubstr("trigger_registered"));
  const std::string all = Told(*Follow(Ada(), Position(1)), "instance_completed", "mark");
  EXPECT_THAT(all, testing::HasSubstr("ask_secret"));
  EXPECT_THAT(all, testing::HasSubstr("/webhook/secret"));
  EXPECT_THAT(all, testing::HasSubstr("secret-message"));
}

TEST_F(SightOfEvents, TellsNothingOfOthersAsItHappens) {
  auto seen = Follow(operator_, Position());
  auto all = Follow(Ada(), Position());
  StartTelling(world_, "secret");
  Mark();
  EXPECT_THAT(Told(*seen, "instance_completed", "mark"), Not(testing::HasSubstr("secret")));
  EXPECT_THAT(Told(*all, "instance_completed", "mark"), testing::HasSubstr("secret"));
}

TEST_F(SightOfEvents, FallsSilentWithAVersionThatNarrows) {
  auto follower = Follow(operator_, Position());
  StartTelling(world_, "plain");
  Mark();
  EXPECT_THAT(Told(*follower, "instance_completed", "mark"), testing::HasSubstr("plain-key"));
  RegisterTelling(world_, "plain", ForAdaAlone("read"));
  StartTelling(world_, "plain");
  Mark();
  EXPECT_THAT(Told(*follower, "instance_completed", "mark"), Not(testing::HasSubstr("plain-key")));
  RegisterTelling(world_, "plain", "tags: [opened]\n");
  StartTelling(world_, "plain");
  Mark();
  EXPECT_THAT(Told(*follower, "instance_completed", "mark"), testing::HasSubstr("plain-key"));
}

TEST_F(SightOfEvents, IsRefusedOfADefinitionThatIsHidden) {
  EXPECT_EQ(world_.events().Follow(operator_, {.definition = kGuarded}, {}).error().code,
            ErrorCode::kForbidden);
  EXPECT_EQ(world_.events().Follow(operator_, {.instance = InstanceId(1)}, {}).error().code,
            ErrorCode::kForbidden);
}

}  // namespace
}  // namespace stele::server
