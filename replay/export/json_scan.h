// JSON text taken apart where it stands, without making values of it: the text of a payload is the
// user's, and must come out of an export byte for byte as it went into the log.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::replay {

// Whether the text is one JSON value (RFC 8259) of well-formed UTF-8, and can stand in a line: it
// holds no line break. Space around the value is allowed.
bool FitsIntoLine(std::string_view text);

struct JsonMember {
  std::string_view key;    // as written, without the quotes
  std::string_view value;  // as written, without the space around it
};

// The members of an object, in their order, those that occur twice included. False when the text is
// none. Their values are JSON.
bool TakeMembers(std::string_view text, std::vector<JsonMember>* members);
bool TakeElements(std::string_view text, std::vector<std::string_view>* elements);

// What the literal says; nothing when it is no string, or no number that the type holds.
std::optional<std::string> StringOf(std::string_view literal);
std::optional<int64_t> SignedOf(std::string_view literal);
std::optional<uint64_t> UnsignedOf(std::string_view literal);

}  // namespace stele::replay
