// Who asks, as an authenticator has found it. A plain value: it goes with the request.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "server/auth/roles.h"

namespace stele::server {

// Somebody with a password or known to an issuer; an API key; anybody at all, of `--dev`.
enum class CallerKind : uint8_t { kPerson, kMachine, kAnonymousDev };

// What showed who it is.
enum class Proof : uint8_t { kNone, kOwnToken, kForeignToken, kApiKey };

struct Caller {
  std::string name;
  Role role = Role::kViewer;
  std::vector<std::string> groups;
  CallerKind kind = CallerKind::kPerson;
  Proof proof = Proof::kNone;
  bool has_account = false;           // role and groups are those of a user of this server
  bool narrowed = false;              // may do less than who it was handed on by
  bool must_change_password = false;  // may do nothing else before
  std::string token_id;               // of a token its `jti`, of an API key its id
  TimeUs issued;                      // when the token was made
  TimeUs logged_in;                   // when the password was given
  TimeUs expires;                     // zero: never
  std::string source;                 // the address that it asks from

  bool operator==(const Caller&) const = default;
};

// Who asks where nobody is asked for a name: `--dev`, on the loopback.
inline Caller AnonymousDeveloper(std::string source) {
  Caller caller;
  caller.name = "dev";
  caller.role = Role::kAdmin;
  caller.kind = CallerKind::kAnonymousDev;
  caller.source = std::move(source);
  return caller;
}

}  // namespace stele::server
