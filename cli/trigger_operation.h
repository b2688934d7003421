// What the commands that change or fire triggers have in common: the data directory is opened with
// its triggers, which do not fire by themselves, and answers are waited for.
//
// Thread: the loop's.
#pragma once

#include <optional>
#include <string>

#include "cli/arguments.h"
#include "cli/engine.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "engine/triggers/service.h"

namespace stele::cli {

class TriggerOperation {
 public:
  TriggerOperation(const Arguments& arguments, const Terminal& terminal, bool quiet);

  // Opens the directory that is there, and takes up what definitions declare. `starts`: executors
  // are made, for what is started.
  Status Open(bool starts);
  Engine& engine() { return engine_; }
  Session& session() { return session_; }
  triggers::TriggerService& triggers() { return triggers_; }
  const model::KeptAsker& asker() const { return asker_; }

  // Give this to a change; Finish then waits for it, and gives the refusal.
  runtime::Shard::Answer Answer();
  void Await() { session_.Await(); }
  void Answered(const std::optional<Error>& refusal);
  Status Finish();

 private:
  const Arguments& arguments_;
  model::KeptAsker asker_;
  Engine engine_;
  triggers::TriggerService triggers_;
  Session session_;
  std::optional<Error> refusal_;
};

// A trigger's number.
Result<TriggerId> ParseTriggerId(const std::string& word);

}  // namespace stele::cli
