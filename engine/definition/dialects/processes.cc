// The `workflow:` notation: processes of tasks and transitions (docs/definitions.md).

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/definition/dialects/dialects.h"
#include "engine/definition/dialects/fields.h"
#include "engine/definition/dialects/foreign.h"
#include "engine/definition/patch.h"

namespace stele::definition {
namespace {

enum class ProcessType : uint8_t { kSequential, kParallel, kConditional, kLoop, kSubProcess };

std::optional<ProcessType> FindProcessType(std::string_view word) {
  const std::string folded = Fold(word);
  if (folded == "sequential") return ProcessType::kSequential;
  if (folded == "parallel") return ProcessType::kParallel;
  if (folded == "conditional") return ProcessType::kConditional;
  if (folded == "loop") return ProcessType::kLoop;
  if (folded == "sub_process" || folded == "subprocess") return ProcessType::kSubProcess;
  return std::nullopt;
}

struct Process {
  const Node* node = nullptr;
  std::string id{};
  ProcessType type = ProcessType::kSequential;
  uint32_t body = kNoIndex;
  Place place;
  bool used = false;  // by a task
};

class ProcessesLowering {
 public:
  ProcessesLowering(const Node& root, std::string_view fallback_name, Faults& faults)
      : root_(root), fallback_name_(fallback_name), lowering_{draft_, faults} {}

  Draft Run();

 private:
  void ReadHead(MapReader& top, MapReader& workflow);
  void ReadProcesses(const Node& node);
  void PlaceProcesses();
  void AddWrapper(Process& process, std::set<std::string>& ids);
  void ReadProcess(Process& process);
  void ReadTasks(const Node& node, const Node* transitions, ProcessType type, uint32_t body,
                 const std::optional<RetryPolicy>& retry);
  void ReadTask(const Node& node, uint32_t body, const std::optional<RetryPolicy>& retry);
  void FindChild(const Node& node, StepFields& fields, uint32_t body,
                 const std::optional<RetryPolicy>& retry);
  void ReadTransitions(const Node& node, uint32_t body);
  void ReadTransition(const Node& node, uint32_t body);
  void SetKind(DraftTransition& edge, const Node& condition, std::optional<Join>& join);
  void ResolveStart(uint32_t body);
  void ResolveEnd(uint32_t body);
  void Chain(uint32_t body);
  DraftStep PseudoStep(std::string_view id, StepKind kind, uint32_t body);
  bool HasStep(uint32_t body, std::string_view id) const;

