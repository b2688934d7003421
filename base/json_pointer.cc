#include "base/json_pointer.h"

#include <charconv>

namespace stele {

void AppendPointer(std::string& pointer, std::string_view key) {
  pointer += '/';
  for (const char c : key) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
}

std::string EscapePointerKey(std::string_view key) {
  return Under("", key).substr(1);
}

std::string Under(std::string_view pointer, std::string_view key) {
  std::string under(pointer);
  AppendPointer(under, key);
  return under;
}

std::optional<std::vector<std::string>> PointerKeys(std::string_view pointer) {
  std::vector<std::string> keys;
  if (!pointer.empty() && pointer.front() != '/') return std::nullopt;
  for (size_t at = 0; at < pointer.size(); ++at) {
    if (pointer[at] == '/') {
      keys.emplace_back();
    } else if (pointer[at] != '~') {
      keys.back() += pointer[at];
    } else if (++at < pointer.size() && (pointer[at] == '0' || pointer[at] == '1')) {
      keys.back() += pointer[at] == '0' ? '~' : '/';
    } else {
      return std::nullopt;
    }
  }
  return keys;
}

std::optional<size_t> PointerIndex(std::string_view key) {
  size_t index = 0;
  const char* const end = key.data() + key.size();
  const auto [rest, fault] = std::from_chars(key.data(), end, index);
  if (fault != std::errc() || rest != end || (key.size() > 1 && key.front() == '0'))
    return std::nullopt;
  return index;
}

const Value* ValueAt(const Value& document, std::span<const std::string> keys) {
  const Value* at = &document;
  for (const std::string& key : keys) {
    if (at->is_array()) {
      const Array& items = at->as_array();
      const auto index = PointerIndex(key);
      at = index.has_value() && *index < items.size() ? &items[*index] : nullptr;
    } else {
      at = at->Find(key);
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

}  // namespace stele
