#include "engine/tasks/sql_postgres.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "engine/tasks/sql_result.h"
#include "engine/tasks/uv_handle.h"

namespace stele::tasks {
namespace {

// waiting -> running a statement -> (rolling back) -> finished
class PostgresAttempt final : public SqlAttempt {
 public:
  PostgresAttempt(uv_loop_t* loop, std::shared_ptr<PostgresPool> pool, SqlPlan plan, Finish finish)
      : loop_(loop),
        pool_(std::move(pool)),
        plan_(std::move(plan)),
        finish_(std::move(finish)),
        result_(plan_.limits) {
    if (plan_.transaction) commands_.push_back({plan_.begin, {}});
    first_ = commands_.size();
    for (SqlStatement& statement : plan_.statements) commands_.push_back(std::move(statement));
    if (plan_.transaction) commands_.push_back({"COMMIT", {}});
  }

  ~PostgresAttempt() override {
    pool_->Forget(ticket_);
    if (!leased_) return;
    connection_->RequestCancel();
    connection_.reset();
    pool_->Return(plan_.postgres, nullptr);
  }

  void Begin() override;
  void Stop() override;

 private:
  void RunNext();
  void Ended(std::optional<TaskFailure> failure);
  bool IsOwn(size_t command) const { return command < first_ || command >= last(); }
  size_t last() const { return commands_.size() - (plan_.transaction ? 1 : 0); }
  void Fail(TaskFailure failure);
  void Deliver(std::expected<Object, TaskFailure> output);
  void SetTimer(int64_t after_us, void (*fired)(PostgresAttempt&));

  uv_loop_t* loop_;
  std::shared_ptr<PostgresPool> pool_;
  SqlPlan plan_;
  Finish finish_;
  SqlResult result_;
  std::vector<SqlStatement> commands_;  // with BEGIN and COMMIT
  size_t first_ = 0;                    // of the plan's statements
  size_t at_ = 0;                       // the command that runs
  uint64_t ticket_ = 0;
  bool leased_ = false;  // the pool gets a connection back, or null
  bool stopped_ = false;
  std::string notices_;
  UvHandle<uv_timer_t> timer_;
  void (*fired_)(PostgresAttempt&) = nullptr;
  std::unique_ptr<PostgresConnection> connection_;
};

void PostgresAttempt::Begin() {
  ticket_ = pool_->Acquire(
      plan_.postgres,
      [this](std::expected<std::unique_ptr<PostgresConnection>, TaskFailure> granted) {
        if (!granted) return Deliver(std::unexpected(std::move(granted.error())));
        connection_ = *std::move(granted);
        leased_ = true;
        RunNext();
      });
}

void PostgresAttempt::RunNext() {
  bool own = IsOwn(at_);
  if (!own) result_.BeginStatement();
  connection_->Execute(commands_[at_], own ? nullptr : &result_, &notices_,
                       [this](std::optional<TaskFailure> failure) { Ended(std::move(failure)); });
}

void PostgresAttempt::Ended(std::optional<TaskFailure> failure) {
  bool is_last = at_ + 1 == commands_.size();
  if (!failure && stopped_ && !is_last) failure = Interrupted();
  if (failure) return Fail(*std::move(failure));
  if (is_last) return Deliver(result_.TakeOutput(plan_.is_list));
  ++at_;
  RunNext();
}

void PostgresAttempt::Fail(TaskFailure failure) {
  if (plan_.is_list && !IsOwn(at_)) {
    Value details = failure.details.has_value() ? failure.details.value() : Value(Object());
    details.as_object().Set("statement", static_cast<int64_t>(at_ - first_));
    failure.details = Payload::FromValue(details);
  }
  if (!connection_->InTransaction()) return Deliver(std::unexpected(std::move(failure)));
  if (!stopped_) {
    SetTimer(pool_->options().cancel_grace_us, [](PostgresAttempt& self) {
      self.connection_.reset();  // the server rolls back what it finds open
      self.Deliver(std::unexpected(Interrupted()));
    });
  }
  connection_->Execute({"ROLLBACK", {}}, nullptr, nullptr,
                       [this, failure = std::move(failure)](const std::optional<TaskFailure>&) {
                         Deliver(std::unexpected(failure));
                       });
}

// Called once; nothing is touched behind it.
void PostgresAttempt::Deliver(std::expected<Object, TaskFailure> output) {
  timer_.reset();
  if (std::exchange(leased_, false)) pool_->Return(plan_.postgres, std::move(connection_));
  std::string log = std::move(notices_);
  if (output) {
    log += fmt::format("{} rows, {} affected\n", result_.row_count(), result_.rows_affected());
  }
  std::exchange(finish_, nullptr)({std::move(output), std::move(log)});
}

void PostgresAttempt::Stop() {
  if (stopped_) return;
  stopped_ = true;
  if (connection_ == nullptr) {
    pool_->Forget(ticket_);
    return SetTimer(0, [](PostgresAttempt& self) { self.Deliver(std::unexpected(Interrupted())); });
  }
  connection_->RequestCancel();
  // A server that does not react is left to itself.
  SetTimer(pool_->options().cancel_grace_us, [](PostgresAttempt& self) {
    self.connection_.reset();
    self.Deliver(std::unexpected(Interrupted()));
  });
}

void PostgresAttempt::SetTimer(int64_t after_us, void (*fired)(PostgresAttempt&)) {
  fired_ = fired;
  timer_ = MakeTimer(loop_, this);
  uv_timer_start(
      timer_.get(),
      [](uv_timer_t* timer) {
        auto* self = static_cast<PostgresAttempt*>(timer->data);
        self->fired_(*self);
      },
      ToTimerMs(after_us), 0);
}

}  // namespace

std::unique_ptr<SqlAttempt> MakePostgresAttempt(uv_loop_t* loop, std::shared_ptr<PostgresPool> pool,
                                                SqlPlan plan, SqlAttempt::Finish finish) {
  return std::make_unique<PostgresAttempt>(loop, std::move(pool), std::move(plan),
                                           std::move(finish));
}

}  // namespace stele::tasks
