// A batch of changes of one generation of a view, and reading through them. Written as one,
// together with the position up to which they hold.
//
// A failed read is kept: `status` says so, and the batch is not written then.
//
// Thread: one at a time.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "projections/index_changes.h"

namespace stele::projections {

class Generation;

class ViewWriter {
 public:
  // Nothing is stored: what the batch holds is all that there is.
  ViewWriter() = default;
  // REQUIRES: the generation outlives it.
  explicit ViewWriter(const Generation& generation) : generation_(&generation) {}

  // The value as it is with this batch.
  std::optional<std::string> Get(const std::string& key);
  void Put(std::string key, std::string value);
  void Erase(std::string key);
  // The keys that begin so: those that are stored, whatever this batch does to them, and those that
  // it puts; in order.
  std::vector<std::string> StoredKeys(const std::string& prefix);
  // Adds to a counter, which is 0 while nothing was added. It is read when the batch is written; it
  // is not to be read with Get. A counter that comes back to 0 is erased.
  void Add(std::string key, int64_t delta) { counters_[std::move(key)] += delta; }

  // The index of the view's table, which is changed when the batch is written. REQUIRES: the same
  // block_bits at every call.
  IndexChanges& Index(uint8_t block_bits) {
    block_bits_ = block_bits;
    return index_;
  }

  const Status& status() const { return status_; }
  bool empty() const { return changes_.empty() && counters_.empty() && index_.empty(); }

  // For the store: calls write(key, value or nothing) for each change, then for each counter, which
  // are read. In the order of the keys: the store takes that in half the time of any other.
  template <class Write>
  Status ForEach(Write write) {
    index_.Flush(*this, block_bits_);
    for (const auto* change : Sorted(changes_)) write(change->first, change->second);
    for (const auto* counter : Sorted(counters_)) {
      const int64_t sum = Counter(counter->first) + counter->second;
      write(counter->first, sum == 0 ? std::nullopt : std::optional(CounterText(sum)));
    }
    return status_;
  }
  void Clear() {
    changes_.clear();
    counters_.clear();
  }

 private:
  template <class Map>
  static std::vector<const typename Map::value_type*> Sorted(const Map& map) {
    std::vector<const typename Map::value_type*> sorted;
    sorted.reserve(map.size());
    for (const auto& entry : map) sorted.push_back(&entry);
    std::ranges::sort(sorted, {}, [](const auto* entry) -> const auto& { return entry->first; });
    return sorted;
  }
  int64_t Counter(const std::string& key);
  static std::string CounterText(int64_t value);

  const Generation* generation_ = nullptr;
  std::unordered_map<std::string, std::optional<std::string>> changes_;
  std::unordered_map<std::string, int64_t> counters_;
  IndexChanges index_;
  uint8_t block_bits_ = 0;
  Status status_;
};

// A counter's stored value.
int64_t ReadCounter(std::string_view value);

}  // namespace stele::projections
