// Where somebody asks from, as one text: the address without its port, behind it the common name of
// the certificate that was shown over TLS, if one was; where it is known, the door in front of it.
//
//     rest 127.0.0.1        2001:db8::7 press-1        rpc unix press-1
//
// An address has no space in it, so that whoever shows a certificate cannot pass for another one by
// its name. Thread: any.
#pragma once

#include <string>
#include <string_view>

namespace stele::server {

inline std::string SourceOf(std::string address, std::string_view certificate) {
  if (!certificate.empty()) address.append(" ").append(certificate);
  return address;
}
// What the request came over: HTTP, or Cap'n Proto's RPC. No address is called so.
inline constexpr std::string_view kRestDoor = "rest ";
inline constexpr std::string_view kRpcDoor = "rpc ";
inline std::string Through(std::string_view door, std::string_view source) {
  return std::string(door).append(source);
}
inline std::string_view WithoutDoor(std::string_view source) {
  for (const std::string_view door : {kRestDoor, kRpcDoor})
    if (source.starts_with(door)) return source.substr(door.size());
  return source;
}
inline std::string_view AddressOf(std::string_view source) {
  source = WithoutDoor(source);
  return source.substr(0, source.find(' '));
}
// Empty: none was shown.
inline std::string_view CertificateOf(std::string_view source) {
  source = WithoutDoor(source);
  const size_t space = source.find(' ');
  return space == std::string_view::npos ? std::string_view() : source.substr(space + 1);
}

}  // namespace stele::server
