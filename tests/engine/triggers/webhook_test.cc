// Requests as GitHub and others send them, and what they start.
#include "engine/triggers/webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "engine/tasks/body_signature.h"
#include "engine/triggers/glob.h"
#include "engine/triggers/signature.h"
#include "engine/triggers/trigger_config.h"

namespace stele::triggers {
namespace {

using tasks::SignBody;
using testing::ElementsAre;
using testing::HasSubstr;

// Made up, with the fields that GitHub's pages list.
constexpr std::string_view kPush = R"({
  "ref": "refs/heads/main", "before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
  "after": "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5", "created": false, "deleted": false,
  "forced": false, "compare": "https://git.example/acme/shop/compare/6113728...59b20b8",
  "commits": [{"id": "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5", "message": "Round prices",
               "added": [], "removed": [], "modified": ["src/price.cc"]}],
  "repository": {"id": 35129377, "name": "shop", "full_name": "acme/shop", "private": false},
  "pusher": {"name": "mona", "email": "mona@acme.example"}, "sender": {"login": "mona", "id": 7}})";
constexpr std::string_view kPullRequest = R"({
  "action": "opened", "number": 12,
  "pull_request": {"number": 12, "state": "open", "title": "Round prices",
                   "html_url": "https://git.example/acme/shop/pull/12", "draft": false,
                   "head": {"ref": "round", "sha": "aa11"}, "base": {"ref": "main", "sha": "bb22"}},
  "repository": {"full_name": "acme/shop"}, "sender": {"login": "mona"}})";
constexpr std::string_view kIssue = R"({
  "action": "opened",
  "issue": {"number": 7, "title": "Prices are odd", "state": "open",
            "html_url": "https://git.example/acme/shop/issues/7", "labels": []},
  "repository": {"full_name": "acme/shop"}, "sender": {"login": "hubert"}})";
constexpr std::string_view kTag = R"({
  "ref": "v1.2.0", "ref_type": "tag", "master_branch": "main", "pusher_type": "user",
  "repository": {"full_name": "acme/shop"}, "sender": {"login": "mona"}})";

WebhookConfig Made(std::string_view trigger_json) {
  const auto value = ParseJson("[" + std::string(trigger_json) + "]");
  EXPECT_TRUE(value.has_value()) << trigger_json;
  TriggerSection section = ReadTriggers(*value);
  for (const TriggerFault& fault : section.faults)
    ADD_FAILURE() << fault.pointer << ": " << fault.message;
  return std::get<WebhookConfig>(section.triggers.at(0).detail);
}

WebhookRequest Github(std::string_view event, std::string_view body,
                      std::string_view path = "/hooks/github") {
  return {.method = "POST",
          .path = path,
          .headers = {{"Content-Type", "application/json"},
                      {"X-GitHub-Event", std::string(event)},
                      {"X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"}},
          .body = body};
}

std::optional<std::string> Secret(std::string_view name) {
  if (name == "hook") return "It's a Secret to Everybody";
  return std::nullopt;
}

// "fires {…}", "ignored: …" or "401 STL0903: …"
std::string Text(const WebhookVerdict& verdict) {
  if (const auto* fires = std::get_if<WebhookFires>(&verdict))
    return "fires " + ToJson(fires->input);
  if (const auto* ignored = std::get_if<WebhookIgnored>(&verdict))
    return "ignored: " + ignored->reason;
  const auto& refused = std::get<WebhookRefused>(verdict);
  return std::to_string(refused.status) + " " + refused.error.ToString();
}

std::string Verdict(std::string_view trigger_json, const WebhookRequest& request) {
  return Text(DecideWebhook(Made(trigger_json), request, Secret));
}

TEST(Signature, IsTheOneThatGithubPrintsAsItsExample) {
  constexpr std::string_view kSigned =
      "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  EXPECT_EQ(SignBody("It's a Secret to Everybody", "Hello, World!"), kSigned);
  EXPECT_TRUE(IsSignedWith("It's a Secret to Everybody", "Hello, World!", kSigned));
  EXPECT_FALSE(IsSignedWith("It's a Secret to Everybody", "Hello, World?", kSigned));
  EXPECT_FALSE(IsSignedWith("another", "Hello, World!", kSigned));
  EXPECT_FALSE(IsSignedWith("It's a Secret to Everybody", "Hello, World!", kSigned.substr(7)));
  EXPECT_FALSE(IsSignedWith("", "x", SignBody("", "x")));
}

