// Triggers.
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

class RpcTriggers : public RpcWorld {
 protected:
  RpcTriggers() { world_.Register("quick", "{id: a, type: script}"); }
  api::Triggers::Client Triggers() { return Session().triggersRequest().send().getTriggers(); }
  uint32_t Added(const std::string& trigger) {
    auto request = Triggers().addRequest();
    request.setDefinition("quick");
    request.setTrigger(trigger);
    return Await(request.send()).getTrigger().getId();
  }
};

TEST_F(RpcTriggers, AreAddedShownAndChanged) {
  const uint32_t id = Added(R"({"type": "manual", "name": "by-hand"})");
  auto get = Triggers().getRequest();
  get.setId(id);
  const auto shown = Await(get.send());
  EXPECT_STREQ(shown.getTrigger().getDefinition().cStr(), "quick");
  EXPECT_STREQ(shown.getTrigger().getName().cStr(), "by-hand");
  EXPECT_STREQ(shown.getTrigger().getKind().cStr(), "manual");
  EXPECT_EQ(shown.getTrigger().getState(), api::TriggerState::ACTIVE);
  EXPECT_FALSE(shown.getTrigger().getDeclared());
  auto change = Triggers().changeRequest();
  change.setId(id);
  change.setState(api::TriggerState::REMOVED);
  change.setReason("not needed");
  EXPECT_EQ(Await(change.send()).getTrigger().getState(), api::TriggerState::REMOVED);
  EXPECT_EQ(Await(Triggers().listRequest().send()).getTriggers().size(), 0u);
  auto all = Triggers().listRequest();
  all.setRemoved(true);
  EXPECT_EQ(Await(all.send()).getTriggers().size(), 1u);
  get = Triggers().getRequest();
  get.setId(99);
  EXPECT_EQ(CodeOf(get.send()), ErrorCode::kUnknownTrigger);
}

TEST_F(RpcTriggers, FireOnceForAKey) {
  const uint32_t id = Added(R"({"type": "manual"})");
  const auto fire = [&] {
    auto request = Triggers().fireRequest();
    request.setId(id);
    request.setKey("k");
    request.setInput("{}");
    return Await(request.send()).getInstance();
  };
  const uint64_t instance = fire();
  EXPECT_GT(instance, 0u);
  EXPECT_EQ(fire(), instance);
  EXPECT_EQ(EndOf(instance), "completed");
}

TEST_F(RpcTriggers, FillInWhatAScheduleHasMissed) {
  const uint32_t id = Added(R"({"type": "cron", "cron": "0 * * * *", "catch_up": 0})");
  world_.Advance(int64_t{3} * 3'600 * 1'000'000);
  auto request = Triggers().backfillRequest();
  request.setId(id);
  const int64_t now = world_.clock().Now().value;
  request.setFrom(now - int64_t{3} * 3'600 * 1'000'000);
  request.setTo(now);
  const auto filled = Await(request.send());
  EXPECT_EQ(filled.getFired() + filled.getKnown(), 3u);
}

TEST_F(RpcTriggers, AreRefusedWithTheirFaults) {
  auto request = Triggers().addRequest();
  request.setDefinition("quick");
  request.setTrigger(R"({"type": "cron", "cron": "61 * * * *"})");
  EXPECT_EQ(CodeOf(request.send()), ErrorCode::kBadCron);
  request = Triggers().addRequest();
  request.setDefinition("quick");
  request.setTrigger("{");
  EXPECT_EQ(CodeOf(request.send()), ErrorCode::kInvalidJson);
}

}  // namespace
}  // namespace stele::server::rpc
