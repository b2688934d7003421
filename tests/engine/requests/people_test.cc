#include "engine/requests/people.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/requests/asking.h"

namespace stele::requests {
namespace {

using testing::HasSubstr;

constexpr std::string_view kReview = R"(
id: flow
variables: {parcel: ''}
steps:
  - {id: review, type: approval, config: {assignees: [anna, bo]}}
  - {id: pack, type: manual, config: {groups: [depot]}, depends_on: [review]}
)";

const Person kAnna{.name = "anna"};
const Person kCarl{.name = "carl", .groups = {"depot"}, .comment = "sold out"};
const Person kEve{.name = "eve"};

class People : public testing::Test {
 protected:
  People() : flow_(kReview) { flow_.Start(); }
  std::string Refusal(const MakeCommand& make) { return TextOf(Ask(flow_, make)); }

  CoreDriver flow_;
};

TEST_F(People, ClaimATaskAndGiveItBack) {
  EXPECT_EQ(Refusal(Claim("review", kAnna)), "");
  EXPECT_EQ(flow_.RunOf("review").human->claimed_by, "anna");
  EXPECT_THAT(Refusal(Approve("review", {.name = "bo"}, {})), HasSubstr("STL0408"));
  EXPECT_THAT(Refusal(Release("review", {.name = "bo"})), HasSubstr("STL0408"));
  EXPECT_EQ(Refusal(Release("review", {.name = "ops", .as_operator = true})), "");
  EXPECT_EQ(flow_.RunOf("review").human->claimed_by, "");
  EXPECT_THAT(Refusal(Claim("review", kEve)), HasSubstr("STL0408"));
}

TEST_F(People, ApproveAndCompleteWithWhatTheyFilledIn) {
  EXPECT_EQ(Refusal(Approve("review", kAnna, {})), "");
  EXPECT_THAT(Refusal(Complete("pack", kEve, {})), HasSubstr("STL0408"));
  EXPECT_EQ(Refusal(Complete("pack", kCarl, Payload::FromText(R"({"parcel":"P-1"})"))), "");
  EXPECT_EQ(flow_.Status(), "completed");
  EXPECT_EQ(flow_.Variable("parcel"), "\"P-1\"");
}

TEST_F(People, RejectWithAComment) {
  const auto command = Reject("review", {.name = "bo", .comment = "too dear"}, {})(
      flow_.instance(), flow_.definition());
  ASSERT_TRUE(command.has_value());
  const auto& decision = std::get<model::DecideTask>(*command);
  EXPECT_FALSE(decision.approved);
  EXPECT_EQ(decision.person, "bo");
  EXPECT_EQ(decision.comment, "too dear");
  EXPECT_FALSE(flow_.Do(*command).has_value());
  EXPECT_EQ(flow_.Failure(), "rejected");
}

TEST_F(People, AreRefusedWhenTheTaskIsOfTheOtherKind) {
  EXPECT_EQ(Refusal(Complete("review", kAnna, {})),
            "STL0405: Expected a manual task but \"review\" is an approval");
  flow_.Approve("review", "anna");
  const std::string manual = "STL0405: Expected an approval but \"pack\" is a manual task";
  EXPECT_EQ(Refusal(Approve("pack", kCarl, {})), manual);
  EXPECT_EQ(Refusal(Reject("pack", kCarl, {})), manual);
}

TEST_F(People, FailATaskOfEitherKind) {
  EXPECT_THAT(Refusal(FailTask("review", kEve, "lost")), HasSubstr("STL0408"));
  flow_.Approve("review", "anna");
  EXPECT_EQ(Refusal(FailTask("pack", kCarl, "no_stock")), "");
  EXPECT_EQ(flow_.instance().failure.kind, "no_stock");
  EXPECT_EQ(flow_.instance().failure.message, "Failed by carl: sold out");
}

TEST_F(People, FailATaskWithoutAWord) {
  EXPECT_EQ(Refusal(FailTask("review", kAnna, "lost")), "");
  EXPECT_EQ(flow_.instance().failure.message, "Failed by anna");
}

TEST_F(People, AreRefusedWhenTheStepIsNoTaskOfTheirs) {
  EXPECT_THAT(Refusal(Claim("pack", kCarl)),
              HasSubstr("to be a task that waits for people but found no open run"));
  EXPECT_THAT(Refusal(Claim("nothing", kCarl)), HasSubstr("STL0403"));
  CoreDriver script("id: f\nsteps:\n  - {id: s, type: script}\n");
  script.Start();
  EXPECT_THAT(TextOf(Ask(script, Approve("s", kAnna, {}))),
              HasSubstr("people but found #1 is at attempt"));
}

}  // namespace
}  // namespace stele::requests
