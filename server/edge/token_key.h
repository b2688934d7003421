// The secret that a server signs its tokens with: `token.key` in the data directory, 64 hexadecimal
// digits, closed to others. Whoever has it can be anybody.
//
// Thread: any.
#pragma once

#include <string>

#include "base/error.h"
#include "server/auth/random.h"
#include "server/auth/signing_key.h"

namespace stele::server {

// Made when it is not there. kIo; kSecretExposed when others may read or change it.
Result<SigningKey> ReadOrMakeTokenKey(const std::string& data, const RandomBytes& random);

}  // namespace stele::server
