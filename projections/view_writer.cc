#include "projections/view_writer.h"

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
  if (generation_ == nullptr) return {};
  auto keys = generation_->Keys(prefix);
  if (keys.has_value()) return *std::move(keys);
  if (status_.has_value()) status_ = std::unexpected(keys.error());
  return {};
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
