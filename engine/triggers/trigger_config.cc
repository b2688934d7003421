#include "engine/triggers/trigger_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/check.h"
#include "engine/definition/faults.h"
#include "engine/definition/reader.h"
#include "engine/triggers/config_fields.h"
#include "engine/triggers/trigger_kinds.h"

namespace stele::triggers {
namespace {

enum class Kind : uint8_t {
  kManual,
  kApi,
  kSchedule,
  kWebhook,
  kGithubPush,
  kGithubPullRequest,
  kGithubIssue,
  kGithubTag,
  kEvent,
  kCondition,
};

// The first spelling is the one that messages and names use.
constexpr std::pair<std::string_view, Kind> kKinds[] = {
    {"manual", Kind::kManual},
    {"api", Kind::kApi},
    {"schedule", Kind::kSchedule},
    {"cron", Kind::kSchedule},
    {"timer", Kind::kSchedule},
    {"interval", Kind::kSchedule},
    {"scheduled", Kind::kSchedule},
    {"webhook", Kind::kWebhook},
    {"github_push", Kind::kGithubPush},
    {"git_push", Kind::kGithubPush},
    {"gitpush", Kind::kGithubPush},
    {"push", Kind::kGithubPush},
    {"github_pull_request", Kind::kGithubPullRequest},
    {"pull_request", Kind::kGithubPullRequest},
    {"pullrequest", Kind::kGithubPullRequest},
    {"github_issue", Kind::kGithubIssue},
    {"issue", Kind::kGithubIssue},
    {"issues", Kind::kGithubIssue},
    {"github_tag", Kind::kGithubTag},
    {"git_tag", Kind::kGithubTag},
    {"gittag", Kind::kGithubTag},
    {"tag", Kind::kGithubTag},
    {"event", Kind::kEvent},
    {"message", Kind::kEvent},
    {"signal", Kind::kEvent},
    {"custom", Kind::kEvent},
    {"condition", Kind::kCondition},
    {"conditional", Kind::kCondition},
};

std::string_view NameOf(Kind kind) {
  return std::ranges::find(kKinds, kind, &std::pair<std::string_view, Kind>::second)->first;
}

struct Type {
  Kind kind;
  std::string custom;  // of "custom:NAME"
};

std::optional<Type> ReadType(ConfigFields& fields) {
  const auto field = fields.Take({"type", "type_", "kind"}, ConfigFields::Place::kBeside);
  if (!field) {
    fields.Add(ErrorCode::kInvalidDefinition, fields.pointer(),
               "Expected a `type` in a trigger but found none");
    return std::nullopt;
  }
  // {Custom: NAME} is how some notations write a variant with a value.
  const Value* inner = nullptr;
  for (const std::string_view key : {"custom", "Custom"})
    if (inner == nullptr) inner = field->value->Find(key);
  std::string text;
  if (field->value->is_string()) text = field->value->as_string();
  if (inner != nullptr && inner->is_string()) text = "custom:" + inner->as_string();
  std::string custom;
  if (const size_t colon = text.find(':'); definition::Fold(text.substr(0, colon)) == "custom") {
    if (colon != std::string::npos) custom = text.substr(colon + 1);
    custom.erase(0, std::min(custom.find_first_not_of(' '), custom.size()));
    text = definition::Fold(custom) == "git_tag" ? custom : "custom";
  }
  for (const auto& [name, kind] : kKinds)
    if (definition::Fold(text) == name) return Type{kind, custom};
  fields.Add(ErrorCode::kInvalidDefinition, field->pointer,
             fmt::format("Expected a trigger's type to be {} but found {}",
                         definition::QuoteList(KindNames(), "or"), DescribeValue(*field->value)));
  return std::nullopt;
}

WebhookKind WebhookKindOf(Kind kind) {
  switch (kind) {
    case Kind::kGithubPush:
      return WebhookKind::kGithubPush;
    case Kind::kGithubPullRequest:
      return WebhookKind::kGithubPullRequest;
    case Kind::kGithubIssue:
      return WebhookKind::kGithubIssue;
    case Kind::kGithubTag:
      return WebhookKind::kGithubTag;
    case Kind::kManual:
    case Kind::kApi:
    case Kind::kSchedule:
    case Kind::kWebhook:
    case Kind::kEvent:
    case Kind::kCondition:
      return WebhookKind::kPlain;
  }
  CHECK(false, "{}", static_cast<int>(kind));
}

// An expression that reads nothing never changes.
void ReadCondition(ConfigFields& fields, TriggerConfig& trigger) {
  const size_t faults_before = fields.fault_count();
  fields.Expressions({"condition", "expression", "when"}, {}, trigger.conditions);
  fields.Expressions({"conditions"}, {}, trigger.conditions);
  const auto hold = fields.Duration({"for", "hold"});
  trigger.detail = ConditionTrigger{hold.value_or(0)};
  const bool reads = std::ranges::any_of(
      trigger.conditions,
      [](const expression::Expression& condition) { return !condition.references().empty(); });
  if (!reads && fields.fault_count() == faults_before)
    fields.Add(ErrorCode::kInvalidDefinition, fields.pointer(),
               "Expected a `condition` that reads something, like \"instances.failed > 10\", but "
               "found none");
}

void ReadPlain(ConfigFields& fields, TriggerConfig& trigger, const ConfigFields::Roots& roots,
               ConfigFields::Names filters) {
  fields.Expressions(filters, roots, trigger.conditions);
  fields.Expressions({"conditions"}, roots, trigger.conditions);
}

void ReadInput(ConfigFields& fields, const ConfigFields::Roots& roots, TriggerConfig& trigger) {
  trigger.input = fields.Input({"input", "inputs", "input_mapping", "mapping"}, roots);
}

// The keys of its kind.
void ReadDetail(ConfigFields& fields, const Type& type, TriggerConfig& trigger) {
  static const ConfigFields::Roots kEvent = {"name", "key", "payload"};
  static const ConfigFields::Roots kInput = {"input"};
  static const ConfigFields::Roots kTrigger = {"trigger"};
  switch (type.kind) {
    case Kind::kManual:
    case Kind::kApi:
      if (type.kind == Kind::kApi) trigger.detail = ApiTrigger{};
      ReadPlain(fields, trigger, kInput, {"condition", "when"});
      ReadInput(fields, kInput, trigger);
      return;
    case Kind::kSchedule:
      if (auto schedule = ReadSchedule(fields, trigger.conditions))
        trigger.detail = *std::move(schedule);
      ReadInput(fields, kTrigger, trigger);
      return;
    case Kind::kEvent:
      if (auto event = ReadEvent(fields, type.custom, trigger.title))
        trigger.detail = *std::move(event);
      ReadPlain(fields, trigger, kEvent, {"filter", "correlation", "condition", "when"});
      ReadInput(fields, kEvent, trigger);
      return;
    case Kind::kCondition:
      ReadCondition(fields, trigger);
      ReadInput(fields, {}, trigger);
      return;
    case Kind::kWebhook:
    case Kind::kGithubPush:
    case Kind::kGithubPullRequest:
    case Kind::kGithubIssue:
    case Kind::kGithubTag:
      trigger.detail = ReadWebhook(fields, WebhookKindOf(type.kind));
      return;
  }
}

// What every kind has.
void ReadHead(ConfigFields& fields, TriggerConfig& trigger) {
  constexpr auto kBeside = ConfigFields::Place::kBeside;
  trigger.title = fields.Text({"name", "title"}, kBeside).value_or("");
  trigger.name = fields.Text({"id"}, kBeside).value_or(trigger.title);
  trigger.enabled = fields.Bool({"enabled", "is_enabled"}).value_or(true);
  trigger.paused = fields.Bool({"paused", "is_paused"}).value_or(false);
  for (const std::string_view kept : {"description", "metadata", "labels"})
    fields.Take({kept}, kBeside);
  if (const auto actions = fields.Take({"actions"})) {
    if (actions->value->is_array())
      trigger.actions = *actions->value;
    else
      fields.AddExpected(*actions, "a list");
  }
}

class SectionReader {
 public:
  TriggerSection Read(const Value& triggers) {
    if (triggers.is_null()) return {};
    if (!triggers.is_array()) {
      Add("", ErrorCode::kInvalidDefinition,
          "Expected a list of triggers but found " + DescribeValue(triggers));
      return std::move(section_);
    }
    if (triggers.as_array().size() > kMaxTriggers) {
      Add("", ErrorCode::kLimitExceeded,
          fmt::format("Expected at most {} triggers but found {}", kMaxTriggers,
                      triggers.as_array().size()));
      return std::move(section_);
    }
    size_t index = 0;
    for (const Value& trigger : triggers.as_array()) ReadTrigger(trigger, index++);
    return std::move(section_);
  }

