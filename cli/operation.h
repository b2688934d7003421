// What the commands of operators and people have in common: a data directory is opened, each
// command is tried on a copy of the instance's state, sent, and what it lets go on is followed.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/engine.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "engine/requests/make_command.h"

namespace stele::cli {

using requests::MakeCommand;

class Operation {
 public:
  Operation(const Arguments& arguments, const Terminal& terminal);

  // Opens the directory that is there. `goes_on`: executors are made, for what the commands start.
  Status Open(bool goes_on);
  Engine& engine() { return engine_; }
  Session& session() { return session_; }
  const std::string& actor() const { return actor_; }

  // The commands end instances: nothing of them is started before, and what they called follows.
  void EndsInstances();

  // What the present state has against the command; nothing: it can be done.
  std::optional<Rejection> Try(const model::Instance& instance, const model::Command& command);

  // Run sends its command `times` in all to its one instance: each time when what the one before
  // led to has come to rest, as long as `goes_on` says so of the state then.
  void Repeat(int64_t times, std::function<bool(const model::Instance&)> goes_on);

  // The command for each of the instances. What is refused is printed; the rest is done. `done`
  // says what has become of an instance, "paused", for commands after which nothing goes on.
  int Run(const std::vector<InstanceId>& instances, const MakeCommand& make, std::string_view done);

 private:
  bool Send(InstanceId instance, const MakeCommand& make);
  bool SendAgain(InstanceId instance, const MakeCommand& make);
  void Answered(InstanceId instance, const std::vector<InstanceId>& children,
                const Result<Position>& answer);
  int ReportRecorded(std::string_view done);

  const Arguments& arguments_;
  const Terminal& terminal_;
  std::string data_;
  std::string actor_;
  bool goes_on_ = false;  // and is waited for
  bool ends_ = false;
  Engine engine_;
  Session session_;
  std::vector<InstanceId> accepted_;
  int64_t times_ = 1;
  std::function<bool(const model::Instance&)> goes_on_again_;
  int code_ = 0;
};

// The instances that the operands name.
Result<std::vector<InstanceId>> InstancesOf(const std::vector<std::string>& operands);

}  // namespace stele::cli
