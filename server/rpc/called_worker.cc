#include "server/rpc/called_worker.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "server/rpc/errors.h"
#include "server/rpc/limits.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

using tasks::LeaseId;

namespace {

std::string_view ViewOf(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

// A task's, as long as the worker keeps it.
class ControlServer final : public api::TaskControl::Server {
 public:
  ControlServer(std::shared_ptr<CalledWorker> worker, LeaseId lease)
      : worker_(std::move(worker)), lease_(lease) {}
  ~ControlServer() noexcept(false) { worker_->Release(lease_); }

  kj::Promise<void> heartbeat(HeartbeatContext context) override {
    return Answered(worker_->Heartbeat(lease_, ViewOf(context.getParams().getDetail())));
  }
  kj::Promise<void> log(LogContext context) override {
    return Answered(worker_->Log(lease_, ViewOf(context.getParams().getText())));
  }

 private:
  static kj::Promise<void> Answered(const Status& status) {
    if (!status.has_value()) return ToException(status.error());
    return kj::READY_NOW;
  }

  const std::shared_ptr<CalledWorker> worker_;
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
}

// JSON that a worker gave; empty: `otherwise`.
Result<Value> DocumentOf(capnp::Text::Reader json, std::string_view what, Value otherwise) {
  if (json.size() == 0) return otherwise;
  Result<Value> value = ParseJson(ViewOf(json));
  if (!value.has_value())
    return Fail(value.error().code, fmt::format("{}: {}", what, value.error().message));
  return value;
}

tasks::TaskFailure BadAnswer(const Error& error) {
  return {"outputs", error.message, false, {}};
}

tasks::TaskFailure FailureOf(api::WorkerFailure::Reader failure) {
  const Result<Value> details = DocumentOf(failure.getDetails(), "details", Value());
  if (!details.has_value()) return BadAnswer(details.error());
  if (!details->is_null() && !details->is_object())
    return BadAnswer(
        {ErrorCode::kInvalidInput,
         fmt::format("details: Expected an object but found {}", KindName(details->kind()))});
  return {std::string(ViewOf(failure.getKind())), std::string(ViewOf(failure.getMessage())),
          failure.getRetryable(), details->is_null() ? Payload() : Payload::FromValue(*details)};
}

}  // namespace

CalledWorker::CalledWorker(SharedAccess access, api::Worker::Client worker)
    : access_(std::move(access)), worker_(kj::mv(worker)) {}

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
  pool().SetSlots(membership_->id(), slots);
  return {};
}

Status CalledWorker::SetSlots(uint32_t slots) {
  STELE_RETURN_IF_ERROR(Check());
  STELE_RETURN_IF_ERROR(Workers::CheckSlots(slots));
  if (ended_)
    return Fail(ErrorCode::kClosed,
                "Expected a worker that has joined but found one that has left or was lost");
  pool().SetSlots(membership_->id(), slots);
  return {};
}

void CalledWorker::Leave() {
  if (!ended_) pool().Leave(membership_->id());
}

kj::Promise<void> CalledWorker::WhenEnded() {
  if (ended_) return kj::READY_NOW;
  auto ended = kj::newPromiseAndFulfiller<void>();
  waiting_for_end_.push_back(kj::mv(ended.fulfiller));
  return kj::mv(ended.promise);
}

void CalledWorker::End() {
  ended_ = true;
  for (auto& waiting : std::exchange(waiting_for_end_, {})) waiting->fulfill();
}

void CalledWorker::Lose() {
  for (auto& [lease, running] : std::exchange(running_, {})) Bury(kj::mv(running.call));
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
  CHECK(false, "what ends calls of workers failed: {}", exception.getDescription().cStr());
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
  request.setControl(kj::heap<ControlServer>(shared_from_this(), task.lease));
  const LeaseId lease = task.lease;
  auto call = request.send()
                  .then([this, lease](auto&& answer) { Done(lease, answer.getResult()); },
                        [this, lease](kj::Exception&& fault) { Failed(lease, fault); })
                  .eagerlyEvaluate(nullptr);
  running_.emplace(lease, Running{kj::mv(call)});
}

bool CalledWorker::Forget(LeaseId lease) {
  auto found = running_.extract(lease);
  if (found.empty()) return false;
  Bury(kj::mv(found.mapped().call));
  return true;
}

void CalledWorker::Bury(kj::Promise<void> call) {
  buried_.push_back(kj::mv(call));
  if (buried_.size() > 1) return;
  tasks_.add(kj::evalLater([this] { auto ended = std::exchange(buried_, {}); }));
}

void CalledWorker::Done(LeaseId lease, api::WorkerResult::Reader result) {
  if (!Forget(lease)) return;
  const std::string_view log = ViewOf(result.getLog());
  const tasks::WorkerId id = membership_->id();
  // What is refused was late, and another worker has it.
  if (result.isFailure()) {
    (void)pool().FailTask(id, lease, FailureOf(result.getFailure()), log);
  } else if (Result<Value> output = DocumentOf(result.getOutput(), "output", Object());
             output.has_value()) {
    (void)pool().Complete(id, lease, *std::move(output), log);
  } else {
    (void)pool().FailTask(id, lease, BadAnswer(output.error()), log);
  }
}

void CalledWorker::Failed(LeaseId lease, const kj::Exception& exception) {
  if (exception.getType() == kj::Exception::Type::DISCONNECTED) return Lose();
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
  if (membership_ != nullptr) return pool().Heartbeat(membership_->id(), lease, detail);
  return Fail(ErrorCode::kStaleAttempt,
              "Expected a worker that has joined but found one that has left or was lost");
}

Status CalledWorker::Log(LeaseId lease, std::string_view text) {
  STELE_RETURN_IF_ERROR(Check());
  if (membership_ != nullptr) return pool().Log(membership_->id(), lease, text);
  return Fail(ErrorCode::kStaleAttempt,
              "Expected a worker that has joined but found one that has left or was lost");
}

}  // namespace stele::server::rpc
