// An authenticator with its accounts, a clock that stands still, and bytes that are known; and keys
// that are made when a test needs them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "server/auth/authenticator.h"

namespace stele::server::test {

inline constexpr TimeUs kStart(1'700'000'000'250'000);
inline constexpr std::string_view kSource = "10.0.0.7";
inline constexpr std::string_view kOwnSecret = "0123456789abcdef0123456789abcdef";
inline constexpr std::string_view kPassword = "correct horse battery staple";

// 0, 1, 2, … over all of its calls.
RandomBytes CountingBytes();

// PEM texts, made by OpenSSL.
struct PemPair {
  std::string secret;
  std::string open;
};
PemPair MakeRsa(int bits = 2048);
PemPair MakeEd25519();
PemPair MakeElliptic();

// A secret of 32 bytes that is `letter` throughout.
SigningKey SecretKeyOf(char letter, std::string kid = {});

class AuthWorld : public testing::Test {
 protected:
  AuthWorld();

  // Builds it anew, with other keys.
  void Trust(const KeySet& trusted);
  void Store(const User& user);
  User Ada() const;  // an operator of the group finance
  // Change a copy of the account, and store that.
  template <class Change>
  void ChangeAda(Change change) {
    User user = *accounts.FindUser("ada");
    change(user);
    Store(user);
  }

  Result<IssuedToken> LogIn(std::string_view name, std::string_view password,
                            std::string_view source = kSource);
  // REQUIRES: it succeeds.
  IssuedToken LogInAda();
  Result<Caller> Ask(std::string_view credential);

  ManualClock clock{kStart};
  Accounts accounts;
  RandomBytes random = CountingBytes();
  std::optional<Authenticator> authenticator;
};

}  // namespace stele::server::test
