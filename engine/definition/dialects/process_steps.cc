// The `steps:` of process engines: steps with `next`, gateways, service and user tasks
// (docs/notations.md).

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/definition/dialects/dialects.h"
#include "engine/definition/dialects/foreign.h"
#include "engine/definition/dialects/node_graph.h"
#include "engine/definition/limits.h"
#include "engine/definition/patch.h"
#include "engine/definition/value_types.h"

namespace stele::definition {
namespace {

struct Name {
  std::string_view foreign;
  std::string_view ours;
};
// Types by their words here; the others that FindStepType knows are themselves.
constexpr Name kTypes[] = {
    {"start_event", "start"},
    {"end_event", "end"},
    {"script_task", "script"},
    {"service_task", "http"},
    {"user_task", "manual"},
    {"approval_task", "approval"},
    {"manual_task", "manual"},
    {"exclusive_gateway", "exclusive"},
    {"inclusive_gateway", "inclusive"},
    {"parallel_gateway", "parallel"},
    {"timer_event", "timer"},
    {"intermediate_timer_event", "timer"},
    {"call_activity", "call"},
    {"receive_task", "receive"},
    {"message_event", "receive"},
    {"send_task", "publish"},
    {"signal_event", "signal"},
    {"event_gateway", "event_race"},
    {"event_based_gateway", "event_race"},
};

std::string_view OurType(std::string_view word) {
  const std::string folded = Fold(word);
  for (const Name& name : kTypes)
    if (name.foreign == folded) return name.ours;
  return {};
}

bool IsVerb(std::string_view method) {
  static constexpr std::string_view kVerbs[] = {"GET",   "HEAD",   "POST",   "PUT",
                                                "PATCH", "DELETE", "OPTIONS"};
  return std::ranges::find(kVerbs, method) != std::end(kVerbs);
}

// A parallel gateway, until the steps behind it are known.
struct Fork {
  std::string id;
  Place place;
  std::vector<Word> tasks;
  std::vector<Word> next;
  std::optional<Join> join;
  uint32_t count = 0;
};

// A body's steps and transitions, for questions about who reaches whom.
class BodyGraph {
 public:
  explicit BodyGraph(const DraftBody& body) {
    for (const DraftStep& step : body.steps) {
      by_id_.emplace(step.step.id, graph_.nodes.size());
      graph_.nodes.push_back({.id = step.step.id});
    }
    graph_.out.resize(graph_.nodes.size());
    for (const DraftTransition& edge : body.transitions) Add(edge);
  }

  void Add(const DraftTransition& edge) {
    const auto from = by_id_.find(edge.from.text), to = by_id_.find(edge.to.text);
    if (from == by_id_.end() || to == by_id_.end()) return;
    graph_.out[from->second].push_back(graph_.connections.size());
    graph_.connections.push_back({.from = from->second, .to = to->second});
  }
  // Of those that there are, each once.
  std::vector<size_t> Indices(const std::vector<Word>& ids) const {
    std::vector<size_t> found;
    std::set<size_t> seen;
    for (const Word& id : ids)
      if (const auto node = by_id_.find(id.text);
          node != by_id_.end() && seen.insert(node->second).second)
        found.push_back(node->second);
    return found;
  }
  std::vector<bool> ReachedFrom(size_t node) const {
    return graph_.Reach({node}, [](const Connection&) { return true; });
  }
  bool EndsAt(size_t node) const { return graph_.out[node].empty(); }
  const NodeGraph& graph() const { return graph_; }

 private:
  NodeGraph graph_;
  std::map<std::string, size_t, std::less<>> by_id_;
};

class ProcessStepsLowering {
 public:
  ProcessStepsLowering(const Node& root, std::string_view fallback_name, Faults& faults)
      : root_(root), fallback_name_(fallback_name), lowering_{draft_, faults} {}

  Draft Run();

 private:
  void ReadServices(const Node& node);
  void ReadSteps(const Node& node, uint32_t body);
  void ReadOne(const Node& node, uint32_t body, std::vector<Fork>& forks);
  void PrepareService(ForeignStep& step);
  void Call(const Node& service, ForeignStep& step);
  Fork ReadFork(ForeignStep& step);
  void ReadJoinCondition(MapReader& config, Fork& fork);
  void LowerFork(const Fork& fork, BodyGraph& graph, uint32_t body);
  void Follow(const Fork& fork, BodyGraph& graph, uint32_t body);
  void Add(Place place, std::string message) {
    lowering_.Add(ErrorCode::kInvalidDefinition, place, std::move(message));
  }

