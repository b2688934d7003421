#include "cli/listed.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/check.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "cli/waiting_text.h"
#include "replay/history.h"
#include "replay/standing.h"
#include "replay/to_json.h"

namespace stele::cli {

namespace {

// Histories that a server is asked for together.
constexpr size_t kReadAtOnce = 32;

// As it is now, what is under way may wait for a worker. As it was then, the view has said how it
// stood.
Status LookInto(const Questions& questions, const model::Registry& registry, Listed& listed) {
  const bool then = questions.is_then();
  const Position end = then ? questions.position().Next() : Position(UINT64_MAX);
  const auto instance = replay::ReadInstance(questions.source(), listed.row.id, end);
  if (!instance.has_value()) {
    const ErrorCode code = instance.error().code;
    const bool removed =
        then && (code == ErrorCode::kUnknownInstance || code == ErrorCode::kInstanceErased);
    // A server may let somebody see that it is there, and no more.
    const bool hidden = code == ErrorCode::kForbidden;
    return removed || hidden ? Status() : std::unexpected(instance.error());
  }
  const model::RegisteredDefinition* registered = registry.Find(instance->definition);
  CHECK(registered != nullptr, "no definition {}", instance->definition.value);
  if (!replay::MayBeRead(*registered)) return {};
  const replay::Standing standing =
      replay::StandingOf(*instance, *registered->definition,
                         then ? replay::LacksWorker() : questions.source().NeedsWorker(registry));
  if (!then) listed.row.status = replay::StatusWord(*instance, standing);
  listed.waits.clear();
  listed.waiting_for = StandingToJson(standing);
  for (const replay::Waiting& waiting : standing.waits) listed.waits.push_back(WaitPhrase(waiting));
  return {};
}

}  // namespace

Result<std::vector<Listed>> LookInto(const Questions& questions, const model::Registry& registry,
                                     std::vector<projections::InstanceRow> rows) {
  std::vector<InstanceId> open;
  for (const projections::InstanceRow& row : rows)
    if (!row.ended) open.push_back(row.id);
  std::vector<Listed> all;
  size_t looked_into = 0;
  for (projections::InstanceRow& row : rows) {
    if (!row.ended && looked_into++ % kReadAtOnce == 0) {
      const auto rest = std::span(open).subspan(looked_into - 1);
      questions.source().Expect(rest.first(std::min(rest.size(), kReadAtOnce)));
    }
    Listed& listed = all.emplace_back(Listed{std::move(row), {}, std::nullopt});
    for (const projections::RowWait& wait : listed.row.waits)
      listed.waits.push_back(wait.subject.empty() ? wait.what : wait.subject);
    if (!listed.row.ended) STELE_RETURN_IF_ERROR(LookInto(questions, registry, listed));
  }
  return all;
}

std::string WaitsText(const Listed& listed) {
  if (listed.waits.empty()) return "";
  std::string text = Clean(listed.waits[0]);
  if (listed.waits.size() > 1) text += fmt::format(", and {} more", listed.waits.size() - 1);
  return text;
}

Value ToJson(std::vector<Listed> listed, const Questions& questions, const std::string& next) {
  Array instances;
  for (Listed& one : listed) {
    Value document = projections::ToJson(one.row, questions.now());
    if (one.waiting_for.has_value())
      document.as_object().Set("waiting_for", *std::move(one.waiting_for));
    instances.push_back(std::move(document));
  }
  return PageToJson(questions.position(), "instances", std::move(instances), next);
}

}  // namespace stele::cli
