// Instances that a command follows to their ends: told by the shard, shown on the display, summed
// up in the exit code.
//
// Thread: the loop's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "cli/arguments.h"
#include "cli/display.h"
#include "cli/engine.h"
#include "cli/json_report.h"

namespace stele::cli {

class Session final : public runtime::Observer {
 public:
  Session(Engine& engine, const Terminal& terminal, const Arguments& arguments);

  // Waits for this one; the loop is left when every followed instance has ended or is parked.
  // `answered`: an operator has just decided about what it waited for.
  void Follow(InstanceId instance, bool answered = false);
  // Several are followed: lines say of which they are.
  void SayWhich() { says_which_ = true; }
  // Runs the loop to the end of all that is followed, or to a signal.
  void Run();
  // Prints what they came to; the exit code. `one` document, or a list of them.
  int Report(bool one);

  bool wants_records() const override { return true; }
  void OnRecord(InstanceId instance, std::span<const model::Event> events,
                const model::RecordContext& record) override;
  void OnEnded(const model::Instance& instance) override;
  void OnFatal(const Error& error) override;

 private:
  struct Followed {
    std::optional<replay::Timeline> timeline;
    std::optional<Ending> ending;
    Seq seq;
    bool answered = false;
  };
  bool Seed(InstanceId instance, Followed& followed, Position before);
  void LeaveWhenDone();
  void End(InstanceId instance, Ending ending);
  void ReportText(InstanceId instance, const Followed& followed) const;
  std::string Hint() const;

  Engine& engine_;
  const Terminal& terminal_;
  bool json_;
  bool quiet_;
  bool says_which_ = false;
  std::string data_;
  Display display_;
  std::map<InstanceId, Followed> followed_;
  std::set<InstanceId> waiting_;
  bool fatal_ = false;
};

}  // namespace stele::cli
