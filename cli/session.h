// Instances that a command follows: told by the shard, shown on the display, summed up in the exit
// code. It lets the loop run until nothing that is followed can go on by itself.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "cli/arguments.h"
#include "cli/display.h"
#include "cli/engine.h"
#include "cli/run_report.h"
#include "engine/model/asker.h"
#include "replay/standing.h"

namespace stele::cli {

class Session final : public runtime::Observer {
 public:
  // `quiet`: nothing is shown while it runs, whatever the options say.
  Session(Engine& engine, const Terminal& terminal, const Arguments& arguments, bool quiet = false);

  // The engine tells its observer to the last.
  ~Session() override {
    engine_.WatchWorkers(nullptr);
    engine_.Close();
  }

  // Waits for this one, shows what happens and reports it.
  void Follow(InstanceId instance);
  // Waits for it while it moves, and says nothing about it.
  void Carry(InstanceId instance) { carried_.insert(instance); }
  // Goes on with the instance, those that it called and those that called it, and carries them.
  void GoOnWith(InstanceId instance, model::Asker asker);
  // An instance that receives a message is followed, and goes on, from then on.
  void FollowWoken(model::KeptAsker asker) { woken_by_ = std::move(asker); }
  // For the engine's log, above the live lines.
  void Note(std::string_view sentence);
  // Asked when nothing moves any more: true when it has made something move.
  void WhenStill(std::function<bool()> go_on) { go_on_ = std::move(go_on); }
  // Whatever is followed has been resumed: what is due already is about to happen.
  void AwaitOverdue() { awaits_overdue_ = true; }
  // Several are followed: lines say of which they are.
  void SayWhich() { says_which_ = true; }
  // An answer is still to come: the loop runs on.
  void Await() { ++awaited_; }
  void Answered();
  // What the command came to is an instance that is cancelled: that is what was asked for.
  void ExpectCancelled() { expects_cancelled_ = true; }

  // Runs the loop until nothing moves any more, or to a signal.
  void Run();
  // Prints what they came to; the exit code. `one` document, or a list of them.
  int Report(bool one);
  bool follows_any() const { return !followed_.empty(); }

  bool wants_records() const override { return true; }
  void OnRecord(InstanceId instance, std::span<const model::Event> events,
                const model::RecordContext& record) override;
  void OnEnded(const model::Instance& instance) override;
  void OnFatal(const Error& error) override;

 private:
  // Nobody can do the step's task here; never after a signal, when all workers are gone.
  replay::LacksWorker WorkersLacking() const;
  bool Seed(InstanceId instance, FollowedRun& followed, Position before);
  void CheckSoon();
  void Check();
  replay::Motion MotionOf(InstanceId instance, std::set<InstanceId>& seen);
  void TellMoments(InstanceId instance, replay::Motion motion);
  replay::Standing Standing(const model::Instance& instance) const;
  void GoOnBelow(InstanceId instance, model::Asker asker, std::set<InstanceId>& seen);
  void NoteStanding(InstanceId instance, FollowedRun& followed);

  Engine& engine_;
  const Terminal& terminal_;
  bool json_;
  bool quiet_;
  bool says_which_ = false;
  bool expects_cancelled_ = false;
  bool awaits_overdue_ = false;
  CommandPlace place_;
  Display display_;
  std::map<InstanceId, FollowedRun> followed_;
  std::set<InstanceId> carried_;
  MomentTeller moments_;
  std::optional<model::KeptAsker> woken_by_;
  std::function<bool()> go_on_;
  size_t awaited_ = 0;
  bool checking_ = false;
  uint32_t still_ = 0;  // checks in a row that found nothing moving
  bool fatal_ = false;
};

}  // namespace stele::cli
