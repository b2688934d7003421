// The bound of what people name things by: keys, tags, the names of messages and signals.
//
// Thread: any.
#pragma once

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

}  // namespace stele::runtime
