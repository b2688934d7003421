// What is asked of rules: alerts.h.
#include "server/alerts/alerts.h"
#include "server/alerts/recording.h"

namespace stele::server::alerts {

namespace {

// What a rule tells whoever may not set one: an address may be a secret.
Object Shown(const Object& rule) {
  Object shown = rule;
  Value* notify = shown.Find("notify");
  if (notify == nullptr || !notify->is_object()) return shown;
  const Value* type = notify->Find("type");
  *notify = Object{{"type", type == nullptr ? Value("webhook") : *type}};
  return shown;
}

}  // namespace

Object ToJson(const AlertStatus& status) {
  const auto time = [](TimeUs at) { return at ? Value(at.value) : Value(); };
  Object shown{{"name", status.name}};
  for (const Member& member : status.rule) shown.Set(member.key, member.value);
  shown.Set("state", status.state);
  shown.Set("since", time(status.since));
  shown.Set("looked", time(status.looked));
  shown.Set("value", status.value);
  shown.Set("fault", status.fault.empty() ? Value() : Value(status.fault));
  shown.Set("delivery", status.delivery);
  return shown;
}

AlertStatus Alerts::StatusOf(const Watched& watched, bool with_notify) const {
  const Rule& rule = watched.rule;
  AlertStatus status{.name = rule.name,
                     .rule = with_notify ? rule.given : Shown(rule.given),
                     .definition = rule.definition,
                     .state = "quiet",
                     .since = {},
                     .looked = watched.looked,
                     .value = watched.value,
                     .fault = watched.fault,
                     .delivery = deliveries_.LastOf(rule.name),
                     .position = {}};
  const auto firing = desk_.registry().alerts.find(rule.name);
  if (firing != desk_.registry().alerts.end()) {
    status.state = "firing";
    status.since = firing->second.since;
  } else if (watched.held_since) {
    status.state = "pending";
    status.since = watched.held_since;
  } else if (!watched.looked || !watched.fault.empty()) {
    status.state = "unknown";
  }
  return status;
}

Result<std::vector<AlertStatus>> Alerts::List(const Caller& caller) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kReadFigures));
  TakeUp();
  const Sight sight = desk_.SightOf(caller, Permission::kRead);
  const bool with_notify = Allows(caller, Permission::kAdminister, nullptr);
  std::vector<AlertStatus> all;
  for (const auto& [name, watched] : watched_)
    if (sight.Sees(watched.rule.definition)) all.push_back(StatusOf(watched, with_notify));
  return all;
}

Result<AlertStatus> Alerts::Get(const Caller& caller, const std::string& name) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kReadFigures));
  TakeUp();
  const auto found = watched_.find(name);
  const Sight sight = desk_.SightOf(caller, Permission::kRead);
  if (found == watched_.end() || !sight.Sees(found->second.rule.definition))
    return UnknownRule(name);
  return StatusOf(found->second, Allows(caller, Permission::kAdminister, nullptr));
}

Promised<AlertStatus> Alerts::Set(const Caller& caller, const std::string& name,
                                  const Object& rule) {
  const auto refuse = [](const Error& error) {
    return Result<AlertStatus>(std::unexpected(error));
  };
  if (const Status allowed = desk_.Allow(caller, Permission::kAdminister); !allowed.has_value())
    return refuse(allowed.error());
  auto read = ReadRule(name, rule, *desk_.engine().tasks);
  if (!read.has_value()) return refuse(read.error());
  auto answering = desk_.Await();
  if (const Status recorded =
          RecordRule(desk_.shard(), *std::move(read), AskerOf(caller), std::move(answering.answer));
      !recorded.has_value())
    return refuse(recorded.error());
  return answering.promise.then(
      [this, caller, name](const Result<Written>& written) -> Result<AlertStatus> {
        if (!written.has_value()) return std::unexpected(written.error());
        auto status = Get(caller, name);
        if (status.has_value()) status->position = written->position;
        return status;
      });
}

Promised<Written> Alerts::Remove(const Caller& caller, const std::string& name) {
  const auto refuse = [](const Error& error) { return Result<Written>(std::unexpected(error)); };
  if (const Status allowed = desk_.Allow(caller, Permission::kAdminister); !allowed.has_value())
    return refuse(allowed.error());
  auto answering = desk_.Await();
  if (const Status recorded =
          RecordRemoval(desk_.shard(), name, AskerOf(caller), std::move(answering.answer));
      !recorded.has_value())
    return refuse(recorded.error());
  deliveries_.Forget(name);
  return kj::mv(answering.promise);
}

AlertFigures Alerts::figures() {
  TakeUp();
  AlertFigures figures{.firing = {},
                       .delivered = deliveries_.delivered(),
                       .failed_attempts = deliveries_.failed(),
                       .given_up = deliveries_.given_up()};
  for (const auto& [name, watched] : watched_)
    figures.firing[name] = desk_.registry().alerts.contains(name);
  return figures;
}

}  // namespace stele::server::alerts
