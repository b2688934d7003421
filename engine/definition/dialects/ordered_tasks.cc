// The `tasks:` notation: a list of tasks that run in their order (docs/notations.md).

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/definition/dialects/dialects.h"
#include "engine/definition/dialects/foreign.h"
#include "engine/definition/limits.h"
#include "engine/definition/patch.h"

namespace stele::definition {
namespace {

// A task in its place of the flow.
struct PlacedTask {
  const Node* task = nullptr;   // of the library
  const Node* place = nullptr;  // what the flow says about it; null: nothing
  int64_t sequence = 0;
  std::string id;    // of the step
  std::string name;  // what the file calls it
  Place at;
};

// What the tasks of one sequence look like from outside.
struct Stage {
  std::vector<Word> heads;                   // which begin it
  std::vector<std::pair<Word, bool>> tails;  // which lead on; true: by default
};

class OrderedTasksLowering {
 public:
  OrderedTasksLowering(const Node& root, std::string_view fallback_name, Faults& faults)
      : root_(root), fallback_name_(fallback_name), lowering_{draft_, faults} {}

  Draft Run();

 private:
  void ReadHeadOfFlow(const Node& flow, const Node*& ids, const Node*& tasks);
  std::vector<PlacedTask> Place(const Node& library, const Node* ids, const Node* tasks);
  void AddReference(const Node& library, const Node& id, const Node* place,
                    std::vector<PlacedTask>& placed);
  void NumberTasks(std::vector<PlacedTask>& placed);
  void NameTasks(std::vector<PlacedTask>& placed);
  void LowerTasks(const std::vector<PlacedTask>& placed, uint32_t body);
  void LowerTask(const PlacedTask& placed, uint32_t body, bool first, Stage& stage);
  ForeignStep Prepare(const PlacedTask& placed, Node& when, bool& skips);
  void PrepareAutomated(const PlacedTask& placed, ForeignStep& step);
  void ReadCondition(const Node& node, Node& when, bool& skips);
  void AddGateway(const PlacedTask& placed, const Node& when, uint32_t body, Stage& stage);
  void Connect(const Stage& before, const Stage& after, uint32_t body);
  void Add(stele::definition::Place place, std::string message) {
    lowering_.Add(ErrorCode::kInvalidDefinition, place, std::move(message));
  }

