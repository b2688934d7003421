// What may start, and when: definitions' states, keys that are used once, and limits of how many
// instances of a definition run at once.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "engine/decide/start_key.h"
#include "engine/runtime/keys.h"
#include "engine/runtime/shard.h"

namespace stele::runtime {

namespace {

Error NotStartable(const model::RegisteredDefinition& definition) {
  return {
      ErrorCode::kDefinitionState,
      fmt::format("Expected \"{}\" version {} to be active but found it {}{}{}", definition.name,
                  definition.version, model::DefinitionStateName(definition.state),
                  definition.reason.empty() ? "" : ": ", definition.reason)};
}

size_t BytesOf(const std::vector<model::NamedPayload>& variables) {
  size_t bytes = 0;
  for (const model::NamedPayload& variable : variables)
    bytes += variable.name.size() + variable.value.text().size();
  return bytes;
}

size_t BytesOf(const model::StartInstance& command) {
  return command.input.text().size() + BytesOf(command.variables);
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

}  // namespace

std::optional<Error> Shard::RefusePayload(const model::Command& command) const {
  if (const auto* signal = std::get_if<model::SendSignal>(&command))
    if (auto refused = RefuseKey("signal name", signal->name)) return refused;
  const size_t bytes = PayloadOf(command);
  if (bytes <= options_.max_payload_bytes) return std::nullopt;
  return Error{ErrorCode::kLimitExceeded,
               fmt::format("Expected at most {} bytes of payload but found {}",
                           options_.max_payload_bytes, bytes)};
}

std::optional<Error> Shard::RefuseStart(const model::StartInstance& command,
                                        const StartOptions& options) const {
  if (failed_ || stopping_)
    return Error{ErrorCode::kShardStopped, "Expected a running engine but found it stopped"};
  const model::RegisteredDefinition* definition = registry_.Find(command.definition);
  if (definition == nullptr)
    return Error{ErrorCode::kUnknownDefinition,
                 fmt::format("Expected a definition but found no {}", command.definition.value)};
  if (definition->state != model::DefinitionState::kActive) return NotStartable(*definition);
  return RefuseBounds(definition->name, command, options);
}

std::optional<Error> Shard::RefuseBounds(std::string_view definition,
                                         const model::StartInstance& command,
                                         const StartOptions& options) const {
  if (auto refused = RefuseKeys(command)) return refused;
  if (BytesOf(command) > options_.max_input_bytes)
    return Error{ErrorCode::kLimitExceeded,
                 fmt::format("Expected at most {} bytes of input but found {}",
                             options_.max_input_bytes, BytesOf(command))};
  // Calls finish what has begun; refusing them would make it fail.
  if (!command.parent_instance && scheduler_.queued() >= options_.max_queued_attempts)
    return Error{ErrorCode::kBackPressure,
                 fmt::format("Expected at most {} waiting attempts but found {}; try again later",
                             options_.max_queued_attempts, scheduler_.queued())};
  if (options_.max_open_instances != 0 &&
      open_instances_ + starting_instances_ >= options_.max_open_instances)
    return Error{ErrorCode::kBackPressure,
                 fmt::format("Expected at most {} open instances but found as many; try again "
                             "later",
                             options_.max_open_instances)};
  if (!options.unique_business_key || command.business_key.empty()) return std::nullopt;
  const auto taken = board_.ByBusinessKey(definition, command.business_key);
  if (!taken.has_value()) return taken.error();
  if (!taken->has_value()) return std::nullopt;
  return Error{ErrorCode::kDuplicateKey,
               fmt::format("Expected a business key that no open instance of \"{}\" has but found "
                           "\"{}\" at instance {}",
                           definition, command.business_key, (*taken)->value)};
}

InstanceId Shard::Start(model::StartInstance command, std::string_view actor, Answer answer,
                        StartOptions options) {
  // A start that came before gives the same instance.
  if (!command.idempotency_key.empty() && !failed_) {
    if (const auto found = starting_.find(command.idempotency_key); found != starting_.end()) {
      Join(found->second, std::move(answer));
      return found->second;
    }
    const auto known = board_.ByIdempotencyKey(command.idempotency_key);
    if (known.has_value() && known->has_value()) {
      Hold({.position = Position(next_position_.value - 1),
            .kind = ReleaseKind::kAnswer,
            .answer = std::move(answer)});
      return **known;
    }
  }
  std::optional<Error> error = RefuseStart(command, options);
  if (!error.has_value())
    if (const Status prepared = PrepareStart(command); !prepared.has_value())
      error = prepared.error();
  if (error.has_value()) {
    if (answer) answer(std::unexpected(*error));
    return InstanceId();
  }
  last_instance_ = last_instance_.Next();
  if (!command.idempotency_key.empty()) starting_[command.idempotency_key] = last_instance_;
  ++starting_instances_;
  inbox_.push_back({last_instance_, std::move(command), std::string(actor), std::move(answer)});
  Wake();
  return last_instance_;
}

// Somebody else asks for the start that is in the inbox.
void Shard::Join(InstanceId starting, Answer answer) {
  const auto inbound = std::ranges::find(inbox_, starting, &Inbound::instance);
  CHECK(inbound != inbox_.end(), "instance {} is no start in the inbox", starting.value);
  if (!answer) return;
  inbound->answer = [first = std::move(inbound->answer),
                     second = std::move(answer)](const Result<Position>& result) {
    if (first) first(result);
    second(result);
  };
}

Status Shard::PrepareStart(model::StartInstance& command) {
  const definition::Definition& definition = *registry_.Find(command.definition)->definition;
  if (command.priority == 0) command.priority = definition.priority;
  if (!definition.concurrency.has_value()) return {};
  Result<std::string> key = decide::ConcurrencyKeyOf(definition, command);
  if (!key.has_value()) return std::unexpected(key.error());
  command.concurrency_key = *std::move(key);
  return {};
}

// Whether an instance that wants to run must wait for one of its definition and key to end.
bool Shard::MustQueue(const definition::Definition& definition, const std::string& key) {
  if (!definition.concurrency.has_value()) return false;
  const uint32_t limit = definition.concurrency->limit;
  const Result<uint32_t> holding = board_.Holding(definition.name, key, limit);
  // Who waits already comes first, even if a place has just become free.
  const auto queued = board_.NextQueued(definition.name, key);
  if (!holding.has_value() || !queued.has_value()) {
    Failed(holding.has_value() ? queued.error() : holding.error());
    return false;
  }
  return *holding >= limit || queued->has_value();
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

void Shard::AdmitNext(std::string_view definition, std::string_view key) {
  if (stopping_) return;
  const auto next = board_.NextQueued(definition, key);
  if (!next.has_value()) return Failed(next.error());
  if (!next->has_value() || admitting_.contains(**next)) return;
  const InstanceId admitted = **next;
  const Result<Live*> live = Load(admitted);
  if (!live.has_value()) return Failed(live.error());
  looked_at_.push_back(admitted);
  // The limit of its own version; a version that it was migrated to may have none.
  if (const auto& concurrency = (*live)->definition->concurrency) {
    const Result<uint32_t> holding = board_.Holding(definition, key, concurrency->limit);
    if (!holding.has_value()) return Failed(holding.error());
    if (*holding >= concurrency->limit) return;
  }
  admitting_.insert(admitted);
  Send(admitted, model::AdmitInstance{}, "",
       [this, admitted, name = std::string(definition),
        text = std::string(key)](const Result<Position>& answer) {
         admitting_.erase(admitted);
         // More places may be free.
         if (answer.has_value()) AdmitNext(name, text);
       });
}

}  // namespace stele::runtime
