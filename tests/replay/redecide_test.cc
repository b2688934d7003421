// What deciding again keeps of instances that are retried.
#include "replay/redecide.h"

#include <gtest/gtest.h>

#include "tests/replay/driven_source.h"
#include "tests/support/definitions.h"

namespace stele::replay {
namespace {

// Counts how often a history is read.
class CountingSource final : public Source {
 public:
  explicit CountingSource(const Source& source) : source_(source) {}
  Result<std::unique_ptr<eventstore::Cursor>> RecordsFrom(InstanceId instance,
                                                          Seq from) const override {
    ++reads;
    return source_.RecordsFrom(instance, from);
  }
  mutable size_t reads = 0;

 private:
  const Source& source_;
};

constexpr const char* kOne = "name: one\nsteps: [{id: a, type: script, config: {script: x}}]\n";

struct Retried {
  explicit Retried(int times, bool is_followed = true)
      : driver(test::Load(kOne)), followed(is_followed) {
    driver.Start().Fail("a", "boom", false);
    for (int i = 0; i < times; ++i) driver.Retry().Fail("a", "boom", false);
  }
  // Decides all records again, and gives the last outcome.
  Redecision::Outcome TakeAll() {
    const auto records = all.Records(driver.instance().id);
    EXPECT_TRUE(records.has_value());
    auto outcome = Redecision::Outcome::kUnfollowed;
    for (;;) {
      const auto record = (*records)->Next();
      EXPECT_TRUE(record.has_value());
      if (!record.has_value() || !record->has_value()) return outcome;
      const auto decision = redecider.Take(**record);
      EXPECT_TRUE(decision.has_value());
      if (!decision.has_value()) return Redecision::Outcome::kOutOfPlace;
      outcome = decision->outcome;
    }
  }

  test::CoreDriver driver;
  const bool followed;
  test::DrivenSource all{driver};
  CountingSource source{all};
  const model::Registry registry = all.Registry();
  Redecider redecider{
      registry,
      {.whole_log = followed,
       .source = &source,
       .follows = [this](InstanceId, const auto&) -> Result<bool> { return followed; }}};
};

TEST(Redecider, ReadsTheHistoryOfWhoIsRetriedAgainAndAgainOnce) {
  Retried retried(5);
  EXPECT_EQ(retried.TakeAll(), Redecision::Outcome::kSame);
  EXPECT_EQ(retried.source.reads, 1u);
  EXPECT_EQ(retried.redecider.followed(), 0u) << "it has failed";
}

TEST(Redecider, ReadsTheHistoryOnceOfWhoIsNotFollowed) {
  Retried retried(5, /*is_followed=*/false);
  EXPECT_EQ(retried.TakeAll(), Redecision::Outcome::kUnfollowed);
  EXPECT_EQ(retried.source.reads, 1u);
}

TEST(Redecider, ErasedOnesAreToldOnceHoweverOftenTheyWereRetried) {
  Retried retried(2);
  const InstanceId id = retried.driver.instance().id;
  Redecider redecider(
      retried.registry,
      {.source = &retried.source, .is_erased = [](InstanceId) -> Result<bool> { return true; }});
  const auto records = *retried.all.Records(id);
  size_t erased = 0;
  for (auto record = *records->Next(); record.has_value(); record = *records->Next()) {
    const auto decision = redecider.Take(*record);
    ASSERT_TRUE(decision.has_value());
    if (decision->outcome != Redecision::Outcome::kErased) continue;
    ++erased;
    redecider.Forget(id);
  }
  EXPECT_EQ(erased, 1u);
}

TEST(Redecider, TakesNothingButARetryOfWhoHasFailedAgain) {
  Retried retried(1);
  ASSERT_EQ(retried.TakeAll(), Redecision::Outcome::kSame);
  model::RecordEncoder encoder;
  const std::vector<model::Event> events{model::InstanceTerminated{}};
  const std::string body(encoder.Encode(events));
  const auto decision =
      retried.redecider.Take({.position = Position(100),
                              .header = {.instance = retried.driver.instance().id,
                                         .first_seq = retried.driver.instance().seq.Next(),
                                         .event_count = 1},
                              .body = body});
  ASSERT_TRUE(decision.has_value());
  EXPECT_EQ(decision->outcome, Redecision::Outcome::kOutOfPlace);
  EXPECT_EQ(decision->expected, "no more records of an instance that has ended");
}

}  // namespace
}  // namespace stele::replay
