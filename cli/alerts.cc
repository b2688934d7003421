// `stele alerts`: rules that watch over figures, and how they are doing.
#include "server/alerts/alerts.h"

#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/options.h"
#include "cli/registry_change.h"
#include "cli/remote/asker.h"
#include "cli/remote/command.h"
#include "cli/source.h"
#include "cli/text.h"
#include "server/alerts/deliveries.h"
#include "server/alerts/recording.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

using server::alerts::AlertStatus;
using server::alerts::DocumentsOf;
using server::alerts::LastDeliveryOf;
using server::alerts::ReadRule;
using server::alerts::RecordRemoval;
using server::alerts::RecordRule;

constexpr OptionSpec kListOptions[] = {kData, kJson};
constexpr OptionSpec kRemoveOptions[] = {kBy, kData, kJson};
constexpr OptionSpec kSetOptions[] = {
    {"--definition", "NAME", "the definition that it watches over (default: all together)"},
    {"--window", "DURATION", "how much of the last time is counted (default 5m)"},
    {"--for", "DURATION", "how long the condition must hold (default: it fires at once)"},
    {"--message", "TEXT", "a template of what is said"},
    {"--notify", "JSON", "who is told: a configuration of webhook or notification"},
    kBy,
    kData,
    kJson};

// What fires, and what was told of it last, is recorded; the rest is known to a server alone.
Result<std::vector<AlertStatus>> KnownHere(const Arguments& arguments) {
  const auto registry = ReadRegistryOf(arguments);
  if (!registry.has_value()) return std::unexpected(registry.error());
  std::vector<AlertStatus> all;
  for (const auto& [name, document] : DocumentsOf(*registry)) {
    const auto read = ParseJson(document);
    const Value* rule = read.has_value() ? read->Find("rule") : nullptr;
    if (rule == nullptr || !rule->is_object()) continue;
    const auto firing = registry->alerts.find(name);
    const bool fires = firing != registry->alerts.end();
    AlertStatus& status = all.emplace_back();
    status.name = name;
    status.rule = rule->as_object();
    if (fires) status.state = "firing";
    if (fires) status.since = firing->second.since;
    status.delivery = LastDeliveryOf(*registry, name);
  }
  return all;
}

Result<std::vector<AlertStatus>> KnownThere(const Arguments& arguments) {
  STELE_RETURN_IF_ERROR(CheckAtServer(arguments));
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  const auto listed =
      (*server)->Wait((*server)->session().alertsRequest().send().getAlerts().listRequest().send());
  if (!listed.has_value()) return std::unexpected(listed.error());
  std::vector<AlertStatus> all;
  const auto parsed = [](const capnp::Text::Reader text) {
    return ParseJson(text.cStr()).value_or(Value());
  };
  for (const auto alert : listed->getAlerts()) {
    const Value rule = parsed(alert.getRule());
    if (!rule.is_object()) continue;
    const Value value = parsed(alert.getValue());
    AlertStatus& status = all.emplace_back();
    status.name = alert.getName().cStr();
    status.rule = rule.as_object();
    status.state = alert.getState().cStr();
    status.since = TimeUs(alert.getSince());
    status.looked = TimeUs(alert.getLooked());
    if (value.is_object()) status.value = value.as_object();
    status.fault = alert.getFault().cStr();
    status.delivery = parsed(alert.getDelivery());
  }
  return all;
}

std::string TextOf(const Object& rule, std::string_view member, std::string_view otherwise) {
  const Value* value = rule.Find(member);
  if (value == nullptr || value->is_null()) return std::string(otherwise);
  return value->is_string() ? value->as_string() : stele::ToJson(*value);
}

std::string TellerOf(const Object& rule) {
  const Value* notify = rule.Find("notify");
  if (notify == nullptr || !notify->is_object()) return "-";
  return TextOf(notify->as_object(), "type", "webhook");
}

// "failed 3, started 12"
std::string FiguresOf(const Object& value) {
  std::string text;
  for (const Member& figure : value)
    text +=
        fmt::format("{}{} {}", text.empty() ? "" : ", ", figure.key, stele::ToJson(figure.value));
  return text.empty() ? "-" : text;
}

// "delivered"; "retrying: status 503"
std::string DeliveryOf(const Value& delivery) {
  if (!delivery.is_object()) return "-";
  const std::string error = TextOf(delivery.as_object(), "error", "");
  return TextOf(delivery.as_object(), "state", "-") + (error.empty() ? "" : ": " + error);
}

std::vector<std::string> RowOf(const AlertStatus& alert) {
  return {Clean(alert.name),
          alert.state.empty() ? "-" : alert.state,
          alert.since ? Time(alert.since) : "-",
          Clean(TextOf(alert.rule, "condition", "-")),
          Clean(TextOf(alert.rule, "definition", "-")),
          Clean(TextOf(alert.rule, "window", "5m")),
          Clean(TextOf(alert.rule, "for", "-")),
          Clean(TellerOf(alert.rule)),
          Clean(FiguresOf(alert.value)),
          Clean(DeliveryOf(alert.delivery)),
          alert.fault.empty() ? "-" : Clean(alert.fault)};
}

