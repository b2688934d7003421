// Words for people: what is printed of a user's text, times, durations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/value.h"

namespace stele::cli {

// `text` without anything that a terminal would obey: control characters (C0, DEL, C1) become
// "\x1b", what turns the text around it, U+2028, U+2029 and U+FEFF "\u202e", bytes that are no
// UTF-8 become U+FFFD. Lines and tabs stay when `keep_lines`; else
// they are a space.
std::string Clean(std::string_view text, bool keep_lines = false);

// JSON text that is safe on a terminal: the same as \u escapes.
std::string CleanJson(std::string_view json);

// XML text, the same as references to characters.
std::string CleanXml(std::string_view xml);

// A value on one line: a string as it is, the rest as JSON, cleaned.
std::string Inline(const Value& value);

// "1 record", "2 records"
std::string Count(uint64_t count, std::string_view noun);

// "850 µs", "12 ms", "1.25 s", "3 min 5 s", "2 h 10 min"
std::string Duration(int64_t microseconds);

// "2024-03-01 12:30:05.250" in UTC; "-" for none.
std::string Time(TimeUs time);

// Columns that a cleaned text takes on a terminal: two of a wide character, none of a combining
// one, as the C library's wcwidth has it.
size_t Width(std::string_view text);

// What fits into so many columns; a text that is longer ends with "…".
std::string Cut(std::string_view text, size_t width);

// A value's JSON, cleaned and cut to so many columns; of a large one its beginning alone is
// written.
std::string CutJson(const Value& value, size_t width);

// Filled with spaces to so many columns.
std::string Pad(std::string text, size_t width);

}  // namespace stele::cli
