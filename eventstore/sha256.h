// SHA-256 of bytes as they are, for what is beside the chain.
#pragma once

#include <string_view>

#include "eventstore/hash.h"

namespace stele::eventstore {

Hash Sha256(std::string_view bytes);

}  // namespace stele::eventstore
