// Instances that a command follows at a server: its events wake the command, their records tell
// what happened, until nothing of them moves by itself.
//
// Thread: the one of the connection.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "cli/arguments.h"
#include "cli/display.h"
#include "cli/remote/remote.h"
#include "cli/run_report.h"
#include "cli/source.h"
#include "engine/model/registry.h"

namespace stele::cli {

class Following {
 public:
  // `quiet`: nothing is shown while it follows, whatever the options say. REQUIRES: all of them
  // outlive it.
  Following(Remote& server, const Terminal& terminal, const Arguments& arguments,
            bool quiet = false);
  ~Following();
  Following(const Following&) = delete;
  Following& operator=(const Following&) = delete;

  // What is registered at the server, as of when it was asked for first or last missed something.
  Result<const model::Registry*> Registry();
  // The instance as it is now, and the definition that it runs. Good until the next call.
  struct Now {
    const model::Instance* instance = nullptr;
    const definition::Definition* definition = nullptr;
  };
  Result<Now> Look(InstanceId instance);

  // Steps whose tasks wait for a worker that is not there. REQUIRES: an instance was looked at.
  replay::LacksWorker NeedsWorker() const { return source_->NeedsWorker(registries_.back()); }

  // Waits for this one, shows what happens and reports it. What was looked at is not shown, nor
  // what stands at or before `since`.
  void Follow(InstanceId instance, Position since = {});
  // Waits for it while it moves, and says nothing about it.
  void Carry(InstanceId instance);
  void Note(std::string_view sentence);
  // Several are followed: lines say of which they are.
  void SayWhich() { says_which_ = true; }
  void ExpectCancelled() { options_.expects_cancelled = true; }
  // Asked when nothing moves any more: true when it has made something move.
  void WhenStill(std::function<bool()> go_on) { go_on_ = std::move(go_on); }

  // Until nothing moves any more, or to a signal. What the server has failed with is printed: what
  // is known until then is reported all the same. What may not be read is not followed, which is
  // noted.
  void Run();
  // Whether it was given up, as it may not be read.
  bool IsUnread(InstanceId instance) const { return unread_.contains(instance); }
  // Prints what they came to, without those that may not be read; the exit code. `one` document, or
  // a list of them.
  int Report(bool one);

 private:
  class Waker;
  struct Followed {
    bool is_shown = false;  // else it is carried
    model::Instance state;
    FollowedRun run;
    Seq next{1};   // the first event that is not known
    Seq shown{1};  // the first that was not shown
    Position since;
    std::unique_ptr<Waker> waker;
  };

  Status Refresh(InstanceId id, Followed& followed);
  // Whether all definitions that the events speak of are known; they are read otherwise.
  Result<bool> TakeRecord(const eventstore::RecordView& record, Followed& followed);
  Status ReadRegistry();
  Status Watch(InstanceId id, Followed& followed);
  replay::Standing StandingOf(const Followed& followed) const;
  Result<replay::Motion> MotionOf(InstanceId id, std::set<InstanceId>& seen);
  void LeaveUnread(InstanceId id, const Error& why);
  Result<replay::Motion> LookAtAll();
  void WaitForNews(const std::function<bool()>& is_over);
  void Redraw();

  Remote& server_;
  const Terminal& terminal_;
  const std::unique_ptr<Source> source_;
  SystemClock clock_;
  ReportOptions options_;
  Display display_;
  bool says_which_ = false;
  std::list<model::Registry>
      registries_;  // the last is the newest; timelines refer to earlier ones
  std::map<InstanceId, Followed> runs_;
  std::set<InstanceId> unread_;
  MomentTeller moments_;
  std::function<bool()> go_on_;
  kj::Own<kj::PromiseFulfiller<void>> wake_;
  bool woken_ = false;
  bool failed_ = false;
};

}  // namespace stele::cli