 private:
  void Add(std::string pointer, ErrorCode code, std::string message) {
    section_.faults.push_back({std::move(pointer), code, std::move(message)});
  }

  void ReadTrigger(const Value& value, size_t index) {
    const std::string pointer = fmt::format("/{}", index);
    if (!value.is_object()) {
      Add(pointer, ErrorCode::kInvalidDefinition,
          "Expected a trigger as a mapping but found " + DescribeValue(value));
      return;
    }
    const size_t faults_before = section_.faults.size();
    ConfigFields fields(value, pointer, section_.faults);
    const auto type = ReadType(fields);
    if (!type) return;
    TriggerConfig trigger;
    ReadHead(fields, trigger);
    ReadDetail(fields, *type, trigger);
    fields.Finish();
    if (trigger.name.empty()) trigger.name = fmt::format("{}-{}", NameOf(type->kind), index + 1);
    if (!names_.insert(trigger.name).second)
      Add(pointer, ErrorCode::kDuplicateId,
          fmt::format("Expected each trigger to have a name of its own but found {} again",
                      definition::Quote(trigger.name)));
    if (section_.faults.size() == faults_before) section_.triggers.push_back(std::move(trigger));
  }

  TriggerSection section_;
  std::set<std::string> names_;
};

}  // namespace

TriggerSection ReadTriggers(const Value& triggers) {
  return SectionReader().Read(triggers);
}

std::string_view KindWrittenAs(std::string_view word) {
  const std::string folded = definition::Fold(word.substr(0, word.find(':')));
  const auto found = std::ranges::find(kKinds, folded, &std::pair<std::string_view, Kind>::first);
  return found == std::end(kKinds) ? "" : NameOf(found->second);
}

std::vector<std::string> KindNames() {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kKinds)
    if (NameOf(kind) == name) names.emplace_back(name);
  return names;
}

std::vector<TriggerFault> CheckTriggers(const Value& triggers) {
  return ReadTriggers(triggers).faults;
}

}  // namespace stele::triggers
