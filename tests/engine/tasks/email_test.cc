#include "engine/tasks/email.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "http_server.h"
#include "smtp_server.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class Email : public testing::Test {
 protected:
  static Value Config(const std::string& server, std::string_view more = "{}") {
    Value config = Json(
        R"({"from":"Stele <stele@example.org>","to":"ann@example.org","subject":"Hello",
            "text":"A line."})");
    config.as_object().Set("server", server);
    const Value added = Json(more);
    for (const Member& member : added.as_object()) {
      config.as_object().Set(member.key, member.value);
    }
    return config;
  }
  TaskResult Start(TaskRequest request) {
    auto executor = MakeEmailExecutor(loop_.get(), &clock_, options_);
    return RunToEnd(loop_, *executor, std::move(request));
  }
  TaskResult Run(Value config) { return Start(Attempt(std::move(config))); }
  std::vector<std::string> Check(std::string_view config) {
    return MakeEmailExecutor(loop_.get(), &clock_, options_)->CheckConfig(Json(config));
  }

  TestLoop loop_;
  ManualClock clock_{TimeUs(1'795'244'856'000'000)};
  EmailOptions options_;
};

std::string Header(const Value& mail, std::string_view name) {
  Value headers = At(mail, "headers");
  for (const Value& header : headers.as_array()) {
    if (header.as_array()[0] == Value(name)) return header.as_array()[1].as_string();
  }
  return "(none)";
}

TEST_F(Email, ArrivesAsItWasWritten) {
  TestSmtpServer server;
  TaskResult result = Run(Config(server.Url(), R"({
      "to":["Ann Lee <ann@example.org>",{"name":"Zoë, the \"first\"","address":"zoe@example.org"}],
      "cc":"bob@example.org, \"Doe, C.\" <carl@example.org>","bcc":["dora@example.org"],
      "reply_to":"desk@example.org","subject":"Größe 发送通知",
      "text":"Grüße\n.\n..two dots\n","html":"<p>Hi</p>","headers":{"X-Order":"17"}})"));
  Value output = Output(result);
  Value mail = server.Next();
  EXPECT_EQ(At(mail, "mail_from"), Value("stele@example.org"));
  Value everybody = Json(R"(["ann@example.org","zoe@example.org","bob@example.org",
                             "carl@example.org","dora@example.org"])");
  EXPECT_EQ(At(mail, "rcpt_tos"), everybody);
  EXPECT_EQ(At(output, "accepted"), everybody);
  EXPECT_EQ(At(mail, "defects"), Json("[]"));
  EXPECT_EQ(Header(mail, "From"), "Stele <stele@example.org>");
  EXPECT_EQ(Header(mail, "To"),
            "Ann Lee <ann@example.org>, \"Zoë, the \\\"first\\\"\" <zoe@example.org>");
  EXPECT_EQ(Header(mail, "Cc"), "bob@example.org, \"Doe, C.\" <carl@example.org>");
  EXPECT_EQ(Header(mail, "Bcc"), "(none)");
  EXPECT_EQ(Header(mail, "Reply-To"), "desk@example.org");
  EXPECT_EQ(Header(mail, "Subject"), "Größe 发送通知");
  EXPECT_EQ(Header(mail, "X-Order"), "17");
  EXPECT_EQ(Header(mail, "Message-ID"), At(output, "message_id").as_string());
  EXPECT_EQ(Header(mail, "Date"), "Sat, 21 Nov 2026 07:07:36 +0000");
  EXPECT_EQ(At(mail, "types"), Json(R"(["multipart/alternative","text/plain","text/html"])"));
  EXPECT_EQ(At(At(mail, "parts").as_array()[0], "text"), Value("Grüße\r\n.\r\n..two dots\r\n"));
  EXPECT_EQ(At(At(mail, "parts").as_array()[1], "text"), Value("<p>Hi</p>"));
  EXPECT_THAT(At(mail, "raw").as_string(), Not(HasSubstr("dora@")));
}

