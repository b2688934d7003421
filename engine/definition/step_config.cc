#include "engine/definition/step_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/definition/duration.h"
#include "engine/definition/limits.h"
#include "engine/definition/moment.h"
#include "engine/definition/reader.h"

namespace stele::definition {
namespace {

using Names = std::initializer_list<std::string_view>;

// Checks the values of one mapping and renames its keys. A method's first name is the key that
// stays.
class Checker {
 public:
  Checker(Node& node, std::string_view what, Faults& faults)
      : node_(node), faults_(faults), reader_(node, what, faults) {}

  // Null when the key is absent or its value is known at run time alone.
  const Node* Take(Names names, bool required = false) {
    const Node* node = required ? reader_.Require(names) : reader_.Take(names);
    for (size_t i = 0; i < node_.entries.size(); ++i)
      if (std::ranges::find(names, node_.entries[i].key) != names.end())
        renamed_.emplace_back(i, *names.begin());
    return node == nullptr || HasTemplate(*node) ? nullptr : node;
  }
  bool Has(Names names) const {
    return std::ranges::any_of(names, [&](std::string_view name) {
      const Node* node = node_.Find(name);
      return node != nullptr && !node->is_null();
    });
  }

  void Text(Names names, bool required = false) {
    const Node* node = Take(names, required);
    if (node == nullptr) return;
    const auto text = ReadText(*node, Key(names), faults_);
    if (text && text->empty())
      Add(*node, fmt::format("Expected a text as {} but found an empty one", Key(names)));
  }
  // How many texts there are; nothing when that is not known yet.
  std::optional<size_t> Texts(Names names) {
    if (!Has(names)) return Take(names), 0;
    const Node* node = Take(names);
    if (node == nullptr) return std::nullopt;
    return ReadWords(*node, Key(names), false, faults_).size();
  }
  std::optional<int64_t> Integer(Names names, int64_t low, int64_t high) {
    const Node* node = Take(names);
    if (node == nullptr) return std::nullopt;
    if (node->is_scalar() && node->scalar.is_int() && node->scalar.as_int() >= low &&
        node->scalar.as_int() <= high)
      return node->scalar.as_int();
    Add(*node, fmt::format("Expected an integer from {} to {} as {} but found {}", low, high,
                           Key(names), Describe(*node)));
    return std::nullopt;
  }
  void Flag(Names names) {
    if (const Node* node = Take(names)) ReadBool(*node, Key(names), faults_);
  }
  void Duration(Names names, bool required = false) {
    const Node* node = Take(names, required);
    if (node == nullptr) return;
    const auto us = ReadDuration(*node, "a duration as " + Key(names), faults_);
    if (us == 0)
      faults_.Add(ErrorCode::kBadDuration, node->place,
                  fmt::format("Expected a duration above 0 as {} but found {}", Key(names),
                              Describe(*node)));
  }
  void Word(Names names, const std::vector<std::string>& words) {
    const Node* node = Take(names);
    if (node == nullptr) return;
    if (node->is_string() && std::ranges::find(words, node->scalar.as_string()) != words.end())
      return;
    Add(*node, fmt::format("Expected {} as {} but found {}", QuoteList(words, "or"), Key(names),
                           Describe(*node)));
  }
  void Mapping(Names names) {
    const Node* node = Take(names);
    if (node != nullptr && !node->is_map())
      Add(*node, fmt::format("Expected a mapping as {} but found {}", Key(names), Describe(*node)));
  }
  void Any(Names names) { Take(names); }

  void Add(const Node& node, std::string message) {
    faults_.Add(ErrorCode::kInvalidDefinition, node.place, std::move(message));
  }
  // The node of a key itself, to go on inside it.
  Node* Inner(std::string_view key) {
    for (Entry& entry : node_.entries)
      if (entry.key == key && !entry.value.is_null()) return &entry.value;
    return nullptr;
  }
  Node& node() { return node_; }
  Faults& faults() { return faults_; }

