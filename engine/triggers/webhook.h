// Webhooks: whether a request starts something, and with what input.
//
// One request may fire several triggers: GitHub sends all events of a repository to one address.
// The checks come in this order, and the first that fails decides: size, path, method, signature,
// JSON, event and action, branch or tag, filters, input.
//
// Pure functions; a WebhookConfig never changes and may be used from several threads.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "engine/expression/expression.h"
#include "engine/triggers/limits.h"

namespace stele::triggers {

enum class WebhookKind : uint8_t {
  kPlain,
  kGithubPush,         // a branch was pushed to (or a tag, when `tags` is given)
  kGithubPullRequest,  // opened, synchronize or reopened, unless `types` says otherwise
  kGithubIssue,        // opened, unless `types` says otherwise
  kGithubTag,          // a tag was created
};
// "webhook", "github_push", …
std::string_view WebhookKindName(WebhookKind kind);

struct WebhookConfig {
  WebhookKind kind = WebhookKind::kPlain;
  std::string path;                             // "/hooks/orders"; empty: its owner gives it one
  std::vector<std::string> methods{"POST"};     // upper case
  std::string secret;                           // the name of one; empty: no signature is asked for
  std::vector<std::string> events;              // of X-GitHub-Event; empty: all but ping
  std::vector<std::string> actions;             // of the payload; empty: all
  std::vector<std::string> branches;            // filters (glob.h); both empty: no branch or tag is
  std::vector<std::string> tags;                // asked for
  std::vector<expression::Expression> filters;  // over payload, headers, query; all must hold
  std::optional<expression::Template> input;    // over the same; renders to an object
};

struct WebhookRequest {
  std::string_view method;
  std::string_view path;                                     // without the query
  std::vector<std::pair<std::string, std::string>> query;    // decoded
  std::vector<std::pair<std::string, std::string>> headers;  // names in any case
  std::string_view body;
};

// What a template or filter sees as `headers` leaves these out, so that no password reaches the
// log: authorization, proxy-authorization, cookie, x-hub-signature, x-hub-signature-256,
// x-stele-signature-256. The names are in lower case.

struct WebhookFires {
  Value input;                    // an object
  std::string deduplication_key;  // X-GitHub-Delivery or Idempotency-Key; may be empty
  std::string_view kind;
  std::string trace_parent;  // the header `traceparent`, as it was given; empty: none
};
struct WebhookIgnored {
  std::string reason;
};
struct WebhookRefused {
  int status;  // of HTTP: 400, 401, 404, 405, 413, 422 (no input can be made), 503 (no such secret)
  Error error;
};
using WebhookVerdict = std::variant<WebhookFires, WebhookIgnored, WebhookRefused>;

// The text of a secret by its name; nothing when there is none. Called at most once a trigger.
using SecretSource = std::function<std::optional<std::string>(std::string_view name)>;

// One trigger's verdict.
WebhookVerdict DecideWebhook(const WebhookConfig& config, const WebhookRequest& request,
                             const SecretSource& secrets,
                             size_t max_body_bytes = kMaxWebhookBodyBytes);

// The verdicts of all triggers whose path and method are the request's, by index. `refusal` is set
// when there is none such, or when every one of them refuses: the first's then.
struct WebhookAnswer {
  std::optional<WebhookRefused> refusal;
  std::vector<std::pair<size_t, WebhookVerdict>> verdicts;
};
WebhookAnswer DecideWebhooks(std::span<const WebhookConfig> configs, const WebhookRequest& request,
                             const SecretSource& secrets,
                             size_t max_body_bytes = kMaxWebhookBodyBytes);

}  // namespace stele::triggers
