// Identity providers whose tokens count here, each with the file that its public keys are in.
//
// Thread: any.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "server/auth/key_set.h"

namespace stele::server {

struct TrustedIssuer {
  std::string keys_file;  // a JWK Set, or a public key in PEM
  IssuerRules rules;
};

// Reads every file. kIo, or kConfiguration with the file and what is wrong in it; then no key of
// any of them counts. `note` is told of a shared secret (HS256) that others may read.
Result<KeySet> ReadTrustedKeys(const std::vector<TrustedIssuer>& issuers,
                               const std::function<void(std::string_view)>& note);

}  // namespace stele::server