TEST(Glob, StopsAtSlashes) {
  EXPECT_TRUE(MatchesGlob("main", "main"));
  EXPECT_FALSE(MatchesGlob("main", "mainline"));
  EXPECT_TRUE(MatchesGlob("release/*", "release/1.2"));
  EXPECT_FALSE(MatchesGlob("release/*", "release/1/2"));
  EXPECT_TRUE(MatchesGlob("release/**", "release/1/2"));
  EXPECT_TRUE(MatchesGlob("**", "a/b"));
  EXPECT_TRUE(MatchesGlob("v?.*", "v1.20"));
  EXPECT_FALSE(MatchesGlob("v?", "v/"));
  EXPECT_TRUE(MatchesGlob("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(MatchesGlob("", "x"));
  EXPECT_TRUE(MatchesGlob("", ""));
}

TEST(Glob, IsDecidedByTheLastPatternThatMatches) {
  const std::vector<std::string> filter = {"release/**", "!release/old/**", "release/old/kept"};
  EXPECT_TRUE(MatchesFilter(filter, "release/1"));
  EXPECT_FALSE(MatchesFilter(filter, "release/old/1"));
  EXPECT_TRUE(MatchesFilter(filter, "release/old/kept"));
  EXPECT_FALSE(MatchesFilter(filter, "main"));
}

TEST(Webhook, GivesItsBodyAsInput) {
  constexpr std::string_view kTrigger =
      R"({"type": "webhook", "config": {"path": "/webhook/data-process", "method": "POST"}})";
  const auto request = [](std::string_view body) {
    return WebhookRequest{.method = "POST", .path = "/webhook/data-process", .body = body};
  };
  EXPECT_EQ(Verdict(kTrigger, request(R"({"batch_size": 5})")), R"(fires {"batch_size":5})");
  EXPECT_EQ(Verdict(kTrigger, request("[1, 2]")), R"(fires {"payload":[1,2]})");
  EXPECT_EQ(Verdict(kTrigger, request("")), "fires {}");
  WebhookRequest slash = request("{}");
  slash.path = "/webhook/data-process/";
  EXPECT_EQ(Verdict(kTrigger, slash), "fires {}");
}

TEST(Webhook, TakesAQueryWhereThereIsNoBody) {
  const WebhookRequest request{.method = "GET", .path = "/h", .query = {{"a", "1"}, {"b", "x y"}}};
  EXPECT_EQ(Verdict(R"({"type": "webhook", "path": "/h", "method": ["get", "POST"]})", request),
            R"(fires {"a":"1","b":"x y"})");
}

TEST(Webhook, RefusesWhatIsNotForIt) {
  constexpr std::string_view kTrigger = R"({"type": "webhook", "path": "/h"})";
  WebhookRequest request{.method = "POST", .path = "/other", .body = "{}"};
  EXPECT_EQ(Verdict(kTrigger, request),
            "404 STL0901: Expected the path of a webhook but found \"/other\"");
  request.path = "/h";
  request.method = "PUT";
  EXPECT_EQ(Verdict(kTrigger, request),
            "405 STL0902: Expected the method \"POST\" but found \"PUT\"");
  request.method = "POST";
  request.body = "{";
  EXPECT_THAT(Verdict(kTrigger, request), HasSubstr("400 STL0001: Expected a body of JSON"));
  request.body = "{\"a\": 1}";
  EXPECT_EQ(Text(DecideWebhook(Made(kTrigger), request, Secret, 7)),
            "413 STL0002: Expected a body of at most 7 bytes but found 8");
}

TEST(Webhook, WantsASignatureWhenItHasASecret) {
  constexpr std::string_view kTrigger =
      R"({"type": "webhook", "path": "/h", "secret": "{{ secrets.hook }}"})";
  WebhookRequest request{.method = "POST", .path = "/h", .body = "{\"a\":1}"};
  EXPECT_THAT(Verdict(kTrigger, request), HasSubstr("401 STL0903: Expected a signature in"));
  const std::string good = SignBody("It's a Secret to Everybody", request.body);
  for (const std::string header : {"X-Hub-Signature-256", "x-stele-signature-256"}) {
    request.headers = {{header, good}};
    EXPECT_EQ(Verdict(kTrigger, request), "fires {\"a\":1}") << header;
    request.headers = {{header, SignBody("wrong", request.body)}};
    EXPECT_THAT(Verdict(kTrigger, request), HasSubstr("401 STL0903: Expected a signature made"));
  }
  // The signature is looked at before the body is.
  request.body = "{";
  EXPECT_THAT(Verdict(kTrigger, request), HasSubstr("401"));
  EXPECT_THAT(Verdict(R"({"type": "webhook", "path": "/h", "secret": "secrets.gone"})", request),
              HasSubstr("503 STL0803: Expected the secret \"gone\""));
}

TEST(Webhook, MakesItsInputFromTemplates) {
  constexpr std::string_view kTrigger = R"j({"type": "webhook", "path": "/h",
      "filter": "payload.amount > 10",
      "input": {"amount": "{{ payload.amount }}", "from": "{{ headers['user-agent'] }}",
                "who": "user {{ query.user }}"}})j";
  WebhookRequest request{.method = "POST",
                         .path = "/h",
                         .query = {{"user", "mona"}},
                         .headers = {{"User-Agent", "till/2"}, {"Idempotency-Key", "k1"}},
                         .body = R"({"amount": 12.5})"};
  const WebhookVerdict verdict = DecideWebhook(Made(kTrigger), request, Secret);
  EXPECT_EQ(Text(verdict), R"(fires {"amount":12.5,"from":"till/2","who":"user mona"})");
  EXPECT_EQ(std::get<WebhookFires>(verdict).deduplication_key, "k1");
  EXPECT_EQ(std::get<WebhookFires>(verdict).kind, "webhook");
  request.body = R"({"amount": 9})";
  EXPECT_EQ(Verdict(kTrigger, request),
            "ignored: the filter \"payload.amount > 10\" does not hold");
  request.body = R"({"sum": 9})";
  EXPECT_THAT(Verdict(kTrigger, request),
              HasSubstr("ignored: the filter \"payload.amount > 10\" fails:"));
  request.body = R"({"amount": 12})";
  request.query.clear();
  EXPECT_THAT(Verdict(kTrigger, request), HasSubstr("422 STL0203: Expected a request that"));
  request.query = {{"user", "mona"}};
  request.headers.emplace_back("X-GitHub-Delivery", std::string(257, 'x'));
  EXPECT_THAT(Verdict(kTrigger, request), HasSubstr("400 STL0002: Expected a deduplication key"));
}