TEST_F(Email, CarriesAttachmentsByteForByte) {
  TestSmtpServer server;
  Output(Run(Config(server.Url(), R"({"attachments":[
      {"name":"a \"b\".csv","content":"x,y\n1,2\n","content_type":"text/csv"},
      {"name":"报告 1.bin","content":"AAH/\n/g==","encoding":"base64"},
      {"name":"empty","content":""}]})")));
  Value mail = server.Next();
  EXPECT_EQ(At(mail, "defects"), Json("[]"));
  EXPECT_EQ(At(mail, "types"),
            Json(R"(["multipart/mixed","text/plain","text/csv","application/octet-stream",
                     "application/octet-stream"])"));
  const Value parts = At(mail, "parts");
  EXPECT_EQ(At(parts.as_array()[1], "filename"), Value("a \"b\".csv"));
  EXPECT_EQ(At(parts.as_array()[1], "text"), Value("x,y\n1,2\n"));
  EXPECT_EQ(At(parts.as_array()[2], "filename"), Value("报告 1.bin"));
  EXPECT_EQ(At(parts.as_array()[2], "base64"), Value("AAH//g=="));
  EXPECT_EQ(At(parts.as_array()[3], "base64"), Value(""));
}

TEST_F(Email, TakesAMailOfManyMegabytes) {
  TestSmtpServer server;
  std::string large;
  for (int i = 0; i < 200'000; ++i) large += "." + std::to_string(i) + "\r\n";
  Value config = Config(server.Url());
  config.as_object().Set("text", large);
  Output(Run(std::move(config)));
  EXPECT_TRUE(At(At(server.Next(), "parts").as_array()[0], "text") == Value(large));
}

TEST_F(Email, HasTheSameIdWhenItsAttemptIsRepeated) {
  TestSmtpServer server;
  std::string first = At(Output(Run(Config(server.Url()))), "message_id").as_string();
  EXPECT_THAT(first, MatchesRegex("<42-7-1\\.[0-9a-f]{16}@example\\.org>"));
  EXPECT_EQ(At(Output(Run(Config(server.Url()))), "message_id"), Value(first));
  TaskResult second = Start(Attempt(Config(server.Url()), Object(), 2));
  EXPECT_THAT(At(Output(second), "message_id").as_string(), HasSubstr("<42-7-2."));
  TaskResult other = Run(Config(server.Url(), R"({"text":"Another line."})"));
  EXPECT_NE(At(Output(other), "message_id"), Value(first));
  EXPECT_TRUE(MakeEmailExecutor(loop_.get(), &clock_)->repeats_after_crash());
}

TEST_F(Email, FailsForGoodWhenTheServerRefuses) {
  TestSmtpServer server;
  TaskFailure failure =
      Failure(Run(Config(server.Url(), R"({"to":["ann@example.org","unknown@example.org"]})")));
  EXPECT_EQ(failure.kind, "smtp");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(failure.details.value(), Json(R"({"code":550,"reply":"550 5.1.1 no such mailbox"})"));
  EXPECT_THAT(failure.message, HasSubstr("no such mailbox"));
  failure = Failure(Run(Config(server.Url(), R"({"from":"spam@example.org"})")));
  EXPECT_EQ(failure.kind, "smtp");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(At(failure.details.value(), "code"), Value(554));
  Output(Run(Config(server.Url())));
  EXPECT_EQ(At(server.Next(), "rcpt_tos"), Json(R"(["ann@example.org"])"));  // nobody else's came
}

TEST_F(Email, MayBeTriedAgainWhenTheServerIsBusy) {
  TestSmtpServer server;
  TaskFailure failure = Failure(Run(Config(server.Url(), R"({"to":"full@example.org"})")));
  EXPECT_EQ(failure.kind, "smtp");
  EXPECT_TRUE(failure.retryable);
  EXPECT_EQ(At(failure.details.value(), "code"), Value(452));
}

TEST_F(Email, FailsWhenNobodyListens) {
  TaskFailure failure = Failure(Run(Config("smtp://127.0.0.1:" + std::to_string(ClosedPort()))));
  EXPECT_EQ(failure.kind, "connect");
  EXPECT_TRUE(failure.retryable);
}

// Listens on a port of 127.0.0.1, and greets whoever comes with lines that do not end and are no
// SMTP.
class EndlessGreeting {
 public:
  EndlessGreeting() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      const int client = accept(listener_, nullptr, nullptr);
      const std::string bytes = "welcome\r\n";
      while (client >= 0 && send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
      }
      if (client >= 0) close(client);
    });
  }
  ~EndlessGreeting() {
    shutdown(listener_, SHUT_RDWR);  // wakes accept
    thread_.join();
    close(listener_);
  }
  std::string Url() const { return "smtp://127.0.0.1:" + std::to_string(port_); }

 private:
  int listener_;
  int port_ = 0;
  std::thread thread_;
};

