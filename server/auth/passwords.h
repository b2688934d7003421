// Passwords: hashed with Argon2id (RFC 9106) through libsodium, and what a good one is.
//
// Hashing and checking take tens of milliseconds and the memory of the limits on purpose: they
// belong on a thread of their own, never on a loop.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "server/auth/encoding.h"
#include "server/auth/random.h"

namespace stele::server {

struct PasswordLimits {
  unsigned long long passes;
  size_t memory_bytes;

  // libsodium's for a person who waits: 2 passes over 64 MiB.
  static PasswordLimits Interactive();
  // The least there is: 1 pass over 8 KiB. For tests.
  static PasswordLimits Least();
};

// "$argon2id$v=19$m=…": salt and limits are part of it. kLimitExceeded when there is no memory.
Result<std::string> HashPassword(std::string_view password, PasswordLimits limits);

// False for a hash that is none, too.
bool IsPassword(std::string_view password, std::string_view hash);

// Whether the hash was made under other limits: it is made anew when the password is at hand.
bool NeedsRehash(std::string_view hash, PasswordLimits limits);

// A hash that no password has, as costly to check as a real one: for names that there are not.
std::string HashOfNobody(const RandomBytes& random, PasswordLimits limits);

// 12 to 256 bytes of UTF-8, not the user's name, not repeated, no row of neighbours: kWeakPassword
// says which.
Status CheckPassword(std::string_view password, std::string_view user_name);

// A first password for a new user: 100 random bits as 20 letters and digits.
SecretText MakePassword(const RandomBytes& random);

}  // namespace stele::server
