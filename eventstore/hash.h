// SHA-256 of a record as the chain of the log has it: the leaf of its block's tree (record_tree.h).
//
//   leaf = SHA-256(0x00 ‖ position ‖ frame)                      (the leaf form of RFC 9162, 2.1.1)
//
// The hash is taken over what was recorded, not over how it is stored, so that compression may
// change.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace stele::eventstore {

using Hash = std::array<uint8_t, 32>;

Hash LeafHash(Position position, std::string_view frame);

std::string ToHex(const Hash& hash);

}  // namespace stele::eventstore
