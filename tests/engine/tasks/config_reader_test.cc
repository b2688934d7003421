#include "engine/tasks/config_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/tasks/http.h"
#include "engine/tasks/notification.h"
#include "engine/tasks/script.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(ParseDurationUs, ReadsUnitsAndSums) {
  EXPECT_EQ(ParseDurationUs("500ms"), 500'000);
  EXPECT_EQ(ParseDurationUs("30s"), 30'000'000);
  EXPECT_EQ(ParseDurationUs("1h30m"), 5'400'000'000);
  EXPECT_EQ(ParseDurationUs("1.5"), 1'500'000);
  EXPECT_EQ(ParseDurationUs("0s"), 0);
}

TEST(ParseDurationUs, RefusesWhatIsNone) {
  for (const char* text : {"", "s", "-5s", "5x", "5s7", "nan", "1e400d", "5 s", "1h-30m", "-0"}) {
    EXPECT_EQ(ParseDurationUs(text), std::nullopt) << text;
  }
}

class CheckConfig : public testing::Test {
 protected:
  std::vector<std::string> Script(std::string_view config) {
    return MakeScriptExecutor(loop_.get(), {})->CheckConfig(Json(config));
  }
  std::vector<std::string> Http(std::string_view config) {
    return MakeHttpExecutor(std::make_shared<HttpClient>(loop_.get()))->CheckConfig(Json(config));
  }
  std::vector<std::string> Webhook(std::string_view config) {
    return MakeWebhookExecutor(std::make_shared<HttpClient>(loop_.get()))
        ->CheckConfig(Json(config));
  }
  std::vector<std::string> Notification(std::string_view config) {
    return MakeNotificationExecutor(std::make_shared<HttpClient>(loop_.get()))
        ->CheckConfig(Json(config));
  }

 private:
  TestLoop loop_;
};

TEST_F(CheckConfig, AcceptsTheStepsOfTheDocuments) {
  EXPECT_THAT(Script(R"({"script":"validate.py","timeout":"5m"})"), IsEmpty());
  EXPECT_THAT(Script(R"({"script":"transform.js","runtime":"node"})"), IsEmpty());
  EXPECT_THAT(Script(R"({"script":"echo hello","executor":"bash"})"), IsEmpty());
  EXPECT_THAT(Http(R"({"method":"GET","url":"{{variables.api_endpoint}}","timeout":"30s",
                       "headers":{"Authorization":"Bearer {{secrets.api_token}}"}})"),
              IsEmpty());
  EXPECT_THAT(Http(R"({"executor":"http","url":"https://api.example.com/data","method":"GET"})"),
              IsEmpty());
}

TEST_F(CheckConfig, LeavesTemplatesToTheAttempt) {
  EXPECT_THAT(Script(R"({"script":"x","timeout":"{{input.t}}","args":"${input.list}",
                         "runtime":"{{input.r}}"})"),
              IsEmpty());
  EXPECT_THAT(Http(R"({"url":"${input.url}","method":"{{input.m}}","success_status":"{{input.s}}",
                       "verify_tls":"{{input.v}}","auth":"{{input.a}}"})"),
              IsEmpty());
}

TEST_F(CheckConfig, NamesWhatAScriptStepLacks) {
  EXPECT_THAT(Script("{}"), ElementsAre(HasSubstr("`script`")));
  EXPECT_THAT(Script(R"({"script":"a","command":"b"})"), ElementsAre(HasSubstr("found both")));
  EXPECT_THAT(Script(R"({"script":"a","runtime":"ruby"})"), ElementsAre(HasSubstr("\"ruby\"")));
  EXPECT_THAT(Script(R"({"command":"a","runtime":"node"})"), ElementsAre(HasSubstr("a shell")));
  EXPECT_THAT(Script("[]"), ElementsAre(HasSubstr("object"), HasSubstr("`script`")));
}

TEST_F(CheckConfig, ReportsEveryFaultOfAScriptStepAtOnce) {
  EXPECT_THAT(Script(R"({"script":"a","timeout":"soon","args":"x","env":{"A B":"1"},"scipt":1})"),
              ElementsAre(HasSubstr("`args` to be a list"), HasSubstr("\"A B\""),
                          HasSubstr("`timeout` to be a duration"), HasSubstr("found `scipt`")));
}

TEST_F(CheckConfig, NamesWhatAnHttpStepLacks) {
  EXPECT_THAT(Http("{}"), ElementsAre(HasSubstr("`url`")));
  EXPECT_THAT(Http(R"({"url":"ftp://x/y"})"), ElementsAre(HasSubstr("http:// or https://")));
  EXPECT_THAT(Http(R"({"url":"example.com"})"), ElementsAre(HasSubstr("http:// or https://")));
  EXPECT_THAT(Http(R"({"url":"http://x","method":"FETCH"})"), ElementsAre(HasSubstr("\"FETCH\"")));
  EXPECT_THAT(Http(R"({"url":"http://x","timeout":"5 parsecs"})"),
              ElementsAre(HasSubstr("`timeout`")));
  EXPECT_THAT(Http(R"({"url":"http://x","header":{}})"), ElementsAre(HasSubstr("found `header`")));
  EXPECT_THAT(Http(R"({"url":"http://x","body":1,"json":2})"), ElementsAre(HasSubstr("several")));
  EXPECT_THAT(Http(R"({"url":"http://x","expect":[200,"6xx"]})"),
              ElementsAre(HasSubstr("\"6xx\"")));
  EXPECT_THAT(Http(R"({"url":"http://x","auth":{"digest":1}})"), ElementsAre(HasSubstr("`auth`")));
}

TEST_F(CheckConfig, RefusesHeadersThatWouldBecomeTwo) {
  EXPECT_THAT(Http(R"({"url":"http://x","headers":{"A":"b\r\nC: d","E\nF":"g"}})"),
              ElementsAre(HasSubstr("single line"), HasSubstr("name of a header")));
}

TEST_F(CheckConfig, NamesWhatANotificationLacks) {
  EXPECT_THAT(Notification(R"({"executor":"slack","message":"m"})"),
              ElementsAre(HasSubstr("STELE_SLACK_WEBHOOK_URL")));
  EXPECT_THAT(Notification(R"({"executor":"email","url":"http://x","message":"m"})"),
              ElementsAre(HasSubstr("slack or webhook")));
  EXPECT_THAT(Notification(R"({"url":"http://x"})"), ElementsAre(HasSubstr("`message`")));
  EXPECT_THAT(Webhook(R"({"body":{}})"), ElementsAre(HasSubstr("`url`")));
}

}  // namespace
}  // namespace stele::tasks