TEST(Webhook, KeepsPasswordsFromTemplates) {
  const WebhookRequest request{.method = "POST",
                               .path = "/h",
                               .headers = {{"Authorization", "Bearer x"},
                                           {"Cookie", "s=1"},
                                           {"X-Hub-Signature-256", "sha256=1"},
                                           {"X-A", "1"}}};
  EXPECT_EQ(
      Verdict(R"({"type": "webhook", "path": "/h", "input": {"h": "{{ headers }}"}})", request),
      R"(fires {"h":{"x-a":"1"}})");
}

TEST(Webhook, ReadsForms) {
  constexpr std::string_view kTrigger = R"({"type": "webhook", "path": "/hooks/github"})";
  WebhookRequest request = Github("push", "payload=%7B%22a%22%3A+%22x%2By%22%7D");
  request.headers[0].second = "application/x-www-form-urlencoded; charset=utf-8";
  EXPECT_EQ(Verdict(kTrigger, request), R"(fires {"a":"x+y"})");
  request.body = "a=1&b=two+words&c&%zz=%4";
  EXPECT_EQ(Verdict(kTrigger, request), R"(fires {"a":"1","b":"two words","c":"","%zz":"%4"})");
}

TEST(GithubPush, FiresForBranches) {
  constexpr std::string_view kTrigger =
      R"({"type_": "GitPush", "config": {"path": "/hooks/github"}})";
  const WebhookVerdict verdict = DecideWebhook(Made(kTrigger), Github("push", kPush), Secret);
  const auto& fires = std::get<WebhookFires>(verdict);
  EXPECT_EQ(fires.kind, "github_push");
  EXPECT_EQ(fires.deduplication_key, "72d3162e-cc78-11e3-81ab-4c9367dc0958");
  EXPECT_EQ(*fires.input.Find("branch"), Value("main"));
  EXPECT_EQ(*fires.input.Find("commit"), Value("59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"));
  EXPECT_EQ(*fires.input.Find("repository"), Value("acme/shop"));
  EXPECT_EQ(*fires.input.Find("sender"), Value("mona"));
  EXPECT_EQ(*fires.input.Find("payload"), *ParseJson(kPush));

  EXPECT_EQ(Verdict(kTrigger, Github("issues", kIssue)),
            "ignored: the event \"issues\" is not one of `events`");
  EXPECT_EQ(Verdict(kTrigger, Github("push", R"({"ref": "refs/tags/v1"})")),
            "ignored: the push is not to a branch");
  EXPECT_EQ(Verdict(kTrigger, Github("push", R"({"ref": "refs/heads/old", "deleted": true})")),
            "ignored: the push deletes its ref");
  EXPECT_THAT(Verdict(kTrigger, Github("push", "[]")), HasSubstr("400 STL0001"));
}

