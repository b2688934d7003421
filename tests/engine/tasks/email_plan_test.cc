#include "engine/tasks/email_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kLetter =
    R"({"server":"smtp://mail.example.org","from":"a@x.org","to":"b@x.org","text":"t"})";

Value Letter(std::string_view more) {
  Value config = Json(kLetter);
  const Value added = Json(more);
  for (const Member& member : added.as_object()) {
    config.as_object().Set(member.key, member.value);
  }
  return config;
}

std::vector<std::string> Faults(std::string_view more,
                                ConfigReader::Mode mode = ConfigReader::Mode::kRendered) {
  auto plan = PlanEmail(Letter(more), mode, {});
  return plan ? std::vector<std::string>() : plan.error();
}

EmailPlan Plan(std::string_view more) {
  auto plan = PlanEmail(Letter(more), ConfigReader::Mode::kRendered, {});
  EXPECT_TRUE(plan.has_value()) << JoinFaults(plan.error());
  return plan.value_or(EmailPlan());
}

TEST(EmailPlan, RefusesTextsThatWouldAddAHeader) {
  for (const char* more :
       {R"({"subject":"s\r\nBcc: evil@x.org"})", R"({"subject":"s\nX: y"})",
        R"({"to":"b@x.org\r\nBcc: evil@x.org"})", R"({"from":"A\n <a@x.org>"})",
        R"({"to":[{"name":"B\r\nX: y","address":"b@x.org"}]})",
        R"({"to":[{"address":"b@x.org\r\nX: y"}]})", R"({"reply_to":"r@x.org\nX: y"})",
        R"({"headers":{"X-A":"v\r\nX-B: w"}})", R"({"headers":{"X-A\r\nX-B":"w"}})",
        R"({"headers":{"X A":"w"}})", R"({"username":"u\r\nRSET","password":"p"})",
        R"({"attachments":[{"name":"n\r\nX: y","content":""}]})",
        R"({"attachments":[{"name":"n","content":"","content_type":"a/b\r\nX: y"}]})"}) {
    EXPECT_THAT(Faults(more), SizeIs(1)) << more;
  }
}

TEST(EmailPlan, RefusesHeadersThatTheTaskWrites) {
  for (const char* name : {"From", "bcc", "SUBJECT", "Content-Type", "message-id"}) {
    EXPECT_THAT(Faults(std::string(R"({"headers":{")") + name + R"(":"v"}})"),
                ElementsAre(HasSubstr(name)));
  }
  EXPECT_THAT(Faults(R"({"headers":{"X-Own":"v","List-Id":"<l.x.org>"}})"), IsEmpty());
}

TEST(EmailPlan, NeedsPeopleATextAndAServer) {
  auto plan = PlanEmail(Json("{}"), ConfigReader::Mode::kStatic, {});
  ASSERT_FALSE(plan.has_value());
  EXPECT_THAT(plan.error(), ElementsAre(HasSubstr("`server`"), HasSubstr("`from`"),
                                        HasSubstr("`to`"), HasSubstr("`text`")));
  EXPECT_THAT(Faults(R"({"to":[]})"), ElementsAre(HasSubstr("recipient")));
  EXPECT_THAT(Faults(R"({"from":"a@x.org, b@x.org"})"), ElementsAre(HasSubstr("one sender")));
  EXPECT_THAT(Faults(R"({"to":7})"), Not(IsEmpty()));
  EXPECT_THAT(Faults(R"({"sbuject":"s"})"), ElementsAre(HasSubstr("sbuject")));
}

TEST(EmailPlan, LeavesTemplatesAlone) {
  EXPECT_THAT(Faults(R"({"server":"{{input.server}}","from":"${input.from}","to":"{{input.to}}",
                         "cc":["{{input.cc}}"],"tls":"{{input.tls}}",
                         "attachments":"{{input.files}}","timeout":"{{input.t}}",
                         "headers":{"X":"{{input.x}}"}})",
                     ConfigReader::Mode::kStatic),
              IsEmpty());
  EXPECT_THAT(Faults(R"({"attachments":[{"name":"n","content":"{{x}}","encoding":"base64"}]})",
                     ConfigReader::Mode::kStatic),
              IsEmpty());
}

