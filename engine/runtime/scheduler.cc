#include "engine/runtime/scheduler.h"

#include <algorithm>

#include "base/check.h"

namespace stele::runtime {

// One limit, shared by all courses that it concerns.
struct Scheduler::Gate {
  explicit Gate(const AttemptLimit& limit) : at_once(limit.at_once), rate(limit.rate) {}
  uint32_t at_once;
  uint32_t running = 0;
  RateWindow rate;
};

class Scheduler::Course {
 public:
  std::string definition;
  size_t type = 0;
  bool counts = true;
  std::vector<Gate*> gates;
  Keys* keys = nullptr;  // null: no limit by key
  uint32_t per_key = 0;
};

// The attempts of a step that share a key. It goes when nothing has it and nothing waits at it.
struct Scheduler::KeyGate {
  Keys* home = nullptr;
  std::string key;
  uint32_t running = 0;
  uint32_t lanes = 0;
  std::vector<Lane*> parked;  // lanes that wait for one of `running` to end
};

// Attempts that wait for exactly the same, in the order in which they came.
struct Scheduler::Lane {
  CourseQueue* home = nullptr;
  std::string key;
  KeyGate* gate = nullptr;
  std::map<uint64_t, Attempt> waiting;
  bool parked = false;
};

struct Scheduler::CourseQueue {
  Course* course = nullptr;
  Turn* home = nullptr;
  std::unordered_map<std::string, Lane> lanes;
  std::map<uint64_t, Lane*> ready;  // those that are not parked, by their first
};

struct Scheduler::Turn {
  std::string definition;
  Level* home = nullptr;
  std::map<Course*, CourseQueue> courses;
};

// Definitions at one priority, the one whose turn is next first.
struct Scheduler::Level {
  TypeQueue* home = nullptr;
  int32_t priority = 0;
  std::list<Turn> turns;
  std::unordered_map<std::string, std::list<Turn>::iterator> by_definition;
};

struct Scheduler::TypeQueue {
  std::map<int32_t, Level, std::greater<>> levels;
};

Scheduler::Scheduler(SchedulerSettings settings) : settings_(std::move(settings)) {}

Scheduler::~Scheduler() = default;

Scheduler::Gate* Scheduler::GateOf(const std::string& name, const AttemptLimit& limit) {
  // Another version with the same limit shares it.
  std::unique_ptr<Gate>& gate =
      gates_[name + '\0' + std::to_string(limit.at_once) + '/' + std::to_string(limit.rate.count) +
             '/' + std::to_string(limit.rate.per_us)];
  if (gate == nullptr) gate = std::make_unique<Gate>(limit);
  return gate.get();
}

Scheduler::Course* Scheduler::CourseOf(const definition::Definition& definition,
                                       const definition::Step& step, bool counts) {
  Course& course = *courses_.emplace_back(std::make_unique<Course>());
  course.definition = definition.name;
  course.counts = counts;
  const auto [type, is_new] = type_indices_.try_emplace(step.task_type, types_.size());
  if (is_new) types_.push_back(std::make_unique<TypeQueue>());
  course.type = type->second;
  if (const auto limit = settings_.task_types.find(step.task_type);
      limit != settings_.task_types.end())
    course.gates.push_back(GateOf("type " + step.task_type, limit->second));
  if (const auto limit = settings_.definitions.find(definition.name);
      limit != settings_.definitions.end())
    course.gates.push_back(GateOf("definition " + definition.name, limit->second));
  if (definition.rate.count > 0)
    course.gates.push_back(GateOf("rate of " + definition.name, {0, definition.rate}));
  std::string name = "step " + definition.name + '\0' + step.id;
  if (step.rate.count > 0) course.gates.push_back(GateOf(name, {0, step.rate}));
  if (step.concurrency.has_value()) {
    std::unique_ptr<Keys>& keys = keys_[std::move(name)];
    if (keys == nullptr) keys = std::make_unique<Keys>();
    course.keys = keys.get();
    course.per_key = std::max<uint32_t>(step.concurrency->limit, 1);
  }
  return &course;
}

bool Scheduler::BeginsAtOnce(const Course& course) {
  if (!course.gates.empty() || course.keys != nullptr) return false;
  if (!course.counts) return true;
  if (open_ >= settings_.max_open) return false;
  ++open_;
  return true;
}

void Scheduler::Enqueue(Course& course, const Attempt& attempt, int32_t priority,
                        const std::string& key) {
  const auto [place, is_new] = places_.try_emplace({attempt.instance, attempt.run});
  if (!is_new) return;
  TypeQueue& type = *types_[course.type];
  Level& level = type.levels[priority];
  level.home = &type;
  level.priority = priority;
  auto [turn, is_new_turn] = level.by_definition.try_emplace(course.definition);
  if (is_new_turn) {
    turn->second = level.turns.emplace(level.turns.end());
    turn->second->definition = course.definition;
    turn->second->home = &level;
  }
  CourseQueue& queue = turn->second->courses[&course];
  queue.course = &course;
  queue.home = &*turn->second;
  const auto [found, is_new_lane] = queue.lanes.try_emplace(course.keys == nullptr ? "" : key);
  Lane& lane = found->second;
  const uint64_t order = ++last_order_;
  lane.waiting.emplace(order, attempt);
  place->second = {&lane, order};
  if (!is_new_lane) return;
  lane.home = &queue;
  lane.key = found->first;
  queue.ready.emplace(order, &lane);
  if (course.keys == nullptr) return;
  std::unique_ptr<KeyGate>& gate = (*course.keys)[lane.key];
  if (gate == nullptr) gate = std::make_unique<KeyGate>(KeyGate{course.keys, lane.key, 0, 0, {}});
  lane.gate = gate.get();
  ++gate->lanes;
}

// Whether the limits that all lanes of the course share let one begin.
bool Scheduler::IsOpen(const Course& course, TimeUs now) {
  if (course.counts && open_ >= settings_.max_open) return false;
  for (const Gate* gate : course.gates)
    if (gate->at_once != 0 && gate->running >= gate->at_once) return false;
  TimeUs opens;
  for (const Gate* gate : course.gates) opens = std::max(opens, gate->rate.Opens());
  if (opens <= now) return true;
  if (!next_moment_ || opens < next_moment_) next_moment_ = opens;
  return false;
}

// The lane that is next, apart from what the course's lanes share. Those whose key is taken are put
// aside until it is free.
Scheduler::Lane* Scheduler::FirstOf(CourseQueue& queue) {
  while (!queue.ready.empty()) {
    Lane* lane = queue.ready.begin()->second;
    if (lane->gate == nullptr || lane->gate->running < queue.course->per_key) return lane;
    queue.ready.erase(queue.ready.begin());
    lane->parked = true;
    lane->gate->parked.push_back(lane);
  }
  return nullptr;
}

Scheduler::Lane* Scheduler::FirstOf(Turn& turn, TimeUs now) {
  Lane* first = nullptr;
  for (auto& [course, queue] : turn.courses) {
    Lane* lane = FirstOf(queue);
    if (lane == nullptr || !IsOpen(*course, now)) continue;
    if (first == nullptr || lane->waiting.begin()->first < first->waiting.begin()->first)
      first = lane;
  }
  return first;
}

Scheduler::Lane* Scheduler::FirstOf(TypeQueue& queue, TimeUs now) {
  for (auto& [priority, level] : queue.levels)
    for (Turn& turn : level.turns)
      if (Lane* lane = FirstOf(turn, now)) return lane;
  return nullptr;
}

std::optional<Scheduler::Attempt> Scheduler::Next(TimeUs now) {
  next_moment_ = TimeUs();
  if (places_.empty()) return std::nullopt;
  for (size_t i = 0; i < types_.size(); ++i) {
    const size_t type = (next_type_ + i) % types_.size();
    Lane* lane = FirstOf(*types_[type], now);
    if (lane == nullptr) continue;
    next_type_ = (type + 1) % types_.size();
    return Begin(*lane, now);
  }
  return std::nullopt;
}

Scheduler::Attempt Scheduler::Begin(Lane& lane, TimeUs now) {
  const Course& course = *lane.home->course;
  const uint64_t order = lane.waiting.begin()->first;
  const Attempt attempt = lane.waiting.begin()->second;
  if (course.counts) ++open_;
  for (Gate* gate : course.gates) {
    ++gate->running;
    gate->rate.Begin(now);
  }
  if (lane.gate != nullptr) {
    ++lane.gate->running;
    holding_[attempt] = lane.gate;
  }
  // Its definition has had its turn.
  Level& level = *lane.home->home->home;
  level.turns.splice(level.turns.end(), level.turns,
                     level.by_definition.at(lane.home->home->definition));
  places_.erase({attempt.instance, attempt.run});
  Take({&lane, order});
  return attempt;
}

void Scheduler::Ended(const Course& course, const Attempt& attempt) {
  if (course.counts) {
    CHECK(open_ > 0, "attempt {} ends but none is open", attempt.ToString());
    --open_;
  }
  for (Gate* gate : course.gates) --gate->running;
  if (course.keys == nullptr) return;
  const auto held = holding_.find(attempt);
  CHECK(held != holding_.end(), "attempt {} ends but did not begin", attempt.ToString());
  KeyGate& gate = *held->second;
  holding_.erase(held);
  --gate.running;
  for (Lane* lane : gate.parked) {
    lane->parked = false;
    lane->home->ready.emplace(lane->waiting.begin()->first, lane);
  }
  gate.parked.clear();
  if (gate.running == 0 && gate.lanes == 0) gate.home->erase(std::string(gate.key));
}

// One entry leaves its lane, and what is empty then goes.
void Scheduler::Take(const Place& place) {
  Lane& lane = *place.lane;
  CourseQueue& queue = *lane.home;
  const bool was_first = lane.waiting.begin()->first == place.order;
  lane.waiting.erase(place.order);
  if (was_first && !lane.parked) {
    queue.ready.erase(place.order);
    if (!lane.waiting.empty()) queue.ready.emplace(lane.waiting.begin()->first, &lane);
  }
  if (lane.waiting.empty()) Drop(lane);
}

void Scheduler::Drop(Lane& lane) {
  CourseQueue& queue = *lane.home;
  if (KeyGate* gate = lane.gate) {
    std::erase(gate->parked, &lane);
    if (--gate->lanes == 0 && gate->running == 0) gate->home->erase(std::string(gate->key));
  }
  queue.lanes.erase(std::string(lane.key));
  if (!queue.lanes.empty()) return;
  Turn& turn = *queue.home;
  turn.courses.erase(queue.course);
  if (!turn.courses.empty()) return;
  Level& level = *turn.home;
  const auto found = level.by_definition.find(turn.definition);
  level.turns.erase(found->second);
  level.by_definition.erase(found);
  if (level.turns.empty()) level.home->levels.erase(int32_t{level.priority});
}

void Scheduler::Withdraw(InstanceId instance, const std::function<bool(const Attempt&)>& gone) {
  auto at = places_.lower_bound({instance, RunId()});
  while (at != places_.end() && at->first.first == instance) {
    const Place place = at->second;
    if (!gone(place.lane->waiting.at(place.order))) {
      ++at;
      continue;
    }
    at = places_.erase(at);
    Take(place);
  }
}

void Scheduler::Withdraw(InstanceId instance, RunId run) {
  const auto at = places_.find({instance, run});
  if (at == places_.end()) return;
  const Place place = at->second;
  places_.erase(at);
  Take(place);
}

std::vector<Scheduler::Attempt> Scheduler::TakeAll() {
  std::vector<Attempt> taken;
  for (const auto& [run, place] : std::exchange(places_, {})) {
    taken.push_back(place.lane->waiting.at(place.order));
    Take(place);
  }
  return taken;
}

}  // namespace stele::runtime
