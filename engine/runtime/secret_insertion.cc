#include "engine/runtime/secret_insertion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace stele::runtime {

namespace {

// Shorter lines of a secret would blot out ordinary text.
constexpr size_t kMinSecretLine = 6;

// The string in `root` that an RFC 6901 pointer names, or null.
std::string* StringAt(Value& root, std::string_view pointer) {
  Value* at = &root;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);  // '/'
    const size_t end = std::min(pointer.find('/'), pointer.size());
    std::string key;
    for (size_t i = 0; i < end; ++i) {
      if (pointer[i] != '~') {
        key += pointer[i];
      } else {
        key += pointer[++i] == '1' ? '/' : '~';
      }
    }
    pointer.remove_prefix(end);
    if (at->is_object()) {
      at = at->as_object().Find(key);
    } else if (at->is_array()) {
      const size_t index = std::strtoul(key.c_str(), nullptr, 10);
      at = index < at->as_array().size() ? &at->as_array()[index] : nullptr;
    } else {
      at = nullptr;
    }
    if (at == nullptr) return nullptr;
  }
  return at->is_string() ? &at->as_string() : nullptr;
}

}  // namespace

Status InsertSecret(tasks::TaskRequest& request, const expression::SecretUse& use,
                    const secrets::Secrets& source) {
  const std::optional<std::string> text = source.Find(use.name);
  if (!text.has_value())
    return Fail(ErrorCode::kTaskConfig, fmt::format("Expected the secret \"{}\" but found {}",
                                                    use.name, source.Missing(use.name)));
  const bool into_input = use.pointer.starts_with("input/");
  std::string_view pointer = use.pointer;
  if (into_input) pointer.remove_prefix(5);
  std::string* place = StringAt(into_input ? request.input : request.config, pointer);
  if (place == nullptr || use.offset > place->size())
    return Fail(ErrorCode::kTaskConfig, fmt::format("Expected a text for the secret \"{}\" at {} "
                                                    "but found none",
                                                    use.name, use.pointer));
  place->insert(use.offset, *text);
  request.secrets.push_back(*text);
  // A key of many lines must not appear line by line either.
  if (text->contains('\n')) {
    for (size_t begin = 0; begin < text->size();) {
      const size_t end = std::min(text->find('\n', begin), text->size());
      if (end - begin >= kMinSecretLine)
        request.secrets.push_back(text->substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return {};
}

}  // namespace stele::runtime
