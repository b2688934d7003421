// What bounds tokens, passwords and tables of who asks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::server {

inline constexpr int64_t kSecondUs = 1'000'000;

inline constexpr size_t kMaxTokenBytes = 8u << 10;
inline constexpr size_t kMaxTokenJsonDepth = 16;
inline constexpr size_t kMaxJwksBytes = 256u << 10;
// A token without `kid` is tried against all of them.
inline constexpr size_t kMaxTrustedKeys = 32;
inline constexpr size_t kMinSecretBytes = 32;         // RFC 7518, 3.2: as long as the hash
inline constexpr size_t kMinRsaBits = 2048;           // RFC 7518, 3.3
inline constexpr size_t kMaxRsaBits = 8192;           // longer ones take too long to try
inline constexpr int64_t kLeewayUs = 60 * kSecondUs;  // how far clocks of two machines are apart
inline constexpr int64_t kTokenLifetimeUs = 3600 * kSecondUs;
inline constexpr int64_t kSessionUs = 12 * 3600 * kSecondUs;
// Of one user until they expire: whoever gives up more has all of theirs called in.
inline constexpr size_t kMaxRevokedOfUser = 100;
// That have expired, at once: one that is given up makes room for more than itself.
inline constexpr size_t kMaxForgottenTokens = 8;

inline constexpr size_t kMaxNameBytes = 128;
inline constexpr size_t kMaxGroups = 128;

inline constexpr size_t kMinPasswordBytes = 12;
inline constexpr size_t kMaxPasswordBytes = 256;
inline constexpr size_t kMinPasswordCharacters = 5;  // different ones
inline constexpr size_t kMadePasswordCharacters = 20;

inline constexpr size_t kApiKeyIdCharacters = 10;
inline constexpr size_t kApiKeySecretBytes = 32;

inline constexpr size_t kFreeLoginFailures = 5;
inline constexpr int64_t kFirstLoginWaitUs = kSecondUs;
inline constexpr int64_t kMaxLoginWaitUs = 15 * 60 * kSecondUs;
inline constexpr int64_t kForgetLoginFailuresUs = 3600 * kSecondUs;
inline constexpr size_t kMaxThrottled = 10'000;

}  // namespace stele::server
