// A fork: what an instance was behind one of its events, as another one that goes on from there.
// Attempts that were under way are the origin's; the fork makes its own. Moments that were waited
// for stay as they were, so that those which have passed elapse at once.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "engine/decide/start_check.h"
#include "engine/decide/turn.h"
#include "engine/model/snapshot.h"

namespace stele::decide {

namespace {

std::optional<Rejection> RejectOrigin(const model::ForkInstance& command) {
  const auto because = [&](std::string_view found) {
    return Rejection{ErrorCode::kCannotFork,
                     fmt::format("Expected an event of instance {} behind which it goes on but "
                                 "found {} {}",
                                 command.origin.value, command.origin_seq.value, found)};
  };
  if (!command.state.has_value()) return because("without a state");
  if (command.state->status == model::Status::kNone) return because("before its start");
  if (model::HasEnded(command.state->status))
    return because(fmt::format("behind which it is {}", model::StatusName(command.state->status)));
  return std::nullopt;
}

model::MigrateInstance MigrationOf(const model::ForkInstance& command) {
  return {.definition = command.definition, .plan = command.plan, .reason = command.reason};
}

// On a copy: nothing has changed when it is refused.
std::optional<Rejection> RejectMigration(const model::ForkInstance& command, const Definition& ran,
                                         const Definition* target) {
  if (!command.definition) return std::nullopt;
  Instance copy = model::CopyOf(*command.state);
  const model::RecordContext record{copy.position, TimeUs()};
  std::vector<model::Event> events;
  std::vector<Token> tokens;
  std::vector<ScopeId> touched;
  Turn probe{copy, ran, record, events, tokens, touched, target};
  return Migrate(probe, MigrationOf(command));
}

}  // namespace

std::optional<Rejection> RejectFork(const model::ForkInstance& command, const Definition& ran,
                                    const Definition* target) {
  if (auto rejection = RejectOrigin(command)) return rejection;
  if (auto rejection = RejectVariables(command.variables)) return rejection;
  if (auto rejection = RejectMigration(command, ran, target)) return rejection;
  const Definition& runs = command.definition ? *target : ran;
  return RejectTypes(runs.bodies[0].variables, command.variables);
}

std::optional<Rejection> Fork(Turn& turn, const model::ForkInstance& command) {
  if (turn.instance.status != model::Status::kNone)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected a new instance but found {}", turn.instance.id.value)};
  if (auto rejection = RejectFork(command, turn.definition, turn.target)) return rejection;
  turn.Emit(model::InstanceForked{.origin = command.origin,
                                  .origin_seq = command.origin_seq,
                                  .origin_hash = command.origin_hash,
                                  .origin_position = command.origin_position,
                                  .state = command.state,
                                  .variables = command.variables,
                                  .definition = command.definition,
                                  .plan = command.plan,
                                  .business_key = command.business_key,
                                  .idempotency_key = command.idempotency_key,
                                  .deadline = command.deadline,
                                  .paused = command.paused,
                                  .queued = command.queued,
                                  .ends_origin = command.ends_origin,
                                  .reason = command.reason,
                                  .trace_parent = command.trace_parent});
  if (command.definition) {
    const std::optional<Rejection> refused = Migrate(turn, MigrationOf(command));
    CHECK(!refused.has_value(), "a fork that cannot migrate: {}", refused->message);
  }
  if (!command.variables.empty())
    turn.Emit(model::VariablesSet{ScopeId(), command.variables, command.reason});
  return std::nullopt;
}

void GoOnForked(Turn& turn, const model::ForkInstance& command) {
  // Its origin may have waited for its place.
  const bool began = !HeldTokens(turn).empty() || !turn.instance.scopes[0].slots.empty();
  if (!command.paused) {
    const std::optional<Rejection> refused = Resume(turn, {});
    CHECK(!refused.has_value(), "a fork that cannot go on: {}", refused->message);
  }
  if (!began && !turn.instance.queued) Begin(turn);
}

}  // namespace stele::decide
