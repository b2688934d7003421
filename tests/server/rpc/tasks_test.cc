// Tasks for people.
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

class RpcTasks : public RpcWorld {
 protected:
  RpcTasks() {
    world_.Register("review", "{id: review, type: approval, config: {assignees: [anna, bo]}}",
                    "variables: {price: 0}");
    world_.Register("pack", "{id: pack, type: manual, config: {groups: [depot]}}");
  }
  api::Tasks::Client Tasks() { return Session().tasksRequest().send().getTasks(); }
  api::Task::Client Task(uint64_t instance, const std::string& step) {
    auto request = Tasks().getRequest();
    request.setInstance(instance);
    request.setStep(step);
    return request.send().getTask();
  }
  uint64_t Waiting(const std::string& definition) {
    const uint64_t id = Started(definition);
    world_.Settle();
    return id;
  }
};

TEST_F(RpcTasks, AreFoundPageByPageAndDecidedByTheNumberOfTheirRun) {
  const uint64_t first = Waiting("review");
  Waiting("review");
  world_.CatchUp();
  auto find = Tasks().findRequest();
  find.initSearch().setLimit(1);
  const auto page = Await(find.send());
  ASSERT_EQ(page.getPage().getRows().size(), 1u);
  find = Tasks().findRequest();
  find.initSearch().setCursor(page.getPage().getNext());
  const auto rest = Await(find.send());
  ASSERT_EQ(rest.getPage().getRows().size(), 1u);
  EXPECT_STREQ(rest.getPage().getNext().cStr(), "");
  EXPECT_NE(page.getPage().getRows()[0].getInstance(), rest.getPage().getRows()[0].getInstance());
  const auto row = page.getPage().getRows()[0];
  ASSERT_EQ(row.getAssignees().size(), 2u);
  EXPECT_STREQ(row.getState().cStr(), "open");
  EXPECT_STREQ(row.getType().cStr(), "approval");
  auto approve = Task(first, "#1").approveRequest();
  approve.initBy().setName("anna");
  approve.setVariables(R"({"price": 5})");
  Do(approve.send());
  EXPECT_EQ(EndOf(first), "completed");
}

TEST_F(RpcTasks, AreForWhomTheyName) {
  const uint64_t id = Waiting("review");
  EXPECT_EQ(CodeOf(Task(id, "review").claimRequest().send()), ErrorCode::kNotAllowed);
  auto claim = Task(id, "review").claimRequest();
  claim.initBy().setName("anna");
  claim.getBy().setComment("mine");
  Do(claim.send());
  auto other = Task(id, "review").approveRequest();
  other.initBy().setName("bo");
  EXPECT_EQ(CodeOf(other.send()), ErrorCode::kNotAllowed);
  auto release = Task(id, "review").unclaimRequest();
  release.initBy().setName("anna");
  Do(release.send());
  auto reject = Task(id, "review").rejectRequest();
  reject.initBy().setName("bo");
  Do(reject.send());
  EXPECT_EQ(EndOf(id), "failed");
}

TEST_F(RpcTasks, AreDecidedByNobodyWhoIsCalledAsAWorker) {
  const uint64_t id = Waiting("pack");
  const auto request = [&](const char* name) {
    auto complete = Task(id, "pack").completeRequest();
    complete.initBy().initGroups(1).set(0, "depot");
    complete.getBy().setName(name);
    return complete;
  };
  EXPECT_EQ(CodeOf(request("worker:press-1").send()), ErrorCode::kInvalidInput);
  Do(request("press-1").send());
  EXPECT_EQ(EndOf(id), "completed");
}

TEST_F(RpcTasks, AreDoneByAGroupOrFailed) {
  const uint64_t done = Waiting("pack");
  auto complete = Instance(done).taskRequest();
  complete.setStep("pack");
  auto completing = complete.send().getTask().completeRequest();
  completing.initBy().setName("carl");
  completing.getBy().initGroups(1).set(0, "depot");
  Do(completing.send());
  EXPECT_EQ(EndOf(done), "completed");
  const uint64_t failed = Waiting("pack");
  auto fail = Task(failed, "pack").failRequest();
  fail.initBy().setAsOperator(true);
  fail.setKind("no_stock");
  Do(fail.send());
  EXPECT_EQ(EndOf(failed), "failed");
  const auto status = Await(Instance(failed).statusRequest().send());
  EXPECT_STREQ(status.getStatus().getErrorKind().cStr(), "no_stock");
}

TEST_F(RpcTasks, AreNotDecidedForOthersByWhoMayNot) {
  const uint64_t id = Waiting("review");
  const auto as = [&](const std::string& role) {
    auto get = Narrowed(role).tasksRequest().send().getTasks().getRequest();
    get.setInstance(id);
    get.setStep("review");
    auto approve = get.send().getTask().approveRequest();
    approve.initBy().setAsOperator(true);
    return approve.send();
  };
  EXPECT_EQ(CodeOf(as("developer")), ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(as("viewer")), ErrorCode::kForbidden);
  Do(as("operator"));
  EXPECT_EQ(EndOf(id), "completed");
}

TEST_F(RpcTasks, OfTheOtherKindAreRefused) {
  const uint64_t id = Waiting("pack");
  auto approve = Task(id, "pack").approveRequest();
  approve.initBy().setAsOperator(true);
  EXPECT_EQ(CodeOf(approve.send()), ErrorCode::kWrongState);
  auto variables = Task(id, "pack").completeRequest();
  variables.setVariables("7");
  EXPECT_EQ(CodeOf(variables.send()), ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace stele::server::rpc
