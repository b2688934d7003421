// What the commands of operators and people have in common: each command is tried on a copy of the
// instance's state, sent, and what it lets go on is followed; in a data directory, or at a server.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "cli/arguments.h"
#include "cli/engine.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "engine/model/registry.h"
#include "engine/requests/make_command.h"
#include "replay/standing.h"

namespace stele::cli {

using requests::MakeCommand;

// Who asks, and what is registered where it is asked.
struct Asking {
  std::string actor;
  std::vector<std::string> groups;
  const model::Registry& registry;
};
using MakeFor = std::function<MakeCommand(const Asking& asking)>;
inline MakeFor ForAnybody(MakeCommand make) {
  return [make = std::move(make)](const Asking&) { return make; };
}

// What a command is to its instances.
struct OperationPlan {
  bool goes_on = false;  // what it lets go on is waited for, unless --no-wait says not to
  // It ends them: nothing of them is started before, and what they called follows.
  bool ends = false;
  // So often in all, of one instance: each time when what the one before led to has come to rest,
  // as long as `again` says so of the state then.
  int64_t times = 1;
  std::function<bool(const model::Instance&)> again = nullptr;
  std::string done = {};  // what has become of an instance, "is paused", when nothing is waited for
  // Of a person's task: what they say, and for whom.
  bool is_of_person = false;
  std::string comment = {};
};
// The command for each of the instances, in the data directory or at the server. What is refused is
// printed; the rest is done. The exit code.
int Operate(const Arguments& arguments, const Terminal& terminal,
            const std::vector<InstanceId>& instances, const MakeFor& make,
            const OperationPlan& plan);
// An instance as it stands behind a command that only recorded something.
struct Stand {
  InstanceId instance;
  std::string definition;
  uint32_t version = 1;
  std::string status;
  Array waiting_for;
};
Stand StandOf(const model::Instance& instance, const model::Registry& registry,
              const replay::LacksWorker& lacks_worker);
int ReportStands(const Arguments& arguments, const Terminal& terminal,
                 const std::vector<Stand>& stands, std::string_view done);

// In a data directory.
class Operation {
 public:
  Operation(const Arguments& arguments, const Terminal& terminal);

  // Opens the directory that is there. `goes_on`: executors are made, for what the commands start.
  Status Open(bool goes_on);
  Engine& engine() { return engine_; }
  Session& session() { return session_; }
  const model::KeptAsker& asker() const { return asker_; }

  int Run(const std::vector<InstanceId>& instances, const MakeCommand& make,
          const OperationPlan& plan);

 private:
  bool Send(InstanceId instance, const MakeCommand& make);
  bool SendAgain(InstanceId instance, const MakeCommand& make);
  void Answered(InstanceId instance, const std::vector<InstanceId>& children,
                const Result<Position>& answer);
  int ReportRecorded(std::string_view done);

  const Arguments& arguments_;
  const Terminal& terminal_;
  const std::string data_;
  model::KeptAsker asker_;
  bool goes_on_ = false;  // and is waited for
  bool ends_ = false;
  Engine engine_;
  Session session_;
  std::vector<InstanceId> accepted_;
  int64_t times_ = 1;
  std::function<bool(const model::Instance&)> again_;
  int code_ = 0;
};

// The same at a server.
int OperateAtServer(const Arguments& arguments, const Terminal& terminal,
                    const std::vector<InstanceId>& instances, const MakeFor& make,
                    const OperationPlan& plan);

// The instances that the operands name.
Result<std::vector<InstanceId>> InstancesOf(const std::vector<std::string>& operands);

}  // namespace stele::cli
