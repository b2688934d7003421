// The encrypted store of a data directory: DIR/secrets.stele. It needs nothing of the event store,
// so that another process may have that open. Every change reads, writes and replaces the whole
// file under DIR/secrets.lock; readers need no lock.
//
// Thread: any; each call is on its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "engine/secrets/secret_key.h"

namespace stele::secrets {

struct SecretInfo {
  std::string name;
  size_t bytes = 0;
  TimeUs created;
  TimeUs changed;
};

class SecretStore {
 public:
  explicit SecretStore(const std::string& data_directory);
  const std::string& path() const { return path_; }

  // Makes the store when there is none. Errors, of all that change it: kSecretKey for another key
  // than the store's; kSecretStoreDamaged, kSecretExposed, kUnsupported, kIo. kBadSecret for a
  // name, for an empty value, one with a NUL or no UTF-8; kLimitExceeded.
  Status Put(const SecretKey& key, std::string_view name, std::string_view value,
             const Clock& clock) const;
  // kUnknownSecret when there is none of that name.
  Status Remove(const SecretKey& key, std::string_view name) const;
  // Encrypts everything with another key.
  Status Rotate(const SecretKey& from, const SecretKey& to) const;

  // Names ascending. Without a key what is listed is not authenticated.
  Result<std::vector<SecretInfo>> List(const SecretKey* key) const;
  Result<std::optional<std::string>> Find(const SecretKey& key, std::string_view name) const;
  bool Exists() const;

 private:
  std::string path_;
  std::string lock_path_;
};

}  // namespace stele::secrets