  const Node& root_;
  const std::string_view fallback_name_;
  Draft draft_;
  Lowering lowering_;
  std::optional<RetryPolicy> retry_;
  std::map<std::string, Node, std::less<>> services_;
};

// `order_id: "string"` declares a variable of that type.
Node Declarations(const Node& variables) {
  Node result = variables;
  for (Entry& entry : result.entries) {
    if (!entry.value.is_string()) continue;
    if (!FindValueType(entry.value.scalar.as_string())) continue;
    Node declaration = MapNode(entry.value.place);
    SetKey(declaration, "type", entry.value);
    entry.value = std::move(declaration);
  }
  return result;
}

Draft ProcessStepsLowering::Run() {
  draft_.AddBody("", "", root_.place);
  MapReader top(root_, "the file", lowering_.faults);
  ForeignHead head = ReadForeignHead(top, "process_steps", fallback_name_, lowering_);
  if (const Node* id = top.Take("id"); id != nullptr && id->is_string()) {
    draft_.head.name = id->scalar.as_string();
    draft_.bodies[0].body.id = draft_.head.name;
  }
  if (const Node* node = top.Take({"error_handling", "on_error"})) {
    ErrorHandling handling = ReadErrorHandling(*node, lowering_);
    draft_.bodies[0].body.strategy = handling.strategy;
    if (!handling.fallback.text.empty()) draft_.bodies[0].fallback = std::move(handling.fallback);
    if (!head.retry) head.retry = std::move(handling.retry);
  }
  if (const Node* retry = top.Take({"retry_policy", "retry"}))
    head.retry = ReadRetry(*retry, lowering_);
  retry_ = head.retry;
  if (const Node* variables = top.Take("variables"))
    ReadVariables(Declarations(*variables), draft_.bodies[0].body.variables, lowering_);
  if (const Node* services = top.Take("services")) ReadServices(*services);
  const Node* steps = top.Require({"steps"});
  top.Finish();
  if (steps != nullptr) ReadSteps(*steps, 0);
  return std::move(draft_);
}

void ProcessStepsLowering::ReadServices(const Node& node) {
  if (node.is_scalar())
    Add(node.place, "Expected a mapping of services but found " + Describe(node));
  for (const Entry& entry : node.entries) services_[entry.key] = entry.value;
  for (const Node& item : node.items) services_[NameOf(item.Find("name"))] = item;
  for (const auto& [name, service] : services_)
    if (service.is_map() && service.Find("url") == nullptr)
      Add(service.place,
          fmt::format("Expected a `url` of the service {} but found none", Quote(name)));
    else if (!service.is_map() && !service.is_string())
      Add(service.place, fmt::format("Expected a service with a `url` as {} but found {}",
                                     Quote(name), Describe(service)));
}

void ProcessStepsLowering::ReadSteps(const Node& node, uint32_t body) {
  if (!node.is_list() || node.items.empty())
    return Add(node.place, "Expected a list of steps but found " +
                               (node.is_list() ? std::string("an empty one") : Describe(node)));
  if (node.items.size() > kMaxSteps)
    return lowering_.Add(
        ErrorCode::kLimitExceeded, node.place,
        fmt::format("Expected at most {} steps but found {}", kMaxSteps, node.items.size()));
  std::vector<Fork> forks;
  for (const Node& item : node.items) ReadOne(item, body, forks);
  if (forks.empty()) return;
  BodyGraph graph(draft_.bodies[body]);
  for (const Fork& fork : forks) LowerFork(fork, graph, body);
}

void ProcessStepsLowering::ReadOne(const Node& node, uint32_t body, std::vector<Fork>& forks) {
  if (!node.is_map()) return Add(node.place, "Expected a step but found " + Describe(node));
  ForeignStep step = SplitStep(node, lowering_);
  const std::string word = NameOf(node.Find("type"));
  std::optional<Node> nested;
  if (Node* type = const_cast<Node*>(step.node.Find("type")); type != nullptr && !word.empty()) {
    const std::string_view ours = OurType(word);
    type->scalar = ours.empty() ? TypeWord(word) : std::string(ours);
    const auto known = FindStepType(type->scalar.as_string());
    if (known && (known->kind == StepKind::kLoop || known->kind == StepKind::kSubProcess)) {
      nested = TakeKey(step.node, "steps");
      if (auto inner = TakeKey(step.config, "steps"); inner && !nested) nested = std::move(inner);
    }
  }
  LiftKeys(step.config, step);
  if (Fold(word) == "service_task") PrepareService(step);
  if (Fold(word) == "parallel_gateway" || Fold(word) == "parallel") forks.push_back(ReadFork(step));
  const Word fallback = BodyFallback(step.stele);
  const size_t index = AddForeignStep(std::move(step), body, retry_, lowering_);
  const Step& read = draft_.bodies[body].steps[index].step;
  if (read.kind != StepKind::kLoop && read.kind != StepKind::kSubProcess) return;
  if (!nested)
    return Add(node.place,
               fmt::format("Expected nested `steps` in {} but found none", Quote(read.id)));
  const uint32_t child = draft_.AddBody(read.id, read.name, read.place);
  draft_.bodies[body].steps[index].child = child;
  draft_.bodies[child].fallback = fallback;
  ReadSteps(*nested, child);
}

// With a URL it is a call over HTTP; a service that the file lists has one; any other is the type
// of somebody's worker.
void ProcessStepsLowering::PrepareService(ForeignStep& step) {
  const Place place = step.node.place;
  if (auto endpoint = TakeKey(step.config, "endpoint"))
    SetKey(step.config, "url", *std::move(endpoint));
  if (step.config.Find("url") != nullptr) return;
  const Node* name = step.config.Find("service_name");
  if (name == nullptr) name = step.config.Find("service");
  if (NameOf(name).empty())
    return Add(place,
               "Expected `url`, `endpoint` or `service_name` in a service_task's `config` "
               "but found none");
  const auto service = services_.find(NameOf(name));
  if (service == services_.end())
    SetKey(step.node, "type", TextNode("custom:" + NameOf(name), name->place));
  else
    Call(service->second, step);
}

void ProcessStepsLowering::Call(const Node& service, ForeignStep& step) {
  Node& config = step.config;
  TakeKey(config, "service_name");
  TakeKey(config, "service");
  const std::optional<Node> method = TakeKey(config, "method");
  const Node* place = service.is_map() ? service.Find("url") : &service;
  if (place == nullptr) return;
  std::string url = NameOf(place);
  const std::string word = method ? NameOf(&*method) : "";
  if (const size_t at = url.find("{method}"); at != std::string::npos)
    url.replace(at, 8, word);
  else if (!word.empty() && !IsVerb(word))
    url += (url.ends_with('/') ? "" : "/") + word;
  SetKey(config, "url", TextNode(std::move(url), place->place));
  SetKey(config, "method", TextNode(IsVerb(word) ? word : "POST", config.place));
  for (const std::string_view key : {"parameters", "input", "payload"})
    if (auto body = TakeKey(config, key)) SetKey(config, "body", *std::move(body));
  for (const Entry& entry : service.entries)
    if (config.Find(entry.key) == nullptr && entry.key != "name" && entry.key != "description")
      SetKey(config, entry.key, entry.value);
  if (config.Find("body") == nullptr && !IsVerb(word))
    SetKey(config, "body", TextNode("{{variables}}", config.place));
}

Fork ProcessStepsLowering::ReadFork(ForeignStep& step) {
  Fork fork{.id = NameOf(step.node.Find("id")), .place = step.node.place};
  MapReader config(step.config, "a parallel gateway's `config`", lowering_.faults);
  const Node* tasks = config.Take({"parallel_tasks", "branches", "tasks"});
  if (tasks != nullptr) fork.tasks = ReadWords(*tasks, "`parallel_tasks`", false, lowering_.faults);
  ReadJoinCondition(config, fork);
  config.Take("timeout");
  config.Finish();
  step.config.entries.clear();
  if (fork.tasks.empty()) return fork;
  if (auto next = TakeKey(step.node, "next"))
    fork.next = ReadWords(*next, "`next`", false, lowering_.faults);
  return fork;
}

void ProcessStepsLowering::ReadJoinCondition(MapReader& config, Fork& fork) {
  const auto count = config.Integer({"join_count", "required", "n"}, 1, kMaxTransitions);
  const Node* node = config.Take({"join_condition", "join"});
  if (count) {
    fork.join = Join::kNOfM;
    fork.count = static_cast<uint32_t>(*count);
  }
  if (node == nullptr) return;
  const std::string word = Fold(NameOf(node));
  const size_t digits = std::min(word.find_first_not_of("0123456789"), word.size());
  const bool complete = word == "all" || word == "all_complete" || word == "all_completed";
  if (complete && !count) {
    fork.join = Join::kAll;
  } else if (word == "any" || word == "any_complete" || word == "any_completed" ||
             word == "first") {
    fork.join = Join::kAny;
  } else if (digits > 0 && digits < 6 && std::stoul(word) > 0) {
    fork.join = Join::kNOfM;
    fork.count = static_cast<uint32_t>(std::stoul(word));
  } else if (!(count && (word.starts_with("n_")))) {
    Add(node->place,
        "Expected a join condition of \"all_complete\", \"any_complete\", "
        "\"2_complete\" or \"n_complete\" with `join_count` but found " +
            Describe(*node));
  }
}

// The gateway's own `next` is where branches go that have no next of their own.
void ProcessStepsLowering::Follow(const Fork& fork, BodyGraph& graph, uint32_t body) {
  struct Branch {
    std::vector<bool> reached;
    std::vector<size_t> ends;  // steps that nothing follows
  };
  std::vector<Branch> branches;
  const DraftBody& draft = draft_.bodies[body];
  for (const size_t first : graph.Indices(fork.tasks)) {
    Branch branch{graph.ReachedFrom(first), {}};
    for (size_t i = 0; i < branch.reached.size(); ++i)
      if (branch.reached[i] && graph.EndsAt(i) && draft.steps[i].step.kind != StepKind::kEnd)
        branch.ends.push_back(i);
    branches.push_back(std::move(branch));
  }
  std::vector<DraftTransition> edges;
  for (const Word& next : fork.next) {
    const std::vector<size_t> target = graph.Indices({next});
    std::set<size_t> done;
    for (const Branch& branch : branches) {
      if (!target.empty() && branch.reached[target[0]]) continue;
      for (const size_t end : branch.ends) {
        if (!done.insert(end).second) continue;
        const DraftTransition edge{
            .from = {draft.steps[end].step.id, fork.place}, .to = next, .place = next.place};
        if (!lowering_.AddTransition(body, edge)) return;
        edges.push_back(edge);
      }
    }
  }
  for (const DraftTransition& edge : edges) graph.Add(edge);
}

void ProcessStepsLowering::LowerFork(const Fork& fork, BodyGraph& graph, uint32_t body) {
  DraftBody& draft = draft_.bodies[body];
  if (fork.tasks.empty()) {
    // A gateway that only joins.
    for (DraftStep& step : draft.steps)
      if (step.step.id == fork.id && fork.join) {
        step.step.join = *fork.join;
        step.step.join_count = fork.count;
      }
    return;
  }
  for (const Word& task : fork.tasks) {
    const DraftTransition edge{.from = {fork.id, fork.place}, .to = task, .place = task.place};
    if (!lowering_.AddTransition(body, edge)) return;
    graph.Add(edge);
  }
  Follow(fork, graph, body);
  if (!fork.join || *fork.join == Join::kAll) return;
  const size_t meeting = FindMeeting(graph.graph(), graph.Indices(fork.tasks));
  if (meeting == kNoNode)
    return Add(fork.place, fmt::format("Expected the branches of {} to meet in a step, which its "
                                       "`join_condition` is about, but found none",
                                       Quote(fork.id)));
  draft.steps[meeting].step.join = *fork.join;
  draft.steps[meeting].step.join_count = fork.count;
}

}  // namespace

bool IsProcessSteps(const Node& root, Faults& faults) {
  if (const Node* stele = root.Find(kPatchKey); stele != nullptr)
    if (const Node* dialect = stele->Find("dialect")) return NameOf(dialect) == "process_steps";
  const Node* steps = root.Find("steps");
  if (steps == nullptr) return false;
  bool types = false, own = false;
  const Node* tasks = nullptr;
  for (const Node& step : steps->items) {
    for (const std::string_view key : {"depends_on", "dependencies", "order", "is_parallel"})
      own = own || step.Find(key) != nullptr;
    types = types || !OurType(NameOf(step.Find("type"))).empty();
    if (const Node* config = step.Find("config"); config != nullptr && tasks == nullptr)
      tasks = config->Find("parallel_tasks");
  }
  if (own && tasks != nullptr)
    faults.Add(ErrorCode::kInvalidDefinition, tasks->place,
               "Expected steps that follow each other by `next` and `parallel_tasks`, or by "
               "`depends_on`, but found both");
  return types && !own;
}

Draft LowerProcessSteps(const Node& root, std::string_view fallback_name, Faults& faults) {
  return ProcessStepsLowering(root, fallback_name, faults).Run();
}

}  // namespace stele::definition
