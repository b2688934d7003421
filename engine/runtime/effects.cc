// What a record asks for outside: attempts that start when it is durable, others that nothing waits
// for any more. And what goes on after a restart.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "engine/runtime/shard.h"

namespace stele::runtime {

namespace {

using model::RunState;

// Shorter lines of a secret would blot out ordinary text.
constexpr size_t kMinSecretLine = 6;

// The string in `root` that an RFC 6901 pointer names, or null.
std::string* StringAt(Value& root, std::string_view pointer) {
  Value* at = &root;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);  // '/'
    const size_t end = std::min(pointer.find('/'), pointer.size());
    std::string key;
    for (size_t i = 0; i < end; ++i) {
      if (pointer[i] != '~') {
        key += pointer[i];
      } else {
        key += pointer[++i] == '1' ? '/' : '~';
      }
    }
    pointer.remove_prefix(end);
    if (at->is_object()) {
      at = at->as_object().Find(key);
    } else if (at->is_array()) {
      const size_t index = std::strtoul(key.c_str(), nullptr, 10);
      at = index < at->as_array().size() ? &at->as_array()[index] : nullptr;
    } else {
      at = nullptr;
    }
    if (at == nullptr) return nullptr;
  }
  return at->is_string() ? &at->as_string() : nullptr;
}

Status InsertSecret(tasks::TaskRequest& request, const model::SecretUse& use,
                    const secrets::Secrets& source) {
  const std::optional<std::string> text = source.Find(use.name);
  if (!text.has_value())
    return Fail(ErrorCode::kTaskConfig, fmt::format("Expected the secret \"{}\" but found {}",
                                                    use.name, source.Missing(use.name)));
  const bool into_input = use.pointer.starts_with("input/");
  std::string_view pointer = use.pointer;
  if (into_input) pointer.remove_prefix(5);
  std::string* place = StringAt(into_input ? request.input : request.config, pointer);
  CHECK(place != nullptr && use.offset <= place->size(), "no place for the secret {} at {}",
        use.name, use.pointer);
  place->insert(use.offset, *text);
  request.secrets.push_back(*text);
  // A key of many lines must not appear line by line either.
  if (text->contains('\n')) {
    for (size_t begin = 0; begin < text->size();) {
      const size_t end = std::min(text->find('\n', begin), text->size());
      if (end - begin >= kMinSecretLine)
        request.secrets.push_back(text->substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return {};
}

}  // namespace

void Shard::CollectEffects(Live& live) {
  const Position position(next_position_.value - 1);
  const auto start = [&](RunId id) {
    const model::StepRun* run = live.instance.FindRun(id);
    if (run == nullptr || run->state != RunState::kAttempt) return;
    if (live.definition->step(run->step).kind != definition::StepKind::kTask) return;
    Hold({.position = position,
          .kind = ReleaseKind::kStart,
          .live = &live,
          .attempt = {run->id, run->attempt, nullptr}});
  };
  for (const model::Event& event : events_) {
    if (const auto* activated = std::get_if<model::StepActivated>(&event)) start(activated->run);
    if (const auto* started = std::get_if<model::AttemptStarted>(&event)) start(started->run);
  }
  std::erase_if(live.outside, [&](const Outside& attempt) {
    const model::StepRun* run = live.instance.FindRun(attempt.run);
    if (run != nullptr && run->state == RunState::kAttempt && run->attempt == attempt.attempt)
      return false;
    Hold({.position = position, .kind = ReleaseKind::kCancel, .live = &live, .attempt = attempt});
    return true;
  });
  if (scheduler_.queued() == 0) return;
  scheduler_.Withdraw(live.instance.id, [&](const tasks::AttemptKey& attempt) {
    const model::StepRun* run = live.instance.FindRun(attempt.run);
    return run == nullptr || run->state != RunState::kAttempt || run->attempt != attempt.attempt;
  });
}

const StepTask& Shard::TaskOf(const Live& live, StepIndex index) {
  std::vector<StepTask>& known = step_tasks_[live.instance.definition];
  if (known.empty()) {
    for (const definition::Step& step : live.definition->steps) {
      StepTask& task = known.emplace_back();
      if (step.kind != definition::StepKind::kTask) continue;
      // A step may be stubbed by its id, any by its type.
      task.executor = parts_.tasks->Find(fmt::format("step:{}", step.id));
      if (task.executor == nullptr) task.executor = parts_.tasks->Find(step.task_type);
      // What goes on without the engine only waits here.
      const bool works = task.executor == nullptr || !task.executor->outlives_engine();
      task.course = scheduler_.CourseOf(*live.definition, step, works);
    }
  }
  return known[index.value];
}

Result<tasks::TaskRequest> Shard::RequestOf(const Live& live, const model::StepRun& run) const {
  const definition::Step& step = live.definition->step(run.step);
  tasks::TaskRequest request{
      .key = {live.instance.id, run.id, run.attempt},
      .task_type = step.task_type,
      .step_id = step.id,
      .definition = live.definition->name,
      .config = run.config.has_value() ? run.config.value() : step.config.source(),
      .timeout_us = step.timeout_us};
  request.input = run.input.has_value() ? run.input.value() : Value(Object());
  for (const model::SecretUse& use : run.secrets)
    STELE_RETURN_IF_ERROR(InsertSecret(request, use, *parts_.secrets));
  return request;
}

void Shard::GoOn(Live& live, std::string_view actor) {
  Use(live);
  ArmTimer(live);
  const InstanceId id = live.instance.id;
  FollowParent(live, actor);
  for (const model::StepRun& run : live.instance.runs) {
    const definition::Step& step = live.definition->step(run.step);
    if (step.kind != definition::StepKind::kTask) continue;
    if (run.state == RunState::kHeld) {
      inbox_.push_back({id, model::RestartAttempt{run.id}, std::string(actor), nullptr});
    } else if (run.state == RunState::kAttempt) {
      const tasks::TaskExecutor* executor = TaskOf(live, run.step).executor;
      if (executor != nullptr && executor->repeats_after_crash()) {
        Hold({.position = live.instance.position,
              .kind = ReleaseKind::kStart,
              .live = &live,
              .attempt = {run.id, run.attempt, nullptr}});
      } else {
        inbox_.push_back({id,
                          model::InterruptAttempt{run.id, run.attempt, model::Interruption::kCrash},
                          std::string(actor), nullptr});
      }
    }
  }
  looked_at_.push_back(id);
  Wake();
}

}  // namespace stele::runtime