TEST_F(Email, ListensToNoGreetingWithoutEnd) {
  EndlessGreeting server;
  TaskFailure failure = Failure(Run(Config(server.Url(), R"({"timeout":"1h"})")));
  EXPECT_EQ(failure.kind, "connect");
  EXPECT_THAT(failure.message, HasSubstr("but found: something that is not SMTP"));
}

TEST_F(Email, TimesOutWhenNoAnswerComes) {
  TestSmtpServer server;
  TaskFailure failure =
      Failure(Run(Config(server.Url(), R"({"to":"silent@example.org","timeout":"300ms"})")));
  EXPECT_EQ(failure.kind, "timeout");
  EXPECT_TRUE(failure.retryable);
  TaskRequest request = Attempt(Config(server.Url(), R"({"to":"silent@example.org"})"));
  request.timeout_us = 300'000;
  EXPECT_EQ(Failure(Start(std::move(request))).kind, "timeout");
}

// Were the loop to wait for the answer, the server would not see it leave.
TEST_F(Email, DoesNotWaitForTheAnswerToItsQuit) {
  TestSmtpServer server;
  Output(Run(Config(server.Url(), R"({"from":"rude@example.org"})")));
  EXPECT_EQ(At(server.Next(), "mail_from"), Value("rude@example.org"));
  EXPECT_EQ(server.Next(), Json(R"({"silent":true})"));
  EXPECT_EQ(server.Next(), Json(R"({"hung_up":true})"));
  TaskFailure failure = Failure(
      Run(Config(server.Url(), R"({"from":"rude@example.org","to":"unknown@example.org"})")));
  EXPECT_EQ(failure.kind, "smtp");
  EXPECT_EQ(server.Next(), Json(R"({"silent":true})"));
  EXPECT_EQ(server.Next(), Json(R"({"hung_up":true})"));
}

TEST_F(Email, HangsUpWhenCancelled) {
  TestSmtpServer server;
  auto executor = MakeEmailExecutor(loop_.get(), &clock_);
  TaskRequest request = Attempt(Config(server.Url(), R"({"to":"silent@example.org"})"));
  AttemptKey key = request.key;
  bool done = false;
  executor->Start(std::move(request), [&done](TaskResult) { done = true; });
  std::atomic<bool> silent = false;
  std::thread watcher([&] {
    EXPECT_EQ(server.Next(), Json(R"({"silent":true})"));
    silent = true;
  });
  loop_.RunUntil([&silent] { return silent.load(); });
  watcher.join();
  bool stopped = false;
  executor->Cancel(key, [&stopped] { stopped = true; });
  EXPECT_TRUE(stopped);
  EXPECT_EQ(server.Next(), Json(R"({"hung_up":true})"));
  executor->Cancel(key, [] {});
  EXPECT_FALSE(done);
}

