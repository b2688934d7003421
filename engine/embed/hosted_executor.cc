#include "engine/embed/hosted_executor.h"

#include <fmt/format.h>

#include <atomic>

#include "base/json.h"
#include "engine/tasks/bounded_text.h"
#include "engine/tasks/limits.h"

namespace stele::embed {

struct Completion::State {
  State(std::shared_ptr<LoopPost> to, std::function<void(TaskResult)> with)
      : post(std::move(to)), answer(std::move(with)) {}
  ~State() {
    if (!finished.exchange(true))
      Send(TaskResult::Failed("abandoned", "Expected an answer to the attempt but found none"));
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void Send(TaskResult result) {
    post->Post([tell = answer, result = std::move(result)] { tell(result); });
  }

  std::shared_ptr<LoopPost> post;
  std::function<void(TaskResult)> answer;  // on the loop
  std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
  std::atomic<bool> finished = false;
};

bool Completion::Finish(TaskResult result) const {
  if (state_->finished.exchange(true)) return false;
  const bool wanted = !state_->cancelled->load();
  state_->Send(std::move(result));
  return wanted;
}

bool Completion::cancelled() const {
  return state_->cancelled->load();
}

struct HostedExecutor::Call {
  tasks::AttemptKey key;
  Done done;                      // null once nobody waits
  std::function<void()> stopped;  // when it was cancelled
  std::vector<std::string> secrets;
  std::shared_ptr<std::atomic<bool>> cancelled;
  uv_timer_t* timer = nullptr;
  int64_t timeout_us = 0;
  bool is_late = false;
};

namespace {

struct Alarm {
  uv_timer_t timer;
  std::function<void()> ring;
};

void CloseTimer(uv_timer_t* timer) {
  if (timer == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(timer),
           [](uv_handle_t* handle) { delete static_cast<Alarm*>(handle->data); });
}

tasks::TaskResult FailureOf(std::string kind, std::string message, bool retryable) {
  tasks::TaskResult result;
  result.outcome =
      std::unexpected(tasks::TaskFailure{std::move(kind), std::move(message), retryable, {}});
  return result;
}

tasks::TaskResult ToTaskResult(const TaskResult& result, const tasks::Redactor& redactor) {
  tasks::TaskResult answer;
  if (result.failed) {
    answer = FailureOf(result.kind.empty() ? "failed" : result.kind, redactor.Text(result.message),
                       result.retryable);
  } else {
    const stele::Result<Value> output = ParseJson(result.output);
    if (!output.has_value() || !output->is_object()) {
      answer = FailureOf("output",
                         fmt::format("Expected a JSON object as output but found {}",
                                     output.has_value() ? std::string(KindName(output->kind()))
                                                        : output.error().message),
                         false);
    } else {
      answer.outcome = Payload::FromValue(redactor.Redact(*output));
    }
  }
  answer.log.text = redactor.Text(result.log);
  answer.log.truncated = answer.log.text.size() > tasks::kMaxLogBytes;
  if (answer.log.truncated) answer.log.text = tasks::KeepEnds(answer.log.text, tasks::kMaxLogBytes);
  return answer;
}

}  // namespace

HostedExecutor::HostedExecutor(uv_loop_t* loop, std::shared_ptr<LoopPost> post,
                               std::shared_ptr<AsyncExecutor> executor, ExecutorOptions options)
    : loop_(loop), post_(std::move(post)), executor_(std::move(executor)), options_(options) {}

HostedExecutor::~HostedExecutor() {
  for (const auto& [serial, call] : calls_) CloseTimer(call->timer);
}

void HostedExecutor::Start(tasks::TaskRequest request, Done done) {
  const uint64_t serial = ++last_serial_;
  const auto state = std::make_shared<Completion::State>(
      post_, [this, serial](const TaskResult& result) { Ended(serial, result); });
  auto call = std::make_unique<Call>();
  call->key = request.key;
  call->done = std::move(done);
  call->secrets = std::move(request.secrets);
  call->cancelled = state->cancelled;
  call->timeout_us = request.timeout_us;
  if (request.timeout_us > 0) SetTimer(*call, serial, request.timeout_us);
  serials_[request.key] = serial;
  calls_[serial] = std::move(call);

  Attempt attempt{.key = request.key.ToString(),
                  .instance = request.key.instance.value,
                  .number = request.key.attempt,
                  .definition = std::string(request.definition),
                  .step = std::string(request.step_id),
                  .task_type = std::string(request.task_type),
                  .config = ToJson(request.config),
                  .input = ToJson(request.input),
                  .trace_parent = std::move(request.trace_parent),
                  .cancelled = [flag = state->cancelled] { return flag->load(); }};
  const Completion completion(state);
  try {
    executor_->Start(std::move(attempt), completion);
  } catch (const std::exception& exception) {
    completion.Finish(TaskResult::Failed("exception", exception.what()));
  } catch (...) {
    completion.Finish(TaskResult::Failed("exception", "Expected a result but found an exception"));
  }
}

void HostedExecutor::SetTimer(Call& call, uint64_t serial, int64_t timeout_us) {
  auto* alarm = new Alarm{{}, [this, serial] { TimeIsUp(serial); }};
  uv_timer_init(loop_, &alarm->timer);
  alarm->timer.data = alarm;
  uv_timer_start(
      &alarm->timer, [](uv_timer_t* timer) { static_cast<Alarm*>(timer->data)->ring(); },
      static_cast<uint64_t>((timeout_us + 999) / 1'000), 0);
  call.timer = &alarm->timer;
}

void HostedExecutor::AskToStop(Call& call) {
  if (call.cancelled->exchange(true)) return;
  try {
    executor_->Cancel(call.key.ToString());
  } catch (...) {
    // It was asked; what it does with that shows when its Completion goes.
    return;
  }
}

void HostedExecutor::TimeIsUp(uint64_t serial) {
  Call& call = *calls_.at(serial);
  call.is_late = true;
  AskToStop(call);
}

void HostedExecutor::Cancel(const tasks::AttemptKey& key, std::function<void()> stopped) {
  const auto found = serials_.find(key);
  if (found == serials_.end()) return stopped();
  Call& call = *calls_.at(found->second);
  serials_.erase(found);
  call.done = nullptr;
  call.stopped = std::move(stopped);
  AskToStop(call);
}

void HostedExecutor::Ended(uint64_t serial, const TaskResult& result) {
  const auto found = calls_.find(serial);
  if (found == calls_.end()) return;
  const std::unique_ptr<Call> call = std::move(found->second);
  calls_.erase(found);
  CloseTimer(call->timer);
  if (call->stopped) return call->stopped();
  serials_.erase(call->key);
  if (call->is_late)
    return call->done(
        FailureOf("timeout",
                  fmt::format("Expected the attempt to end within {} ms but it did not",
                              call->timeout_us / 1'000),
                  true));
  call->done(ToTaskResult(result, tasks::Redactor(call->secrets)));
}

}  // namespace stele::embed
