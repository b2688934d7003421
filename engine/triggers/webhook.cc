#include "engine/triggers/webhook.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "engine/definition/faults.h"
#include "engine/triggers/github.h"
#include "engine/triggers/glob.h"
#include "engine/triggers/signature.h"
#include "engine/triggers/webhook_payload.h"

namespace stele::triggers {
namespace {

using definition::Quote;
using definition::QuoteList;

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::string_view WithoutLastSlash(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

WebhookRefused Refused(int status, ErrorCode code, std::string message) {
  return {status, Error{code, std::move(message)}};
}

WebhookRefused TooLarge(size_t size, size_t limit) {
  return Refused(413, ErrorCode::kLimitExceeded,
                 fmt::format("Expected a body of at most {} bytes but found {}", limit, size));
}

WebhookRefused UnknownPath(std::string_view path) {
  return Refused(404, ErrorCode::kUnknownWebhook,
                 "Expected the path of a webhook but found " + Quote(path));
}

WebhookRefused WrongMethod(const std::vector<std::string>& methods, std::string_view method) {
  return Refused(
      405, ErrorCode::kWrongMethod,
      fmt::format("Expected the method {} but found {}", QuoteList(methods, "or"), Quote(method)));
}

bool HasPath(const WebhookConfig& config, const WebhookRequest& request) {
  return !config.path.empty() && WithoutLastSlash(config.path) == WithoutLastSlash(request.path);
}

std::optional<WebhookRefused> CheckSignature(const WebhookConfig& config,
                                             const WebhookRequest& request,
                                             const SecretSource& secrets) {
  if (config.secret.empty()) return std::nullopt;
  const auto secret = secrets(config.secret);
  if (!secret || secret->empty())
    return Refused(503, ErrorCode::kUnknownSecret,
                   fmt::format("Expected the secret {} that the webhook's signatures are made with "
                               "but found none of that name",
                               Quote(config.secret)));
  bool found = false;
  for (const std::string_view header : {"x-hub-signature-256", "x-stele-signature-256"}) {
    const std::string_view signature = HeaderOf(request, header);
    if (signature.empty()) continue;
    if (IsSignedWith(*secret, request.body, signature)) return std::nullopt;
    found = true;
  }
  return Refused(401, ErrorCode::kBadSignature,
                 found ? "Expected a signature made with the webhook's secret but found another one"
                       : "Expected a signature in X-Hub-Signature-256 or X-Stele-Signature-256 but "
                         "found none");
}

// What is compared of a branch or tag; the reason when it does not pass.
std::string WhyNotRef(const WebhookConfig& config, const GithubEvent& event) {
  const bool asks = !config.branches.empty() || !config.tags.empty();
  if (config.kind == WebhookKind::kGithubTag && event.tag.empty()) return "no tag was created";
  if (config.kind == WebhookKind::kGithubPush && event.deletes) return "the push deletes its ref";
  if (config.kind == WebhookKind::kGithubPush && !asks && event.branch.empty())
    return "the push is not to a branch";
  if (!asks) return {};
  if (!event.branch.empty())
    return MatchesFilter(config.branches, event.branch)
               ? ""
               : fmt::format("the branch {} does not pass `branches`", Quote(event.branch));
  if (!event.tag.empty())
    return MatchesFilter(config.tags, event.tag)
               ? ""
               : fmt::format("the tag {} does not pass `tags`", Quote(event.tag));
  return "it is about no branch or tag";
}

std::string WhyNotEvent(const WebhookConfig& config, const GithubEvent& event) {
  if (config.events.empty() && event.event == "ping") return "it is a ping";
  if (!config.events.empty() && !Contains(config.events, event.event))
    return fmt::format("the event {} is not one of `events`", Quote(event.event));
  if (!config.actions.empty() && !Contains(config.actions, event.action))
    return fmt::format("the action {} is not one of `types`", Quote(event.action));
  return WhyNotRef(config, event);
}

// A filter that cannot be evaluated does not hold.
std::string WhyNotFilters(const WebhookConfig& config, const WebhookEnvironment& environment) {
  for (const expression::Expression& filter : config.filters) {
    const auto holds = filter.EvaluateBool(environment);
    if (!holds)
      return fmt::format("the filter {} fails: {}", Quote(filter.text()), holds.error().message);
    if (!*holds) return fmt::format("the filter {} does not hold", Quote(filter.text()));
  }
  return {};
}

Value DefaultInput(const WebhookConfig& config, const WebhookEnvironment& environment,
                   GithubEvent event) {
  if (config.kind != WebhookKind::kPlain) {
    event.facts.Set("payload", environment.payload());
    return std::move(event.facts);
  }
  if (environment.payload().is_null()) return environment.query();
  if (environment.payload().is_object()) return environment.payload();
  return Object{{"payload", environment.payload()}};
}

WebhookVerdict Fire(const WebhookConfig& config, const WebhookRequest& request,
                    const WebhookEnvironment& environment, GithubEvent event) {
  std::string_view key = HeaderOf(request, "x-github-delivery");
  if (key.empty()) key = HeaderOf(request, "idempotency-key");
  if (key.size() > kMaxDeduplicationKeyBytes)
    return Refused(400, ErrorCode::kLimitExceeded,
                   fmt::format("Expected a deduplication key of at most {} bytes but found {}",
                               kMaxDeduplicationKeyBytes, key.size()));
  WebhookFires fires{.deduplication_key = std::string(key),
                     .kind = WebhookKindName(config.kind),
                     .trace_parent = std::string(HeaderOf(request, "traceparent"))};
  if (!config.input) {
    fires.input = DefaultInput(config, environment, std::move(event));
    return fires;
  }
  auto rendered = config.input->Render(environment);
  if (!rendered)
    return Refused(
        422, rendered.error().code,
        "Expected a request that the webhook's `input` can be made from but found that " +
            rendered.error().message);
  if (!rendered->secrets.empty())
    return Refused(422, ErrorCode::kUnknownReference,
                   "Expected no secret in the webhook's `input` but found " +
                       Quote(rendered->secrets.front().name));
  CHECK(rendered->value.is_object());
  fires.input = std::move(rendered->value);
  return fires;
}

// Path and method are known to fit.
WebhookVerdict DecideBody(const WebhookConfig& config, const WebhookRequest& request,
                          const SecretSource& secrets) {
  if (auto refused = CheckSignature(config, request, secrets)) return *std::move(refused);
  auto payload = ReadPayload(request);
  if (!payload)
    return Refused(400, ErrorCode::kInvalidJson,
                   "Expected a body of JSON but found: " + payload.error().message);
  if (config.kind != WebhookKind::kPlain && !payload->is_object())
    return Refused(400, ErrorCode::kInvalidJson,
                   fmt::format("Expected a JSON object as GitHub sends it but found {}",
                               KindName(payload->kind())));
  const WebhookEnvironment environment(request, *std::move(payload));
  GithubEvent event = ReadGithubEvent(HeaderOf(request, "x-github-event"), environment.payload());
  if (std::string reason = WhyNotEvent(config, event); !reason.empty())
    return WebhookIgnored{std::move(reason)};
  if (std::string reason = WhyNotFilters(config, environment); !reason.empty())
    return WebhookIgnored{std::move(reason)};
  return Fire(config, request, environment, std::move(event));
}

}  // namespace

std::string_view WebhookKindName(WebhookKind kind) {
  switch (kind) {
    case WebhookKind::kPlain:
      return "webhook";
    case WebhookKind::kGithubPush:
      return "github_push";
    case WebhookKind::kGithubPullRequest:
      return "github_pull_request";
    case WebhookKind::kGithubIssue:
      return "github_issue";
    case WebhookKind::kGithubTag:
      return "github_tag";
  }
  CHECK(false, "{}", static_cast<int>(kind));
}

WebhookVerdict DecideWebhook(const WebhookConfig& config, const WebhookRequest& request,
                             const SecretSource& secrets, size_t max_body_bytes) {
  if (request.body.size() > max_body_bytes) return TooLarge(request.body.size(), max_body_bytes);
  if (!HasPath(config, request)) return UnknownPath(request.path);
  if (!Contains(config.methods, request.method)) return WrongMethod(config.methods, request.method);
  return DecideBody(config, request, secrets);
}

WebhookAnswer DecideWebhooks(std::span<const WebhookConfig> configs, const WebhookRequest& request,
                             const SecretSource& secrets, size_t max_body_bytes) {
  WebhookAnswer answer;
  if (request.body.size() > max_body_bytes) {
    answer.refusal = TooLarge(request.body.size(), max_body_bytes);
    return answer;
  }
  std::vector<std::string> methods;
  for (size_t index = 0; index < configs.size(); ++index) {
    const WebhookConfig& config = configs[index];
    if (!HasPath(config, request)) continue;
    for (const std::string& method : config.methods)
      if (!Contains(methods, method)) methods.push_back(method);
    if (Contains(config.methods, request.method))
      answer.verdicts.emplace_back(index, DecideBody(config, request, secrets));
  }
  if (methods.empty()) {
    answer.refusal = UnknownPath(request.path);
  } else if (answer.verdicts.empty()) {
    answer.refusal = WrongMethod(methods, request.method);
  } else if (std::ranges::all_of(answer.verdicts, [](const auto& verdict) {
               return std::holds_alternative<WebhookRefused>(verdict.second);
             })) {
    answer.refusal = std::get<WebhookRefused>(answer.verdicts.front().second);
  }
  return answer;
}

}  // namespace stele::triggers
