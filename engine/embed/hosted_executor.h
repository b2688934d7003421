// An executor of the program's, seen by the runtime: attempts go out through the public interface,
// answers come back to the loop from whatever thread gives them.
//
// An attempt that is cancelled, or whose time is up, is over when its Completion has been answered
// or dropped: only then does the runtime hear that it has stopped.
//
// Thread: the loop's, but for Completion.
#pragma once

#include <uv.h>

#include <map>
#include <memory>
#include <string>

#include "engine/embed/loop_post.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/redactor.h"
#include "stele/engine.h"

namespace stele::embed {

class HostedExecutor final : public tasks::TaskExecutor {
 public:
  // Owns `executor`. The loop outlives it.
  HostedExecutor(uv_loop_t* loop, std::shared_ptr<LoopPost> post,
                 std::shared_ptr<AsyncExecutor> executor, ExecutorOptions options);
  ~HostedExecutor() override;

  void Start(tasks::TaskRequest request, std::function<void(tasks::TaskResult)> done) override;
  void Cancel(const tasks::AttemptKey& key, std::function<void()> stopped) override;
  bool repeats_after_crash() const override { return options_.repeats_after_crash; }

 private:
  using Done = std::function<void(tasks::TaskResult)>;
  struct Call;

  void Ended(uint64_t serial, const TaskResult& result);
  void TimeIsUp(uint64_t serial);
  void AskToStop(Call& call);
  void SetTimer(Call& call, uint64_t serial, int64_t timeout_us);

  uv_loop_t* loop_;
  std::shared_ptr<LoopPost> post_;
  std::shared_ptr<AsyncExecutor> executor_;
  ExecutorOptions options_;
  uint64_t last_serial_ = 0;
  // By the order in which they started. An attempt that starts again while its predecessor is still
  // leaving has the same key and another serial.
  std::map<uint64_t, std::unique_ptr<Call>> calls_;
  std::map<tasks::AttemptKey, uint64_t> serials_;  // of attempts that somebody waits for
};

}  // namespace stele::embed
