// What the commands that change the registry (definitions, types) have in common: the data
// directory is opened, the changes are asked for together, and their answers are waited for. What a
// change of a definition means for the triggers that it declares is recorded with it.
//
// Thread: the loop's.
#pragma once

#include <optional>
#include <string>

#include "cli/arguments.h"
#include "cli/engine.h"
#include "engine/triggers/service.h"

namespace stele::cli {

class RegistryChange final : public runtime::Observer {
 public:
  explicit RegistryChange(const Arguments& arguments);
  ~RegistryChange() override { engine_.Close(); }

  // `create`: the directory is made when it is not there.
  Status Open(bool create);
  Engine& engine() { return engine_; }
  runtime::Shard& shard() { return engine_.shard(); }
  const model::Registry& registry() { return engine_.shard().registry(); }
  const model::KeptAsker& asker() const { return asker_; }

  // Give this to each change.
  runtime::Shard::Answer Answer();
  // Records what was asked for; the first refusal.
  Status Finish();

  void OnFatal(const Error& error) override;

 private:
  const Arguments& arguments_;
  model::KeptAsker asker_;
  Engine engine_;
  triggers::TriggerService triggers_;
  size_t awaited_ = 0;
  std::optional<Error> refusal_;
};

}  // namespace stele::cli
