// The keys of a log's payloads: a random one for each instance, and one for each record of the
// registry (instance 0) that holds payloads. Stored in the log's database, wrapped by the log's own
// key (master_row.h); a key's row is written together with the first block that needs it.
// docs/encryption.md tells people.
//
// Owned by the store. Threads: any.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/payload_spans.h"
#include "eventstore/aead.h"
#include "eventstore/sealed_block.h"

namespace stele::eventstore {

struct PayloadKeyId {
  ShardId shard;
  InstanceId instance;
  Position record;  // of instance 0 alone

  // Of a record's payloads.
  static PayloadKeyId Of(ShardId shard, InstanceId instance, Position position) {
    return {shard, instance, instance == InstanceId() ? position : Position()};
  }
  // Its row's; big-endian, so that rows sort.
  std::string Name() const;
  // Nothing: it is no name of a key.
  static std::optional<PayloadKeyId> Parse(std::string_view name);
  bool operator==(const PayloadKeyId&) const = default;
};

// Of the instances, and of single records of the registry. kWrongState for instance 0, the
// registry, whose records have a key each.
Result<std::vector<PayloadKeyId>> KeysToDestroy(ShardId shard,
                                                std::span<const InstanceId> instances,
                                                std::span<const Position> registry_records);

// A row that says that there was a key.
std::string DestroyedKeyRow();
bool IsDestroyedKeyRow(std::string_view row);

class PayloadKeys {
 public:
  // Nothing: there is no such row.
  using ReadRow = std::function<Result<std::optional<std::string>>(std::string_view name)>;

  PayloadKeys(const CipherKey& wrapping, std::shared_ptr<const PayloadFinder> finder, ReadRow read);
  PayloadKeys(const PayloadKeys&) = delete;
  PayloadKeys& operator=(const PayloadKeys&) = delete;

  const PayloadFinder& finder() const { return *finder_; }

  // The key to seal with; nothing: it was destroyed. Adds to `rows` what must be written with the
  // block, or before it, which is said again until Written was called.
  Result<std::optional<CipherKey>> ToSeal(const PayloadKeyId& id, std::vector<KeyRow>* rows);
  // The key to open with; nothing: it was destroyed. kStoreCorrupt when there is none, or a row
  // that was not written with the log's key.
  Result<std::optional<CipherKey>> ToOpen(const PayloadKeyId& id);
  // The rows are durable.
  void Written(const std::vector<KeyRow>& rows);
  // The key is destroyed: nothing here holds it any more.
  void Forget(const PayloadKeyId& id);

 private:
  struct Found {
    bool exists = false;
    std::optional<CipherKey> key;  // nothing: destroyed
  };
  struct Pending {
    CipherKey key;
    KeyRow row;
  };
  // REQUIRES, of these: mutex_ is held.
  const std::optional<CipherKey>* Cached(const std::string& name);
  void Cache(const std::string& name, const std::optional<CipherKey>& key);
  std::string Wrap(const std::string& name, const CipherKey& key);

  Result<Found> Load(const PayloadKeyId& id, const std::string& name);

  const CipherKey wrapping_;
  const std::shared_ptr<const PayloadFinder> finder_;
  const ReadRow read_;

  std::mutex mutex_;        // of what follows
  Aead aead_;               // wraps and unwraps
  uint64_t forgotten_ = 0;  // what was loaded before one of these calls may be gone
  // Those that a block on its way will write.
  std::unordered_map<std::string, Pending> pending_;
  // The latest used first. Registry's keys serve one record each and are not kept.
  struct CachedKey {
    std::string name;
    std::optional<CipherKey> key;
  };
  std::list<CachedKey> cached_;
  std::unordered_map<std::string, std::list<CachedKey>::iterator> places_;
};

}  // namespace stele::eventstore
