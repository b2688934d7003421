#include <atomic>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

class EmbedOperate : public EmbedTest {
 protected:
  void SetUp() override {
    Open();
    Register("rest", kRest, "variables: {n: 1}\n");
    Get(engine_->Continue());
  }
  std::string StatusOf(uint64_t id) { return Get(engine_->GetStatus(id)).status; }
};

TEST_F(EmbedOperate, PausesResumesAndCancels) {
  const uint64_t id = Start("rest");
  Do(engine_->Pause(id, "lunch"));
  EXPECT_EQ(StatusOf(id), "paused");
  EXPECT_EQ(CodeOf(engine_->Pause(id)), "STL0405");
  Do(engine_->Resume(id));
  EXPECT_EQ(StatusOf(id), "running");
  EXPECT_EQ(CodeOf(engine_->Resume(id)), "STL0405");
  Do(engine_->Cancel(id, false, "withdrawn"));
  EXPECT_EQ(End(id).status, "cancelled");
  EXPECT_EQ(CodeOf(engine_->Cancel(id)), "STL0402");
  EXPECT_NE(Get(engine_->History(id)).find("withdrawn"), std::string::npos);
}

TEST_F(EmbedOperate, RefusesAnUnknownInstance) {
  EXPECT_EQ(CodeOf(engine_->Pause(99)), "STL0401");
  EXPECT_EQ(CodeOf(engine_->Resume(99)), "STL0401");
  EXPECT_EQ(CodeOf(engine_->Cancel(99)), "STL0401");
  EXPECT_EQ(CodeOf(engine_->Terminate(99)), "STL0401");
  EXPECT_EQ(CodeOf(engine_->Retry(99)), "STL0401");
  EXPECT_EQ(CodeOf(engine_->Retry(99, "s")), "STL0401");
  EXPECT_EQ(CodeOf(engine_->SetVariables(99, "{}")), "STL0401");
  EXPECT_EQ(CodeOf(engine_->Signal(99, "s")), "STL0401");
  EXPECT_EQ(CodeOf(engine_->Approve(99, "s", {.by = "anna"})), "STL0401");
}

TEST_F(EmbedOperate, SetsVariables) {
  const uint64_t id = Start("rest");
  Do(engine_->SetVariables(id, JsonObject({{"n", 25}})));
  EXPECT_EQ(JsonMember(Get(engine_->GetStatus(id)).variables, "n"), "25");
  EXPECT_EQ(CodeOf(engine_->SetVariables(id, "[]")), "STL0406");
}

TEST_F(EmbedOperate, RetriesAFailedInstanceAndAParkedStep) {
  std::atomic<bool> works = false;
  Do(engine_->RegisterFunction("fragile", [&](const Attempt&) {
    return works ? TaskResult() : TaskResult::Failed("broken", "not yet");
  }));
  Register("fails", "  - {id: s, type: custom:fragile}\n");
  Register("parks", "  - {id: s, type: custom:fragile}\n", "error_handling: {strategy: park}\n");
  // Told when the steps of both are parked: no clock is asked.
  Gate are_parked;
  std::atomic<int> incidents = 0;
  const uint64_t subscription = Get(engine_->Subscribe(0, [&](const Event& event) {
    if (event.name == "incident_raised" && ++incidents == 2) are_parked.Open();
  }));
  const uint64_t failed = Start("fails");
  const uint64_t parked = Start("parks");
  EXPECT_EQ(End(failed).status, "failed");
  EXPECT_EQ(CodeOf(engine_->Retry(failed, "nowhere")), "STL0403");
  const uint64_t other = Start("parks");
  are_parked.Wait();
  Do(engine_->Unsubscribe(subscription));
  const Instance waiting = Get(engine_->GetStatus(other));
  ASSERT_EQ(waiting.waits.size(), 1u);
  EXPECT_EQ(waiting.waits[0].what, "operator");
  EXPECT_EQ(waiting.waits[0].step, "s");
  works = true;
  Do(engine_->Retry(failed));
  EXPECT_EQ(End(failed).status, "completed");
  Do(engine_->Retry(other, "s"));
  EXPECT_EQ(End(other).status, "completed");
  Do(engine_->Terminate(parked));
}

TEST_F(EmbedOperate, SignalsOneInstance) {
  Register("waits",
           "  - {id: w, type: signal, config: {name: go}, output_mapping: {n: response.n}}\n",
           "variables: {n: 0}\noutputs: {n: '{{variables.n}}'}\n");
  const uint64_t id = Start("waits");
  const uint64_t other = Start("waits");
  Do(engine_->Signal(id, "go", JsonObject({{"n", 4}})));
  EXPECT_EQ(JsonMember(End(id).output, "n"), "4");
  EXPECT_EQ(StatusOf(other), "running");
  EXPECT_EQ(CodeOf(engine_->Signal(other, "go", "{")), "STL0001");
}

TEST_F(EmbedOperate, PublishesToTheOneThatWaitsForTheKey) {
  Register(
      "pays",
      "  - {id: w, type: message, config: {action: wait, name: paid, key: '{{input.key}}'}}\n");
  const uint64_t a = Get(engine_->Start({.definition = "pays", .input = R"({"key": "A"})"}));
  const uint64_t b = Get(engine_->Start({.definition = "pays", .input = R"({"key": "B"})"}));
  Do(engine_->Publish("paid", "B", R"({"sum": 3})", "m-1"));
  EXPECT_EQ(End(b).status, "completed");
  EXPECT_EQ(StatusOf(a), "running");
  EXPECT_EQ(CodeOf(engine_->Publish("", "B")), "STL0406");
}

TEST_F(EmbedOperate, ApprovesRejectsAndCompletesTasksOfPeople) {
  const std::string approval =
      "  - {id: review, type: approval, config: {title: Price, assignees: [anna]}}\n";
  Register("review", approval);
  Register("pack", "  - {id: pack, type: manual, config: {groups: [depot]}}\n",
           "variables: {parcel: ''}\n");
  const uint64_t yes = Start("review");
  const uint64_t no = Start("review");
  const uint64_t pack = Start("pack");
  const Instance waiting = Get(engine_->GetStatus(yes));
  ASSERT_EQ(waiting.waits.size(), 1u);
  EXPECT_EQ(waiting.waits[0].what, "people");
  EXPECT_EQ(waiting.waits[0].step, "review");
  EXPECT_EQ(waiting.waits[0].title, "Price");
  EXPECT_EQ(CodeOf(engine_->Approve(yes, "review", {.by = "eve"})), "STL0408");
  EXPECT_EQ(CodeOf(engine_->Complete(yes, "review", {.by = "anna"})), "STL0405");
  EXPECT_EQ(CodeOf(engine_->Approve(yes, "nothing", {.by = "anna"})), "STL0403");
  Do(engine_->Approve(yes, "review", {.by = "anna", .comment = "fine"}));
  EXPECT_EQ(End(yes).status, "completed");
  Do(engine_->Reject(no, "review", {.by = "anna"}));
  EXPECT_EQ(End(no).kind, "rejected");
  Do(engine_->Complete(
      pack, "pack",
      {.by = "bob", .groups = {"depot"}, .variables = JsonObject({{"parcel", "P-1"}})}));
  EXPECT_EQ(JsonMember(End(pack).variables, "parcel"), "P-1");
}

}  // namespace
}  // namespace stele::embed
