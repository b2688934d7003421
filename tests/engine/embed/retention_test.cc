// Retention of an engine within a program, through the public header.
#include <atomic>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
constexpr const char* kAnswer = R"(
  - {id: say, type: "custom:echo"}
)";

class EmbedRetention : public EmbedTest {
 protected:
  Options Timed(Retention retention) {
    Options options;
    options.clock = [this] { return now_.load(); };
    options.retention = std::move(retention);
    return options;
  }
  uint64_t RunOne(const std::string& name) {
    const uint64_t id = Start(name);
    EXPECT_EQ(End(id).status, "completed");
    return id;
  }
  // What is due is done on a thread of the engine's: asks until it says that the instance is gone.
  void AwaitPurged(uint64_t id) {
    while (CodeOf(engine_->History(id)) != "STL0307") Do(engine_->Elapse());
  }

  std::atomic<int64_t> now_ = int64_t{1'700'000'000} * 1'000'000;
};

TEST_F(EmbedRetention, PurgesWhatIsOlderThanItsDefinitionSays) {
  Open(Timed({}));
  Register("brief", kAnswer, "retention: 1d\n");
  Register("lasting", kAnswer);
  const uint64_t brief = RunOne("brief");
  const uint64_t lasting = RunOne("lasting");
  now_ += 2 * kDayUs;
  AwaitPurged(brief);
  Do(engine_->History(lasting));
  EXPECT_EQ(CodeOf(engine_->GetStatus(brief)), "STL0307");
  EXPECT_TRUE(problems().empty());
}

TEST_F(EmbedRetention, PurgesWhatIsOlderThanTheOptionsSayIntoAnArchiveElsewhere) {
  Open(Timed({.closed = std::chrono::hours(24), .archive_directory = directory_ + "/cold/store"}));
  Register("lasting", kAnswer);
  const uint64_t first = RunOne("lasting");
  now_ += 2 * kDayUs;
  AwaitPurged(first);
  Do(engine_->Stop());
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/cold/store/OWNER"));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/archive"));
  EXPECT_TRUE(problems().empty());
}

TEST_F(EmbedRetention, LooksAfterNothingWhenToldSo) {
  Open(Timed({.closed = std::chrono::hours(24), .every = std::chrono::seconds(0)}));
  Register("lasting", kAnswer);
  const uint64_t first = RunOne("lasting");
  now_ += 2 * kDayUs;
  Do(engine_->Elapse());
  engine_.reset();
  now_ += 2 * kDayUs;
  Open(Timed({.every = std::chrono::seconds(0)}));
  Do(engine_->Elapse());
  Do(engine_->History(first));
}

}  // namespace
}  // namespace stele::embed
