// Records as the log has them, for who replays them.
#include <gmock/gmock.h>

#include "engine/model/codec.h"
#include "engine/model/event_json.h"
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

using Records = capnp::List<api::LogRecord>::Reader;

std::vector<model::Event> EventsOf(Records records) {
  std::vector<model::Event> events;
  for (const auto record : records) {
    const auto body = record.getBody();
    auto decoded = model::Decode({reinterpret_cast<const char*>(body.begin()), body.size()});
    if (!decoded.has_value()) ADD_FAILURE() << decoded.error().ToString();
    if (decoded.has_value()) std::ranges::move(*decoded, std::back_inserter(events));
  }
  return events;
}

std::vector<std::string> NamesOf(Records records) {
  std::vector<std::string> names;
  for (const model::Event& event : EventsOf(records)) names.emplace_back(model::EventName(event));
  return names;
}

class RpcRecords : public RpcWorld {
 protected:
  auto OfInstance(uint64_t id, uint64_t from) {
    auto request = Instance(id).recordsRequest();
    request.setFrom(from);
    return request.send();
  }
  auto OfRegistry(bool firings) {
    auto request = Session().definitionsRequest().send().getDefinitions().recordsRequest();
    request.setFirings(firings);
    return request.send();
  }
  void Set(const std::string& name, const std::string& document) {
    auto answering = world_.desk().Await();
    world_.shard().ChangeSetting(name, document, "somebody", std::move(answering.answer));
    world_.Get(kj::mv(answering.promise));
  }
};

TEST_F(RpcRecords, HoldTheWholeHistory) {
  world_.Register("orders", "{id: a, type: script}");
  const uint64_t id = Started("orders", R"({"customer":42})");
  ASSERT_EQ(EndOf(id), "completed");
  const auto answer = Await(OfInstance(id, 0));
  EXPECT_EQ(answer.getNext(), 0u);
  auto history = Instance(id).historyRequest();
  history.setLimit(5'000);
  const auto shown = Await(history.send());
  const auto names = NamesOf(answer.getRecords());
  ASSERT_EQ(names.size(), shown.getEvents().size());
  for (unsigned i = 0; i < names.size(); ++i)
    EXPECT_EQ(ParseJson(shown.getEvents()[i].cStr())->Find("event")->as_string(), names[i]);
  EXPECT_EQ(answer.getRecords()[0].getFirstSeq(), 1u);
  EXPECT_GT(answer.getRecords()[0].getPosition(), 0u);
  EXPECT_STREQ(answer.getRecords()[0].getActor().cStr(), "dev");
}

TEST_F(RpcRecords, GoOnFromAnEvent) {
  world_.Register("orders", "{id: a, type: script}");
  const uint64_t id = Started("orders");
  ASSERT_EQ(EndOf(id), "completed");
  const auto all = Await(OfInstance(id, 1));
  ASSERT_GT(all.getRecords().size(), 1u);
  const uint64_t second = all.getRecords()[1].getFirstSeq();
  const auto rest = Await(OfInstance(id, second));
  EXPECT_EQ(rest.getRecords().size(), all.getRecords().size() - 1);
  EXPECT_EQ(rest.getRecords()[0].getFirstSeq(), second);
}

TEST_F(RpcRecords, SayForWhichTasksNoWorkerIsThere) {
  RegisterWorkerType("resize");
  world_.Register("orders", "{id: a, type: 'custom:resize'}");
  const auto answer = Await(OfInstance(Started("orders"), 1));
  std::vector<std::string> lacking;
  for (const auto type : answer.getLacking()) lacking.emplace_back(type.cStr());
  // And of the type for all workers, which every server has.
  EXPECT_THAT(lacking, ElementsAre("resize", "worker"));
}

TEST_F(RpcRecords, AreRefusedToWhoMayNotRead) {
  world_.Register("orders", "{id: a, type: script}");
  const uint64_t id = Started("orders");
  auto session = Narrowed("worker");
  auto get = session.instancesRequest().send().getInstances().getRequest();
  get.setId(id);
  EXPECT_EQ(CodeOf(get.send().getInstance().recordsRequest().send()), ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(session.definitionsRequest().send().getDefinitions().recordsRequest().send()),
            ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(OfInstance(99, 1)), ErrorCode::kUnknownInstance);
  // The registry's history has a way of its own.
  EXPECT_EQ(CodeOf(OfInstance(0, 1)), ErrorCode::kUnknownInstance);
}

TEST_F(RpcRecords, OfTheRegistryHaveNothingOfAccounts) {
  world_.Register("orders", "{id: a, type: script}");
  Set("user:ada", R"({"password":"digest"})");
  Set("key:1", R"({"digest":"abc"})");
  Set("type/label", R"({"worker":true,"schema":{}})");
  Set("anything", "{}");
  std::vector<std::string> settings;
  for (const model::Event& event : EventsOf(Await(OfRegistry(true)).getRecords()))
    if (const auto* setting = std::get_if<model::SettingChanged>(&event))
      settings.push_back(setting->name);
  EXPECT_THAT(settings, ElementsAre("type/label"));
}

TEST_F(RpcRecords, OfTheRegistryHaveFiringsWhenTheyAreAskedFor) {
  world_.Register("orders", "{id: a, type: script}", "triggers: [{type: manual, name: by_hand}]\n");
  auto fire = Session().triggersRequest().send().getTriggers().fireRequest();
  fire.setId(1);
  Await(fire.send());
  EXPECT_THAT(NamesOf(Await(OfRegistry(true)).getRecords()), Contains("trigger_fired"));
  const auto names = NamesOf(Await(OfRegistry(false)).getRecords());
  EXPECT_THAT(names, Not(Contains("trigger_fired")));
  EXPECT_THAT(names, Contains("trigger_registered"));
  EXPECT_THAT(names, Contains("definition_registered"));
}

}  // namespace
}  // namespace stele::server::rpc
