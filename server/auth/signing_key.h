// Keys that sign tokens and keys that check them (RFC 7518, RFC 8037): HS256, RS256, EdDSA with
// Ed25519. A key has one algorithm and is used with no other.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "server/auth/encoding.h"

struct evp_pkey_st;

namespace stele::server {

enum class Algorithm : uint8_t { kHs256, kRs256, kEdDsa };

// As `alg` has it: "HS256", "RS256", "EdDSA".
std::string_view AlgorithmName(Algorithm algorithm);
std::optional<Algorithm> FindAlgorithm(std::string_view name);

// Checks signatures. `kid` may be empty. Faults are kBadRequest.
class VerificationKey {
 public:
  // At least 32 bytes.
  static Result<VerificationKey> FromSecret(std::string_view secret, std::string kid);
  // "-----BEGIN PUBLIC KEY-----" of RSA (2048 to 8192 bits) or Ed25519.
  static Result<VerificationKey> FromPem(std::string_view pem, std::string kid);
  // The modulus and the exponent, big-endian.
  static Result<VerificationKey> FromRsa(std::string_view n, std::string_view e, std::string kid);
  // 32 bytes.
  static Result<VerificationKey> FromEd25519(std::string_view x, std::string kid);

  Algorithm algorithm() const { return algorithm_; }
  const std::string& kid() const { return kid_; }
  bool Verifies(std::string_view signed_text, std::string_view signature) const;

 private:
  friend class SigningKey;
  VerificationKey(Algorithm algorithm, std::string kid, std::string_view bytes,
                  std::shared_ptr<evp_pkey_st> rsa);
  static Result<VerificationKey> FromKey(std::shared_ptr<evp_pkey_st> key, std::string kid);

  Algorithm algorithm_;
  std::string kid_;
  SecretText bytes_;  // the secret, or the point of Ed25519
  std::shared_ptr<evp_pkey_st> rsa_;
};

// Makes signatures.
class SigningKey {
 public:
  static Result<SigningKey> FromSecret(std::string_view secret, std::string kid);
  // "-----BEGIN PRIVATE KEY-----" of RSA or Ed25519.
  static Result<SigningKey> FromPem(std::string_view pem, std::string kid);
  // A server's own secret, 32 random bytes: its `kid` is a digest of it, so that a token of a
  // former secret is told from a forged one.
  static Result<SigningKey> Own(std::string_view secret);

  Algorithm algorithm() const { return verifier_.algorithm(); }
  const std::string& kid() const { return verifier_.kid(); }
  const VerificationKey& verifier() const { return verifier_; }
  std::string Sign(std::string_view text) const;

 private:
  SigningKey(VerificationKey verifier, std::string_view secret, std::shared_ptr<evp_pkey_st> key);

  VerificationKey verifier_;
  SecretText secret_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace stele::server
