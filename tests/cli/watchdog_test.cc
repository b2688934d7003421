// What a service manager is told of a server that goes on, and of one that does not.
#include "cli/watchdog.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>

namespace stele::cli {
namespace {

using Answer = std::function<void(bool)>;

// A manager that expects to be told every two milliseconds, and a server whose answers the test
// gives.
class Watched : public testing::Test {
 protected:
  Watched() {
    char name[] = "/tmp/stele-watched-XXXXXX";
    folder_ = mkdtemp(name);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ / "notify";
    std::memcpy(address.sun_path, path.data(), path.size());
    manager_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    EXPECT_EQ(bind(manager_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    setenv("WATCHDOG_USEC", "2000", 1);
    auto supervisor = Supervisor::FromEnvironment();
    EXPECT_TRUE(supervisor.has_value());
    supervisor_.emplace(*std::move(supervisor));
    uv_loop_init(&loop_);
    // The timer of the watchdog alone keeps no loop.
    uv_timer_init(&loop_, &other_);
    uv_timer_start(&other_, [](uv_timer_t*) {}, 0, 1);
    watchdog_.emplace(&loop_, *supervisor_, [this](Answer answer) {
      ++asked_;
      answer_ = std::move(answer);
    });
  }
  ~Watched() override {
    watchdog_.reset();
    uv_close(reinterpret_cast<uv_handle_t*>(&other_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
    close(manager_);
    std::filesystem::remove_all(folder_);
  }

  template <class Condition>
  void TurnUntil(Condition condition) {
    while (!condition()) uv_run(&loop_, UV_RUN_ONCE);
  }
  // So many looks of the watchdog pass at least.
  void Turn() {
    for (int i = 0; i < 10; ++i) uv_run(&loop_, UV_RUN_ONCE);
  }
  int Told() {
    int count = 0;
    char text[64];
    for (ssize_t size = 0; (size = recv(manager_, text, sizeof(text), 0)) > 0; ++count)
      EXPECT_EQ(std::string_view(text, static_cast<size_t>(size)), "WATCHDOG=1");
    return count;
  }

  std::filesystem::path folder_;
  int manager_ = -1;
  std::optional<Supervisor> supervisor_;
  uv_loop_t loop_{};
  uv_timer_t other_{};
  int asked_ = 0;
  Answer answer_;
  std::optional<Watchdog> watchdog_;
};

TEST_F(Watched, IsToldOfOnlyWhenItHasAnswered) {
  TurnUntil([this] { return asked_ == 1; });
  Turn();
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(Told(), 0);
  answer_(true);
  EXPECT_EQ(Told(), 1);
  TurnUntil([this] { return asked_ == 2; });
  EXPECT_EQ(Told(), 0);
}

TEST_F(Watched, IsNotToldOfWhenNothingBecomesDurable) {
  TurnUntil([this] { return asked_ == 1; });
  answer_(false);
  EXPECT_EQ(Told(), 0);
}

TEST_F(Watched, IsToldOfWithoutAnAnswerWhenItLeaves) {
  TurnUntil([this] { return asked_ == 1; });
  watchdog_->Leave();
  TurnUntil([this] { return Told() > 0; });
  EXPECT_EQ(asked_, 1);
}

TEST(SupervisorTest, TellsNobodyWhenNobodyIsThere) {
  setenv("WATCHDOG_USEC", "2000", 1);
  unsetenv("NOTIFY_SOCKET");
  const auto supervisor = Supervisor::FromEnvironment();
  ASSERT_TRUE(supervisor.has_value());
  EXPECT_EQ(supervisor->watchdog_us(), 0);
  supervisor->Tell("READY=1");
  EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
}

}  // namespace
}  // namespace stele::cli
