#include "server/alerts/rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/json.h"
#include "base/nearest.h"
#include "engine/definition/duration.h"
#include "engine/definition/faults.h"
#include "engine/triggers/firing_input.h"
#include "server/alerts/figures.h"
#include "server/alerts/limits.h"
#include "server/alerts/message.h"

namespace stele::server::alerts {

namespace {

using definition::Quote;

constexpr std::array kMembers = {"condition", "definition", "window", "for", "message", "notify"};
constexpr std::array kTellers = {"webhook", "notification"};

std::unexpected<Error> Refused(std::string_view expected, std::string_view member,
                               std::string_view found) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected {} for \"{}\" but found {}", expected, member, found));
}

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

Status CheckName(std::string_view name) {
  const bool fits =
      !name.empty() && name.size() <= kMaxRuleNameBytes && std::ranges::all_of(name, IsNameByte);
  if (fits) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected the name of a rule of at most {} letters, digits, \"_\", \"-\" "
                          "and \".\" but found {}",
                          kMaxRuleNameBytes, Quote(name)));
}

Status CheckMembers(const Object& given) {
  const std::vector<std::string> known(kMembers.begin(), kMembers.end());
  for (const Member& member : given) {
    if (std::ranges::find(known, member.key) != known.end()) continue;
    return Fail(ErrorCode::kUnknownKey,
                fmt::format("Expected {} as a member of a rule but found {}",
                            definition::QuoteList(known, "or"), Quote(member.key)));
  }
  return {};
}

// The empty text where there is none.
Result<std::string> TextOf(const Object& given, std::string_view member) {
  const Value* value = given.Find(member);
  if (value == nullptr || value->is_null()) return std::string();
  if (value->is_string()) return value->as_string();
  return Refused("a text", member, KindName(value->kind()));
}

Result<int64_t> DurationOf(const Object& given, std::string_view member, std::string_view otherwise,
                           int64_t least, int64_t most) {
  const Value* value = given.Find(member);
  const bool is_given = value != nullptr && !value->is_null();
  const std::string text = !is_given            ? std::string(otherwise)
                           : value->is_string() ? value->as_string()
                                                : stele::ToJson(*value);
  const auto us = definition::ParseDuration(text);
  if (us.has_value() && *us >= least && *us <= most) return *us;
  return Refused(
      fmt::format("a duration from {} s to {} s, such as 5m,", least / 1'000'000, most / 1'000'000),
      member, Quote(text));
}

Result<expression::Expression> ConditionOf(const Object& given) {
  const auto text = TextOf(given, "condition");
  if (!text.has_value()) return std::unexpected(text.error());
  if (text->empty())
    return Refused("an expression such as failure_rate > 0.1", "condition", "none");
  auto condition = expression::Expression::Compile(*text);
  if (!condition.has_value()) return condition;
  const std::vector<std::string> known = FigureNames();
  for (const expression::Reference& reference : condition->references()) {
    if (reference.path.size() == 1 && std::ranges::find(known, reference.path[0]) != known.end())
      continue;
    const std::string near = Nearest(reference.path[0], known);
    return Fail(ErrorCode::kUnknownReference,
                fmt::format("Expected {} at column {} of the condition but found {}",
                            near.empty() ? definition::QuoteList(known, "or") : Quote(near),
                            reference.column, Quote(reference.path[0])));
  }
  if (condition->references().empty())
    return Refused("an expression over a figure such as failure_rate", "condition", Quote(*text));
  const Object sample = SampleFigures();
  const auto tried = condition->Evaluate(triggers::RootsEnvironment(sample));
  if (!tried.has_value()) return std::unexpected(tried.error());
  // A number would hold as soon as it is not 0.
  if (!tried->is_bool())
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("Expected a comparison such as failure_rate > 0.1 at column {} of the "
                    "condition but found {}: {}",
                    text->find_first_not_of(" \t\r\n") + 1, KindName(tried->kind()), Quote(*text)));
  return condition;
}

Result<expression::Template> MessageOf(const Object& given) {
  const auto text = TextOf(given, "message");
  if (!text.has_value()) return std::unexpected(text.error());
  auto message = expression::Template::Compile(*text);
  if (!message.has_value()) return message;
  const auto rendered = message->Render(triggers::RootsEnvironment(SampleRoots()));
  if (!rendered.has_value()) return std::unexpected(rendered.error());
  // A message is kept in the log.
  if (!rendered->secrets.empty()) return Refused("a text without secrets", "message", "one");
  return message;
}

