// What people do about their tasks.
#include "engine/requests/people.h"

#include "engine/embed/core.h"

namespace stele::embed {

namespace {

requests::Person PersonOf(const Decision& who) {
  return {
      .name = who.by, .groups = who.groups, .comment = who.comment, .as_operator = who.as_operator};
}

}  // namespace

Result<Written> Engine::Claim(uint64_t instance, const std::string& step, const Decision& who) {
  return core_->Send(instance, requests::Claim(step, PersonOf(who)));
}

Result<Written> Engine::Release(uint64_t instance, const std::string& step, const Decision& who) {
  return core_->Send(instance, requests::Release(step, PersonOf(who)));
}

Result<Written> Engine::Decide(uint64_t instance, const std::string& step, const Decision& decision,
                               bool approved, bool manual) {
  const auto variables = ParseObject(decision.variables, "variables");
  if (!variables.has_value()) return std::unexpected(variables.error());
  const auto decide = manual ? requests::Complete : approved ? requests::Approve : requests::Reject;
  // The payload is made on the loop, where it stays.
  return core_->Send(
      instance, [&](const model::Instance& state, const definition::Definition& definition) {
        return decide(step, PersonOf(decision),
                      variables->has_value() ? Payload::FromValue(**variables) : Payload())(
            state, definition);
      });
}

Result<Written> Engine::Complete(uint64_t instance, const std::string& step,
                                 const Decision& decision) {
  return Decide(instance, step, decision, true, true);
}

Result<Written> Engine::Approve(uint64_t instance, const std::string& step,
                                const Decision& decision) {
  return Decide(instance, step, decision, true, false);
}

Result<Written> Engine::Reject(uint64_t instance, const std::string& step,
                               const Decision& decision) {
  return Decide(instance, step, decision, false, false);
}

Result<Written> Engine::FailTask(uint64_t instance, const std::string& step,
                                 const Decision& decision, const std::string& kind) {
  return core_->Send(instance, requests::FailTask(step, PersonOf(decision), kind));
}

}  // namespace stele::embed
