// `stele list`: the instances of a data directory.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/open_data.h"
#include "cli/recorded.h"
#include "cli/text.h"
#include "cli/waiting_text.h"
#include "replay/history.h"
#include "replay/standing.h"
#include "replay/summary.h"

namespace stele::cli {

namespace {

constexpr std::array<std::string_view, 10> kStatuses = {
    "running", "waiting",   "parked",    "paused",     "queued",
    "failed",  "completed", "cancelled", "terminated", "compensating"};

struct Row {
  replay::InstanceSummary summary;
  const model::RegisteredDefinition* definition = nullptr;
  std::string status;
  std::vector<std::string> waits;  // phrases
  Array waiting_for;
};

Status CheckStatuses(const Arguments& arguments) {
  for (const std::string& status : arguments.All("--status"))
    if (std::ranges::find(kStatuses, status) == kStatuses.end())
      return Fail(
          ErrorCode::kUsage,
          fmt::format("Expected a status for --status but found \"{}\"; \"stele help list\" "
                      "names them",
                      status));
  return {};
}

// A name that nothing has is more likely mistyped than meant.
Status CheckDefinitions(const Arguments& arguments, const model::Registry& registry) {
  for (const std::string& name : arguments.All("--definition"))
    if (const auto found = FindDefinition(registry, name, 0, false); !found.has_value())
      return std::unexpected(found.error());
  return {};
}

// What the summary alone can tell.
bool IsWanted(const Arguments& arguments, const Row& row) {
  const auto among = [&](std::string_view option, std::string_view value) {
    const std::vector<std::string> wanted = arguments.All(option);
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
  };
  for (const std::string& tag : arguments.All("--tag"))
    if (std::ranges::find(row.summary.tags, tag) == row.summary.tags.end()) return false;
  return among("--definition", row.definition->name) &&
         among("--business-key", row.summary.business_key);
}

// Of an open instance its state says more.
Status LookInto(const eventstore::EventStore& store, const replay::LacksWorker& needs_worker,
                Row& row) {
  row.status = model::StatusName(row.summary.status);
  if (model::HasEnded(row.summary.status)) return {};
  const Result<model::Instance> instance = replay::ReadInstance(store, kShard, row.summary.id);
  if (!instance.has_value()) return std::unexpected(instance.error());
  const replay::Standing standing =
      replay::StandingOf(*instance, *row.definition->definition, needs_worker);
  row.status = StatusWord(*instance, standing);
  row.waiting_for = StandingToJson(standing);
  for (const replay::Waiting& waiting : standing.waits) row.waits.push_back(WaitPhrase(waiting));
  return {};
}

Value ToJson(Row row) {
  const replay::InstanceSummary& summary = row.summary;
  Array tags;
  for (const std::string& tag : summary.tags) tags.emplace_back(tag);
  return Object{
      {"instance", static_cast<int64_t>(summary.id.value)},
      {"definition", row.definition->name},
      {"version", static_cast<int64_t>(row.definition->version)},
      {"status", row.status},
      {"started", summary.started.value},
      {"ended", summary.ended ? Value(summary.ended.value) : Value()},
      {"steps_completed", static_cast<int64_t>(summary.steps_completed)},
      {"business_key", summary.business_key.empty() ? Value() : Value(summary.business_key)},
      {"tags", std::move(tags)},
      {"priority", static_cast<int64_t>(summary.priority)},
      {"parent", summary.parent ? Value(static_cast<int64_t>(summary.parent.value)) : Value()},
      {"waiting_for", std::move(row.waiting_for)}};
}

std::vector<std::string> ToText(const Row& row) {
  std::string waits = row.waits.empty() ? "" : row.waits[0];
  if (row.waits.size() > 1) waits += fmt::format(" and {} more", row.waits.size() - 1);
  return {fmt::format("{}", row.summary.id.value),
          Clean(row.definition->name),
          row.status,
          Time(row.summary.started),
          Time(row.summary.ended),
          fmt::format("{}", row.summary.steps_completed),
          Clean(row.summary.business_key),
          Clean(waits)};
}

}  // namespace

int List(const Arguments& arguments, const Terminal& terminal) {
  if (const Status known = CheckStatuses(arguments); !known.has_value())
    return Refuse(terminal, known.error());
  const auto store = OpenForReading(arguments);
  if (!store.has_value()) return Refuse(terminal, store.error());
  const Result<model::Registry> registry = replay::ReadRegistry(**store, kShard);
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  if (const Status known = CheckDefinitions(arguments, *registry); !known.has_value())
    return Refuse(terminal, known.error());
  const auto instances = replay::ListInstances(**store, kShard);
  if (!instances.has_value()) return Refuse(terminal, instances.error());

  std::vector<std::vector<std::string>> rows{
      {"ID", "DEFINITION", "STATUS", "STARTED", "ENDED", "STEPS DONE", "KEY", "WAITS FOR"}};
  Array documents;
  const std::vector<std::string> statuses = arguments.All("--status");
  const replay::LacksWorker needs_worker = NeedsWorkerOf(*registry);
  for (const replay::InstanceSummary& instance : *instances) {
    Row row{.summary = instance, .definition = registry->Find(instance.definition)};
    CHECK(row.definition != nullptr, "no definition {}", instance.definition.value);
    if (!IsWanted(arguments, row)) continue;
    if (const Status read = LookInto(**store, needs_worker, row); !read.has_value())
      return Refuse(terminal, read.error());
    if (!statuses.empty() && std::ranges::find(statuses, row.status) == statuses.end()) continue;
    rows.push_back(ToText(row));
    documents.push_back(ToJson(std::move(row)));
  }
  terminal.Print(arguments.Has("--json") ? CleanJson(ToPrettyJson(std::move(documents))) + "\n"
                                         : Table(rows));
  return kExitDone;
}

}  // namespace stele::cli