Result<Object> GivenRule(const Arguments& arguments) {
  Object rule{{"condition", arguments.operands()[1]}};
  for (const auto& [option, member] : {std::pair{"--definition", "definition"},
                                       {"--window", "window"},
                                       {"--for", "for"},
                                       {"--message", "message"}})
    if (arguments.Has(option)) rule.Set(member, arguments.Get(option));
  if (!arguments.Has("--notify")) return rule;
  auto notify = ParseJson(arguments.Get("--notify"));
  if (!notify.has_value() || !notify->is_object())
    return Fail(ErrorCode::kUsage, fmt::format("Expected a JSON object for --notify but found {}",
                                               arguments.Get("--notify")));
  rule.Set("notify", *std::move(notify));
  return rule;
}

int Report(const Arguments& arguments, const Terminal& terminal, const Status& done,
           std::string_view what) {
  if (!done.has_value()) return Refuse(terminal, done.error());
  const std::string& name = arguments.operands()[0];
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(Object{{"alert", name}, {"status", what}})) + "\n");
  } else {
    terminal.Print(fmt::format("alert rule {} is {}\n", Clean(name), what));
  }
  return kExitDone;
}

Status SetThere(const Arguments& arguments, const Object& rule) {
  STELE_RETURN_IF_ERROR(CheckAtServer(arguments));
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  auto request = (*server)->session().alertsRequest().send().getAlerts().setRequest();
  request.setName(server::rpc::TextOf(arguments.operands()[0]));
  request.setRule(server::rpc::TextOf(stele::ToJson(Value(rule))));
  const auto set = PositionOf(**server, kj::mv(request));
  if (!set.has_value()) return std::unexpected(set.error());
  return {};
}

Status SetHere(const Arguments& arguments, const Object& given) {
  RegistryChange change(arguments);
  STELE_RETURN_IF_ERROR(change.Open(false));
  // What `notify` may say is theirs to know.
  change.engine().AddExecutors({}, {});
  auto rule = ReadRule(arguments.operands()[0], given, change.engine().tasks());
  if (!rule.has_value()) return std::unexpected(rule.error());
  STELE_RETURN_IF_ERROR(
      RecordRule(change.shard(), *std::move(rule), change.asker(), change.Answer()));
  return change.Finish();
}

Status RemoveThere(const Arguments& arguments) {
  STELE_RETURN_IF_ERROR(CheckAtServer(arguments));
  const auto server = Remote::Open(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  auto request = (*server)->session().alertsRequest().send().getAlerts().removeRequest();
  request.setName(server::rpc::TextOf(arguments.operands()[0]));
  const auto removed = PositionOf(**server, kj::mv(request));
  if (!removed.has_value()) return std::unexpected(removed.error());
  return {};
}

Status RemoveHere(const Arguments& arguments) {
  RegistryChange change(arguments);
  STELE_RETURN_IF_ERROR(change.Open(false));
  STELE_RETURN_IF_ERROR(
      RecordRemoval(change.shard(), arguments.operands()[0], change.asker(), change.Answer()));
  return change.Finish();
}

int ListAlerts(const Arguments& arguments, const Terminal& terminal) {
  const auto all = IsForServer(arguments) ? KnownThere(arguments) : KnownHere(arguments);
  if (!all.has_value()) return Refuse(terminal, all.error());
  std::vector<std::vector<std::string>> rows{{"ALERT", "STATE", "SINCE", "CONDITION", "DEFINITION",
                                              "WINDOW", "FOR", "TELLS", "VALUE", "DELIVERY",
                                              "FAULT"}};
  Array documents;
  for (const AlertStatus& alert : *all) {
    rows.push_back(RowOf(alert));
    Object document = server::alerts::ToJson(alert);
    if (alert.state.empty()) document.Set("state", Value());
    documents.emplace_back(std::move(document));
  }
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(std::move(documents))) + "\n");
  } else {
    terminal.Print(rows.size() == 1 ? "no alert rules are set\n" : Table(terminal, rows));
  }
  return kExitDone;
}

int SetAlert(const Arguments& arguments, const Terminal& terminal) {
  const auto rule = GivenRule(arguments);
  if (!rule.has_value()) return Refuse(terminal, rule.error());
  return Report(arguments, terminal,
                IsForServer(arguments) ? SetThere(arguments, *rule) : SetHere(arguments, *rule),
                "set");
}

int RemoveAlert(const Arguments& arguments, const Terminal& terminal) {
  return Report(arguments, terminal,
                IsForServer(arguments) ? RemoveThere(arguments) : RemoveHere(arguments), "removed");
}

constexpr Command kCommands[] = {
    {{"alerts list", "", 0, 0, "Lists the alert rules, and which of them fire.",
      "Of a data directory: what was recorded last; only a server looks at rules.\n\n"
      "  stele alerts list\n",
      kListOptions, kAtServer},
     ListAlerts},
    {{"alerts set", "NAME CONDITION", 2, 2, "Sets a rule that a server watches over.",
      "The condition is an expression over figures; docs/alerts.md has them all.\n\n"
      "  stele alerts set high_failure_rate 'failure_rate > 0.1'\n"
      "  stele alerts set slow_orders 'p95_duration > 30' --definition orders --window 10m --for "
      "5m\n"
      "  stele alerts set parked 'incidents > 0' --notify '{\"url\": \"https://hooks/stele\"}'\n",
      kSetOptions, kAtServer},
     SetAlert},
    {{"alerts remove", "NAME", 1, 1, "Removes a rule; what fires by it is over.",
      "  stele alerts remove high_failure_rate\n", kRemoveOptions, kAtServer},
     RemoveAlert},
};

}  // namespace

std::span<const Command> AlertCommands() {
  return kCommands;
}

}  // namespace stele::cli