TEST(EmailPlan, RequiresTlsUnlessTheServerIsThisMachine) {
  EXPECT_TRUE(Plan("{}").request.require_starttls);
  EXPECT_TRUE(Plan(R"({"server":"smtp://127.example.org"})").request.require_starttls);
  for (const char* server : {"smtp://127.0.0.1:25", "smtp://localhost", "smtp://[::1]:2525"}) {
    Value more = Object{{"server", server}};
    EXPECT_FALSE(Plan(ToJson(more)).request.require_starttls) << server;
    more.as_object().Set("tls", "required");
    EXPECT_TRUE(Plan(ToJson(more)).request.require_starttls) << server;
  }
  EXPECT_FALSE(Plan(R"({"tls":"none"})").request.require_starttls);
  EXPECT_THAT(Faults(R"({"tls":"maybe"})"), SizeIs(1));
  EXPECT_THAT(Faults(R"({"server":"smtps://x.org","tls":"none"})"), SizeIs(1));
}

TEST(EmailPlan, FindsTheServer) {
  EXPECT_EQ(Plan("{}").request.server.Url(), "smtp://mail.example.org:587");
  EXPECT_EQ(Plan(R"({"server":"smtps://x.org"})").request.server.Url(), "smtps://x.org:465");
  EXPECT_FALSE(Plan(R"({"server":"smtps://x.org"})").request.require_starttls);
  auto url = [](std::string_view more) {
    return Plan(R"({"server":null,)" + std::string(more) + "}").request.server.Url();
  };
  EXPECT_EQ(url(R"("host":"x.org")"), "smtp://x.org:587");
  EXPECT_EQ(url(R"("host":"x.org","port":2525)"), "smtp://x.org:2525");
  EXPECT_EQ(url(R"("host":"x.org","port":465)"), "smtps://x.org:465");
  EXPECT_EQ(url(R"("host":"::1","port":25)"), "smtp://[::1]:25");
  for (const char* server : {"http://x.org", "x.org", "smtp://u:p@x.org", "smtp://x.org/path",
                             "smtp://", "smtp://x.org:99999", "smtp://x.org?q"}) {
    EXPECT_THAT(Faults(ToJson(Object{{"server", server}})), SizeIs(1)) << server;
  }
  EXPECT_THAT(Faults(R"({"host":"x.org"})"), SizeIs(1));  // and `server`
}

TEST(EmailPlan, SendsToEachRecipientOnce) {
  EmailPlan plan = Plan(R"({"to":["b@x.org","B <b@x.org>"],"bcc":"c@x.org, b@x.org"})");
  EXPECT_THAT(plan.request.recipients, ElementsAre("b@x.org", "c@x.org"));
  EXPECT_THAT(plan.message.to, SizeIs(2));
}

TEST(EmailPlan, ReadsBase64StrictlyAndInLines) {
  auto content = [](const char* text) {
    Value attachment = Object{{"name", "n"}, {"content", text}, {"encoding", "base64"}};
    auto plan = PlanEmail(Letter(ToJson(Object{{"attachments", Array{attachment}}})),
                          ConfigReader::Mode::kRendered, {});
    return plan ? plan->message.attachments[0].content : JoinFaults(plan.error());
  };
  EXPECT_EQ(content(""), "");
  EXPECT_EQ(content("YWI="), "ab");
  EXPECT_EQ(content("YQ=="), "a");
  EXPECT_EQ(content("YWJj\r\nZGVm\n"), "abcdef");
  for (const char* wrong : {"YQ", "Y-_=", "=YQ=", "YQ==YQ==", "===="}) {
    EXPECT_THAT(content(wrong), HasSubstr("Expected `content` in base64")) << wrong;
  }
}

}  // namespace
}  // namespace stele::tasks
