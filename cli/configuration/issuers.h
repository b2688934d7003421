// The setting auth.issuers: identity providers whose tokens count.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/definition/document.h"
#include "server/edge/trusted_issuers.h"

namespace stele::cli {

// A list of objects as IssuersOf takes it. Paths are found from `directory`.
std::optional<Value> TakeIssuers(const definition::Node& node, const std::string& directory,
                                 definition::Faults& faults);

// REQUIRES: what TakeIssuers gave, or null.
std::vector<server::TrustedIssuer> IssuersOf(const Value& issuers);

}  // namespace stele::cli