Result<std::optional<Notify>> NotifyOf(const Object& given, const tasks::TaskRegistry& tasks) {
  const Value* value = given.Find("notify");
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_object()) return Refused("an object", "notify", KindName(value->kind()));
  Object config = value->as_object();
  const auto type = TextOf(config, "type");
  if (!type.has_value()) return std::unexpected(type.error());
  config.Erase("type");
  const std::string teller = type->empty() ? kTellers[0] : *type;
  if (std::ranges::find(kTellers, teller) == kTellers.end())
    return Refused("webhook or notification", "notify.type", Quote(teller));
  const tasks::TaskExecutor* executor = tasks.Find(teller);
  if (executor == nullptr)
    return Fail(ErrorCode::kUnsupported,
                fmt::format("Expected an engine that does {} but found one that does not", teller));
  // What is sent is the rule's message.
  Object tried = config;
  if (teller == "notification") tried.Set("message", "{{ message }}");
  if (const auto faults = executor->CheckConfig(tried); !faults.empty())
    return Fail(ErrorCode::kInvalidInput, "notify: " + faults.front());
  auto compiled = expression::Template::Compile(std::move(config));
  if (!compiled.has_value()) return std::unexpected(compiled.error());
  for (const expression::Reference& reference : compiled->references())
    if (reference.path[0] != "secrets")
      return Refused("templates of secrets alone", "notify", Quote(reference.path[0]));
  return Notify{teller, *std::move(compiled)};
}

}  // namespace

Result<Rule> ReadRule(std::string_view name, const Object& given,
                      const tasks::TaskRegistry& tasks) {
  STELE_RETURN_IF_ERROR(CheckName(name));
  STELE_RETURN_IF_ERROR(CheckMembers(given));
  if (const size_t bytes = stele::ToJson(Value(given)).size(); bytes > kMaxRuleBytes)
    return Fail(
        ErrorCode::kLimitExceeded,
        fmt::format("Expected a rule of at most {} bytes but found {}", kMaxRuleBytes, bytes));
  auto condition = ConditionOf(given);
  if (!condition.has_value()) return std::unexpected(condition.error());
  auto definition = TextOf(given, "definition");
  if (!definition.has_value()) return std::unexpected(definition.error());
  const auto window = DurationOf(given, "window", kDefaultWindow, kMinWindowUs, kMaxWindowUs);
  if (!window.has_value()) return std::unexpected(window.error());
  const auto hold = DurationOf(given, "for", "0s", 0, kMaxHoldUs);
  if (!hold.has_value()) return std::unexpected(hold.error());
  auto message = MessageOf(given);
  if (!message.has_value()) return std::unexpected(message.error());
  auto notify = NotifyOf(given, tasks);
  if (!notify.has_value()) return std::unexpected(notify.error());
  const Value* written = given.Find("window");
  const bool has_window = written != nullptr && !written->is_null();
  return Rule{.name = std::string(name),
              .condition = *std::move(condition),
              .definition = *std::move(definition),
              .window = !has_window            ? kDefaultWindow
                        : written->is_string() ? written->as_string()
                                               : stele::ToJson(*written) + "s",
              .window_us = *window,
              .hold_us = *hold,
              .message = *std::move(message),
              .notify = *std::move(notify),
              .given = given,
              .since = {}};
}

std::string ToDocument(const Rule& rule) {
  return stele::ToJson(
      Value(Object{{"rule", rule.given}, {"since", static_cast<int64_t>(rule.since.value)}}));
}

Result<Rule> ReadDocument(std::string_view name, std::string_view document,
                          const tasks::TaskRegistry& tasks) {
  const auto read = ParseJson(document, nullptr, kWrittenJson);
  const Value* given = read.has_value() ? read->Find("rule") : nullptr;
  const Value* since = read.has_value() ? read->Find("since") : nullptr;
  if (given == nullptr || !given->is_object() || since == nullptr || !since->is_int())
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("Expected an alert rule in the setting of {} but found none", Quote(name)));
  auto rule = ReadRule(name, given->as_object(), tasks);
  if (rule.has_value()) rule->since = Seq(static_cast<uint64_t>(since->as_int()));
  return rule;
}

}  // namespace stele::server::alerts