TEST(GithubPush, IsFilteredByBranchTagAndRepository) {
  const auto verdict = [](std::string_view keys, std::string_view ref) {
    const std::string body =
        R"({"ref": ")" + std::string(ref) + R"(", "repository": {"full_name": "acme/shop"}})";
    return Verdict(R"({"type": "github_push", "path": "/hooks/github", )" + std::string(keys) + "}",
                   Github("push", body))
        .substr(0, 7);
  };
  EXPECT_EQ(verdict(R"("branches": ["main", "release/**"])", "refs/heads/release/1/2"), "fires {");
  EXPECT_EQ(verdict(R"("branches": ["main", "release/**"])", "refs/heads/topic"), "ignored");
  EXPECT_EQ(verdict(R"("branches": "!wip/**")", "refs/heads/main"), "fires {");
  EXPECT_EQ(verdict(R"("branches": "!wip/**")", "refs/heads/wip/a"), "ignored");
  EXPECT_EQ(verdict(R"("branches": "main")", "refs/tags/main"), "ignored");
  EXPECT_EQ(verdict(R"("tags": "v*")", "refs/tags/v2"), "fires {");
  EXPECT_EQ(verdict(R"("tags": "v*")", "refs/heads/v2"), "ignored");
  EXPECT_EQ(verdict(R"("repository": "acme/shop")", "refs/heads/main"), "fires {");
  EXPECT_EQ(verdict(R"("repository": "acme/till")", "refs/heads/main"), "ignored");
}

TEST(GithubPullRequest, FiresWhenThereIsSomethingNewToLookAt) {
  constexpr std::string_view kTrigger = R"({"type": "PullRequest", "path": "/hooks/github"})";
  const WebhookVerdict verdict =
      DecideWebhook(Made(kTrigger), Github("pull_request", kPullRequest), Secret);
  const Value& input = std::get<WebhookFires>(verdict).input;
  EXPECT_EQ(*input.Find("number"), Value(12));
  EXPECT_EQ(*input.Find("branch"), Value("main"));
  EXPECT_EQ(*input.Find("head_branch"), Value("round"));
  EXPECT_EQ(*input.Find("commit"), Value("aa11"));
  EXPECT_EQ(Verdict(kTrigger, Github("pull_request", R"({"action": "labeled"})")),
            "ignored: the action \"labeled\" is not one of `types`");
  EXPECT_THAT(Verdict(R"({"type": "github_pull_request", "path": "/hooks/github",
                          "types": ["labeled"], "branches": ["main"]})",
                      Github("pull_request", R"({"action": "labeled",
                                                 "pull_request": {"base": {"ref": "main"}}})")),
              HasSubstr("fires"));
}

TEST(GithubIssue, FiresWhenOneIsOpened) {
  constexpr std::string_view kTrigger = R"({"type": "Issue", "path": "/hooks/github"})";
  EXPECT_THAT(Verdict(kTrigger, Github("issues", kIssue)),
              HasSubstr(R"("number":7,"title":"Prices are odd")"));
  EXPECT_THAT(Verdict(kTrigger, Github("issues", R"({"action": "closed"})")), HasSubstr("ignored"));
}

TEST(GithubTag, FiresWhenOneIsCreated) {
  constexpr std::string_view kTrigger = R"({"type": "github_tag", "path": "/hooks/github"})";
  EXPECT_THAT(Verdict(kTrigger, Github("create", kTag)), HasSubstr(R"("tag":"v1.2.0")"));
  EXPECT_EQ(Verdict(kTrigger, Github("create", R"({"ref": "topic", "ref_type": "branch"})")),
            "ignored: no tag was created");
  EXPECT_THAT(Verdict(R"({"type": "custom:git-tag", "path": "/hooks/github", "tags": ["v2*"]})",
                      Github("create", kTag)),
              HasSubstr("does not pass `tags`"));
}

TEST(Webhook, IgnoresAPingUnlessAsked) {
  EXPECT_EQ(Verdict(R"({"type": "webhook", "path": "/hooks/github"})", Github("ping", "{}")),
            "ignored: it is a ping");
  EXPECT_EQ(Verdict(R"({"type": "webhook", "path": "/hooks/github", "events": ["ping"]})",
                    Github("ping", "{}")),
            "fires {}");
  EXPECT_EQ(Verdict(R"({"type": "webhook", "path": "/hooks/github", "branches": ["main"]})",
                    Github("release", R"({"action": "published", "release": {"tag_name": "v1"}})")),
            "ignored: the tag \"v1\" does not pass `tags`");
}

TEST(Webhooks, ShareAPath) {
  const std::vector<WebhookConfig> configs = {
      Made(R"({"type": "github_push", "path": "/hooks/github"})"),
      Made(R"({"type": "webhook", "path": "/hooks/github", "method": "PUT"})"),
      Made(R"({"type": "github_issue", "path": "/hooks/github"})"),
      Made(R"({"type": "webhook", "path": "/other"})"),
  };
  const WebhookAnswer push = DecideWebhooks(configs, Github("push", kPush), Secret);
  EXPECT_FALSE(push.refusal.has_value());
  ASSERT_EQ(push.verdicts.size(), 2u);
  EXPECT_EQ(push.verdicts[0].first, 0u);
  EXPECT_TRUE(std::holds_alternative<WebhookFires>(push.verdicts[0].second));
  EXPECT_EQ(push.verdicts[1].first, 2u);
  EXPECT_TRUE(std::holds_alternative<WebhookIgnored>(push.verdicts[1].second));

  WebhookRequest request = Github("push", kPush);
  request.method = "DELETE";
  EXPECT_EQ(Text(*DecideWebhooks(configs, request, Secret).refusal),
            "405 STL0902: Expected the method \"POST\" or \"PUT\" but found \"DELETE\"");
  request.path = "/nowhere";
  EXPECT_THAT(Text(*DecideWebhooks(configs, request, Secret).refusal), HasSubstr("404"));
  request = Github("push", "{");
  EXPECT_THAT(Text(*DecideWebhooks(configs, request, Secret).refusal), HasSubstr("400"));
  EXPECT_THAT(Text(*DecideWebhooks(configs, request, Secret, 0).refusal), HasSubstr("413"));
}

TEST(Webhooks, RefuseOnlyWhenAllOfThemDo) {
  const std::vector<WebhookConfig> configs = {
      Made(R"({"type": "webhook", "path": "/h", "secret": "secrets.hook"})"),
      Made(R"({"type": "webhook", "path": "/h"})"),
  };
  const WebhookRequest request{.method = "POST", .path = "/h", .body = "{}"};
  const WebhookAnswer both = DecideWebhooks(configs, request, Secret);
  EXPECT_FALSE(both.refusal.has_value());
  EXPECT_TRUE(std::holds_alternative<WebhookRefused>(both.verdicts[0].second));
  EXPECT_TRUE(std::holds_alternative<WebhookFires>(both.verdicts[1].second));
  EXPECT_THAT(Text(*DecideWebhooks(std::span(configs).first(1), request, Secret).refusal),
              HasSubstr("401"));
}

}  // namespace
}  // namespace stele::triggers
