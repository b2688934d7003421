// What may start, and when: definitions' states, keys that are used once, and limits of how many
// instances of a definition run at once.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/instance_ranges.h"
#include "engine/decide/start_check.h"
#include "engine/runtime/definition_state.h"
#include "engine/runtime/keys.h"
#include "engine/runtime/known_start.h"
#include "engine/runtime/shard.h"

namespace stele::runtime {

namespace {

// Instances of one definition and key that are admitted at once; more follow when these are
// durable.
constexpr size_t kAdmittedPerTurn = 4'096;

size_t BytesOf(const std::vector<model::NamedPayload>& variables) {
  size_t bytes = 0;
  for (const model::NamedPayload& variable : variables)
    bytes += variable.name.size() + variable.value.text().size();
  return bytes;
}

size_t BytesOf(const model::StartInstance& command) {
  return command.input.text().size() + BytesOf(command.variables);
}

// Answers when the first start is durable: with a refusal when this one is another.
template <class Command>
Shard::Answer AnswerIfSame(const StartedLog& log, InstanceId known, Command command,
                           Shard::Answer answer) {
  if (!answer || !IsGivenKey(command)) return answer;
  return [log, known, command = std::move(command),
          answer = std::move(answer)](const Result<Position>& first) {
    if (!first.has_value()) return answer(first);
    const auto refused = RefuseOtherStart(log, known, command);
    answer(refused.has_value() ? Result<Position>(std::unexpected(*refused)) : first);
  };
}

// What somebody from outside hands in with a command.
size_t PayloadOf(const model::Command& command) {
  if (const auto* signal = std::get_if<model::SendSignal>(&command))
    return signal->name.size() + signal->payload.text().size();
  if (const auto* decision = std::get_if<model::DecideTask>(&command))
    return decision->comment.size() + decision->variables.text().size();
  if (const auto* set = std::get_if<model::AssignVariables>(&command))
    return BytesOf(set->variables);
  return 0;
}

// As far as bounds and keys go.
model::StartInstance AsStart(const model::ForkInstance& fork) {
  return {.variables = fork.variables,
          .business_key = fork.business_key,
          .idempotency_key = fork.idempotency_key};
}

}  // namespace

std::optional<Error> Shard::RefusePayload(const model::Command& command) const {
  if (const auto* signal = std::get_if<model::SendSignal>(&command))
    if (auto refused = RefuseKey("a signal name", signal->name)) return refused;
  const size_t bytes = PayloadOf(command);
  if (bytes <= options_.max_payload_bytes) return std::nullopt;
  return Error{ErrorCode::kLimitExceeded,
               fmt::format("Expected at most {} bytes of payload but found {} (max_payload_bytes)",
                           options_.max_payload_bytes, bytes)};
}

std::optional<Error> Shard::RefuseStart(const model::StartInstance& command,
                                        const StartOptions& options) const {
  if (failed_ || draining_) return Stopped();
  const model::RegisteredDefinition* definition = registry_.Find(command.definition);
  if (definition == nullptr)
    return Error{ErrorCode::kUnknownDefinition,
                 fmt::format("Expected a definition but found no {}", command.definition.value)};
  if (auto refused = RefuseState(*definition)) return refused;
  if (auto refused = RefuseBounds(definition->name, command, options)) return refused;
  return decide::RejectStart(*definition->definition, command);
}

std::optional<Error> Shard::RefuseBounds(std::string_view definition,
                                         const model::StartInstance& command,
                                         const StartOptions& options) const {
  if (auto refused = RefuseKeys(command)) return refused;
  if (auto refused = RefusePriority(command.priority)) return refused;
  if (BytesOf(command) > options_.max_input_bytes)
    return Error{ErrorCode::kLimitExceeded,
                 fmt::format("Expected at most {} bytes of input but found {} (max_input_bytes)",
                             options_.max_input_bytes, BytesOf(command))};
  // Calls finish what has begun; refusing them would make it fail.
  if (!command.parent_instance && scheduler_.queued() >= options_.max_queued_attempts)
    return Error{ErrorCode::kBackPressure,
                 fmt::format("Expected at most {} waiting attempts but found {}; try again later, "
                             "or raise max_queued_attempts",
                             options_.max_queued_attempts, scheduler_.queued())};
  if (options_.max_open_instances != 0 &&
      open_instances_ + starting_instances_ >= options_.max_open_instances)
    return Error{ErrorCode::kBackPressure,
                 fmt::format("Expected at most {} open instances but found as many; try again "
                             "later, or raise max_open_instances",
                             options_.max_open_instances)};
  if (!options.unique_business_key || command.business_key.empty()) return std::nullopt;
  auto taken = board_.ByBusinessKey(definition, command.business_key);
  if (!taken.has_value()) return taken.error();
  const auto starting =
      starting_keys_.find(std::pair(std::string(definition), command.business_key));
  if (!taken->has_value() && starting != starting_keys_.end()) taken = starting->second;
  if (!taken->has_value()) return std::nullopt;
  return Error{ErrorCode::kDuplicateKey,
               fmt::format("Expected a business key that no open instance of \"{}\" has but found "
                           "\"{}\" at instance {}",
                           definition, command.business_key, (*taken)->value)};
}

std::optional<Error> Shard::RefuseFork(const model::ForkInstance& command,
                                       const StartOptions& options,
                                       const definition::Definition* unregistered) const {
  if (failed_ || draining_) return Stopped();
  if (auto refused = RefuseRemoved(command.origin)) return refused;
  const auto unknown = [](DefinitionId id) {
    return Error{ErrorCode::kUnknownDefinition,
                 fmt::format("Expected a definition but found no {}", id.value)};
  };
  const DefinitionId state = command.state.has_value() ? command.state->definition : DefinitionId();
  const model::RegisteredDefinition* ran = registry_.Find(state);
  if (ran == nullptr) return unknown(state);
  const definition::Definition* target = unregistered;
  if (unregistered == nullptr) {
    const model::RegisteredDefinition* runs =
        command.definition ? registry_.Find(command.definition) : ran;
    if (runs == nullptr) return unknown(command.definition);
    if (auto refused = RefuseForkState(*runs, /*is_own=*/!command.definition)) return refused;
    if (command.definition) target = runs->definition.get();
  }
  if (auto refused = RefuseBounds(ran->name, AsStart(command), options)) return refused;
  return decide::RejectFork(command, *ran->definition, target);
}

template <class Command>
InstanceId Shard::FindBegun(Command& command, Answer& answer) {
  if (command.idempotency_key.empty() || failed_) return InstanceId();
  const StartedLog log{*parts_.store, options_.shard, registry_};
  if (const auto found = starting_.find(command.idempotency_key); found != starting_.end()) {
    const InstanceId first = found->second.instance;
    if (answer)
      found->second.also.push_back(AnswerIfSame(log, first, std::move(command), std::move(answer)));
    return first;
  }
  const auto known = board_.ByIdempotencyKey(command.idempotency_key);
  if (!known.has_value() || !known->has_value() || Contains(registry_.purge.instances, **known))
    return InstanceId();
  Hold({.position = Position(next_position_.value - 1),
        .kind = ReleaseKind::kAnswer,
        .answer = AnswerIfSame(log, **known, std::move(command), std::move(answer))});
  return **known;
}

template <class Command>
InstanceId Shard::BeginNew(Command command, DefinitionId runs, model::Asker asker, Answer answer) {
  last_instance_ = last_instance_.Next();
  if (!command.idempotency_key.empty())
    starting_[command.idempotency_key] = {.instance = last_instance_, .also = {}};
  if (!command.business_key.empty())
    starting_keys_.emplace(std::pair(registry_.Find(runs)->name, command.business_key),
                           last_instance_);
  ++starting_instances_;
  inbox_.push_back({last_instance_, std::move(command), asker.Keep(), std::move(answer)});
  Wake();
  return last_instance_;
}

InstanceId Shard::Start(model::StartInstance command, model::Asker asker, Answer answer,
                        StartOptions options) {
  // A start that came before gives the same instance.
  if (const InstanceId begun = FindBegun(command, answer)) return begun;
  std::optional<Error> error = RefuseStart(command, options);
  if (!error.has_value())
    if (const Status prepared = PrepareStart(command); !prepared.has_value())
      error = prepared.error();
  if (error.has_value()) {
    if (answer) answer(std::unexpected(*error));
    return InstanceId();
  }
  const DefinitionId runs = command.definition;
  return BeginNew(std::move(command), runs, asker, std::move(answer));
}

InstanceId Shard::Fork(model::ForkInstance command, model::Asker asker, Answer answer,
                       StartOptions options) {
  if (const InstanceId begun = FindBegun(command, answer)) return begun;
  if (const auto error = RefuseFork(command, options)) {
    if (answer) answer(std::unexpected(*error));
    return InstanceId();
  }
  command.trace_parent = model::NormalTraceParent(command.trace_parent);
  const DefinitionId runs = command.definition ? command.definition : command.state->definition;
  return BeginNew(std::move(command), runs, asker, std::move(answer));
}

// A start or a fork leaves the inbox: what stood for it there goes, and who joined it is answered
// with it.
void Shard::TakeStarting(Inbound& inbound) {
  DefinitionId runs;
  std::string business_key, idempotency_key;
  if (const auto* start = std::get_if<model::StartInstance>(&inbound.command)) {
    runs = start->definition;
    business_key = start->business_key;
    idempotency_key = start->idempotency_key;
  } else if (const auto* fork = std::get_if<model::ForkInstance>(&inbound.command)) {
    runs = fork->definition ? fork->definition : fork->state->definition;
    business_key = fork->business_key;
    idempotency_key = fork->idempotency_key;
  }
  --starting_instances_;
  if (!business_key.empty()) {
    const std::string& name = registry_.Find(runs)->name;
    const auto [first, last] = starting_keys_.equal_range({name, business_key});
    const auto found = std::find_if(
        first, last, [&](const auto& starting) { return starting.second == inbound.instance; });
    if (found != last) starting_keys_.erase(found);
  }
  const auto joined = starting_.find(idempotency_key);
  if (joined == starting_.end()) return;
  std::vector<Answer> also = std::move(joined->second.also);
  starting_.erase(joined);
  if (also.empty()) return;
  inbound.answer = [first = std::move(inbound.answer),
                    also = std::move(also)](const Result<Position>& result) {
    if (first) first(result);
    for (const Answer& answer : also) answer(result);
  };
}

Status Shard::PrepareStart(model::StartInstance& command) {
  command.trace_parent = model::NormalTraceParent(command.trace_parent);
  const definition::Definition& definition = *registry_.Find(command.definition)->definition;
  if (!definition.concurrency.has_value()) return {};
  Result<std::string> key = decide::ConcurrencyKeyOf(definition, command);
  if (!key.has_value()) return std::unexpected(key.error());
  command.concurrency_key = *std::move(key);
  return {};
}

// Whether an instance that wants to run must wait for one of its definition and key to end.
bool Shard::MustQueue(const definition::Definition& definition, const std::string& key) {
  if (!definition.concurrency.has_value()) return false;
  const auto places = board_.PlacesOf(definition.name, key);
  if (!places.has_value()) {
    Failed(places.error());
    return false;
  }
  // Who waits already comes first, even if a place has just become free.
  return (*places)->holders.size() >= definition.concurrency->limit || !(*places)->queue.empty();
}

// A failed instance takes a place as one that starts does. Its deadline begins anew where it was
// the definition's; one that was given stays while it is still ahead.
void Shard::AdoptRetry(const Live& live, model::RetryInstance& retry) {
  const model::Instance& instance = live.instance;
  if (instance.status != model::Status::kFailed) return;  // it is refused
  const int64_t allowed_us = live.definition->deadline_us;
  const bool given = allowed_us == 0 || instance.deadline != instance.started.Plus(allowed_us);
  if (given && instance.deadline > now_)
    retry.deadline = instance.deadline;
  else if (allowed_us != 0)
    retry.deadline = now_.Plus(allowed_us);
  retry.queued = MustQueue(*live.definition, instance.concurrency_key);
}

void Shard::PlaceMayBeFree(std::string_view definition, std::string_view key) {
  freed_places_.emplace(definition, key);
}

void Shard::AdmitQueued() {
  for (const auto& [definition, key] : std::exchange(freed_places_, {}))
    AdmitQueued(definition, key);
}

// As many as there are places for.
void Shard::AdmitQueued(const std::string& definition, const std::string& key) {
  if (draining_ || failed_) return;
  const auto places = board_.PlacesOf(definition, key);
  if (!places.has_value()) return Failed(places.error());
  size_t held = (*places)->holders.size();
  std::vector<InstanceId> admitted;
  for (const auto& [order, id] : (*places)->queue) {
    ++held;
    if (admitting_.contains(id)) continue;
    const Result<Live*> live = LoadOpen(id);
    if (!live.has_value()) return Failed(live.error());
    looked_at_.push_back(id);
    // The limit of its own version.
    const auto& concurrency = (*live)->definition->concurrency;
    if (concurrency.has_value() && held > concurrency->limit) break;
    admitted.push_back(id);
    if (admitted.size() == kAdmittedPerTurn) break;
  }
  for (const InstanceId id : admitted) Admit(id, definition, key);
  if (!admitted.empty()) Wake();
}

void Shard::Admit(InstanceId instance, const std::string& definition, const std::string& key) {
  admitting_.insert(instance);
  Send(instance, model::AdmitInstance{}, "",
       [this, instance, definition, key](const Result<Position>& answer) {
         admitting_.erase(instance);
         if (failed_ || stopping_) return;
         // It waits no more, whatever the queue says.
         if (!answer.has_value()) board_.LeaveQueue(definition, key, instance);
         PlaceMayBeFree(definition, key);
         Wake();
       });
}

}  // namespace stele::runtime