  const Node& root_;
  const std::string_view fallback_name_;
  Draft draft_;
  Lowering lowering_;
  std::vector<Process> processes_;
};

Draft ProcessesLowering::Run() {
  MapReader top(root_, "the file", lowering_.faults);
  const Node* node = top.Take("workflow");
  MapReader workflow(*node, "a workflow", lowering_.faults);
  draft_.AddBody("", "", node->place);
  draft_.bodies[0].start = Start::kFree;
  ReadHead(top, workflow);
  if (const Node* processes = workflow.Require({"processes"})) ReadProcesses(*processes);
  workflow.Finish();
  TakePatch(top, "", draft_, lowering_.faults);
  top.Finish();
  return std::move(draft_);
}

void ProcessesLowering::ReadHead(MapReader& top, MapReader& workflow) {
  Definition& head = draft_.head;
  head.dialect = "processes";
  head.name = workflow.Text({"id"});
  head.title = workflow.Text({"name"});
  if (head.name.empty()) head.name = head.title.empty() ? fallback_name_ : head.title;
  if (head.title.empty()) head.title = head.name;
  draft_.bodies[0].body.id = head.name;
  draft_.bodies[0].body.name = head.title;
  head.version = workflow.Text({"version"});
  head.description = workflow.Text({"description"});
  ReadExecution(workflow, lowering_);
  if (const Node* tags = workflow.Take("tags"))
    for (Word& tag : ReadWords(*tags, "`tags`", false, lowering_.faults))
      head.tags.push_back(std::move(tag.text));
  for (MapReader* reader : {&workflow, &top})
    if (const Node* variables = reader->Take("variables"))
      ReadVariables(*variables, draft_.bodies[0].body.variables, lowering_);
  Array triggers;
  for (MapReader* reader : {&workflow, &top})
    if (const Node* node = reader->Take("triggers"))
      if (Value list = ReadTriggers(*node, lowering_); list.is_array())
        std::ranges::copy(list.as_array(), std::back_inserter(triggers));
  if (!triggers.empty()) head.triggers = std::move(triggers);
  if (const Node* outputs = workflow.Take("outputs"))
    head.outputs = ReadOutputs(*outputs, lowering_);
  Object extra;
  workflow.Keep({"metadata", "author", "labels"}, extra);
  top.Keep({"project_id", "permissions", "notifications", "graph", "layout", "styling", "metadata"},
           extra);
  if (!extra.empty()) head.extra = std::move(extra);
}

void ProcessesLowering::ReadProcesses(const Node& node) {
  if (!node.is_list() || node.items.empty()) {
    lowering_.Add(ErrorCode::kInvalidDefinition, node.place,
                  "Expected a list of processes but found " + Describe(node));
    return;
  }
  for (const Node& item : node.items) {
    Process process{.node = &item, .place = item.place};
    if (const Node* id = item.Find("id")) {
      process.place = id->place;
      process.id = ReadText(*id, "a process's id", lowering_.faults).value_or("");
    }
    const Node* type = item.Find("type");
    if (type == nullptr) type = item.Find("type_");
    if (type != nullptr) {
      const auto known = FindProcessType(ReadText(*type, "`type`", lowering_.faults).value_or(""));
      process.type = known.value_or(ProcessType::kSequential);
      if (!known)
        lowering_.Add(ErrorCode::kUnknownType, type->place,
                      "Expected a process type of \"sequential\", \"parallel\", \"conditional\", "
                      "\"loop\" or \"sub_process\" but found " +
                          Describe(*type));
    }
    const auto same = std::ranges::find(processes_, process.id, &Process::id);
    if (same != processes_.end())
      lowering_.Add(ErrorCode::kDuplicateId, process.place,
                    fmt::format("Expected each process id once but found {} again after line {}",
                                Quote(process.id), same->place.line));
    processes_.push_back(std::move(process));
  }
  PlaceProcesses();
  for (Process& process : processes_) ReadProcess(process);
  for (const Process& process : processes_)
    if (process.type == ProcessType::kSubProcess && !process.used)
      lowering_.Add(ErrorCode::kUnreachableStep, process.place,
                    fmt::format("Expected a task of type \"sub_process\" that runs {} but found "
                                "none",
                                Quote(process.id)));
}

// One process is the root itself; several are run by the root one after another.
void ProcessesLowering::PlaceProcesses() {
  const auto top = std::ranges::count_if(
      processes_, [](const Process& p) { return p.type != ProcessType::kSubProcess; });
  std::set<std::string> ids;
  for (const Process& process : processes_)
    if (const Node* tasks = process.node->Find("tasks"))
      for (const Node& task : tasks->items)
        if (const Node* id = task.Find("id"); id != nullptr && id->is_string())
          ids.insert(id->scalar.as_string());
  for (Process& process : processes_) {
    if (process.type == ProcessType::kSubProcess) {
      process.body = draft_.AddBody(process.id, process.id, process.place);
    } else if (top == 1 && process.type != ProcessType::kLoop) {
      process.body = 0;
    } else {
      AddWrapper(process, ids);
    }
  }
}

void ProcessesLowering::AddWrapper(Process& process, std::set<std::string>& ids) {
  process.body = draft_.AddBody(process.id, process.id, process.place);
  DraftStep wrapper;
  wrapper.step.id = ids.insert(process.id).second ? process.id : "process:" + process.id;
  wrapper.step.name = process.id;
  wrapper.step.place = process.place;
  const bool loop = process.type == ProcessType::kLoop;
  wrapper.step.kind = loop ? StepKind::kLoop : StepKind::kSubProcess;
  wrapper.step.task_type = loop ? "loop" : "sub_process";
  wrapper.child = process.body;
  auto& steps = draft_.bodies[0].steps;
  if (!steps.empty()) {
    const Step& before = steps.back().step;
    draft_.bodies[0].transitions.push_back({.from = {before.id, before.place},
                                            .to = {wrapper.step.id, process.place},
                                            .place = process.place});
  }
  steps.push_back(std::move(wrapper));
}

void ProcessesLowering::ReadProcess(Process& process) {
  MapReader reader(*process.node, "a process", lowering_.faults);
  reader.Require({"id"});
  reader.Take({"type", "type_"});
  const std::string name = reader.Text({"name"});
  DraftBody& body = draft_.bodies[process.body];
  if (process.body != 0 && !name.empty()) body.body.name = name;
  if (const Node* variables = reader.Take("variables"))
    ReadVariables(*variables, body.body.variables, lowering_);
  std::optional<RetryPolicy> retry;
  if (const Node* node = reader.Take({"error_handling", "error_strategy"})) {
    ErrorHandling handling = ReadErrorHandling(*node, lowering_);
    body.body.strategy = handling.strategy;
    body.fallback = std::move(handling.fallback);
    retry = std::move(handling.retry);
  }
  for (DraftStep& wrapper : draft_.bodies[0].steps) {
    if (wrapper.child != process.body || process.body == 0) continue;
    if (!name.empty()) wrapper.step.name = name;
    if (process.type != ProcessType::kLoop) continue;
    const Node* node = reader.Require({"loop"});
    if (node == nullptr) continue;
    MapReader loop(*node, "a loop", lowering_.faults);
    wrapper.step.loop = ReadLoop({&loop}, StepType{}, lowering_);
    loop.Finish();
  }
  Object extra;
  reader.Keep({"description", "metadata"}, extra);
  const Node* tasks = reader.Require({"tasks", "steps"});
  const Node* transitions = reader.Take("transitions");
  reader.Finish();
  if (tasks != nullptr) ReadTasks(*tasks, transitions, process.type, process.body, retry);
}

void ProcessesLowering::ReadTasks(const Node& node, const Node* transitions, ProcessType type,
                                  uint32_t body, const std::optional<RetryPolicy>& retry) {
  if (!node.is_list() || node.items.empty()) {
    lowering_.Add(ErrorCode::kInvalidDefinition, node.place,
                  "Expected a list of tasks but found " +
                      (node.is_list() ? std::string("an empty one") : Describe(node)));
    return;
  }
  for (const Node& item : node.items) ReadTask(item, body, retry);
  const bool listed =
      transitions != nullptr && !(transitions->is_list() && transitions->items.empty());
  const bool has_transitions = listed || !draft_.bodies[body].transitions.empty();
  draft_.bodies[body].start =
      has_transitions && type != ProcessType::kParallel ? Start::kConnected : Start::kFree;
  if (has_transitions) {
    if (listed) ReadTransitions(*transitions, body);
    ResolveStart(body);
    ResolveEnd(body);
  } else if (type != ProcessType::kParallel) {
    Chain(body);
  }
}

void ProcessesLowering::ReadTask(const Node& node, uint32_t body,
                                 const std::optional<RetryPolicy>& retry) {
  MapReader reader(node, "a task", lowering_.faults);
  if (!node.is_map()) return;
  StepFields fields = ReadStep(reader, Notation::kProcesses, lowering_);
  if (!fields.has_retry && retry && fields.draft.step.kind == StepKind::kTask)
    fields.draft.step.retry = *retry;
  ReadChoice(reader, fields, Notation::kProcesses, lowering_);
  std::ranges::move(fields.next, std::back_inserter(draft_.bodies[body].transitions));
  reader.Finish();
  FindChild(node, fields, body, retry);
  draft_.bodies[body].steps.push_back(std::move(fields.draft));
}

void ProcessesLowering::FindChild(const Node& node, StepFields& fields, uint32_t body,
                                  const std::optional<RetryPolicy>& retry) {
  DraftStep& draft = fields.draft;
  if (draft.step.kind != StepKind::kLoop && draft.step.kind != StepKind::kSubProcess) return;
  if (fields.steps != nullptr) {
    draft.child = draft_.AddBody(draft.step.id, draft.step.name, draft.step.place);
    draft_.bodies[draft.child].body.strategy = Strategy::kFail;
    const bool parallel = draft.step.task_type == "parallel";
    ReadTasks(*fields.steps, fields.transitions,
              parallel ? ProcessType::kParallel : ProcessType::kSequential, draft.child, retry);
    return;
  }
  const auto process = std::ranges::find(processes_, fields.process.text, &Process::id);
  if (fields.process.text.empty()) {
    lowering_.Add(ErrorCode::kInvalidDefinition, node.place,
                  fmt::format("Expected `tasks` or a `process` that {} runs but found neither",
                              Quote(draft.step.id)));
  } else if (process == processes_.end() || process->type != ProcessType::kSubProcess) {
    lowering_.Add(ErrorCode::kUnknownStep, fields.process.place,
                  "Expected the id of a process of type \"sub_process\" but found " +
                      Quote(fields.process.text));
  } else if (process->used) {
    lowering_.Add(ErrorCode::kInvalidDefinition, fields.process.place,
                  fmt::format("Expected a process to be run by one task but found {} again; a task "
                              "of type \"call\" can run a definition many times",
                              Quote(fields.process.text)));
  } else {
    process->used = true;
    draft.child = process->body;
  }
}

void ProcessesLowering::ReadTransitions(const Node& node, uint32_t body) {
  if (!node.is_list())
    lowering_.Add(ErrorCode::kInvalidDefinition, node.place,
                  "Expected a list of transitions but found " + Describe(node));
  for (const Node& item : node.items) ReadTransition(item, body);
}

void ProcessesLowering::ReadTransition(const Node& node, uint32_t body) {
  MapReader reader(node, "a transition", lowering_.faults);
  if (!node.is_map()) return;
  const Node* from = reader.Require({"from", "source"});
  const Node* to = reader.Require({"to", "target"});
  const Node* condition = reader.Take({"condition", "when"});
  const Node* on = reader.Take("on");
  for (const std::string_view key :
       {"id", "name", "label", "description", "style", "color", "priority"})
    reader.Take(key);
  reader.Finish();
  DraftTransition edge;
  edge.place = node.place;
  std::optional<Join> join;
  if (on != nullptr) SetKind(edge, *on, join);
  if (condition != nullptr) SetKind(edge, *condition, join);
  if (from == nullptr || to == nullptr) return;
  const std::vector<Word> targets = ReadWords(*to, "`to`", true, lowering_.faults);
  const std::vector<Word> sources = ReadWords(*from, "`from`", true, lowering_.faults);
  for (const Word& source : sources) {
    for (const Word& target : targets) {
      edge.from = source;
      edge.to = target;
      if (!lowering_.AddTransition(body, edge)) return;
      KeepEdge(node, source.text, target.text, lowering_);
    }
    for (DraftStep& step : draft_.bodies[body].steps)
      if (edge.is_default && step.step.id == source.text && step.step.kind != StepKind::kGateway)
        step.step.split = Split::kFirst;
  }
  for (const Word& target : targets)
    for (DraftStep& step : draft_.bodies[body].steps)
      if (join && step.step.id == target.text && step.step.join == Join::kAll)
        step.step.join = *join;
}

void ProcessesLowering::SetKind(DraftTransition& edge, const Node& condition,
                                std::optional<Join>& join) {
  const std::string word = condition.is_string() ? Fold(condition.scalar.as_string()) : "";
  static const std::map<std::string, On, std::less<>> kOutcomes = {
      {"success", On::kSuccess},      {"succeeded", On::kSuccess}, {"on_success", On::kSuccess},
      {"failure", On::kFailure},      {"failed", On::kFailure},    {"error", On::kFailure},
      {"on_failure", On::kFailure},   {"on_error", On::kFailure},  {"always", On::kCompletion},
      {"completed", On::kCompletion}, {"parallel", On::kSuccess},  {"all_completed", On::kSuccess},
      {"any_completed", On::kSuccess}};
  if (const auto known = kOutcomes.find(word); known != kOutcomes.end()) {
    edge.on = known->second;
    if (word == "any_completed") join = Join::kAny;
  } else if (word == "default" || word == "else" || word == "otherwise") {
    edge.is_default = true;
  } else {
    edge.condition = lowering_.compiler.Condition(condition);
  }
}

bool ProcessesLowering::HasStep(uint32_t body, std::string_view id) const {
  return std::ranges::any_of(draft_.bodies[body].steps,
                             [&](const DraftStep& step) { return step.step.id == id; });
}

bool IsPlain(const DraftTransition& edge) {
  return edge.on == On::kSuccess && !edge.condition && !edge.is_default;
}

DraftStep ProcessesLowering::PseudoStep(std::string_view id, StepKind kind, uint32_t body) {
  DraftStep draft;
  draft.step.id = body == 0 ? std::string(id) : draft_.bodies[body].body.id + "." + std::string(id);
  draft.step.name = id;
  draft.step.kind = kind;
  draft.step.task_type = id;
  return draft;
}

// `start` is no step of its own where it only says which tasks begin.
void ProcessesLowering::ResolveStart(uint32_t body) {
  DraftBody& draft = draft_.bodies[body];
  if (HasStep(body, "start")) return;
  std::set<std::string> entered;
  bool mentioned = false;
  bool plain = true;
  for (const DraftTransition& edge : draft.transitions)
    if (edge.from.text != "start") entered.insert(edge.to.text);
  for (const DraftTransition& edge : draft.transitions) {
    if (edge.from.text != "start") continue;
    mentioned = true;
    plain = plain && IsPlain(edge) && !entered.contains(edge.to.text);
  }
  if (!mentioned) return;
  draft.start = Start::kGiven;
  if (plain) {
    for (const DraftTransition& edge : draft.transitions)
      if (edge.from.text == "start") draft.entries.push_back(edge.to);
    std::erase_if(draft.transitions,
                  [](const DraftTransition& edge) { return edge.from.text == "start"; });
    return;
  }
  DraftStep start = PseudoStep("start", StepKind::kStart, body);
  draft.entries.push_back({start.step.id, draft.body.place});
  for (DraftTransition& edge : draft.transitions) {
    if (edge.from.text != "start") continue;
    edge.from.text = start.step.id;
    start.step.place = edge.place;
    if (edge.is_default) start.step.split = Split::kFirst;
  }
  draft.steps.insert(draft.steps.begin(), std::move(start));
}

// Nor is `end` where leaving it out changes nothing.
void ProcessesLowering::ResolveEnd(uint32_t body) {
  DraftBody& draft = draft_.bodies[body];
  if (HasStep(body, "end")) return;
  const auto is_end = [](const DraftTransition& edge) { return edge.to.text == "end"; };
  bool plain = true;
  for (const DraftTransition& edge : draft.transitions)
    if (is_end(edge)) plain = plain && IsPlain(edge);
  if (plain) {
    // A task that only leads to the end still has its place in the flow.
    for (const DraftTransition& edge : draft.transitions)
      if (is_end(edge) && draft.start == Start::kConnected) draft.ends.push_back(edge.from);
    std::erase_if(draft.transitions, is_end);
    return;
  }
  DraftStep end = PseudoStep("end", StepKind::kEnd, body);
  end.step.join = Join::kAll;
  for (DraftTransition& edge : draft.transitions) {
    if (!is_end(edge)) continue;
    edge.to.text = end.step.id;
    end.step.place = edge.place;
  }
  draft.steps.push_back(std::move(end));
}

// One task after another, leaving out those that only handle failures.
void ProcessesLowering::Chain(uint32_t body) {
  DraftBody& draft = draft_.bodies[body];
  std::set<std::string> handlers{draft.fallback.text};
  for (const DraftStep& step : draft.steps) {
    handlers.insert(step.fallback.text);
    handlers.insert(step.compensation.text);
  }
  const DraftStep* before = nullptr;
  for (const DraftStep& step : draft.steps) {
    if (handlers.contains(step.step.id)) continue;
    if (before != nullptr)
      draft.transitions.push_back({.from = {before->step.id, before->step.place},
                                   .to = {step.step.id, step.step.place},
                                   .place = step.step.place});
    before = &step;
  }
}

}  // namespace

Draft LowerProcesses(const Node& root, std::string_view fallback_name, Faults& faults) {
  return ProcessesLowering(root, fallback_name, faults).Run();
}

}  // namespace stele::definition
