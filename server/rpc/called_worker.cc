#include "server/rpc/called_worker.h"

#include <fmt/format.h>

#include <expected>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "server/operations/taken.h"
#include "server/rpc/answer.h"
#include "server/rpc/call_meter.h"
#include "server/rpc/errors.h"
#include "server/rpc/limits.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

using tasks::LeaseId;

namespace {

std::string_view ViewOf(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

std::unexpected<Error> HasLeft() {
  return Fail(ErrorCode::kStaleAttempt,
              "Expected a worker that has joined but found one that has left or was lost");
}

// A task's, as long as the worker keeps it.
class ControlServer : public api::TaskControl::Server {
 public:
  ControlServer(std::weak_ptr<CalledWorker> worker, LeaseId lease)
      : worker_(std::move(worker)), lease_(lease) {}
  ~ControlServer() noexcept(false) {
    if (const auto worker = worker_.lock()) worker->Release(lease_);
  }

  kj::Promise<void> heartbeat(HeartbeatContext context) override {
    const auto worker = worker_.lock();
    if (worker == nullptr) return Refuse(HasLeft().error());
    return Answered(worker->Heartbeat(lease_, ViewOf(context.getParams().getDetail())));
  }
  kj::Promise<void> log(LogContext context) override {
    const auto worker = worker_.lock();
    if (worker == nullptr) return Refuse(HasLeft().error());
    return Answered(worker->Log(lease_, ViewOf(context.getParams().getText())));
  }

 private:
  static kj::Promise<void> Answered(const Status& status) {
    if (!status.has_value()) return Refuse(status.error());
    return kj::READY_NOW;
  }

  const std::weak_ptr<CalledWorker> worker_;
  const LeaseId lease_;
};

void Show(const tasks::WorkerTask& task, const std::string& config, const std::string& input,
          api::WorkerTask::Builder to) {
  to.setKey(TextOf(task.key.ToString()));
  to.setType(TextOf(task.type));
  to.setDefinition(TextOf(task.definition));
  to.setStep(TextOf(task.step));
  to.setInstance(task.key.instance.value);
  to.setAttempt(task.key.attempt);
  to.setConfig(TextOf(config));
  to.setInput(TextOf(input));
  to.setTimeout(task.left_us);
  to.setLease(task.lease_us);
  if (!task.trace_parent.empty()) to.setTraceParent(TextOf(task.trace_parent));
}

// JSON that a worker gave; empty: `otherwise`.
Result<Value> DocumentOf(capnp::Text::Reader json, std::string_view what, Value otherwise) {
  if (json.size() == 0) return otherwise;
  Result<Value> value = ParseJson(ViewOf(json));
  if (!value.has_value())
    return Fail(value.error().code, fmt::format("{}: {}", what, value.error().message));
  return value;
}

// An answer that is none. The same program would give it again.
tasks::TaskFailure BadAnswer(std::string message) {
  return {"outputs", std::move(message), false, {}};
}

tasks::TaskFailure FailureOf(api::WorkerFailure::Reader failure) {
  const Result<Value> details = DocumentOf(failure.getDetails(), "details", Value());
  if (!details.has_value()) return BadAnswer(details.error().message);
  if (!details->is_null() && !details->is_object())
    return BadAnswer(
        fmt::format("details: Expected an object but found {}", KindName(details->kind())));
  return {std::string(ViewOf(failure.getKind())), std::string(ViewOf(failure.getMessage())),
          failure.getRetryable(), details->is_null() ? Payload() : Payload::FromValue(*details)};
}

struct Outcome {
  std::expected<Value, tasks::TaskFailure> outcome;
  std::string_view log;  // of the message
};

Outcome ReadOutcome(const api::Worker::RunResults::Reader& results) {
  if (!results.hasResult())
    return {std::unexpected(BadAnswer("Expected a result but found an answer without one")), {}};
  const api::WorkerResult::Reader result = results.getResult();
  const std::string_view log = ViewOf(result.getLog());
  switch (result.which()) {
    case api::WorkerResult::OUTPUT: {
      Result<Value> output = DocumentOf(result.getOutput(), "output", Object());
      if (!output.has_value())
        return {std::unexpected(BadAnswer(std::move(output.error().message))), log};
      return {*std::move(output), log};
    }
    case api::WorkerResult::FAILURE:
      return {std::unexpected(FailureOf(result.getFailure())), log};
  }
  return {std::unexpected(BadAnswer("Expected an output or a failure but found neither")), log};
}

// What a worker has built need not be what the schema says: reading it may throw.
Outcome OutcomeOf(const api::Worker::RunResults::Reader& results) {
  try {
    return ReadOutcome(results);
  } catch (const kj::Exception& fault) {
    return {std::unexpected(BadAnswer(fmt::format("Expected a message that can be read but: {}",
                                                  fault.getDescription().cStr()))),
            {}};
  }
}

}  // namespace

CalledWorker::CalledWorker(SharedAccess access, api::Worker::Client worker)
    : access_(std::move(access)), worker_(kj::mv(worker)), when_ended_(nullptr) {
  auto ended = kj::newPromiseAndFulfiller<void>();
  end_ = kj::mv(ended.fulfiller);
  when_ended_ = ended.promise.fork();
}

CalledWorker::~CalledWorker() noexcept = default;

// ---- Its place in the pool ----

Status CalledWorker::Check() const {
  Status valid = access_->Check();
  // What was done while the server closes is taken as long as the engine takes it.
  if (!valid.has_value() && valid.error().code == ErrorCode::kClosed) return {};
  return valid;
}

Status CalledWorker::Join(tasks::WorkerPool::Joining joining) {
  const uint32_t slots = joining.slots;
  STELE_RETURN_IF_ERROR(Workers::CheckSlots(slots));
  // Nothing is handed out before it is known where it has joined.
  joining.slots = 0;
  auto membership = access_->operations().workers.Join(access_->caller(), std::move(joining), this);
  if (!membership.has_value()) return std::unexpected(membership.error());
  membership_ = *std::move(membership);
  slots_ = slots;
  ShowSlots();
  return {};
}

Status CalledWorker::CheckJoined() const {
  if (!ended_) return {};
  return Fail(ErrorCode::kClosed,
              "Expected a worker that has joined but found one that has left or was lost");
}

Status CalledWorker::SetSlots(uint32_t slots) {
  STELE_RETURN_IF_ERROR(Check());
  STELE_RETURN_IF_ERROR(Workers::CheckSlots(slots));
  STELE_RETURN_IF_ERROR(CheckJoined());
  slots_ = slots;
  ShowSlots();
  return {};
}

void CalledWorker::ShowSlots() {
  if (!access_->connected().HasRoom()) WaitForRoom();
  if (!ended_) pool().SetSlots(membership_->id(), waits_for_room_ ? 0 : slots_);
}

void CalledWorker::WaitForRoom() {
  if (std::exchange(waits_for_room_, true)) return;
  // A connection that ends takes the worker along.
  tasks_.add(access_->connected().WhenRoom().then(
      [this] {
        waits_for_room_ = false;
        ShowSlots();
      },
      [](kj::Exception&&) {}));
}

Status CalledWorker::SetRate(double tasks_per_second) {
  STELE_RETURN_IF_ERROR(Check());
  STELE_RETURN_IF_ERROR(Workers::CheckRate(tasks_per_second));
  STELE_RETURN_IF_ERROR(CheckJoined());
  pool().SetRate(membership_->id(), tasks_per_second);
  return {};
}

void CalledWorker::Leave() {
  if (!ended_) pool().Leave(membership_->id());
}

Promised<void> CalledWorker::WhenDurable() {
  return WhenEnded().then([access = access_] { return WhenTaken(access->operations().desk); });
}

void CalledWorker::End() {
  ended_ = true;
  end_->fulfill();
}

void CalledWorker::Lose() {
  auto calls = std::exchange(running_, {});
  for (auto& [lease, running] : calls) endings().Add(kj::mv(running.call));
  stopping_.clear();
  // What it was not even told of goes back, and counts as no loss.
  for (const LeaseId lease : std::exchange(refused_, {})) {
    if (membership_ == nullptr) break;
    pool().SetSlots(membership_->id(), 0);
    (void)pool().Return(membership_->id(), lease);
  }
  membership_.reset();
  if (!ended_) End();
}

void CalledWorker::LoseLater() {
  tasks_.add(kj::evalLater([this] { Lose(); }));
}

void CalledWorker::taskFailed(kj::Exception&& exception) {
  CHECK(false, "what loses workers failed: {}", exception.getDescription().cStr());
}

// ---- Its tasks ----

void CalledWorker::OnTask(const tasks::WorkerTask& task) {
  // Whoever may work no more is handed nothing. The pool is not to lose a worker from in here.
  if (!Check().has_value()) {
    refused_.push_back(task.lease);
    return LoseLater();
  }
  const std::string config = ToJson(task.config);
  const std::string input = ToJson(task.input);
  const size_t bytes = kMessageBytesOfTask + task.type.size() + task.definition.size() +
                       task.step.size() + config.size() + input.size();
  auto request = worker_.runRequest(capnp::MessageSize{bytes / sizeof(capnp::word), 1});
  Show(task, config, input, request.initTask());
  request.setControl(
      kj::heap<Measured<ControlServer>>(access_->options().calls, weak_from_this(), task.lease));
  const LeaseId lease = task.lease;
  // The call may be the longer-lived of the two: its end comes a turn later.
  auto call = request.send()
                  .then(
                      [worker = weak_from_this(), lease](auto&& results) {
                        if (const auto called = worker.lock()) called->Done(lease, results);
                      },
                      [worker = weak_from_this(), lease](kj::Exception&& fault) {
                        if (const auto called = worker.lock()) called->Failed(lease, fault);
                      })
                  .eagerlyEvaluate(nullptr);
  running_.emplace(lease, Running{kj::mv(call)});
  if (!access_->connected().HasRoom()) ShowSlots();
}

bool CalledWorker::Forget(LeaseId lease) {
  auto found = running_.extract(lease);
  if (found.empty()) return false;
  endings().Add(kj::mv(found.mapped().call));
  return true;
}

void CalledWorker::Done(LeaseId lease, const api::Worker::RunResults::Reader& results) {
  if (!Forget(lease)) return;
  Outcome answer = OutcomeOf(results);
  const tasks::WorkerId id = membership_->id();
  // What is refused was late, and another worker has it.
  if (answer.outcome.has_value()) {
    (void)pool().Complete(id, lease, *std::move(answer.outcome), answer.log);
  } else {
    (void)pool().FailTask(id, lease, std::move(answer.outcome.error()), answer.log);
  }
}

void CalledWorker::Failed(LeaseId lease, const kj::Exception& exception) {
  // A handler that has lost a connection of its own says so, too, and has failed like any other.
  if (exception.getType() == kj::Exception::Type::DISCONNECTED && !IsRemote(exception))
    return Lose();
  if (!Forget(lease)) return;
  const bool retryable = exception.getType() != kj::Exception::Type::UNIMPLEMENTED;
  (void)pool().FailTask(membership_->id(), lease,
                        {"worker", ErrorOf(exception).message, retryable, {}});
}

void CalledWorker::Drop(LeaseId lease) {
  const auto found = running_.find(lease);
  if (found == running_.end()) return;
  const bool released = found->second.released;
  Forget(lease);
  stopping_.insert(lease);
  if (released) Release(lease);
}

void CalledWorker::Release(LeaseId lease) {
  if (stopping_.erase(lease) > 0) {
    // Of one that was cancelled it says that it has stopped, of one whose lease has ended that its
    // slot is free; nothing else is left to be refused.
    (void)pool().Return(membership_->id(), lease);
  } else if (const auto found = running_.find(lease); found != running_.end()) {
    found->second.released = true;
  }
}

Status CalledWorker::Heartbeat(LeaseId lease, std::string_view detail) {
  STELE_RETURN_IF_ERROR(Check());
  if (membership_ == nullptr) return HasLeft();
  return pool().Heartbeat(membership_->id(), lease, detail);
}

Status CalledWorker::Log(LeaseId lease, std::string_view text) {
  STELE_RETURN_IF_ERROR(Check());
  if (membership_ == nullptr) return HasLeft();
  return pool().Log(membership_->id(), lease, text);
}

}  // namespace stele::server::rpc
