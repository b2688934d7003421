#include "engine/triggers/signature.h"

#include <openssl/crypto.h>

#include "engine/tasks/body_signature.h"

namespace stele::triggers {

bool IsSignedWith(std::string_view secret, std::string_view body, std::string_view signature) {
  if (secret.empty()) return false;
  const std::string expected = tasks::SignBody(secret, body);
  return signature.size() == expected.size() &&
         CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
}

}  // namespace stele::triggers
