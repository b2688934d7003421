// `stele list`: the instances of a data directory.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/open_data.h"
#include "cli/text.h"
#include "replay/history.h"
#include "replay/summary.h"

namespace stele::cli {

int List(const Arguments& arguments, const Terminal& terminal) {
  const auto refuse = [&](const Error& error) {
    terminal.PrintError(error);
    return kExitUsage;
  };
  const auto store = OpenForReading(arguments);
  if (!store.has_value()) return refuse(store.error());
  const Result<model::Registry> registry = replay::ReadRegistry(**store, kShard);
  if (!registry.has_value()) return refuse(registry.error());
  const auto instances = replay::ListInstances(**store, kShard);
  if (!instances.has_value()) return refuse(instances.error());

  std::vector<std::vector<std::string>> rows{
      {"ID", "DEFINITION", "STATUS", "STARTED", "ENDED", "STEPS DONE"}};
  Array documents;
  for (const replay::InstanceSummary& instance : *instances) {
    const model::RegisteredDefinition* definition = registry->Find(instance.definition);
    const std::string name = definition == nullptr ? "?" : definition->name;
    const std::string_view status =
        instance.incidents > 0 ? "parked" : model::StatusName(instance.status);
    rows.push_back({fmt::format("{}", instance.id.value), Clean(name), std::string(status),
                    Time(instance.started), Time(instance.ended),
                    fmt::format("{}", instance.steps_completed)});
    documents.push_back(
        Object{{"instance", static_cast<int64_t>(instance.id.value)},
               {"definition", name},
               {"status", status},
               {"started", instance.started.value},
               {"ended", instance.ended ? Value(instance.ended.value) : Value()},
               {"steps_completed", static_cast<int64_t>(instance.steps_completed)}});
  }
  terminal.Print(arguments.Has("--json") ? CleanJson(ToPrettyJson(std::move(documents))) + "\n"
                                         : Table(rows));
  return kExitDone;
}

}  // namespace stele::cli
