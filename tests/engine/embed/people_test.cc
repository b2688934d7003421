// Tasks for people: who takes them, gives them back, decides them; which there are.
#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

class EmbedPeople : public EmbedTest {
 protected:
  void SetUp() override {
    Open();
    Register("review",
             "  - {id: review, type: approval, config: {title: Price, assignees: [anna, bo]}}\n");
    Register("pack", "  - {id: pack, type: manual, config: {title: Pack it, groups: [depot]}}\n");
    Get(engine_->Continue());
  }
};

TEST_F(EmbedPeople, WhoHasClaimedATaskDecidesItAlone) {
  const uint64_t id = Start("review");
  EXPECT_EQ(CodeOf(engine_->Claim(id, "review", {.by = "eve"})), "STL0408");
  Do(engine_->Claim(id, "review", {.by = "anna", .comment = "mine"}));
  EXPECT_EQ(CodeOf(engine_->Claim(id, "review", {.by = "bo"})), "STL0405");
  EXPECT_EQ(CodeOf(engine_->Approve(id, "review", {.by = "bo"})), "STL0408");
  EXPECT_EQ(CodeOf(engine_->Release(id, "review", {.by = "bo"})), "STL0408");
  Do(engine_->Release(id, "review", {.by = "anna"}));
  Do(engine_->Claim(id, "review", {.by = "bo"}));
  Do(engine_->Approve(id, "review", {.by = "bo"}));
  EXPECT_EQ(End(id).status, "completed");
  const std::string history = Get(engine_->History(id));
  EXPECT_NE(history.find("mine"), std::string::npos);
  EXPECT_NE(history.find("\"bo\""), std::string::npos);
}

TEST_F(EmbedPeople, AGroupMayActAndAnOperatorForAnybody) {
  const uint64_t by_group = Start("pack");
  EXPECT_EQ(CodeOf(engine_->Complete(by_group, "pack", {.by = "carl"})), "STL0408");
  Do(engine_->Complete(by_group, "pack", {.by = "carl", .groups = {"depot"}}));
  EXPECT_EQ(End(by_group).status, "completed");
  const uint64_t by_operator = Start("pack");
  Do(engine_->Claim(by_operator, "pack", {.by = "carl", .groups = {"depot"}}));
  Do(engine_->Complete(by_operator, "pack", {.by = "root", .as_operator = true}));
  EXPECT_EQ(End(by_operator).status, "completed");
}

TEST_F(EmbedPeople, OneFailsATaskWithAKindAndAReason) {
  const uint64_t id = Start("pack");
  EXPECT_EQ(CodeOf(engine_->FailTask(id, "pack", {.by = "carl"})), "STL0408");
  Do(engine_->FailTask(id, "pack", {.by = "carl", .groups = {"depot"}, .comment = "sold out"},
                       "no_stock"));
  const Instance ended = End(id);
  EXPECT_EQ(ended.status, "failed");
  EXPECT_EQ(ended.kind, "no_stock");
  EXPECT_NE(ended.message.find("carl"), std::string::npos);
  EXPECT_NE(ended.message.find("sold out"), std::string::npos);
}

TEST_F(EmbedPeople, ListsWhatWaits) {
  const uint64_t review = Start("review");
  const uint64_t pack = Start("pack");
  Do(engine_->Claim(pack, "pack", {.by = "carl", .groups = {"depot"}}));
  const Page<Task> all = Get(engine_->Tasks());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].instance, review);
  EXPECT_EQ(all[0].definition, "review");
  EXPECT_EQ(all[0].step, "review");
  EXPECT_EQ(all[0].type, "approval");
  EXPECT_EQ(all[0].title, "Price");
  EXPECT_EQ(all[0].assignees, (std::vector<std::string>{"anna", "bo"}));
  EXPECT_EQ(all[1].type, "manual");
  EXPECT_EQ(all[1].groups, (std::vector<std::string>{"depot"}));
  EXPECT_EQ(all[1].claimed_by, "carl");
  const auto ids = [&](const TaskFilter& filter) {
    std::vector<uint64_t> found;
    for (const Task& task : Get(engine_->Tasks(filter))) found.push_back(task.instance);
    return found;
  };
  EXPECT_EQ(ids({.person = "anna"}), std::vector{review});
  EXPECT_EQ(ids({.person = "carl"}), std::vector{pack});
  EXPECT_EQ(ids({.person = "eve"}), std::vector<uint64_t>{});
  EXPECT_EQ(ids({.person = "anna", .groups = {"depot"}}), (std::vector{review, pack}));
  EXPECT_EQ(ids({.definition = "pack"}), std::vector{pack});
  Do(engine_->Approve(review, "review", {.by = "anna"}));
  EXPECT_EQ(ids({}), std::vector{pack});
}

TEST_F(EmbedPeople, NamesOneTaskOfSeveralOfAStep) {
  Register("many", R"(
  - id: all
    type: loop
    items: [1, 2]
    max_concurrent: 2
    steps:
      - {id: check, type: manual}
)");
  const uint64_t id = Start("many");
  const Page<Task> tasks = Get(engine_->Tasks({.definition = "many"}));
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_NE(tasks[0].label, tasks[1].label);
  EXPECT_EQ(CodeOf(engine_->Complete(id, "check", {.by = "anna"})), "STL0405");
  Do(engine_->Complete(id, "check#" + std::to_string(tasks[1].run), {.by = "anna"}));
  const Page<Task> left = Get(engine_->Tasks({.definition = "many"}));
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].run, tasks[0].run);
  Do(engine_->Complete(id, "check", {.by = "anna"}));
  EXPECT_EQ(End(id).status, "completed");
}

}  // namespace
}  // namespace stele::embed
