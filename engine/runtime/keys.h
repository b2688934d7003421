// The bounds of what people give a start or a message: keys, tags, names, a priority.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "engine/model/command.h"

namespace stele::runtime {

// Why a key is refused: it is longer than decide::kMaxKeyBytes. `what` names it, "a business
// key".
std::optional<Error> RefuseKey(std::string_view what, std::string_view key);
// The same for all that a start or a message names.
std::optional<Error> RefuseKeys(const model::StartInstance& command);
std::optional<Error> RefuseKeys(const model::MessagePublished& message);
// Why a start's priority is refused: it is not within those of definition/limits.h.
std::optional<Error> RefusePriority(int64_t priority);

}  // namespace stele::runtime
