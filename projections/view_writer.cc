#include "projections/view_writer.h"

#include <algorithm>
#include <cstring>

#include "projections/view_store.h"

namespace stele::projections {

std::optional<std::string> ViewWriter::Get(const std::string& key) {
  if (const auto changed = changes_.find(key); changed != changes_.end()) return changed->second;
  if (generation_ == nullptr) return std::nullopt;
  std::string value;
  const Result<bool> found = generation_->Get(key, &value);
  if (!found.has_value() && status_.has_value()) status_ = std::unexpected(found.error());
  if (!found.has_value() || !*found) return std::nullopt;
  return value;
}

void ViewWriter::Put(std::string key, std::string value) {
  changes_.insert_or_assign(std::move(key), std::move(value));
}

void ViewWriter::Erase(std::string key) {
  changes_.insert_or_assign(std::move(key), std::nullopt);
}

std::vector<std::string> ViewWriter::StoredKeys(const std::string& prefix) {
  std::vector<std::string> keys;
  if (generation_ != nullptr) {
    auto stored = generation_->Keys(prefix);
    if (stored.has_value())
      keys = *std::move(stored);
    else if (status_.has_value())
      status_ = std::unexpected(stored.error());
  }
  for (const auto& [key, value] : changes_)
    if (value.has_value() && key.starts_with(prefix)) keys.push_back(key);
  std::ranges::sort(keys);
  const auto again = std::ranges::unique(keys);
  keys.erase(again.begin(), again.end());
  return keys;
}

int64_t ViewWriter::Counter(const std::string& key) {
  const std::optional<std::string> value = Get(key);
  return value.has_value() ? ReadCounter(*value) : 0;
}

std::string ViewWriter::CounterText(int64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

int64_t ReadCounter(std::string_view value) {
  int64_t number = 0;
  if (value.size() == sizeof number) std::memcpy(&number, value.data(), sizeof number);
  return number;
}

}  // namespace stele::projections