TEST_F(Email, UsesStartTlsWithACertificateItTrusts) {
  TestSmtpServer server({"--starttls"});
  Value config = Config(server.Url(), R"({"tls":"starttls"})");
  TaskFailure failure = Failure(Run(config));
  EXPECT_EQ(failure.kind, "tls");
  config.as_object().Set("ca_file", server.certificate());
  Output(Run(config));
  EXPECT_EQ(At(server.Next(), "tls"), Value(true));
  config.as_object().Set("tls", "required");
  Output(Run(config));
  EXPECT_EQ(At(server.Next(), "tls"), Value(true));
  config.as_object().Set("tls", "none");
  EXPECT_EQ(At(Failure(Run(config)).details.value(), "code"), Value(530));
}

TEST_F(Email, UsesTlsFromTheStart) {
  TestSmtpServer server({"--smtps"});
  Value config = Config(server.Url("smtps"));
  EXPECT_EQ(Failure(Run(config)).kind, "tls");
  config.as_object().Set("ca_file", server.certificate());
  Output(Run(config));
  EXPECT_EQ(At(server.Next(), "tls"), Value(true));
}

TEST_F(Email, SendsNothingWhereTlsIsRequiredAndNotOnOffer) {
  TestSmtpServer server;
  for (const char* tls : {R"({"tls":"starttls"})", R"({"tls":"required"})"}) {
    TaskFailure failure = Failure(Run(Config(server.Url(), tls)));
    EXPECT_EQ(failure.kind, "tls");
    EXPECT_FALSE(failure.retryable);
  }
}

TEST_F(Email, AuthenticatesAndShowsNoPassword) {
  TestSmtpServer server({"--starttls", "--user", "me", "--password", "open sesame"});
  Value config = Config(server.Url(), R"({"username":"me","password":"open sesame",
                                          "tls":"required"})");
  config.as_object().Set("ca_file", server.certificate());
  Output(Run(config));
  EXPECT_EQ(At(server.Next(), "user"), Value("me"));
  config.as_object().Set("password", "hunter2!");
  TaskResult result = Run(config);
  TaskFailure failure = Failure(result);
  EXPECT_EQ(failure.kind, "smtp");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(At(failure.details.value(), "code"), Value(535));
  EXPECT_THAT(result.log.text + failure.message + std::string(failure.details.text()),
              Not(HasSubstr("hunter2")));
}

TEST_F(Email, TakesServerAndSenderFromItsOptions) {
  TestSmtpServer server({"--user", "me", "--password", "p"});
  options_.server = server.Url();
  options_.username = "me";
  options_.password = "p";
  options_.from = "ops@example.org";
  Output(Run(Json(R"({"to":"ann@example.org","subject":"s","body":"b"})")));
  Value mail = server.Next();
  EXPECT_EQ(At(mail, "mail_from"), Value("ops@example.org"));
  EXPECT_EQ(At(mail, "user"), Value("me"));
}

TEST_F(Email, KeepsTheCredentialsOfItsOptionsFromAnotherServer) {
  TestSmtpServer other({"--user", "me", "--password", "p"});
  options_.username = "me";
  options_.password = "p";
  TaskFailure failure = Failure(Run(Config(other.Url())));
  EXPECT_EQ(At(failure.details.value(), "code"), Value(530));
}

TEST_F(Email, ShowsNoSecretInItsOutput) {
  TestSmtpServer server;
  TaskRequest request = Attempt(Config(server.Url(), R"({"to":"s3cret@example.org"})"));
  request.secrets = {"s3cret"};
  TaskResult result = Start(std::move(request));
  EXPECT_EQ(At(Output(result), "accepted"), Json(R"(["***@example.org"])"));
}

TEST_F(Email, RefusesAMailThatIsTooLong) {
  options_.max_message_bytes = 1000;
  Value config = Config("smtp://127.0.0.1:1");
  config.as_object().Set("text", std::string(1000, 'x'));
  TaskFailure failure = Failure(Run(std::move(config)));
  EXPECT_EQ(failure.kind, "config");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("at most 1000 bytes"));
}

}  // namespace
}  // namespace stele::tasks
