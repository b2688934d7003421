// Keeps the views of a shard up with its log: on a thread of its own while an engine runs, or once,
// on the caller's thread, for a command that reads.
//
//     log ──► feed ──► serving generations ──► readers
//       └───► feed ──► a generation that is built ──► takes its place when it has caught up
//
// A view of another version than the stored one, or one that a rebuild was asked for, is built
// beside the one that serves; an interrupted building goes on where it was.
//
// Owns: the store of views. Threads: any, where not said otherwise.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "projections/feed.h"
#include "projections/scratch_view.h"
#include "projections/view.h"
#include "projections/view_state.h"
#include "projections/view_store.h"

namespace stele::projections {

class Projector {
 public:
  // REQUIRES: the log outlives it. kStoreLocked: somebody else has the views open.
  static Result<std::unique_ptr<Projector>> Open(const eventstore::EventStore& log, ShardId shard,
                                                 std::string path, std::vector<MakeView> views);
  ~Projector();
  Projector(const Projector&) = delete;
  Projector& operator=(const Projector&) = delete;

  // Brings all views to the end of the log as it is now, on this thread. REQUIRES: not started.
  Status CatchUp(const Progress& progress = nullptr);
  // Follows the log from now on.
  void Start();
  void Stop();
  // Waits until the view, or all of them when it is empty, serves at `position`. kTimeout when that
  // takes longer; the failure that stopped the views; kShardStopped after Stop.
  Status WaitFor(Position position, int64_t timeout_us, std::string_view view = {});

  // The view as it is now. kUnknownView names those that there are; kBackPressure while it is built
  // for the first time, or anew because this build cannot read what serves (View::reads_from).
  Result<ViewReader> Read(std::string_view view) const;
  std::vector<ViewState> States() const;
  // Begins to build these views anew, together; all of them when there are none. One that is being
  // built already goes on. Started, they are built on a thread of their own; otherwise CatchUp
  // builds them.
  Status Rebuild(const std::vector<std::string>& views = {});
  // Builds the view in a scratch directory up to where the one that serves is, and compares.
  Result<Comparison> Verify(std::string_view view, const Progress& progress = nullptr);
  // The view as it was behind the record at `position` (0: before the first), built in a directory
  // beside the views; the last kKeptAsOf that were asked for are kept there. records_read() says
  // what it cost. One at a time. kNoSuchMoment: behind the log's end.
  Result<std::shared_ptr<const ScratchView>> AsOf(std::string_view view, Position position,
                                                  const Progress& progress = nullptr);
  // What was wrong with the stored views, which are built anew for it: they were damaged, or of
  // another log. Empty: nothing.
  const std::string& repaired() const { return repaired_; }
  // Deletes what is kept of the views as of earlier positions: instances were removed. Who reads
  // one of them goes on reading.
  void ForgetThen();
  // What was erased is no longer in the views' files. Waits for compactions.
  Status Compact() { return store_->Compact(); }
  // Why the views follow the log no more.
  std::optional<Error> failure() const;

 private:
  using AsOfView = std::shared_ptr<const ScratchView>;
  struct Kind {
    MakeView make;
    std::string name;
    uint32_t version = 0;
    uint32_t reads_from = 0;  // the oldest version that readers of this build understand
  };
  Projector(const eventstore::EventStore& log, ShardId shard, std::string path)
      : log_(log), shard_(shard), path_(std::move(path)) {}
  Status Load(std::vector<MakeView> views);
  Result<const Kind*> FindKind(std::string_view view) const;
  Position End() const;
  Result<uint64_t> StepMain();
  Result<uint64_t> StepBuilding();
  Status ServeAll();
  void Follow();
  void BuildAside();
  void Failed(const Error& error);
  void NotifyAll();
  void ForgetAsOf(size_t keep);
  Result<std::shared_ptr<Generation>> Create(const Kind& kind);
  Status BeginAnew(Feed& feed);
  // Stays open until others have been asked for.
  AsOfView Keep(AsOfView view);

  const eventstore::EventStore& log_;
  ShardId shard_;
  std::string path_;
  std::vector<Kind> kinds_;
  std::unique_ptr<ViewStore> store_;
  std::string repaired_;

  std::mutex main_mutex_;  // of main_
  std::unique_ptr<Feed> main_;
  mutable std::mutex mutex_;  // of what follows, but for the members' threads
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Feed>> building_;  // the first is stepped by the thread that builds
  std::optional<Error> failure_;
  bool stopping_ = false;
  std::stop_source stop_;
  bool follows_ = false;
  std::thread follower_;
  std::thread builder_;

  std::mutex as_of_mutex_;  // of what follows
  std::map<std::string, std::weak_ptr<const ScratchView>>
      as_of_;                   // those that are open, by directory
  std::vector<AsOfView> kept_;  // open though nobody has them
};

}  // namespace stele::projections
