#include "replay/audit/deed.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/json.h"
#include "engine/model/asker.h"
#include "engine/model/codec.h"
#include "engine/model/instance.h"
#include "engine/model/names.h"
#include "engine/model/worker_actor.h"

namespace stele::replay {

namespace {

constexpr std::array<std::string_view, 12> kKindNames{"start",      "operate", "decide", "message",
                                                      "definition", "trigger", "access", "setting",
                                                      "alert",      "removal", "denied", "engine"};

// A member of a document that is a text; empty: it has none.
std::string TextIn(const std::optional<Value>& document, std::string_view member) {
  const Value* found = document.has_value() ? document->Find(member) : nullptr;
  return found != nullptr && found->is_string() ? found->as_string() : std::string();
}

int64_t NumberIn(const std::optional<Value>& document, std::string_view member) {
  const Value* found = document.has_value() ? document->Find(member) : nullptr;
  return found != nullptr && found->is_int() ? found->as_int() : 0;
}

std::optional<Value> DocumentOf(const std::string& text) {
  auto document = ParseJson(text, nullptr, kWrittenJson);
  return document.has_value() ? std::optional(*std::move(document)) : std::nullopt;
}

// Settings are told apart by how their names begin; those who write them say so (server/auth,
// server/alerts, engine/runtime). A test compares.
struct SettingRow {
  std::string_view prefix;
  DeedKind kind;
  std::string_view what;  // "user": change_user, remove_user
};
constexpr SettingRow kSettings[] = {{"user:", DeedKind::kAccess, "user"},
                                    {"key:", DeedKind::kAccess, "api_key"},
                                    {"revoked:", DeedKind::kAccess, "token"},
                                    {"alert/", DeedKind::kAlert, "alert"},
                                    {"alert-delivery/", DeedKind::kEngine, "alert_delivery"},
                                    {"type/", DeedKind::kDefinition, "type"},
                                    {"", DeedKind::kSetting, "setting"}};

const SettingRow& RowOf(std::string_view name) {
  const SettingRow* row = kSettings;
  while (!name.starts_with(row->prefix)) ++row;
  return *row;
}

std::string JoinNames(const std::vector<model::NamedPayload>& variables) {
  std::string names;
  for (const model::NamedPayload& each : variables)
    names.append(names.empty() ? "" : ", ").append(each.name);
  return names;
}

// What each cause says of itself; a cause without an operator of its own is the engine's.
class Teller {
 public:
  explicit Teller(Deed& deed) : deed_(deed) {}

  void operator()(const model::InstanceStarted& event) {
    Set(DeedKind::kStart, "start");
    deed_.about_definition = event.definition;
    if (!event.business_key.empty()) deed_.target = "key " + event.business_key;
  }
  void operator()(const model::InstanceForked& event) {
    Set(DeedKind::kStart, event.ends_origin ? "reset" : "fork", event.reason);
    deed_.target =
        fmt::format("instance {} behind its event {}", event.origin.value, event.origin_seq.value);
    deed_.about_definition = event.definition;
    if (!event.definition && event.state.has_value())
      deed_.about_definition = event.state->definition;
  }
  void operator()(const model::InstanceCancelRequested& event) {
    Set(DeedKind::kOperate, "cancel", event.reason);
    if (event.compensate) deed_.target = "with compensation";
  }
  void operator()(const model::InstanceTerminated& event) {
    Set(DeedKind::kOperate, "terminate", event.reason);
  }
  void operator()(const model::InstancePaused& event) {
    if (!event.with_parent) Set(DeedKind::kOperate, "pause", event.reason);
  }
  void operator()(const model::InstanceResumed& event) {
    Set(DeedKind::kOperate, event.steps > 0 ? "step" : "resume", event.reason);
  }
  void operator()(const model::InstanceRetryRequested& event) {
    Set(DeedKind::kOperate, "retry", event.reason);
  }
  void operator()(const model::StepRetryRequested& event) {
    OfRun(event.run, DeedKind::kOperate, "retry", event.reason);
  }
  void operator()(const model::StepSkipRequested& event) {
    OfRun(event.run, DeedKind::kOperate, "skip", event.reason);
  }
  void operator()(const model::IncidentResolved& event) {
    OfRun(event.run, DeedKind::kOperate, "resolve", event.reason);
    deed_.action.append(" by ").append(model::EnumName(event.resolution));
  }
  void operator()(const model::CompensationWaived& event) {
    OfRun(event.run, DeedKind::kOperate, "waive compensation", event.reason);
  }
  void operator()(const model::StepRolledBack& event) {
    OfRun(event.from_run, DeedKind::kOperate, "roll back", event.reason);
    deed_.step = event.to_step;
  }
  void operator()(const model::VariablesSet& event) {
    Set(DeedKind::kOperate, "set variables", event.reason);
    deed_.target = JoinNames(event.variables);
  }
  void operator()(const model::InstanceMigrated& event) {
    Set(DeedKind::kOperate, "migrate", event.reason);
    deed_.about_definition = event.definition;
  }

