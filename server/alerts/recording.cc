#include "server/alerts/recording.h"

#include <fmt/format.h>

#include "base/json.h"
#include "engine/definition/faults.h"
#include "server/alerts/limits.h"

namespace stele::server::alerts {

namespace {

// Of the rule that is in the registry already: what was recorded since then may not be delivered.
// Nothing when nobody was to be told.
std::optional<Seq> SinceOf(const std::string& document) {
  const auto read = ParseJson(document, nullptr, kWrittenJson);
  const Value* rule = read.has_value() ? read->Find("rule") : nullptr;
  const Value* notify = rule != nullptr ? rule->Find("notify") : nullptr;
  const Value* since = read.has_value() ? read->Find("since") : nullptr;
  if (notify == nullptr || !notify->is_object() || since == nullptr || !since->is_int())
    return std::nullopt;
  return Seq(static_cast<uint64_t>(since->as_int()));
}

void Unheard(const Result<Position>&) {}

}  // namespace

std::unexpected<Error> UnknownRule(const std::string& name) {
  return Fail(ErrorCode::kUnknownAlert,
              fmt::format("Expected an alert rule but found none that is called {}",
                          definition::Quote(name)));
}

std::map<std::string, std::string> DocumentsOf(const model::Registry& registry) {
  std::map<std::string, std::string> documents;
  for (auto at = registry.settings.lower_bound(kRulePrefix);
       at != registry.settings.end() && at->first.starts_with(kRulePrefix); ++at)
    documents.emplace(at->first.substr(kRulePrefix.size()), at->second);
  return documents;
}

Status RecordRule(runtime::Shard& shard, Rule rule, model::Asker asker,
                  runtime::Shard::Answer answer) {
  const auto known = DocumentsOf(shard.registry());
  const auto before = known.find(rule.name);
  if (before == known.end() && known.size() >= kMaxRules)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected at most {} alert rules but found as many", kMaxRules));
  rule.since = shard.registry().seq;
  if (before != known.end()) rule.since = SinceOf(before->second).value_or(rule.since);
  const std::string document = ToDocument(rule);
  // What cannot be read again would take the place of a rule that can.
  if (const auto again = ParseJson(document, nullptr, kWrittenJson); !again.has_value())
    return std::unexpected(again.error());
  shard.ChangeSetting(std::string(kRulePrefix) + rule.name, document, asker, std::move(answer));
  return {};
}

Status RecordRemoval(runtime::Shard& shard, const std::string& name, model::Asker asker,
                     runtime::Shard::Answer answer) {
  const model::Registry& registry = shard.registry();
  const std::string rule = std::string(kRulePrefix) + name;
  const std::string delivery = std::string(kDeliveryPrefix) + name;
  if (!registry.settings.contains(rule)) return UnknownRule(name);
  if (registry.alerts.contains(name))
    shard.ChangeAlert({.rule = name, .firing = false, .document = "{}"}, asker, Unheard);
  if (registry.settings.contains(delivery)) shard.ChangeSetting(delivery, "", asker, Unheard);
  shard.ChangeSetting(rule, "", asker, std::move(answer));
  return {};
}

}  // namespace stele::server::alerts
