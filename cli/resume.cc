// `stele resume`: goes on with every instance that has not ended; with ids, resumes paused ones.
#include <fmt/format.h>

#include <optional>
#include <set>

#include "cli/commands.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/operation.h"
#include "cli/remote/server_option.h"
#include "engine/requests/operators.h"

namespace stele::cli {

namespace {

Result<std::optional<model::Resolution>> ParseResolution(const Arguments& arguments) {
  if (!arguments.Has("--parked")) return std::nullopt;
  const std::string word = arguments.Get("--parked");
  if (const auto resolution = requests::ParseResolution(word)) return *resolution;
  return Fail(ErrorCode::kUsage,
              fmt::format("Expected --parked retry, skip or fail but found \"{}\"", word));
}

// Decides about everything in the instance that waits for an operator.
void Decide(Operation& operation, const model::Instance& instance,
            std::optional<model::Resolution> resolution) {
  if (!resolution.has_value()) return;
  for (const model::StepRun& run : instance.runs) {
    if (run.state != model::RunState::kParked) continue;
    operation.session().Await();
    operation.engine().shard().Send(
        instance.id, model::ResolveIncident{run.id, *resolution, "stele resume --parked"},
        operation.asker(), [&](const Result<Position>&) { operation.session().Answered(); });
  }
}

}  // namespace

int Resume(const Arguments& arguments, const Terminal& terminal) {
  const auto resolution = ParseResolution(arguments);
  if (!resolution.has_value()) return Refuse(terminal, resolution.error());
  if (!arguments.operands().empty()) {
    if (!resolution->has_value()) return ResumePaused(arguments, terminal);
    return Refuse(terminal, {ErrorCode::kUsage,
                             "Expected --parked without an instance but found one; \"stele "
                             "resolve\" decides about one step"});
  }
  if (IsForServer(arguments))
    return Refuse(
        terminal,
        {ErrorCode::kUsage,
         "Expected the number of a paused instance but found none; at a server everything "
         "else goes on by itself"});
  Operation operation(arguments, terminal);
  if (const Status opened = operation.Open(true); !opened.has_value())
    return Refuse(terminal, opened.error());
  Engine& engine = operation.engine();
  std::set<InstanceId> open;
  for (const InstanceId id : engine.shard().open_instances()) open.insert(id);
  const Status read =
      engine.store().ForEachOpen(kShard, [&](InstanceId id, std::string_view) { open.insert(id); });
  if (!read.has_value()) return Refuse(terminal, read.error());
  engine.shard().Resume(operation.asker());
  operation.session().AwaitOverdue();
  size_t followed = 0;
  for (const InstanceId id : open) {
    const auto instance = engine.shard().Find(id);
    if (!instance.has_value() || model::HasEnded((*instance)->status)) continue;
    operation.session().Follow(id);
    Decide(operation, **instance, *resolution);
    ++followed;
  }
  if (followed > 1) operation.session().SayWhich();
  if (followed == 0 && !arguments.Has("--json") && !arguments.Has("--quiet"))
    terminal.Print("nothing to continue\n");
  operation.session().Run();
  return operation.session().Report(false);
}

}  // namespace stele::cli
