// Workers that ask for tasks over REST.
#include <gtest/gtest.h>

#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

constexpr char kPoll[] = R"({"worker":"anna","types":["resize"]})";

class RestWorkers : public testing::Test {
 protected:
  RestWorkers() {
    EXPECT_EQ(
        world_.Ask(http::Method::kPut, "/types/resize", R"({"schema":{},"worker":true})").status,
        200);
    world_.served.Register("album", "{id: small, type: 'custom:resize', config: {width: 3}}",
                           "outputs: {size: steps.small.output.size}");
    world_.who = ServedWorld::Somebody(Role::kWorker);
  }

  int64_t Begin() {
    const int64_t id = static_cast<int64_t>(world_.served.Start("album").value);
    world_.served.Settle();
    return id;
  }
  // The lease of the one task that there is.
  std::string Polled() {
    const Answered answered = world_.Post("/workers/poll", kPoll);
    EXPECT_EQ(answered.status, 200) << answered.body;
    return answered.text("tasks/0/lease");
  }
  Answered Say(const std::string& lease, const std::string& word, const std::string& body) {
    return world_.Post("/worker-tasks/" + lease + "/" + word, body);
  }
  InstanceStatus Status(int64_t id) {
    world_.served.Settle();
    return world_.served.Get(world_.served.instances().Get(ServedWorld::Somebody(Role::kAdmin),
                                                           InstanceId(static_cast<uint64_t>(id))));
  }

  RestWorld world_;
};

TEST_F(RestWorkers, AreHandedTasksAndAnswerThem) {
  const int64_t id = Begin();
  const Answered polled = world_.Post("/workers/poll", kPoll);
  EXPECT_EQ(polled.number("tasks/0/instance"), id);
  EXPECT_EQ(polled.number("tasks/0/config/width"), 3);
  EXPECT_EQ(polled.number("tasks/0/lease_ms"), 30'000);
  const std::string lease = polled.text("tasks/0/lease");
  EXPECT_EQ(Say(lease, "heartbeat", R"({"worker":"anna","detail":"half"})").text("lease"), lease);
  EXPECT_EQ(Say(lease, "log", R"({"worker":"anna","text":"looked\n"})").status, 200);
  EXPECT_EQ(
      Say(lease, "complete", R"({"worker":"anna","output":{"size":6},"log":"done\n"})").status,
      200);
  EXPECT_EQ(Status(id).status, "completed");
  EXPECT_EQ(Status(id).output.text(), R"({"size":6})");
  EXPECT_EQ(world_.Refusal(409, Say(lease, "heartbeat", R"({"worker":"anna"})")), "STL0404");
}

TEST_F(RestWorkers, AreAnsweredWithNothingWhenThereIsNothing) {
  const Answered answered = world_.Post(
      "/workers/poll", R"({"types":["resize"],"wait":1,"lease":"1m","max":5,"worker":"anna"})");
  EXPECT_EQ(answered.body, R"({"tasks":[]})");
}

TEST_F(RestWorkers, FailTasksWithWhatTheySay) {
  const int64_t id = Begin();
  EXPECT_EQ(Say(Polled(), "fail",
                R"({"worker":"anna","error":{"kind":"no_paper","message":"the tray is empty",
                    "retryable":false,"details":{"tray":2}}})")
                .status,
            200);
  EXPECT_EQ(Status(id).status, "failed");
  EXPECT_NE(Status(id).failure.message.find("the tray is empty"), std::string::npos);
  const int64_t other = Begin();
  EXPECT_EQ(Say(Polled(), "fail", R"({"worker":"anna"})").status, 200);
  EXPECT_EQ(Status(other).status, "failed");
}

TEST_F(RestWorkers, AreRefusedWhatDoesNotFit) {
  EXPECT_EQ(world_.Refusal(422, world_.Post("/workers/poll", R"({"types":[]})")), "STL0406");
  EXPECT_EQ(
      world_.Refusal(422, world_.Post("/workers/poll", R"({"types":["resize"],"wait":"soon"})")),
      "STL0406");
  EXPECT_EQ(world_.Refusal(422, world_.Post("/workers/poll", R"({"type":["resize"]})")), "STL0406");
  EXPECT_EQ(world_.Post("/workers/poll", R"({"types":["resize"],"max":1000})").status, 200);
  const Answered many = world_.Post("/workers/poll", R"({"types":["resize"],"max":1001})");
  EXPECT_EQ(world_.Refusal(422, many), "STL0406");
  EXPECT_NE(many.body.find("up to 1000 at /max"), std::string::npos) << many.body;
  Begin();
  const std::string lease = Polled();
  EXPECT_EQ(world_.Refusal(409, Say(lease, "complete", R"({"worker":"bert"})")), "STL0404");
  EXPECT_EQ(world_.Refusal(409, Say("1-1-1-9", "complete", R"({"worker":"anna"})")), "STL0404");
  EXPECT_EQ(world_.Refusal(422, Say(lease, "fail", R"({"error":{"kind":1}})")), "STL0406");
  world_.who = ServedWorld::Somebody(Role::kViewer);
  EXPECT_EQ(world_.Refusal(403, world_.Post("/workers/poll", kPoll)), "STL1002");
}

TEST_F(RestWorkers, AskByTheNameOfTheirCertificateAloneWhereTheyShowOne) {
  world_.served.worker_operations().RequireCertificates();
  Begin();
  EXPECT_EQ(world_.Refusal(403, world_.Post("/workers/poll", kPoll)), "STL1002");
  world_.who->source = "127.0.0.1 bert";
  EXPECT_EQ(world_.Refusal(403, world_.Post("/workers/poll", kPoll)), "STL1002");
  world_.who->source = "127.0.0.1 anna";
  const std::string lease = Polled();
  for (const char* source : {"127.0.0.1", "127.0.0.1 bert"}) {
    world_.who->source = source;
    for (const char* word : {"heartbeat", "complete", "fail"})
      EXPECT_EQ(world_.Refusal(403, Say(lease, word, R"({"worker":"anna"})")), "STL1002") << word;
    EXPECT_EQ(world_.Refusal(403, Say(lease, "log", R"({"worker":"anna","text":"did"})")),
              "STL1002");
  }
  world_.who->source = "127.0.0.1 anna";
  EXPECT_EQ(Say(lease, "complete", R"({"worker":"anna"})").status, 200);
}

}  // namespace
}  // namespace stele::server::rest
