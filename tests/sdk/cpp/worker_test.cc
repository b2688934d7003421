// Workers of the SDK against a server with a running engine.
#include "stele/worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <stdexcept>

#include "tests/sdk/cpp/worker_world.h"

namespace stele::sdk {
namespace {

// Holds whoever waits until it is opened.
class Door {
 public:
  void Wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

class SdkWorker : public WorkerWorld {
 protected:
  // Opens what a handler waits at before its worker is ended.
  ~SdkWorker() noexcept override {
    door_.Open();
    EndWorkers();
  }

  Door door_;
  std::atomic<int> begun_ = 0;
  std::optional<Worker> worker_;
};

TEST_F(SdkWorker, DoesTasks) {
  Listen();
  worker_.emplace(Options());
  worker_->Handle("resize", [](const Task& task) -> Result {
    if (task.config() != R"({"width":3})" || task.input() != "{}" || task.step() != "small" ||
        task.type() != "resize" || task.definition() != "album" || task.attempt() != 1 ||
        task.key() != std::to_string(task.instance()) + "-1-1" || task.deadline().has_value())
      return std::unexpected(Failure{.message = task.key() + task.config() + task.input()});
    task.Log("did it\n");
    task.Heartbeat("half");
    return R"({"size": 6})";
  });
  Run(*worker_);
  std::vector<InstanceId> instances;
  for (int i = 0; i < 20; ++i) instances.push_back(Start());
  for (const InstanceId instance : instances) {
    const server::InstanceStatus status = Ended(instance);
    EXPECT_EQ(status.status, "completed") << status.failure.message;
    EXPECT_EQ(status.output.text(), R"({"size":6})");
  }
}

TEST_F(SdkWorker, DoesTasksOverTls) {
  UseTls(server::ClientCertificate::kNone);
  Listen();
  WorkerOptions options = Options();
  options.tls = Tls{.ca_file = CaFile(), .server_name = "localhost"};
  worker_.emplace(std::move(options));
  worker_->Handle("resize", [](const Task&) -> Result { return R"({"size": 6})"; });
  Run(*worker_);
  EXPECT_EQ(Ended(Start()).status, "completed");
}

TEST_F(SdkWorker, ShowsItsCertificateWhereOneIsAskedFor) {
  UseTls(server::ClientCertificate::kRequired);
  Listen();
  WorkerOptions options = Options();
  options.tls = Tls{.ca_file = CaFile(), .server_name = "localhost"};
  worker_.emplace(options);
  worker_->Handle("resize", [](const Task&) -> Result { return R"({"size": 6})"; });
  Run(*worker_);
  UntilNoted("no connection");
  worker_->Stop();
  EXPECT_TRUE(End().has_value());
  EXPECT_EQ(world_.workers().figures().workers, 0U);
  options.tls = WorkerTls();
  Worker with_certificate(std::move(options));
  with_certificate.Handle("resize", [](const Task&) -> Result { return R"({"size": 6})"; });
  Run(with_certificate);
  EXPECT_EQ(Ended(Start()).status, "completed");
  with_certificate.Stop();
  EXPECT_TRUE(End().has_value());
}

TEST_F(SdkWorker, WorksByTheNameOfItsCertificateAloneWhereWorkersShowOne) {
  UseTls(server::ClientCertificate::kOptional);
  world_.worker_operations().RequireCertificates();
  Listen();
  const auto refusal = [&](const std::string& name, const Tls& tls) {
    WorkerOptions options = Options();
    options.name = name;
    options.tls = tls;
    Worker worker(std::move(options));
    worker.Handle("resize", [](const Task&) -> Result { return ""; });
    Run(worker);
    const auto ended = End();
    EndWorkers();
    return ended.has_value() ? "" : ended.error();
  };
  EXPECT_NE(refusal("press-1", {.ca_file = CaFile(), .server_name = "localhost"})
                .find("Expected a worker that shows a certificate"),
            std::string::npos);
  EXPECT_NE(refusal("press-2", WorkerTls()).find("\"press-1\", but found \"press-2\""),
            std::string::npos);
  WorkerOptions options = Options();
  options.name = "press-1";
  options.tls = WorkerTls();
  worker_.emplace(std::move(options));
  worker_->Handle("resize", [](const Task&) -> Result { return R"({"size": 6})"; });
  Run(*worker_);
  EXPECT_EQ(Ended(Start()).status, "completed");
}

TEST_F(SdkWorker, GetsNoConnectionByTheCertificateOfAnotherAuthority) {
  UseTls(server::ClientCertificate::kOptional);
  world_.worker_operations().RequireCertificates();
  Listen();
  WorkerOptions options = Options();
  options.name = "press-1";
  options.tls = ForgedTls();
  worker_.emplace(std::move(options));
  worker_->Handle("resize", [](const Task&) -> Result { return ""; });
  Run(*worker_);
  UntilNoted("no connection");
  EXPECT_EQ(world_.workers().figures().workers, 0U);
}

TEST_F(SdkWorker, TalksToNoServerOfAnotherName) {
  UseTls(server::ClientCertificate::kNone);
  Listen();
  WorkerOptions options = Options();
  options.tls = Tls{.ca_file = CaFile(), .server_name = "elsewhere"};
  worker_.emplace(std::move(options));
  worker_->Handle("resize", [](const Task&) -> Result { return ""; });
  Run(*worker_);
  EXPECT_FALSE(End().has_value());
  EXPECT_EQ(world_.workers().figures().workers, 0U);
}

TEST_F(SdkWorker, TakesNoMoreTasksASecondThanItAskedFor) {
  Listen();
  WorkerOptions options = Options();
  options.slots = 50;
  options.rate = 2;
  worker_.emplace(std::move(options));
  worker_->Handle("resize", [this](const Task&) -> Result {
    ++begun_;
    Wake();
    return R"({"size": 6})";
  });
  Run(*worker_);
  UntilJoined();
  std::vector<InstanceId> instances;
  for (int i = 0; i < 5; ++i) instances.push_back(Start());
  EXPECT_EQ(Ended(instances[0]).status, "completed");
  EXPECT_EQ(Ended(instances[1]).status, "completed");
  world_.Settle();
  EXPECT_EQ(begun_, 2);
  world_.clock().Advance(1'500'000);
  world_.workers().ElapseTimers();
  for (const InstanceId instance : instances) {
    if (instance == instances.back()) break;
    EXPECT_EQ(Ended(instance).status, "completed");
  }
  EXPECT_LE(begun_, 4);
  world_.clock().Advance(500'000);
  world_.workers().ElapseTimers();
  EXPECT_EQ(Ended(instances.back()).status, "completed");
}

TEST_F(SdkWorker, FailsTasksWithWhatHandlersSayOrThrow) {
  Listen();
  worker_.emplace(Options());
  worker_->Handle("resize", [this](const Task& task) -> Result {
    if (++begun_ == 1) throw std::runtime_error("out of ink");
    if (begun_ == 2) throw 7;
    return std::unexpected(Failure{.kind = "no_paper", .message = "the tray is empty"});
  });
  Run(*worker_);
  EXPECT_NE(Ended(Start()).failure.message.find("out of ink"), std::string::npos);
  EXPECT_EQ(Ended(Start()).status, "failed");
  const server::InstanceStatus status = Ended(Start());
  EXPECT_EQ(status.status, "failed");
  EXPECT_NE(status.failure.message.find("the tray is empty"), std::string::npos);
}

TEST_F(SdkWorker, AnswersLaterFromAnyThread) {
  Listen();
  worker_.emplace(Options());
  std::mutex mutex;
  std::vector<Answer> answers;
  worker_->HandleAsync("resize", [&](const Task& task, Answer answer) {
    {
      const std::lock_guard lock(mutex);
      answers.push_back(std::move(answer));
    }
    ++begun_;
    Wake();
  });
  Run(*worker_);
  const InstanceId one = Start();
  const InstanceId other = Start();
  world_.Until([&] { return begun_ == 2; });
  for (Answer& answer : answers) {
    answer(R"({"size": 1})");
    answer(std::unexpected(Failure{.message = "said too late"}));
  }
  EXPECT_EQ(Ended(one).status, "completed");
  EXPECT_EQ(Ended(other).status, "completed");
}

TEST_F(SdkWorker, RunsHandlersOnItsOwnThreadWithoutOthers) {
  Listen();
  WorkerOptions options = Options();
  options.threads = 0;
  worker_.emplace(std::move(options));
  worker_->Handle("resize", [](const Task&) -> Result { return R"({"size": 2})"; });
  Run(*worker_);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ended(Start()).status, "completed");
}

TEST_F(SdkWorker, WaitsForAServerThatIsNotThereYet) {
  worker_.emplace(Options());
  worker_->Handle("resize", [](const Task&) -> Result { return R"({"size": 1})"; });
  Run(*worker_);
  UntilNoted("no connection");
  Listen();
  UntilNoted("connected");
  EXPECT_EQ(Ended(Start()).status, "completed");
}

TEST_F(SdkWorker, ComesBackWhenTheServerDoes) {
  Listen();
  worker_.emplace(Options());
  worker_->Handle("resize", [](const Task&) -> Result { return R"({"size": 1})"; });
  Run(*worker_);
  EXPECT_EQ(Ended(Start()).status, "completed");
  Close();
  world_.Until([&] { return world_.workers().figures().workers == 0; });
  UntilNoted("no connection");
  Listen();
  UntilJoined();
  EXPECT_EQ(Ended(Start()).status, "completed");
}

TEST_F(SdkWorker, GetsATaskAgainWhoseConnectionWasLost) {
  Listen();
  worker_.emplace(Options());
  std::atomic<bool> was_cancelled = false;
  worker_->Handle("resize", [&](const Task& task) -> Result {
    if (++begun_ > 1) return R"({"size": 2})";
    Wake();
    door_.Wait();
    was_cancelled = task.cancelled();
    return R"({"size": 1})";
  });
  Run(*worker_);
  const InstanceId instance = Start();
  world_.Until([&] { return begun_ == 1; });
  Close();
  UntilNoted("no connection");
  door_.Open();
  Listen();
  EXPECT_EQ(Ended(instance).output.text(), R"({"size":2})");
  EXPECT_TRUE(was_cancelled);
}

TEST_F(SdkWorker, FinishesWhatItHasWhenItIsStopped) {
  Listen();
  worker_.emplace(Options());
  worker_->Handle("resize", [this](const Task&) -> Result {
    ++begun_;
    Wake();
    door_.Wait();
    return R"({"size": 1})";
  });
  Run(*worker_);
  const InstanceId one = Start();
  world_.Until([&] { return begun_ == 1; });
  worker_->Stop();
  world_.Until([&] { return !world_.workers().HasWorker("resize"); });
  const InstanceId other = Start();
  EXPECT_NE(StatusOf(one), "completed");
  door_.Open();
  EXPECT_TRUE(End().has_value());
  EXPECT_EQ(Ended(one).status, "completed");
  EXPECT_EQ(world_.workers().figures().workers, 0U);
  EXPECT_NE(StatusOf(other), "completed");
  EXPECT_EQ(begun_, 1);
}

TEST_F(SdkWorker, TellsHandlersThatTheirTaskIsCancelled) {
  Listen();
  worker_.emplace(Options());
  worker_->Handle("resize", [this](const Task& task) -> Result {
    ++begun_;
    Wake();
    while (!task.cancelled()) std::this_thread::yield();
    return "";
  });
  Run(*worker_);
  const InstanceId instance = Start();
  world_.Until([&] { return begun_ == 1; });
  world_.Get(world_.instances().Send(Admin(), server::Permission::kOperate, instance,
                                     requests::Cancel(false, "not wanted")));
  EXPECT_EQ(Ended(instance).status, "cancelled");
}

TEST_F(SdkWorker, WhoseLeasesHoldAsLongAsItsConnectionWorksAndStops) {
  Listen();
  WorkerOptions options = Options();
  options.lease = std::chrono::milliseconds(0);
  worker_.emplace(std::move(options));
  worker_->Handle("resize", [](const Task&) -> Result { return R"({"size": 1})"; });
  Run(*worker_);
  EXPECT_EQ(Ended(Start()).status, "completed");
  worker_->Stop();
  EXPECT_TRUE(End().has_value());
}

TEST_F(SdkWorker, StopsWhileThereIsNoServer) {
  worker_.emplace(Options());
  worker_->Handle("resize", [](const Task&) -> Result { return ""; });
  Run(*worker_);
  UntilNoted("no connection");
  worker_->Stop();
  EXPECT_TRUE(End().has_value());
}

TEST_F(SdkWorker, SaysWhyItCannotWork) {
  Listen();
  WorkerOptions options = Options();
  options.token = "stk_nothing";
  worker_.emplace(std::move(options));
  worker_->Handle("resize", [](const Task&) -> Result { return ""; });
  Run(*worker_);
  const auto how = End();
  ASSERT_FALSE(how.has_value());
  EXPECT_EQ(how.error().substr(0, 3), "STL") << how.error();
}

TEST_F(SdkWorker, SaysWhatIsWrongWithItself) {
  const auto fault_of = [this](WorkerOptions options, bool has_handler) {
    worker_.emplace(std::move(options));
    if (has_handler) worker_->Handle("resize", [](const Task&) -> Result { return ""; });
    Run(*worker_);
    const auto how = End();
    return how.has_value() ? std::string("nothing") : how.error();
  };
  EXPECT_EQ(fault_of(Options(), false), "Expected a worker with a handler but found none");
  WorkerOptions nowhere = Options();
  nowhere.address = "nowhere:at all";
  EXPECT_NE(fault_of(nowhere, true).find("nowhere:at all"), std::string::npos);
  WorkerOptions unsafe = Options();
  unsafe.tls = Tls{.ca_file = "/nowhere/ca.pem"};
  EXPECT_NE(fault_of(unsafe, true).find("/nowhere/ca.pem"), std::string::npos);
}

}  // namespace
}  // namespace stele::sdk
