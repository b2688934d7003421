#include "engine/tasks/notification.h"

#include <fmt/format.h>

#include "base/json.h"
#include "engine/tasks/body_signature.h"
#include "engine/tasks/request_executor.h"

namespace stele::tasks {
namespace {

using Plan = std::expected<HttpPlan, std::vector<std::string>>;

HttpPlan Defaults(const HttpOptions& options) {
  HttpPlan defaults;
  defaults.request.method = "POST";
  defaults.request.timeout_us = options.timeout_us;
  defaults.request.max_response_bytes = options.max_response_bytes;
  return defaults;
}

Plan Finished(ConfigReader& reader, HttpPlan plan) {
  std::vector<std::string> faults = reader.TakeFaults();
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return plan;
}

Plan PlanWebhook(const Value& config, const Value& input, ConfigReader::Mode mode, HttpPlan plan) {
  ConfigReader reader(config, mode);
  std::string executor = reader.Text("executor").value_or("");
  if (!executor.empty() && executor != "webhook" && executor != "http" &&
      !reader.IsOpen(Value(executor))) {
    reader.AddFault(fmt::format("Expected the executor to be webhook but found \"{}\"", executor));
  }
  if (!reader.Has("url")) reader.AddFault("Expected `url` but found none");
  ReadTransport(reader, "url", plan);
  plan.request.method = ReadMethod(reader, "POST");
  const Value* body = reader.Any("body");
  const Value* payload = reader.Any("payload");
  if (body != nullptr && payload != nullptr) {
    reader.AddFault("Expected one of `body` and `payload` but found both");
  }
  if (payload == nullptr) payload = body;
  bool has_body = plan.request.method != "GET" && plan.request.method != "HEAD";
  if (payload != nullptr && plan.request.method == "HEAD") {
    reader.AddFault("Expected no body with the method HEAD but found one");
  } else if (payload != nullptr) {
    SetBody(plan, *payload);
  } else if (has_body) {
    SetBody(plan, input.is_object() ? input : Value(Object()));
  }
  std::string header = reader.Text("signature_header").value_or("X-Hub-Signature-256");
  if (!IsHeaderName(header) && !reader.IsOpen(Value(header))) {
    reader.AddFault(fmt::format("Expected the name of a header in `signature_header` but found {}",
                                ToJson(Value(header))));
  }
  if (std::optional<std::string> secret = reader.Text("secret")) {
    plan.credentials.push_back(*secret);
    SetHeaderOnce(plan, header, SignBody(*secret, plan.request.body.value_or("")));
  }
  return Finished(reader, std::move(plan));
}

// The message of Slack's incoming webhooks: https://api.slack.com/messaging/webhooks
Object SlackMessage(const std::string& channel, const std::string& message) {
  Object body;
  if (!channel.empty()) body.Set("channel", channel);
  body.Set("text", message);
  return body;
}

Object PlainMessage(const std::string& channel, const std::string& message) {
  Object body;
  if (!channel.empty()) body.Set("channel", channel);
  body.Set("message", message);
  return body;
}

// The key that holds the URL; empty when the default one is used.
std::string_view FindUrl(ConfigReader& reader, bool slack, const std::string& slack_url,
                         HttpPlan& plan) {
  bool has_url = reader.Has("url");
  bool has_webhook_url = reader.Has("webhook_url");
  if (has_url) return "url";
  if (has_webhook_url) return "webhook_url";
  if (slack && !slack_url.empty()) {
    plan.request.url = slack_url;
    plan.credentials.push_back(slack_url);
  } else if (slack) {
    reader.AddFault(
        "Expected `url` in the configuration or STELE_SLACK_WEBHOOK_URL in the environment of "
        "stele but found neither");
  } else {
    reader.AddFault("Expected `url` but found none");
  }
  return "url";
}

Plan PlanNotification(const Value& config, ConfigReader::Mode mode, HttpPlan plan,
                      const std::string& slack_url) {
  ConfigReader reader(config, mode);
  std::string executor = reader.Text("executor").value_or("slack");
  bool open = reader.IsOpen(Value(executor));
  if (executor != "slack" && executor != "webhook" && executor != "http" && !open) {
    reader.AddFault(
        fmt::format("Expected the executor to be slack or webhook but found \"{}\"", executor));
  }
  bool slack = executor == "slack";
  ReadTransport(reader, FindUrl(reader, slack, slack_url, plan), plan);
  std::string channel = reader.Text("channel").value_or("");
  std::optional<std::string> text = reader.Text("text");
  std::string message = reader.Text("message").value_or(text.value_or(""));
  const Value* payload = reader.Any("payload");
  if (message.empty() && payload == nullptr) {
    reader.AddFault("Expected `message` (or a whole `payload`) but found none");
  }
  Object body = slack ? SlackMessage(channel, message) : PlainMessage(channel, message);
  if (message.empty()) body.Erase(slack ? "text" : "message");
  if (payload != nullptr && payload->is_object()) {
    for (const Member& member : payload->as_object()) body.Set(member.key, member.value);
  } else if (payload != nullptr && !reader.IsOpen(*payload)) {
    reader.AddFault(
        fmt::format("Expected `payload` to be an object but found {}", KindName(payload->kind())));
  }
  SetBody(plan, body);
  return Finished(reader, std::move(plan));
}

}  // namespace

std::unique_ptr<TaskExecutor> MakeWebhookExecutor(std::shared_ptr<HttpClient> client,
                                                  HttpOptions options) {
  return std::make_unique<RequestExecutor>(std::move(client), Defaults(options), &PlanWebhook);
}

std::unique_ptr<TaskExecutor> MakeNotificationExecutor(std::shared_ptr<HttpClient> client,
                                                       NotificationOptions options) {
  return std::make_unique<RequestExecutor>(
      std::move(client), Defaults(options.http),
      [slack_url = std::move(options.slack_webhook_url)](const Value& config, const Value&,
                                                         ConfigReader::Mode mode, HttpPlan plan) {
        return PlanNotification(config, mode, std::move(plan), slack_url);
      });
}

}  // namespace stele::tasks
