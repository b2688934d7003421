#include "cli/listed.h"

#include <fmt/format.h>

#include "base/check.h"
#include "cli/open_data.h"
#include "cli/recorded.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "cli/waiting_text.h"
#include "replay/history.h"
#include "replay/standing.h"
#include "replay/to_json.h"

namespace stele::cli {

namespace {

// As it is now, nobody has the log open: what is under way may wait for a worker. As it was then,
// the view has said how it stood.
Status LookInto(const AskedView& asked, const model::Registry& registry, Listed& listed) {
  const bool then = asked.then != nullptr;
  const Position end = then ? asked.reader->position().Next() : Position(UINT64_MAX);
  const auto instance = replay::ReadInstance(*asked.views.store, kShard, listed.row.id, end);
  if (!instance.has_value()) {
    const bool removed = then && (instance.error().code == ErrorCode::kUnknownInstance ||
                                  instance.error().code == ErrorCode::kInstanceErased);
    return removed ? Status() : std::unexpected(instance.error());
  }
  const model::RegisteredDefinition* registered = registry.Find(instance->definition);
  CHECK(registered != nullptr, "no definition {}", instance->definition.value);
  const replay::Standing standing = replay::StandingOf(
      *instance, *registered->definition, then ? replay::LacksWorker() : NeedsWorkerOf(registry));
  if (!then) listed.row.status = replay::StatusWord(*instance, standing);
  listed.waits.clear();
  listed.waiting_for = StandingToJson(standing);
  for (const replay::Waiting& waiting : standing.waits) listed.waits.push_back(WaitPhrase(waiting));
  return {};
}

}  // namespace

Result<std::vector<Listed>> LookInto(const AskedView& asked, const model::Registry& registry,
                                     std::vector<projections::InstanceRow> rows) {
  std::vector<Listed> all;
  for (projections::InstanceRow& row : rows) {
    Listed& listed = all.emplace_back(Listed{std::move(row), {}, std::nullopt});
    for (const projections::RowWait& wait : listed.row.waits)
      listed.waits.push_back(wait.subject.empty() ? wait.what : wait.subject);
    if (!listed.row.ended) STELE_RETURN_IF_ERROR(LookInto(asked, registry, listed));
  }
  return all;
}

std::string WaitsText(const Listed& listed) {
  if (listed.waits.empty()) return "";
  std::string text = Clean(listed.waits[0]);
  if (listed.waits.size() > 1) text += fmt::format(", and {} more", listed.waits.size() - 1);
  return text;
}

Value ToJson(std::vector<Listed> listed, const AskedView& asked, const std::string& next) {
  Array instances;
  for (Listed& one : listed) {
    Value document = projections::ToJson(one.row, asked.now);
    if (one.waiting_for.has_value())
      document.as_object().Set("waiting_for", *std::move(one.waiting_for));
    instances.push_back(std::move(document));
  }
  return PageToJson(*asked.reader, "instances", std::move(instances), next);
}

}  // namespace stele::cli