  void operator()(const model::HumanTaskClaimed& event) {
    ByPerson(event.run, "claim", event.person, event.comment);
  }
  void operator()(const model::HumanTaskReleased& event) {
    ByPerson(event.run, "release", event.person, event.comment);
  }
  void operator()(const model::HumanTaskDecided& event) {
    ByPerson(event.run, event.approved ? "approve" : "reject", event.person, event.comment);
  }
  // A task for people that somebody says has failed.
  void operator()(const model::AttemptFailed& event) {
    if (!deed_.actor.empty()) OfRun(event.run, DeedKind::kDecide, "fail", event.message);
  }
  void operator()(const model::SignalReceived& event) {
    Set(DeedKind::kMessage, "signal");
    deed_.target = event.name;
  }
  void operator()(const model::MessagePublished& event) {
    // Of an instance it is a step's.
    if (deed_.instance) return;
    Set(DeedKind::kMessage, "publish");
    deed_.target = event.name;
  }

  void operator()(const model::DefinitionRegistered& event) {
    Set(DeedKind::kDefinition, "register");
    deed_.definition = event.name;
    deed_.target = fmt::format("version {}", event.version);
  }
  void operator()(const model::DefinitionStateChanged& event) {
    Set(DeedKind::kDefinition, "make " + event.state, event.reason);
    deed_.about_definition = event.definition;
  }
  void operator()(const model::TriggerRegistered& event) {
    Set(DeedKind::kTrigger, "add");
    deed_.definition = event.definition;
    deed_.target = fmt::format("trigger {} ({})", event.trigger.value, event.kind);
  }
  void operator()(const model::TriggerStateChanged& event) {
    Set(DeedKind::kTrigger, "make " + event.state, event.reason);
    deed_.about_trigger = event.trigger;
  }
  void operator()(const model::TriggerFired& event) {
    Set(DeedKind::kTrigger, "fire");
    deed_.about_trigger = event.trigger;
  }
  void operator()(const model::SettingChanged& event);
  void operator()(const model::AlertChanged& event) {
    Set(DeedKind::kAlert, event.firing ? "begin" : "end");
    deed_.target = "alert " + event.rule;
  }
  void operator()(const model::InstancesPurged& event) { Remove("purge", event); }
  void operator()(const model::InstancesErased& event) { Remove("erase", event); }
  void operator()(const model::AccessDenied& event);

  template <class Other>
  void operator()(const Other&) {}

 private:
  void Set(DeedKind kind, std::string action, std::string reason = {}) {
    deed_.kind = kind;
    deed_.action = std::move(action);
    deed_.reason = std::move(reason);
  }
  void OfRun(RunId run, DeedKind kind, std::string action, std::string reason) {
    Set(kind, std::move(action), std::move(reason));
    deed_.run = run;
  }
  void ByPerson(RunId run, std::string action, const std::string& person, std::string comment) {
    OfRun(run, DeedKind::kDecide, std::move(action), std::move(comment));
    if (person != deed_.actor) deed_.target = "as " + person;
  }
  void Remove(std::string action, const auto& event) {
    Set(DeedKind::kRemoval, std::move(action), event.reason);
    deed_.instances = event.instances;
    deed_.target =
        (CountOf(event.instances) == 1 ? "instance " : "instances ") + RangesText(event.instances);
  }

