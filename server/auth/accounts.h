// Users and API keys: plain values, their JSON documents, and the table of both. The documents are
// settings of the registry, so that they are recorded, replayed and backed up like everything else:
// `user:NAME`, `key:ID`, and `revoked:ID` for each token that was given up before it expired.
// Somebody else records them, and tells the table.
//
// Thread: one at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "server/auth/random.h"
#include "server/auth/roles.h"

namespace stele::server {

inline constexpr std::string_view kUserPrefix = "user:";
inline constexpr std::string_view kKeyPrefix = "key:";
inline constexpr std::string_view kRevokedPrefix = "revoked:";
// Whether the setting is one of these.
bool IsOfAccounts(std::string_view setting);

struct User {
  std::string name;
  Role role = Role::kViewer;
  std::vector<std::string> groups;
  std::string password_hash;  // empty: no password fits
  bool must_change = false;   // the password, before anything else
  bool disabled = false;
  bool unclaimed = false;  // made by the server itself, and nobody has logged in yet
  TimeUs created;
  TimeUs tokens_valid_from;  // tokens that were made before are refused
  bool operator==(const User&) const = default;
};

struct ApiKey {
  std::string id;
  std::string name;  // who the holder is for histories and definitions
  Role role = Role::kWorker;
  std::vector<std::string> groups;
  std::string secret_hash;  // SHA-256; the secret has 256 random bits, so that it needs no salt
  TimeUs created;
  TimeUs expires;  // zero: never
  bool disabled = false;
  bool operator==(const ApiKey&) const = default;
};

// 1 to 128 bytes of ASCII letters, digits and `. _ - @ +`. kBadRequest.
Status CheckUserName(std::string_view name);

// The document has neither name nor id: the setting's name has it. With `Secrets::kLeftOut` it is
// for people to look at, and can't be read back.
enum class Secrets { kIncluded, kLeftOut };
Value ToJson(const User& user, Secrets secrets = Secrets::kIncluded);
Value ToJson(const ApiKey& key, Secrets secrets = Secrets::kIncluded);

// Every fault at once, by member: kBadRequest. What is not known is a fault, too: a misspelt
// `disabled` must not leave a door open.
Result<User> UserFromJson(std::string_view name, const Value& document);
Result<ApiKey> KeyFromJson(std::string_view id, const Value& document);

// The text that its holder sends: `stele_ID_SECRET`, the secret 32 bytes in base64url.
struct ApiKeyText {
  std::string id;
  std::string secret;
};
bool IsApiKeyId(std::string_view id);
bool LooksLikeApiKey(std::string_view text);
std::optional<ApiKeyText> ParseApiKey(std::string_view text);

// A new key's id and secret; `text` is shown once and kept by nobody.
struct MadeApiKey {
  ApiKey key;
  std::string text;
};
MadeApiKey MakeApiKey(const RandomBytes& random, std::string name, Role role, TimeUs now);
bool IsSecretOf(const ApiKey& key, std::string_view secret);

// A token that counts no more, until it would have expired.
struct RevokedToken {
  std::string name;  // who gave it up
  TimeUs expires;
  bool operator==(const RevokedToken&) const = default;
};
Value ToJson(const RevokedToken& token);
// kBadRequest.
Result<RevokedToken> RevokedTokenFromJson(const Value& document);

// Those tokens by id.
class RevokedTokens {
 public:
  void Add(const std::string& id, RevokedToken token);
  void Remove(const std::string& id);
  bool Contains(std::string_view id) const { return by_id_.contains(id); }
  // The ids of those that have expired by then, the first to expire first; `most` of them.
  std::vector<std::string> ExpiredBy(TimeUs now, size_t most) const;
  size_t size() const { return by_id_.size(); }
  // How many somebody has given up.
  size_t CountOf(std::string_view name) const;

 private:
  std::map<std::string, RevokedToken, std::less<>> by_id_;
  std::set<std::pair<TimeUs, std::string>> by_expiry_;
  std::map<std::string, size_t, std::less<>> counts_;  // by who gave them up
};

class Accounts {
 public:
  // Takes the setting over, at its start or as it changes. Names of other settings do nothing. A
  // document that cannot be read takes the account away: nobody gets in by a fault.
  Status Set(std::string_view setting, const Value& document);
  void Remove(std::string_view setting);

  // Valid until the next change. Null when there is none.
  const User* FindUser(std::string_view name) const;
  const ApiKey* FindKey(std::string_view id) const;
  RevokedTokens& revoked() { return revoked_; }
  const RevokedTokens& revoked() const { return revoked_; }

  // In the order of names and ids; documents with `name` or `id`, without hashes.
  Array ListUsers() const;
  Array ListKeys() const;

 private:
  std::map<std::string, User, std::less<>> users_;
  std::map<std::string, ApiKey, std::less<>> keys_;
  RevokedTokens revoked_;
};

}  // namespace stele::server
