// JSON text to Value and back (RFC 8259), through simdjson.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/value.h"

namespace stele {

inline constexpr size_t kMaxJsonDepth = 128;
inline constexpr size_t kMaxJsonBytes = 64u << 20;

// What a parse accepts at most.
struct JsonBounds {
  size_t depth = kMaxJsonDepth;  // arrays and objects in each other
  size_t bytes = kMaxJsonBytes;
};
// Of what the engine has written itself: documents that were accepted, put into others, and texts
// that grew by escaping. What is written must always be readable.
inline constexpr JsonBounds kWrittenJson{.depth = 1024, .bytes = UINT32_MAX - 64};

// Where a parse failed, counted from 1 in bytes.
struct TextPlace {
  uint32_t line = 0;
  uint32_t column = 0;
};

// Refuses text that is no JSON or beyond the bounds. A member that occurs twice keeps its first
// place and its last value. Integers beyond int64 become doubles, those beyond uint64 are refused.
// `place`, when given, receives the place of the fault where it is known.
Result<Value> ParseJson(std::string_view text, TextPlace* place = nullptr, JsonBounds bounds = {});

// How many arrays and objects of the text are in each other at most. REQUIRES: it is JSON.
size_t JsonDepth(std::string_view json);

// Compact, deterministic: members in their order, doubles in the shortest form that reads back
// (always with a point or exponent), invalid UTF-8 replaced by U+FFFD.
void WriteJson(const Value& value, std::string& out);
std::string ToJson(const Value& value);

// Indented by two spaces, for people.
std::string ToPrettyJson(const Value& value);

// The quoted, escaped form of one string.
void WriteJsonString(std::string_view text, std::string& out);

}  // namespace stele
