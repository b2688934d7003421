#include "engine/tasks/sql_sqlite.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/check.h"
#include "engine/tasks/sql_sqlite_run.h"
#include "engine/tasks/uv_handle.h"

namespace stele::tasks {

// What the pool's thread works on: it outlives an attempt that is destroyed meanwhile.
struct SqliteJob {
  uv_work_t work;
  SqlPlan plan;
  std::atomic<bool> stop = false;
  std::optional<SqlOutcome> outcome;
  std::shared_ptr<SqliteQueue> queue;
  SqliteAttempt* attempt = nullptr;  // null once it is gone. The loop's thread alone looks
};

class SqliteAttempt final : public SqlAttempt {
 public:
  SqliteAttempt(std::shared_ptr<SqliteQueue> queue, SqlPlan plan, Finish finish)
      : queue_(std::move(queue)), job_(std::make_unique<SqliteJob>()), finish_(std::move(finish)) {
    job_->plan = std::move(plan);
    job_->queue = queue_;
    job_->attempt = this;
    job_->work.data = job_.get();
  }
  ~SqliteAttempt() override {
    if (on_pool_ == nullptr) {
      queue_->Leave(this);
    } else {
      on_pool_->stop = true;
      on_pool_->attempt = nullptr;
    }
  }

  void Begin() override { queue_->Enter(this); }

  void Stop() override {
    if (on_pool_ != nullptr) {
      on_pool_->stop = true;
    } else if (queue_->Leave(this)) {
      // Nothing has run. The answer comes from the loop, as every other does.
      later_ = MakeTimer(queue_->loop(), this);
      uv_timer_start(
          later_.get(),
          [](uv_timer_t* timer) {
            auto* self = static_cast<SqliteAttempt*>(timer->data);
            std::exchange(self->finish_, nullptr)({std::unexpected(Interrupted()), ""});
          },
          0, 0);
    }
  }

  void RunOnPool() {
    on_pool_ = job_.release();  // Ended takes it back
    int queued = uv_queue_work(
        queue_->loop(), &on_pool_->work,
        [](uv_work_t* work) {
          auto* job = static_cast<SqliteJob*>(work->data);
          job->outcome = RunOnSqlite(job->plan, job->stop);
        },
        [](uv_work_t* work, int) { Ended(static_cast<SqliteJob*>(work->data)); });
    CHECK(queued == 0, "no work on the pool: {}", uv_strerror(queued));
  }

 private:
  static void Ended(SqliteJob* ended) {
    std::unique_ptr<SqliteJob> job(ended);
    SqliteAttempt* attempt = job->attempt;
    if (attempt != nullptr) {
      attempt->on_pool_ = nullptr;
      attempt->finish_(*std::move(job->outcome));
    }
    job->queue->Ended();
  }

  std::shared_ptr<SqliteQueue> queue_;
  std::unique_ptr<SqliteJob> job_;  // until it is on the pool
  SqliteJob* on_pool_ = nullptr;
  Finish finish_;
  UvHandle<uv_timer_t> later_;
};

void SqliteQueue::Enter(SqliteAttempt* attempt) {
  waiting_.push_back(attempt);
  StartWaiting();
}

bool SqliteQueue::Leave(SqliteAttempt* attempt) {
  return std::erase(waiting_, attempt) > 0;
}

void SqliteQueue::Ended() {
  --running_;
  StartWaiting();
}

void SqliteQueue::StartWaiting() {
  while (running_ < max_running_ && !waiting_.empty()) {
    SqliteAttempt* next = waiting_.front();
    waiting_.pop_front();
    ++running_;
    next->RunOnPool();
  }
}

std::unique_ptr<SqlAttempt> MakeSqliteAttempt(std::shared_ptr<SqliteQueue> queue, SqlPlan plan,
                                              const std::string& base_directory,
                                              SqlAttempt::Finish finish) {
  if (plan.path != ":memory:" && !plan.path.starts_with('/')) {
    plan.path = base_directory + "/" + plan.path;
  }
  return std::make_unique<SqliteAttempt>(std::move(queue), std::move(plan), std::move(finish));
}

}  // namespace stele::tasks