  // Call it last.
  void Finish() {
    Object extra;
    reader_.Keep({"metadata"}, extra);
    reader_.Finish();
    for (const auto& [index, name] : renamed_) node_.entries[index].key = name;
  }

 private:
  static std::string Key(Names names) { return fmt::format("`{}`", *names.begin()); }

  Node& node_;
  Faults& faults_;
  MapReader reader_;
  std::vector<std::pair<size_t, std::string>> renamed_;
};

const Names kAssignees = {"assignees", "assignee",        "approvers",
                          "approver",  "candidate_users", "users"};
const Names kGroups = {"groups", "group", "candidate_groups", "approver_groups"};

void CheckEscalation(Checker& human) {
  human.Any({"escalation"});
  Node* node = human.Inner("escalation");
  if (node == nullptr || (node->is_string() && HasTemplate(*node))) return;
  Checker check(*node, "an escalation", human.faults());
  check.Duration({"after"}, true);
  check.Texts(kAssignees);
  check.Texts(kGroups);
  if (node->is_map() && !check.Has(kAssignees) && !check.Has(kGroups))
    check.Add(*node, "Expected `assignees` or `groups` in an escalation but found neither");
  check.Finish();
}

void CheckReminders(Checker& human) {
  human.Any({"reminders", "reminder"});
  Node* node = human.Inner("reminders");
  if (node == nullptr) node = human.Inner("reminder");
  if (node == nullptr || (node->is_string() && HasTemplate(*node))) return;
  Checker check(*node, "the reminders", human.faults());
  check.Duration({"every", "interval"}, true);
  check.Integer({"limit", "count"}, 1, kMaxReminders);
  check.Finish();
}

void CheckHuman(const Step& step, Node& config, Faults& faults) {
  const bool approval = step.task_type == "approval";
  Checker check(config, approval ? "an approval" : "a manual step", faults);
  const auto people = check.Texts(kAssignees);
  const auto groups = check.Texts(kGroups);
  if (approval) {
    static const Names kQuorum = {"min_approvers", "min_approvals", "required_approvals"};
    const Node* written = check.Take(kQuorum);
    const auto quorum = check.Integer(kQuorum, 1, kMaxApprovers);
    const bool open = !people || *people == 0 || groups != 0 || check.Has({"escalation"});
    if (quorum && !open && static_cast<size_t>(*quorum) > *people)
      check.Add(*written, fmt::format("Expected `min_approvers` of at most the {} {} but found {}",
                                      *people, *people == 1 ? "assignee" : "assignees", *quorum));
    check.Flag({"veto"});
  }
  check.Word({"on_reject"}, {"fail", "continue"});
  const Node* late = check.Take({"on_deadline"});
  check.Word({"on_deadline"}, {"fail", "approve", "reject"});
  static const Names kDeadline = {"deadline", "due", "due_in"};
  if (late != nullptr && !check.Has(kDeadline))
    check.Add(*late, "Expected `deadline` beside `on_deadline` but found none");
  check.Duration(kDeadline);
  CheckEscalation(check);
  CheckReminders(check);
  check.Text({"title"});
  check.Text({"description", "instructions"});
  check.Any({"form", "form_fields", "fields"});
  check.Finish();
}

const Names kMessageName = {"name", "message", "message_name"};
const Names kKey = {"key", "correlation_key"};

void CheckMessage(const Step& step, Node& config, Faults& faults) {
  const bool publishes = step.kind == StepKind::kPublish;
  Checker check(config, publishes ? "a message to publish" : "a message to wait for", faults);
  if (const Node* action = config.Find("action"); action != nullptr && HasTemplate(*action))
    check.Add(*action,
              "Expected \"wait\" or \"publish\" as `action`, which is needed before "
              "anything runs, but found a template");
  check.Word({"action"}, {"wait", "receive", "publish", "send"});
  check.Text(kMessageName, true);
  check.Text(kKey);
  if (publishes) {
    check.Any({"payload"});
    check.Duration({"ttl"});
    check.Text({"id", "message_id"});
  }
  check.Finish();
}

void CheckSignal(Node& config, Faults& faults) {
  Checker check(config, "a signal", faults);
  check.Text({"name", "signal", "signal_name"}, true);
  check.Finish();
}

void CheckMoment(Checker& check) {
  const Node* at = check.Take({"at"});
  if (at == nullptr) return;
  if (!at->is_string() || !ParseTime(at->scalar.as_string()))
    check.Add(*at,
              "Expected a time like \"2025-01-31T08:00:00Z\" as `at` but found " + Describe(*at));
}

void CheckEvent(Node& node, std::set<std::string>& ids, Faults& faults) {
  Checker check(node, "an event", faults);
  if (const Node* id = check.Take({"id"}, true)) {
    const std::string text = ReadText(*id, "an event's id", faults).value_or("");
    if (text.empty())
      check.Add(*id, "Expected an event's id but found " + Describe(*id));
    else if (!ids.insert(text).second)
      faults.Add(
          ErrorCode::kDuplicateId, id->place,
          fmt::format("Expected each event id once in a race but found {} again", Quote(text)));
  } else if (check.Has({"id"})) {
    check.Add(*node.Find("id"), "Expected an event's id without templates but found one");
  }
  check.Text({"message"});
  check.Text({"signal"});
  check.Duration({"after", "timer"});
  CheckMoment(check);
  const int ways = check.Has({"message"}) + check.Has({"signal"}) + check.Has({"after", "timer"}) +
                   check.Has({"at"});
  if (node.is_map() && ways != 1)
    check.Add(node, fmt::format("Expected exactly one of `message`, `signal`, `after` and `at` in "
                                "an event but found {}",
                                ways == 0 ? "none" : std::to_string(ways)));
  const Node* key = check.Has({"message"}) ? nullptr : node.Find("key");
  if (key != nullptr) check.Add(*key, "Expected `key` beside `message` alone but found it without");
  check.Text(kKey);
  check.Any({"next"});
  check.Finish();
}

void CheckRace(Node& config, Faults& faults) {
  Checker check(config, "an event race", faults);
  check.Take({"events"}, true);
  Node* events = check.Inner("events");
  if (events != nullptr && (!events->is_list() || events->items.empty())) {
    check.Add(*events, "Expected a list of events but found " +
                           (events->is_list() ? std::string("an empty one") : Describe(*events)));
  } else if (events != nullptr) {
    if (events->items.size() > kMaxRaceEvents)
      faults.Add(ErrorCode::kLimitExceeded, events->place,
                 fmt::format("Expected at most {} events in a race but found {}", kMaxRaceEvents,
                             events->items.size()));
    std::set<std::string> ids;
    for (Node& event : events->items) CheckEvent(event, ids, faults);
  }
  check.Finish();
}

void CheckCall(Node& config, Faults& faults) {
  Checker check(config, "a call", faults);
  check.Text({"workflow", "definition", "workflow_id"}, true);
  check.Integer({"version"}, 1, UINT32_MAX);
  check.Mapping({"input", "inputs"});
  check.Mapping({"variables"});
  check.Flag({"wait"});
  check.Flag({"cancel_with_parent"});
  check.Text({"business_key"});
  check.Texts({"tags"});
  check.Integer({"priority"}, kMinPriority, kMaxPriority);
  check.Finish();
}

}  // namespace

void CheckStepConfig(const Step& step, Node& config, Faults& faults) {
  switch (step.kind) {
    case StepKind::kHuman:
      return CheckHuman(step, config, faults);
    case StepKind::kWait:
      if (step.task_type == "signal") return CheckSignal(config, faults);
      if (step.task_type == "event_race") return CheckRace(config, faults);
      return CheckMessage(step, config, faults);
    case StepKind::kPublish:
      return CheckMessage(step, config, faults);
    case StepKind::kTask:
      if (step.task_type == "call") CheckCall(config, faults);
      return;
    case StepKind::kStart:
    case StepKind::kEnd:
    case StepKind::kGateway:
    case StepKind::kDelay:
    case StepKind::kLoop:
    case StepKind::kSubProcess:
      return;
  }
}

}  // namespace stele::definition
