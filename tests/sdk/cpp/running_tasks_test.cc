// Leases of tasks that handlers have not answered yet.
#include "sdk/cpp/running_tasks.h"

#include <gtest/gtest.h>
#include <kj/debug.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "tests/server/loop/loop_world.h"

namespace stele::sdk {
namespace {

// What the server has for a task.
struct Heard {
  std::vector<std::string> details;
  std::string log;
  bool refuses = false;
  bool released = false;
};

class Control final : public api::TaskControl::Server {
 public:
  explicit Control(Heard& heard) : heard_(heard) {}
  ~Control() noexcept(false) { heard_.released = true; }

  kj::Promise<void> heartbeat(HeartbeatContext context) override {
    if (heard_.refuses) return KJ_EXCEPTION(FAILED, "STL0404: Expected a lease but found none");
    heard_.details.emplace_back(context.getParams().getDetail().cStr());
    return kj::READY_NOW;
  }
  kj::Promise<void> log(LogContext context) override {
    heard_.log += context.getParams().getText().cStr();
    return kj::READY_NOW;
  }

 private:
  Heard& heard_;
};

constexpr char kTraceParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class Leases : public testing::Test {
 protected:
  Leases() {
    handlers_["resize"] = [this](const Task& task, Answer answer) {
      task_ = task;
      answer_ = std::move(answer);
    };
  }
  ~Leases() noexcept override = default;
  auto Call(const char* type = "resize") {
    auto request = server_.runRequest();
    request.initTask().setType(type);
    request.getTask().setTraceParent(kTraceParent);
    request.setControl(kj::heap<Control>(heard_));
    return request.send();
  }
  void TakeAll() {
    for (Said& said : outbox_->Take()) tasks_.Take(std::move(said));
    world_.Settle();
  }

  server::LoopWorld world_;
  Heard heard_;
  Handlers handlers_;
  HandlerThreads threads_{0};
  std::shared_ptr<Outbox> outbox_ = std::make_shared<Outbox>();
  RunningTasks tasks_{handlers_, threads_, outbox_};
  api::Worker::Client server_ = tasks_.MakeServer();
  std::optional<Task> task_;
  Answer answer_;
};

TEST_F(Leases, AreRenewedUntilTheAnswer) {
  auto call = Call();
  world_.Settle();
  ASSERT_TRUE(task_.has_value());
  tasks_.RenewLeases();
  tasks_.RenewLeases();
  world_.Settle();
  EXPECT_EQ(heard_.details, (std::vector<std::string>{"", ""}));
  answer_(R"({"size":1})");
  TakeAll();
  EXPECT_STREQ(world_.Await(kj::mv(call)).getResult().getOutput().cStr(), R"({"size":1})");
  tasks_.RenewLeases();
  world_.Settle();
  EXPECT_EQ(heard_.details.size(), 2U);
  EXPECT_TRUE(heard_.released);
}

TEST_F(Leases, TellTheHandlerOfItsTrace) {
  auto call = Call();
  world_.Settle();
  ASSERT_TRUE(task_.has_value());
  EXPECT_EQ(task_->trace_parent(), kTraceParent);
}

TEST_F(Leases, CarryWhatHandlersSay) {
  auto call = Call();
  world_.Settle();
  task_->Heartbeat("half");
  task_->Log("one\n");
  task_->Log("two\n");
  TakeAll();
  EXPECT_EQ(heard_.details, std::vector<std::string>{"half"});
  EXPECT_EQ(heard_.log, "one\ntwo\n");
}

TEST_F(Leases, ThatAreRefusedCancelTheirTask) {
  auto call = Call();
  world_.Settle();
  heard_.refuses = true;
  EXPECT_FALSE(task_->cancelled());
  tasks_.RenewLeases();
  world_.Settle();
  EXPECT_TRUE(task_->cancelled());
}

TEST_F(Leases, OfADroppedCallAreKeptUntilTheHandlerHasStopped) {
  {
    auto call = Call();
    world_.Settle();
  }
  world_.Settle();
  EXPECT_TRUE(task_->cancelled());
  EXPECT_FALSE(heard_.released);
  answer_("{}");
  TakeAll();
  EXPECT_TRUE(heard_.released);
}

TEST_F(Leases, OfTasksThatAreCancelledInTheQueueBeginNoHandler) {
  std::mutex door;
  std::atomic<int> begun = 0;
  Handlers handlers;
  handlers["resize"] = [&](const Task&, const Answer& answer) {
    ++begun;
    const std::lock_guard passed(door);
    answer("{}");
  };
  Heard first;
  Heard second;
  HandlerThreads one(1);
  RunningTasks tasks(handlers, one, outbox_);
  auto server = tasks.MakeServer();
  const auto call = [&](Heard& heard) {
    auto request = server.runRequest();
    request.initTask().setType("resize");
    request.setControl(kj::heap<Control>(heard));
    return request.send();
  };
  // Said on another thread.
  const auto until_released = [&](Heard& heard) {
    while (!heard.released) {
      for (Said& said : outbox_->Take()) tasks.Take(std::move(said));
      world_.Settle();
      std::this_thread::yield();
    }
  };
  std::optional<std::unique_lock<std::mutex>> closed(door);
  auto runs = call(first);
  {
    auto waits = call(second);
    world_.Settle();
  }
  world_.Settle();
  closed.reset();
  until_released(first);
  until_released(second);
  EXPECT_EQ(begun, 1);
}

TEST_F(Leases, OfTypesWithoutAHandlerFail) {
  EXPECT_TRUE(world_.Await(Call("other")).getResult().isFailure());
}

}  // namespace
}  // namespace stele::sdk
