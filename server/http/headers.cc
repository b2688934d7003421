#include "server/http/headers.h"

#include <algorithm>

#include "server/http/octets.h"

namespace stele::server::http {
namespace {

constexpr size_t kUsualFields = 12;

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, Lower, Lower);
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string_view> SplitList(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (const std::string_view part = Trim(text.substr(0, comma)); !part.empty())
      parts.push_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

bool IsFieldName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, IsTokenOctet);
}

bool IsFieldValue(std::string_view value) {
  return std::ranges::all_of(value, IsValueOctet);
}

const std::string* Headers::Find(std::string_view name) const {
  for (const auto& [known, value] : fields_)
    if (EqualIgnoringCase(known, name)) return &value;
  return nullptr;
}

std::string_view Headers::Get(std::string_view name) const {
  const std::string* value = Find(name);
  return value == nullptr ? std::string_view() : *value;
}

bool Headers::HasToken(std::string_view name, std::string_view token) const {
  return std::ranges::any_of(SplitList(Get(name)), [token](std::string_view part) {
    return EqualIgnoringCase(part, token);
  });
}

void Headers::Add(std::string name, std::string value) {
  if (fields_.capacity() == 0) fields_.reserve(kUsualFields);
  fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::Set(std::string name, std::string value) {
  Erase(name);
  Add(std::move(name), std::move(value));
}

void Headers::Erase(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return EqualIgnoringCase(field.first, name); });
}

}  // namespace stele::server::http