  const Node& root_;
  const std::string_view fallback_name_;
  Draft draft_;
  Lowering lowering_;
  std::optional<RetryPolicy> retry_;
  Renaming renaming_;
};

Draft OrderedTasksLowering::Run() {
  draft_.AddBody("", "", root_.place);
  MapReader top(root_, "the file", lowering_.faults);
  ForeignHead head = ReadForeignHead(top, "ordered_tasks", fallback_name_, lowering_);
  retry_ = head.retry;
  if (const Node* id = top.Take("id"); id != nullptr && id->is_string())
    draft_.head.name = id->scalar.as_string();
  if (const Node* variables = top.Take("variables"))
    ReadVariables(*variables, draft_.bodies[0].body.variables, lowering_);
  const Node* library = top.Require({"tasks"});
  const Node* ids = top.Take("task_ids");
  const Node* tasks = nullptr;
  if (const Node* flow = top.Take("flow")) ReadHeadOfFlow(*flow, ids, tasks);
  top.Finish();
  draft_.bodies[0].body.id = draft_.head.name;
  if (library == nullptr) return std::move(draft_);
  if (!library->is_list() || library->items.empty())
    Add(library->place,
        "Expected a list of tasks but found " +
            (library->is_list() ? std::string("an empty one") : Describe(*library)));
  else
    LowerTasks(Place(*library, ids, tasks), 0);
  return std::move(draft_);
}

void OrderedTasksLowering::ReadHeadOfFlow(const Node& flow, const Node*& ids, const Node*& tasks) {
  MapReader reader(flow, "a flow", lowering_.faults);
  Definition& head = draft_.head;
  if (auto name = reader.Text({"name"}); !name.empty()) {
    head.name = head.title = name;
    draft_.bodies[0].body.name = name;
  }
  if (auto text = reader.Text({"description"}); !text.empty()) head.description = text;
  if (auto text = reader.Text({"version"}); !text.empty()) head.version = text;
  if (const Node* inner = reader.Take("task_ids")) ids = inner;
  tasks = reader.Take("tasks");
  Object extra;
  reader.Keep({"id", "created_by", "created_at", "updated_at", "status"}, extra);
  reader.Finish();
  if (ids != nullptr && tasks != nullptr)
    Add(tasks->place, "Expected `task_ids` or `tasks` in a flow but found both");
  if (!extra.empty()) {
    if (!head.extra.is_object()) head.extra = Object();
    for (const Member& member : extra) head.extra.as_object().Set(member.key, member.value);
  }
}

std::vector<PlacedTask> OrderedTasksLowering::Place(const Node& library, const Node* ids,
                                                    const Node* tasks) {
  std::vector<PlacedTask> placed;
  for (const Node* list : {&library, ids, tasks})
    if (list != nullptr && list->items.size() > kMaxSteps) {
      lowering_.Add(
          ErrorCode::kLimitExceeded, list->place,
          fmt::format("Expected at most {} tasks but found {}", kMaxSteps, list->items.size()));
      return placed;
    }
  if (tasks != nullptr) {
    if (!tasks->is_list())
      Add(tasks->place, "Expected a list of tasks but found " + Describe(*tasks));
    for (const Node& item : tasks->items) {
      const Node* id = item.Find("task_id");
      if (id == nullptr) id = item.Find("id");
      if (id == nullptr)
        Add(item.place, "Expected `task_id` in a flow's task but found none");
      else
        AddReference(library, *id, &item, placed);
    }
  } else if (ids != nullptr) {
    if (!ids->is_list())
      Add(ids->place, "Expected a list of ids as `task_ids` but found " + Describe(*ids));
    for (const Node& id : ids->items) AddReference(library, id, nullptr, placed);
  } else {
    for (const Node& task : library.items) placed.push_back({.task = &task, .at = task.place});
  }
  NumberTasks(placed);
  NameTasks(placed);
  return placed;
}

void OrderedTasksLowering::AddReference(const Node& library, const Node& id, const Node* place,
                                        std::vector<PlacedTask>& placed) {
  const std::string wanted = NameOf(&id);
  for (const std::string_view key : {"id", "name"})
    for (const Node& task : library.items)
      if (task.Find(key) != nullptr && NameOf(task.Find(key)) == wanted) {
        placed.push_back({.task = &task, .place = place, .at = id.place});
        return;
      }
  lowering_.Add(ErrorCode::kUnknownStep, id.place,
                "Expected the id of a task in `tasks` but found " + Describe(id));
}

// Tasks of one `sequence` run beside each other; without any the file's order is theirs.
void OrderedTasksLowering::NumberTasks(std::vector<PlacedTask>& placed) {
  size_t given = 0;
  const PlacedTask* without = nullptr;
  for (size_t i = 0; i < placed.size(); ++i) {
    const Node* node = placed[i].place == nullptr ? nullptr : placed[i].place->Find("sequence");
    if (node == nullptr) node = placed[i].task->Find("sequence");
    placed[i].sequence = static_cast<int64_t>(i);
    if (node == nullptr || node->is_null()) {
      if (without == nullptr) without = &placed[i];
    } else if (node->scalar.is_int()) {
      ++given;
      placed[i].sequence = node->scalar.as_int();
    } else {
      Add(node->place, "Expected an integer as `sequence` but found " + Describe(*node));
    }
  }
  if (given > 0 && without != nullptr)
    Add(without->at, fmt::format("Expected `sequence` of every task or of none but found none of "
                                 "{}",
                                 Describe(*without->task)));
}

void OrderedTasksLowering::NameTasks(std::vector<PlacedTask>& placed) {
  std::map<std::string, int, std::less<>> names;
  for (PlacedTask& task : placed) {
    task.name = NameOf(task.task->Find("name"));
    ++names[task.name];
  }
  std::map<std::string, int, std::less<>> ids;
  for (PlacedTask& task : placed) {
    const std::string given = NameOf(task.task->Find("id"));
    if (!given.empty() && IsExpressionName(given))
      task.id = given;
    else if (task.name.empty())
      task.id = "task_" + given;
    else
      task.id = names[task.name] == 1 || given.empty() ? task.name
                                                       : fmt::format("{}_{}", task.name, given);
    // The same task again has a number of its own.
    if (const int n = ++ids[task.id]; n > 1 && task.place != nullptr)
      task.id = fmt::format("{}_{}", task.id, n);
    if (task.name.empty() && given.empty())
      Add(task.at, "Expected `name` of a task but found none");
    else if (task.name != task.id && !task.name.empty())
      renaming_.steps.emplace(task.name, task.id);
  }
}

// Steps that run in another's place or undo it are not in the order.
std::set<std::string, std::less<>> Handlers(const std::vector<PlacedTask>& placed,
                                            const Word& fallback) {
  std::set<std::string, std::less<>> handlers{fallback.text};
  for (const PlacedTask& task : placed)
    for (const Node* from : {task.task, task.task->Find("config"), task.task->Find(kPatchKey)})
      for (const std::string_view key : {"fallback", "compensation"})
        if (from != nullptr) handlers.insert(NameOf(from->Find(key)));
  handlers.erase("");
  return handlers;
}

void OrderedTasksLowering::LowerTasks(const std::vector<PlacedTask>& placed, uint32_t body) {
  const auto handlers = Handlers(placed, draft_.bodies[body].fallback);
  draft_.bodies[body].start = Start::kGiven;
  std::map<int64_t, Stage> stages;
  int64_t first = INT64_MAX;
  for (const PlacedTask& task : placed)
    if (!handlers.contains(task.id)) first = std::min(first, task.sequence);
  for (const PlacedTask& task : placed) {
    Stage aside;
    const bool handler = handlers.contains(task.id);
    LowerTask(task, body, !handler && task.sequence == first,
              handler ? aside : stages[task.sequence]);
  }
  const Stage* before = nullptr;
  for (const auto& [sequence, stage] : stages) {
    if (before != nullptr)
      Connect(*before, stage, body);
    else
      draft_.bodies[body].entries = stage.heads;
    before = &stage;
  }
}

void OrderedTasksLowering::Connect(const Stage& before, const Stage& after, uint32_t body) {
  for (const auto& [from, is_default] : before.tails)
    for (const Word& to : after.heads)
      if (!lowering_.AddTransition(
              body, {.from = from, .to = to, .is_default = is_default, .place = to.place}))
        return;
}

void OrderedTasksLowering::ReadCondition(const Node& node, Node& when, bool& skips) {
  MapReader reader(node, "a `condition_config`", lowering_.faults);
  if (const Node* condition = reader.Require({"condition", "expression"})) when = *condition;
  skips = reader.Bool({"skip_if_false"}, true);
  reader.Finish();
}

ForeignStep OrderedTasksLowering::Prepare(const PlacedTask& placed, Node& when, bool& skips) {
  ForeignStep step = SplitStep(*placed.task, lowering_);
  TakeKey(step.node, "id");
  TakeKey(step.node, "sequence");
  SetKey(step.node, "id", TextNode(placed.id, placed.at));
  if (auto type = TakeKey(step.node, "task_type")) SetKey(step.node, "type", *std::move(type));
  if (placed.place != nullptr) {
    MapReader reader(*placed.place, "a flow's task", lowering_.faults);
    reader.Take("task_id");
    reader.Take("id");
    reader.Take("sequence");
    for (const std::string_view key : {"is_optional", "allow_rollback", "condition_config",
                                       "optional", "skippable", "name", "retry_policy"})
      if (const Node* value = reader.Take(key)) SetKey(step.node, std::string(key), *value);
    reader.Finish();
  }
  if (auto optional = TakeKey(step.node, "is_optional"))
    SetKey(step.node, "optional", *std::move(optional));
  if (auto skippable = TakeKey(step.node, "skippable");
      skippable && skippable->scalar.is_bool() && skippable->scalar.as_bool())
    SetKey(step.node, "optional", *std::move(skippable));
  if (auto condition = TakeKey(step.node, "condition_config"))
    ReadCondition(*condition, when, skips);
  LiftKeys(step.config, step);
  PrepareAutomated(placed, step);
  if (Node* type = const_cast<Node*>(step.node.Find("type")); type != nullptr && type->is_string())
    type->scalar = TypeWord(type->scalar.as_string());
  RenameInTemplates(step.node, renaming_);
  RenameInTemplates(step.config, renaming_);
  RenameInCondition(when, renaming_);
  return step;
}

// What an automated task does tells its configuration: a command, or a call.
void OrderedTasksLowering::PrepareAutomated(const PlacedTask& placed, ForeignStep& step) {
  const Node* type = step.node.Find("type");
  if (type == nullptr || Fold(NameOf(type)) != "automated") return;
  const stele::definition::Place place = type->place;
  for (const std::string_view key : {"webhook", "api"})
    if (auto call = TakeKey(step.config, key)) {
      if (call->is_map())
        for (Entry& entry : call->entries) SetKey(step.config, entry.key, std::move(entry.value));
      else
        SetKey(step.config, "url", *std::move(call));
    }
  if (auto url = TakeKey(step.config, "webhook_url")) {
    SetKey(step.config, "url", *std::move(url));
    if (step.config.Find("method") == nullptr)
      SetKey(step.config, "method", TextNode("POST", place));
  }
  const bool calls = step.config.Find("url") != nullptr;
  const bool runs = step.config.Find("command") != nullptr || step.config.Find("script") != nullptr;
  if (calls == runs)
    Add(placed.at, fmt::format("Expected either `command` or `webhook_url` or `url` in the "
                               "`config` of the automated task {} but found {}",
                               Quote(placed.id), calls ? "both" : "neither"));
  for (const std::string_view key : {"payload", "parameters"})
    if (auto body = calls ? TakeKey(step.config, key) : std::nullopt)
      SetKey(step.config, "body", *std::move(body));
  SetKey(step.node, "type", TextNode(calls ? "http" : "script", place));
}

bool AsksForThePrevious(const Node& condition) {
  if (!condition.is_string()) return false;
  const auto compiled = Expression::Compile(condition.scalar.as_string());
  if (!compiled) return false;
  return std::ranges::any_of(compiled->references(), [](const expression::Reference& reference) {
    return reference.path[0] == "previous_task_result" || reference.path[0] == "outputs";
  });
}

void OrderedTasksLowering::LowerTask(const PlacedTask& placed, uint32_t body, bool first,
                                     Stage& stage) {
  if (!placed.task->is_map())
    return Add(placed.at, "Expected a task but found " + Describe(*placed.task));
  Node when;
  bool skips = true;
  ForeignStep step = Prepare(placed, when, skips);
  const bool conditional = !when.is_null();
  if (conditional && first && body == 0 && AsksForThePrevious(when))
    Add(when.place, fmt::format("Expected a condition of {} that asks for no earlier result, as "
                                "nothing is before it, but found {}",
                                Quote(placed.id), Describe(when)));
  if (conditional && !skips) SetKey(step.node, "when", when);
  const Node stele = step.stele;
  TakeKey(step.stele, "tasks");
  if (conditional && skips)
    AddGateway(placed, when, body, stage);
  else
    stage.heads.push_back({placed.id, placed.at});
  stage.tails.push_back({{placed.id, placed.at}, false});
  const size_t index = AddForeignStep(std::move(step), body, retry_, lowering_);
  const Step& read = draft_.bodies[body].steps[index].step;
  if (read.kind != StepKind::kLoop && read.kind != StepKind::kSubProcess) return;
  const Node* nested = stele.Find("tasks");
  if (nested == nullptr || !nested->is_list() || nested->items.empty())
    return Add(placed.at, fmt::format("Expected a list of `tasks` in `stele` of {} but found none",
                                      Quote(placed.id)));
  const uint32_t child = draft_.AddBody(read.id, read.name, read.place);
  draft_.bodies[body].steps[index].child = child;
  draft_.bodies[child].fallback = BodyFallback(stele);
  LowerTasks(Place(*nested, nullptr, nullptr), child);
}

// A step that is skipped sends nothing on, so that the flow goes round a task that its condition
// skips: a gateway before it leads to it, or to what follows it.
void OrderedTasksLowering::AddGateway(const PlacedTask& placed, const Node& when, uint32_t body,
                                      Stage& stage) {
  const auto condition = lowering_.compiler.Condition(when);
  const std::string id = placed.id + ".if";
  ForeignStep gateway{MapNode(placed.at), MapNode(placed.at), MapNode(placed.at)};
  SetKey(gateway.node, "id", TextNode(id, placed.at));
  SetKey(gateway.node, "type", TextNode("inclusive", placed.at));
  AddForeignStep(std::move(gateway), body, std::nullopt, lowering_);
  draft_.bodies[body].transitions.push_back({.from = {id, placed.at},
                                             .to = {placed.id, placed.at},
                                             .condition = condition,
                                             .place = when.place});
  stage.heads.push_back({id, placed.at});
  stage.tails.push_back({{id, placed.at}, true});
}

}  // namespace

Draft LowerOrderedTasks(const Node& root, std::string_view fallback_name, Faults& faults) {
  return OrderedTasksLowering(root, fallback_name, faults).Run();
}

}  // namespace stele::definition
