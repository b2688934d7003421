// Places in a JSON document: RFC 6901, "/steps/3/with~1slash".
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace stele {

// A key as it is written between slashes: "~" is "~0", "/" is "~1".
std::string EscapePointerKey(std::string_view key);
// A step further in: "/a" and "b/c" are "/a/b~1c".
void AppendPointer(std::string& pointer, std::string_view key);
std::string Under(std::string_view pointer, std::string_view key);

// The keys, plain. Nothing: it is no pointer.
std::optional<std::vector<std::string>> PointerKeys(std::string_view pointer);

// The place of an item: decimal, without zeros before it. Nothing: it is none.
std::optional<size_t> PointerIndex(std::string_view key);
// What is there. Null: nothing is.
const Value* ValueAt(const Value& document, std::span<const std::string> keys);

}  // namespace stele
