// The keys of webhooks, GitHub's among them, and of events.
#include <fmt/format.h>

#include <algorithm>

#include "engine/definition/faults.h"
#include "engine/definition/reader.h"
#include "engine/secrets/secrets.h"
#include "engine/triggers/trigger_kinds.h"

namespace stele::triggers {
namespace {

const ConfigFields::Roots& WebhookRoots() {
  static const ConfigFields::Roots kRoots = {"payload", "headers", "query"};
  return kRoots;
}

std::string ReadPath(ConfigFields& fields) {
  const auto field = fields.Take({"path", "url"});
  if (!field) return {};
  if (field->value->is_string()) {
    const std::string& path = field->value->as_string();
    if (path.starts_with('/') && path.size() <= kMaxPathBytes &&
        path.find_first_of("?# ") == std::string::npos)
      return path;
  }
  fields.AddExpected(*field, fmt::format("a path of at most {} bytes that begins with / and has no "
                                         "query",
                                         kMaxPathBytes));
  return {};
}

std::vector<std::string> ReadMethods(ConfigFields& fields) {
  static const std::vector<std::string> kMethods = {"POST", "PUT", "PATCH", "GET", "DELETE"};
  std::string pointer;
  std::vector<std::string> methods = fields.Words({"method", "methods"}, &pointer);
  for (std::string& method : methods) {
    for (char& c : method)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (std::ranges::find(kMethods, method) == kMethods.end())
      fields.Add(ErrorCode::kInvalidDefinition, pointer,
                 fmt::format("Expected `method` to be {} but found {}",
                             definition::QuoteList(kMethods, "or"), definition::Quote(method)));
  }
  if (methods.empty()) methods.emplace_back("POST");
  return methods;
}

// "{{ secrets.github }}", "${secrets.github}" or "secrets.github": a definition is kept in the log
// for ever, so the text of a secret must not stand in it.
std::string ReadSecret(ConfigFields& fields) {
  const auto field = fields.Take({"secret"});
  if (!field) return {};
  if (field->value->is_string()) {
    std::string_view text = field->value->as_string();
    for (const auto& [open, close] : {std::pair<std::string_view, std::string_view>("{{", "}}"),
                                      std::pair<std::string_view, std::string_view>("${", "}")})
      if (text.starts_with(open) && text.ends_with(close))
        text = text.substr(open.size(), text.size() - open.size() - close.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    static constexpr std::string_view kPrefix = "secrets.";
    if (text.starts_with(kPrefix) && secrets::CheckName(text.substr(kPrefix.size())).has_value())
      return std::string(text.substr(kPrefix.size()));
  }
  // What was found may be a secret: it is not repeated.
  fields.Add(ErrorCode::kInvalidDefinition, field->pointer,
             "Expected `secret` to name a secret like {{ secrets.github }} but found something "
             "else; the text of a secret must not stand in a definition");
  return {};
}

std::vector<std::string> ReadGlobs(ConfigFields& fields, ConfigFields::Names names) {
  std::string pointer;
  std::vector<std::string> globs = fields.Words(names, &pointer);
  const bool too_long = std::ranges::any_of(
      globs, [](const std::string& glob) { return glob.size() > kMaxGlobBytes; });
  if (globs.size() > kMaxGlobs || too_long)
    fields.Add(
        ErrorCode::kLimitExceeded, pointer,
        fmt::format("Expected `{}` to hold at most {} patterns of at most {} bytes but found "
                    "more",
                    *names.begin(), kMaxGlobs, kMaxGlobBytes));
  if (!globs.empty() &&
      std::ranges::all_of(globs, [](const std::string& glob) { return glob.starts_with('!'); }))
    globs.insert(globs.begin(), "**");
  return globs;
}

// "owner/name": a filter like any other.
void ReadRepository(ConfigFields& fields, WebhookConfig& config) {
  const auto field = fields.Take({"repository", "repo"});
  if (!field) return;
  const bool is_name = field->value->is_string() &&
                       field->value->as_string().find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") ==
                           std::string::npos;
  if (!is_name) {
    fields.AddExpected(*field, "a repository like \"owner/name\"");
    return;
  }
  fields.Compile("payload.repository.full_name == \"" + field->value->as_string() + "\"",
                 field->pointer, WebhookRoots(), config.filters);
}

void ReadEvents(ConfigFields& fields, WebhookConfig& config) {
  switch (config.kind) {
    case WebhookKind::kPlain:
      config.events = fields.Words({"events", "event"});
      config.actions = fields.Words({"event_actions", "types"});
      return;
    case WebhookKind::kGithubPush:
      config.events = {"push"};
      return;
    case WebhookKind::kGithubPullRequest:
      config.events = {"pull_request"};
      config.actions = fields.Words({"event_actions", "types"});
      if (config.actions.empty()) config.actions = {"opened", "synchronize", "reopened"};
      return;
    case WebhookKind::kGithubIssue:
      config.events = {"issues"};
      config.actions = fields.Words({"event_actions", "types"});
      if (config.actions.empty()) config.actions = {"opened"};
      return;
    case WebhookKind::kGithubTag:
      config.events = {"create"};
      return;
  }
}

}  // namespace

WebhookConfig ReadWebhook(ConfigFields& fields, WebhookKind kind) {
  WebhookConfig config{.kind = kind};
  config.path = ReadPath(fields);
  if (kind == WebhookKind::kPlain) config.methods = ReadMethods(fields);
  config.secret = ReadSecret(fields);
  ReadEvents(fields, config);
  if (kind != WebhookKind::kGithubIssue && kind != WebhookKind::kGithubTag)
    config.branches = ReadGlobs(fields, {"branches", "branch"});
  if (kind == WebhookKind::kPlain || kind == WebhookKind::kGithubPush ||
      kind == WebhookKind::kGithubTag)
    config.tags = ReadGlobs(fields, {"tags", "tag"});
  if (kind != WebhookKind::kPlain) ReadRepository(fields, config);
  fields.Expressions({"filter", "condition", "when"}, WebhookRoots(), config.filters);
  fields.Expressions({"conditions"}, WebhookRoots(), config.filters);
  config.input = fields.Input({"input", "inputs", "input_mapping", "mapping"}, WebhookRoots());
  return config;
}

std::optional<EventTrigger> ReadEvent(ConfigFields& fields, const std::string& custom,
                                      const std::string& title) {
  auto event = fields.Text({"event", "message", "event_name", "event_type"});
  const auto name = fields.Text({"name"}, ConfigFields::Place::kConfig);
  for (const auto& candidate : {event, name})
    if (candidate) return EventTrigger{*candidate};
  if (!custom.empty()) return EventTrigger{custom};
  if (!title.empty()) return EventTrigger{title};
  fields.Add(ErrorCode::kInvalidDefinition, fields.pointer(),
             "Expected `event`, the name of what fires the trigger, but found none");
  return std::nullopt;
}

}  // namespace stele::triggers
