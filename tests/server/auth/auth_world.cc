#include "tests/server/auth/auth_world.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/check.h"

namespace stele::server::test {
namespace {

std::string TextOf(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string copy(text, static_cast<size_t>(size));
  BIO_free(bio);
  return copy;
}

PemPair PemOf(EVP_PKEY* key) {
  CHECK(key != nullptr);
  BIO* const secret = BIO_new(BIO_s_mem());
  BIO* const open = BIO_new(BIO_s_mem());
  CHECK(PEM_write_bio_PrivateKey(secret, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  CHECK(PEM_write_bio_PUBKEY(open, key) == 1);
  EVP_PKEY_free(key);
  return {TextOf(secret), TextOf(open)};
}

}  // namespace

RandomBytes CountingBytes() {
  return [next = std::make_shared<unsigned char>(0)](std::span<unsigned char> bytes) {
    for (unsigned char& byte : bytes) byte = (*next)++;
  };
}

PemPair MakeRsa(int bits) {
  return PemOf(EVP_RSA_gen(bits));
}

PemPair MakeEd25519() {
  return PemOf(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

PemPair MakeElliptic() {
  return PemOf(EVP_EC_gen("P-256"));
}

SigningKey SecretKeyOf(char letter, std::string kid) {
  return SigningKey::FromSecret(std::string(kMinSecretBytes, letter), std::move(kid)).value();
}

AuthWorld::AuthWorld() {
  Store(Ada());
  Trust({});
}

void AuthWorld::Trust(const KeySet& trusted) {
  authenticator.reset();
  auto made = Authenticator::Create(accounts, SigningKey::Own(kOwnSecret).value(), trusted, clock,
                                    random, {.passwords = PasswordLimits::Least()});
  CHECK(made.has_value(), "{}", made.error().message);
  authenticator.emplace(*std::move(made));
}

void AuthWorld::Store(const User& user) {
  const Status stored = accounts.Set(std::string(kUserPrefix) + user.name, ToJson(user));
  CHECK(stored.has_value(), "{}", stored.error().message);
}

User AuthWorld::Ada() const {
  User ada;
  ada.name = "ada";
  ada.role = Role::kOperator;
  ada.groups = {"finance"};
  ada.password_hash = HashPassword(kPassword, PasswordLimits::Least()).value();
  ada.created = kStart;
  return ada;
}

Result<IssuedToken> AuthWorld::LogIn(std::string_view name, std::string_view password,
                                     std::string_view source) {
  const auto check = authenticator->Begin(name, password, source);
  if (!check) return std::unexpected(check.error());
  return authenticator->Finish(*check, check->Verify());
}

IssuedToken AuthWorld::LogInAda() {
  auto issued = LogIn("ada", kPassword);
  CHECK(issued.has_value(), "{}", issued.error().message);
  return *std::move(issued);
}

Result<Caller> AuthWorld::Ask(std::string_view credential) {
  return authenticator->Authenticate("Bearer " + std::string(credential), kSource);
}

}  // namespace stele::server::test
