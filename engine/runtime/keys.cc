#include "engine/runtime/keys.h"

#include <fmt/format.h>

#include "engine/decide/limits.h"
#include "engine/definition/limits.h"

namespace stele::runtime {

std::optional<Error> RefuseKey(std::string_view what, std::string_view key) {
  if (key.size() <= decide::kMaxKeyBytes) return std::nullopt;
  return Error{ErrorCode::kLimitExceeded,
               fmt::format("Expected {} of at most {} bytes but found {}", what,
                           decide::kMaxKeyBytes, key.size())};
}

std::optional<Error> RefuseKeys(const model::StartInstance& command) {
  if (auto refused = RefuseKey("a business key", command.business_key)) return refused;
  if (auto refused = RefuseKey("an idempotency key", command.idempotency_key)) return refused;
  for (const std::string& tag : command.tags)
    if (auto refused = RefuseKey("a tag", tag)) return refused;
  return std::nullopt;
}

std::optional<Error> RefuseKeys(const model::MessagePublished& message) {
  if (auto refused = RefuseKey("a message name", message.name)) return refused;
  if (auto refused = RefuseKey("a correlation key", message.key)) return refused;
  return RefuseKey("a message id", message.message_id);
}

std::optional<Error> RefusePriority(int64_t priority) {
  if (priority >= definition::kMinPriority && priority <= definition::kMaxPriority)
    return std::nullopt;
  return Error{ErrorCode::kInvalidInput,
               fmt::format("Expected a priority from {} to {} but found {}",
                           definition::kMinPriority, definition::kMaxPriority, priority)};
}

}  // namespace stele::runtime