  Deed& deed_;
};

void Teller::operator()(const model::SettingChanged& event) {
  const SettingRow& row = RowOf(event.name);
  const bool removed = event.document.empty();
  const std::string name = event.name.substr(row.prefix.size());
  const auto document = removed ? std::nullopt : DocumentOf(event.document);
  deed_.target = row.what == "setting" ? name : fmt::format("{} {}", row.what, name);
  if (row.what == "token") {
    // One that has expired is only forgotten.
    if (removed) return;
    Set(row.kind, "revoke");
    deed_.target = "a token of " + TextIn(document, "name");
    return;
  }
  Set(row.kind, removed ? "remove" : "set");
  if (IsOfAccount(event.name)) deed_.about_account = event.name;
  if (row.what == "api_key") {
    deed_.target = "API key " + name;
    if (const std::string owner = TextIn(document, "name"); !owner.empty())
      deed_.target += " of " + owner;
  }
  if (const std::string role = TextIn(document, "role");
      row.kind == DeedKind::kAccess && !role.empty())
    deed_.target += fmt::format(" ({})", role);
  const Value* disabled = document.has_value() ? document->Find("disabled") : nullptr;
  if (disabled != nullptr && disabled->is_bool() && disabled->as_bool())
    deed_.target += ", disabled";
}

void Teller::operator()(const model::AccessDenied& event) {
  Set(DeedKind::kDenied, event.name);
  const auto document = DocumentOf(event.document);
  deed_.definition = TextIn(document, "target");
  deed_.instance = InstanceId(static_cast<uint64_t>(NumberIn(document, "instance")));
  if (deed_.source.empty()) deed_.source = TextIn(document, "source");
  if (const std::string role = TextIn(document, "role"); !role.empty() && !deed_.actor.empty())
    deed_.target = "as " + role;
  const int64_t times = NumberIn(document, "times");
  deed_.outcome = times > 1 ? fmt::format("denied {} times", times) : "denied";
}

// Neither the engine nor one of its workers. What a worker hands in has no source; so nobody who
// asks for something is taken for one by the name that they give.
bool IsSomebody(const eventstore::RecordHeader& header) {
  const bool is_worker = !model::WorkerOfActor(header.actor).empty() && header.source.empty();
  return !header.actor.empty() && !is_worker;
}

// What the instance came to within the record.
std::string OutcomeOf(std::span<const model::Event> events) {
  std::string outcome = "done";
  for (const model::Event& event : events) {
    if (std::holds_alternative<model::InstanceCompleted>(event)) outcome = "completed";
    if (std::holds_alternative<model::InstanceFailed>(event)) outcome = "failed";
    if (std::holds_alternative<model::InstanceCancelled>(event)) outcome = "cancelled";
    if (std::holds_alternative<model::InstanceTerminated>(event)) outcome = "terminated";
    if (std::holds_alternative<model::IncidentRaised>(event)) outcome = "parked";
  }
  return outcome;
}

}  // namespace

std::string_view DeedKindName(DeedKind kind) {
  return kKindNames[static_cast<size_t>(kind)];
}

std::optional<DeedKind> FindDeedKind(std::string_view name) {
  for (size_t i = 0; i < kKindNames.size(); ++i)
    if (kKindNames[i] == name) return static_cast<DeedKind>(i);
  return std::nullopt;
}

std::string DeedKindNames() {
  std::string names;
  for (const std::string_view name : kKindNames)
    names.append(names.empty() ? "" : ", ").append(name);
  return names;
}

Deed DeedOf(const eventstore::RecordView& record, std::span<const model::Event> events) {
  const eventstore::RecordHeader& header = record.header;
  Deed deed{.position = record.position,
            .seq = header.first_seq,
            .instance = header.instance,
            .time = header.time,
            .actor = std::string(header.actor),
            .source = std::string(header.source),
            .outcome = OutcomeOf(events),
            .erased = record.erased};
  // Strangers who are denied have no name.
  const bool denied = std::holds_alternative<model::AccessDenied>(events.front());
  if (denied || IsSomebody(header)) std::visit(Teller(deed), events.front());
  if (deed.kind == DeedKind::kEngine) deed.action = std::string(model::EventName(events.front()));
  return deed;
}

bool IsOfAccount(std::string_view setting) {
  const SettingRow& row = RowOf(setting);
  return row.what == "user" || row.what == "api_key";
}

bool MayBeDeed(const eventstore::RecordHeader& header) {
  // What was denied is among the registry's.
  return !header.instance || IsSomebody(header);
}

}  // namespace stele::replay
