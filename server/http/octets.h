// What RFC 9110 and RFC 9112 allow a byte of a head to be, by one table.
//
// Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace stele::server::http {

enum OctetClass : uint8_t {
  kTokenOctet = 1,   // of methods and the names of fields
  kValueOctet = 2,   // of values: no control character but a tab
  kTargetOctet = 4,  // of a request's target: visible ASCII
  kHostOctet = 8,    // of a host outside brackets, and its port
};

inline constexpr std::array<uint8_t, 256> kOctets = []() {
  std::array<uint8_t, 256> octets{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const auto is_of = [c](std::string_view set) {
      return c < 0x80 && set.contains(static_cast<char>(c));
    };
    if (alphanumeric || is_of("!#$%&'*+-.^_`|~")) octets[c] |= kTokenOctet;
    if (alphanumeric || is_of("-._~%!$&'()*+,;=:")) octets[c] |= kHostOctet;
    if (c > 0x20 && c < 0x7F) octets[c] |= kTargetOctet;
    if ((c >= 0x20 && c != 0x7F) || c == '\t') octets[c] |= kValueOctet;
  }
  return octets;
}();

constexpr bool IsOctetOf(char c, OctetClass of) {
  return (kOctets[static_cast<unsigned char>(c)] & of) != 0;
}
constexpr bool IsTokenOctet(char c) {
  return IsOctetOf(c, kTokenOctet);
}
constexpr bool IsValueOctet(char c) {
  return IsOctetOf(c, kValueOctet);
}
constexpr bool IsTargetOctet(char c) {
  return IsOctetOf(c, kTargetOctet);
}
constexpr bool IsHostOctet(char c) {
  return IsOctetOf(c, kHostOctet);
}

}  // namespace stele::server::http
