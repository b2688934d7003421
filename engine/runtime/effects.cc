// Attempts: started when the record that asks for them is durable, cancelled when nothing waits for
// them any more, and what comes back turned into commands.
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
}

tasks::TaskExecutor* Shard::ExecutorOf(const Live& live, StepIndex index) {
  std::vector<tasks::TaskExecutor*>& known = executors_[live.instance.definition];
  if (known.empty()) {
    // A step may be stubbed by its id, any by its type.
    for (const definition::Step& step : live.definition->steps) {
      tasks::TaskExecutor* stub = parts_.tasks->Find(fmt::format("step:{}", step.id));
      known.push_back(stub != nullptr ? stub : parts_.tasks->Find(step.task_type));
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

void Shard::StartAttempt(Live& live, const Outside& attempt) {
  const InstanceId id = live.instance.id;
  const model::StepRun* run = live.instance.FindRun(attempt.run);
  // What was decided since may have taken the attempt back.
  if (run == nullptr || run->state != RunState::kAttempt || run->attempt != attempt.attempt) return;
  if (stopping_) {
    inbox_.push_back(
        {id, model::InterruptAttempt{attempt.run, attempt.attempt, model::Interruption::kShutdown},
         "", nullptr});
    return Wake();
  }
  const definition::Step& step = live.definition->step(run->step);
  tasks::TaskExecutor* executor = ExecutorOf(live, run->step);
  const auto fail = [&](std::string kind, std::string message) {
    tasks::TaskResult result;
    result.outcome =
        std::unexpected(tasks::TaskFailure{std::move(kind), std::move(message), false, {}});
    live.outside.push_back({attempt.run, attempt.attempt, nullptr});
    AttemptEnded(id, attempt.run, attempt.attempt, std::move(result));
  };
  if (executor == nullptr)
    return fail("unavailable",
                fmt::format("Expected an executor for \"{}\" but found none", step.task_type));
  Result<tasks::TaskRequest> request = RequestOf(live, *run);
  if (!request.has_value()) return fail("config", request.error().message);
  live.outside.push_back({attempt.run, attempt.attempt, executor});
  executor->Start(*std::move(request), [this, id, attempt](tasks::TaskResult result) {
    AttemptEnded(id, attempt.run, attempt.attempt, std::move(result));
  });
}

void Shard::AttemptEnded(InstanceId id, RunId run, uint32_t attempt, tasks::TaskResult result) {
  const auto found = live_.find(id);
  if (found == live_.end()) return;
  std::erase_if(found->second->outside, [&](const Outside& outside) {
    return outside.run == run && outside.attempt == attempt;
  });
  if (result.outcome.has_value() && result.outcome->text().size() > options_.max_output_bytes)
    result.outcome = std::unexpected(
        tasks::TaskFailure{"output_limit",
                           fmt::format("Expected an output of at most {} bytes but found {}",
                                       options_.max_output_bytes, result.outcome->text().size()),
                           false,
                           {}});
  model::Command command;
  if (result.outcome.has_value()) {
    command = model::CompleteAttempt{run, attempt, *std::move(result.outcome),
                                     std::move(result.log.text), result.log.truncated};
  } else {
    tasks::TaskFailure& failure = result.outcome.error();
    command = model::FailAttempt{run,
                                 attempt,
                                 std::move(failure.kind),
                                 std::move(failure.message),
                                 failure.retryable,
                                 std::move(failure.details),
                                 std::move(result.log.text),
                                 result.log.truncated};
  }
  ++found->second->results;
  inbox_.push_back({id, std::move(command), "", nullptr, true});
  Wake();
}

void Shard::CancelOutside(const Outside& attempt, InstanceId instance,
                          std::function<void()> stopped) {
  if (attempt.executor == nullptr) return stopped();
  attempt.executor->Cancel({instance, attempt.run, attempt.attempt}, std::move(stopped));
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
      const tasks::TaskExecutor* executor = ExecutorOf(live, run.step);
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
  Wake();
}

}  // namespace stele::runtime
