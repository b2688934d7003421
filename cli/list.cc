// `stele list`: the instances of a data directory that fit a query.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/open_data.h"
#include "cli/recorded.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "cli/views.h"
#include "cli/waiting_text.h"
#include "projections/views/instance_row.h"
#include "replay/history.h"
#include "replay/standing.h"

namespace stele::cli {

namespace {

using projections::InstanceRow;

constexpr std::array<std::string_view, 10> kStatuses = {
    "running", "waiting",   "parked",    "paused",     "queued",
    "failed",  "completed", "cancelled", "terminated", "compensating"};

// A row, and what the state of an open instance says beyond it.
struct Listed {
  InstanceRow row;
  std::vector<std::string> waits;  // phrases
  std::optional<Array> waiting_for;
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

// Nobody has the log open, so that no worker has a task: what a view takes to be under way may wait
// for one.
std::vector<std::string> StatusesInTheView(std::vector<std::string> statuses) {
  const bool waiting = std::ranges::find(statuses, "waiting") != statuses.end();
  if (waiting && std::ranges::find(statuses, "running") == statuses.end())
    statuses.emplace_back("running");
  return statuses;
}

// Looks into an open instance.
Status LookInto(const eventstore::EventStore& store, const model::Registry& registry,
                Listed& listed) {
  const Result<model::Instance> instance = replay::ReadInstance(store, kShard, listed.row.id);
  if (!instance.has_value()) return std::unexpected(instance.error());
  const model::RegisteredDefinition* registered = registry.Find(instance->definition);
  CHECK(registered != nullptr, "no definition {}", instance->definition.value);
  const replay::Standing standing =
      replay::StandingOf(*instance, *registered->definition, NeedsWorkerOf(registry));
  listed.row.status = replay::StatusWord(*instance, standing);
  listed.waiting_for = StandingToJson(standing);
  for (const replay::Waiting& waiting : standing.waits) listed.waits.push_back(WaitPhrase(waiting));
  return {};
}

Value ToJson(Listed listed, TimeUs now) {
  Value document = projections::ToJson(listed.row, now);
  if (listed.waiting_for.has_value())
    document.as_object().Set("waiting_for", *std::move(listed.waiting_for));
  return document;
}

std::vector<std::string> ToText(const Listed& listed) {
  const InstanceRow& row = listed.row;
  std::vector<std::string> phrases = listed.waits;
  if (phrases.empty())
    for (const projections::RowWait& wait : row.waits)
      phrases.push_back(wait.subject.empty() ? wait.what : wait.subject);
  std::string waits = phrases.empty() ? "" : phrases[0];
  if (phrases.size() > 1) waits += fmt::format(" and {} more", phrases.size() - 1);
  return {fmt::format("{}", row.id.value),
          Clean(row.definition),
          row.status,
          Time(row.started),
          Time(row.ended),
          fmt::format("{}", row.steps_completed),
          Clean(row.business_key),
          Clean(waits)};
}

Result<projections::SearchRequest> RequestOf(const Arguments& arguments, TimeUs now) {
  auto request = SearchRequestOf(arguments, now);
  if (!request.has_value()) return request;
  AddCondition(request->query, "status", StatusesInTheView(arguments.All("--status")));
  AddCondition(request->query, "definition", arguments.All("--definition"));
  AddCondition(request->query, "key", arguments.All("--business-key"));
  for (const std::string& tag : arguments.All("--tag")) AddCondition(request->query, "tag", {tag});
  return request;
}

// The rows, those that are open looked into unless the past is asked for.
Result<std::vector<Listed>> Look(const Arguments& arguments, const AskedView& asked,
                                 const model::Registry& registry, std::vector<InstanceRow> rows) {
  std::vector<Listed> all;
  for (InstanceRow& row : rows) {
    Listed& listed = all.emplace_back(Listed{std::move(row), {}, std::nullopt});
    if (asked.then == nullptr && !listed.row.ended)
      STELE_RETURN_IF_ERROR(LookInto(*asked.views.store, registry, listed));
  }
  const std::vector<std::string> statuses = arguments.All("--status");
  std::erase_if(all, [&](const Listed& listed) {
    return !statuses.empty() && std::ranges::find(statuses, listed.row.status) == statuses.end();
  });
  return all;
}

}  // namespace

int List(const Arguments& arguments, const Terminal& terminal) {
  if (const Status known = CheckStatuses(arguments); !known.has_value())
    return Refuse(terminal, known.error());
  const TimeUs now = SystemClock().Now();
  const auto request = RequestOf(arguments, now);
  if (!request.has_value()) return Refuse(terminal, request.error());
  const auto asked = AskView(arguments, terminal, "instances");
  if (!asked.has_value()) return Refuse(terminal, asked.error());
  const Result<model::Registry> registry = replay::ReadRegistry(*asked->views.store, kShard);
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  if (const Status known = CheckDefinitions(arguments, *registry); !known.has_value())
    return Refuse(terminal, known.error());
  auto found = FindAll<InstanceRow>(arguments, *asked->reader, *request);
  if (!found.has_value()) return Refuse(terminal, found.error());
  auto listed = Look(arguments, *asked, *registry, std::move(found->rows));
  if (!listed.has_value()) return Refuse(terminal, listed.error());

  std::vector<std::vector<std::string>> rows{
      {"ID", "DEFINITION", "STATUS", "STARTED", "ENDED", "STEPS DONE", "KEY", "WAITS FOR"}};
  Array documents;
  for (Listed& one : *listed) {
    if (arguments.Has("--json")) {
      documents.push_back(ToJson(std::move(one), now));
    } else {
      rows.push_back(ToText(one));
    }
  }
  terminal.Print(arguments.Has("--json") ? CleanJson(ToPrettyJson(std::move(documents))) + "\n"
                                         : Table(rows));
  NoteMore(terminal, found->next);
  return kExitDone;
}

}  // namespace stele::cli
