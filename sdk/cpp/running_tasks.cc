#include "sdk/cpp/running_tasks.h"

#include <exception>
#include <utility>
#include <variant>

namespace stele::sdk {

namespace {

std::string StringOf(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

capnp::Text::Reader TextOf(const std::string& text) {
  return {text.c_str(), text.size()};
}

std::shared_ptr<Task::State> StateOf(api::WorkerTask::Reader task) {
  auto state = std::make_shared<Task::State>();
  state->key = StringOf(task.getKey());
  state->type = StringOf(task.getType());
  state->definition = StringOf(task.getDefinition());
  state->step = StringOf(task.getStep());
  state->instance = task.getInstance();
  state->attempt = task.getAttempt();
  state->config = StringOf(task.getConfig());
  state->input = StringOf(task.getInput());
  state->trace_parent = StringOf(task.getTraceParent());
  if (task.getTimeout() > 0)
    state->deadline =
        std::chrono::steady_clock::now() + std::chrono::microseconds(task.getTimeout());
  return state;
}

void Show(const Result& result, api::WorkerResult::Builder to) {
  if (result.has_value()) return to.setOutput(TextOf(*result));
  auto failure = to.initFailure();
  failure.setKind(TextOf(result.error().kind));
  failure.setMessage(TextOf(result.error().message));
  failure.setRetryable(result.error().retryable);
  failure.setDetails(TextOf(result.error().details));
}

// What a handler throws is the task's failure. What was cancelled while it waited does not begin.
void Handle(const AsyncHandler& handler, const std::shared_ptr<Task::State>& state) {
  if (state->cancelled)
    return state->Answer(std::unexpected(Failure{.message = "the task was cancelled"}));
  std::string thrown;
  try {
    return handler(Task(state), [state](Result result) { state->Answer(std::move(result)); });
  } catch (const std::exception& exception) {
    thrown = exception.what();
  } catch (...) {
    thrown = "the handler has thrown what is no std::exception";
  }
  state->Answer(std::unexpected(Failure{.message = std::move(thrown)}));
}

}  // namespace

class RunningTasks::Server final : public api::Worker::Server {
 public:
  explicit Server(RunningTasks& tasks) : tasks_(tasks) {}

  kj::Promise<void> run(RunContext context) override {
    context.allowCancellation();
    const auto params = context.getParams();
    auto state = StateOf(params.getTask());
    auto control = params.getControl();
    context.releaseParams();
    // Whoever drops the call wants no result.
    auto dropped = kj::defer([state] { state->cancelled = true; });
    return tasks_.Begin(std::move(state), kj::mv(control))
        .then([context](Result result) mutable { Show(result, context.getResults().initResult()); })
        .attach(kj::mv(dropped));
  }

 private:
  RunningTasks& tasks_;
};

RunningTasks::RunningTasks(const Handlers& handlers, HandlerThreads& threads,
                           std::shared_ptr<Outbox> outbox)
    : handlers_(handlers), threads_(threads), outbox_(std::move(outbox)) {}

RunningTasks::~RunningTasks() {
  for (auto& [number, running] : running_) running.state->cancelled = true;
}

api::Worker::Client RunningTasks::MakeServer() {
  return kj::heap<Server>(*this);
}

kj::Promise<Result> RunningTasks::Begin(std::shared_ptr<Task::State> state,
                                        api::TaskControl::Client control) {
  const auto handler = handlers_.find(state->type);
  if (handler == handlers_.end())
    return Result(std::unexpected(Failure{
        .message = "Expected a task of a type with a handler but found \"" + state->type + "\""}));
  state->number = outbox_->NextTask();
  state->outbox = outbox_;
  auto answer = kj::newPromiseAndFulfiller<Result>();
  running_.emplace(state->number, Running{state, kj::mv(control), kj::mv(answer.fulfiller)});
  threads_.Run([&handler = handler->second, state = std::move(state)] { Handle(handler, state); });
  return kj::mv(answer.promise);
}

void RunningTasks::Renew(Running& running, const std::string& detail) {
  if (running.state->cancelled) return;
  auto request = running.control.heartbeatRequest();
  request.setDetail(TextOf(detail));
  calls_.add(request.send().ignoreResult().catch_(
      [state = running.state](kj::Exception&&) { state->cancelled = true; }));
}

void RunningTasks::RenewLeases() {
  for (auto& [number, running] : running_) Renew(running, "");
}

void RunningTasks::Take(Said said) {
  if (const auto* heartbeat = std::get_if<Heartbeat>(&said)) {
    const auto found = running_.find(heartbeat->task);
    if (found != running_.end()) Renew(found->second, heartbeat->detail);
  } else if (const auto* printed = std::get_if<Printed>(&said)) {
    const auto found = running_.find(printed->task);
    if (found == running_.end()) return;
    auto request = found->second.control.logRequest();
    request.setText(TextOf(printed->text));
    calls_.add(request.send().ignoreResult());
  } else if (auto* answered = std::get_if<Answered>(&said)) {
    auto running = running_.extract(answered->task);
    if (!running.empty()) running.mapped().answer->fulfill(std::move(answered->result));
  }
}

}  // namespace stele::sdk
