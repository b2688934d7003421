// The stores, for tests of what each owes its users.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "eventstore/memory_store.h"
#include "eventstore/rocksdb_store.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {

// Makes a store and closes and opens it again.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual EventStore& store() = 0;
  virtual void Reopen() = 0;
};

class MemoryBackend final : public Backend {
 public:
  // Null: payloads are in clear.
  explicit MemoryBackend(const std::shared_ptr<const PayloadFinder>& payloads)
      : store_(payloads == nullptr ? std::make_unique<MemoryStore>()
                                   : std::make_unique<MemoryStore>(payloads)) {}
  EventStore& store() override { return *store_; }
  void Reopen() override {
    store_ = store_->Crash(store_->unflushed_puts());  // a clean close loses nothing
  }

 private:
  std::unique_ptr<MemoryStore> store_;
};

class RocksDbBackend final : public Backend {
 public:
  explicit RocksDbBackend(const std::shared_ptr<const PayloadFinder>& payloads) {
    options_.index_chunk_records = 20;  // so that histories lie on both sides of the index's end
    options_.payloads = payloads;
    if (payloads != nullptr) options_.master_key = CipherKey(std::string(kKeyBytes, 'k'));
    Reopen();
  }
  EventStore& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    auto opened = OpenRocksDbStore(directory_.path(), options_);
    if (!opened) throw std::runtime_error(opened.error().ToString());
    store_ = std::move(*opened);
  }

 private:
  TempDir directory_;
  RocksDbOptions options_;
  std::unique_ptr<EventStore> store_;
};

struct BackendCase {
  std::string name;
  bool sealed = false;
  std::function<std::unique_ptr<Backend>()> make;
};

inline void PrintTo(const BackendCase& given, std::ostream* out) {
  *out << given.name;
}

// With a finder: those that seal what it finds.
inline std::vector<BackendCase> Backends(const std::shared_ptr<const PayloadFinder>& payloads) {
  const bool sealed = payloads != nullptr;
  return {{"Memory", sealed, [payloads] { return std::make_unique<MemoryBackend>(payloads); }},
          {"RocksDb", sealed, [payloads] { return std::make_unique<RocksDbBackend>(payloads); }}};
}

}  // namespace stele::eventstore
