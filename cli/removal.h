// An engine that removes something and ends: nothing of its instances goes on meanwhile.
//
// Thread: the main one, which is the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/arguments.h"
#include "cli/engine.h"
#include "cli/terminal.h"
#include "engine/retention/service.h"
#include "projections/projector.h"

namespace stele::cli {

class Removal final : public runtime::Observer {
 public:
  explicit Removal(const Terminal& terminal) : terminal_(terminal) {}
  ~Removal() override;

  // The directory that is there, and its views.
  Status Open(const Arguments& arguments);
  // Brings to an end what was begun before, then has the task done on the service's thread. What
  // stood in the way, if anything.
  Status Run(retention::RetentionService::Task task);

  void OnFatal(const Error& error) override;

 private:
  const Terminal& terminal_;
  Engine engine_;
  SystemClock clock_;
  std::unique_ptr<projections::Projector> projector_;
  std::unique_ptr<retention::RetentionService> service_;
  Status result_;
};

}  // namespace stele::cli
