// Documents that a dialect keeps beside definitions: settings "dialect/KIND/NUMBER" of the
// registry, each change a record of the log. A number is never used again.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "base/value.h"
#include "engine/model/registry.h"
#include "server/operations/desk.h"

namespace stele::server::compat {

using Notes = std::map<uint64_t, Object>;

// Those that are not removed, by number.
Notes AllNotes(const model::Registry& registry, std::string_view kind);
std::optional<Object> FindNote(const model::Registry& registry, std::string_view kind,
                               uint64_t number);
// The number of the next one. kLimitExceeded: there are too many.
Result<uint64_t> NextNote(const model::Registry& registry, std::string_view kind);

// As it is written; one that is removed has some, too. 0: there is none of that number.
size_t BytesOf(const model::Registry& registry, std::string_view kind, uint64_t number);

// Answers when it is durable; the registry has it at once. kLimitExceeded: it is too long or too
// deep, and nothing is written.
Promised<Written> WriteNote(Desk& desk, const Caller& caller, std::string_view kind,
                            uint64_t number, const Object& document);
Promised<Written> RemoveNote(Desk& desk, const Caller& caller, std::string_view kind,
                             uint64_t number);

}  // namespace stele::server::compat
