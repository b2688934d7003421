// What requests and answers look like: the components of the OpenAPI document, written in a short
// notation of their members.
//
//     {"deadline", "time|null", "when it is terminated"}     a member that is always there
//     {"output?", "any", "what it gave"}                     one that may be missing
//
// A type is a word of the table in shape.cc ("text", "number", "time", "key", …), "=a,b,c" for one
// of some words, the name of a component, "[TYPE]" for a list, or several with "|" between them.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace stele::server::rest {

struct ShapeMember {
  std::string name;  // with a question mark at its end: may be missing
  std::string type;
  std::string about;
};

struct Component {
  std::string name;
  std::string about;
  std::vector<ShapeMember> members;
  // Whether members beside these are refused in a request, or may be there in an answer.
  enum class Others : uint8_t { kNone, kRefused, kAny } others = Others::kNone;
};

// The JSON Schema of a type in the notation; references are "#/components/schemas/NAME".
// REQUIRES: it is one.
Value SchemaOf(std::string_view type);

Value SchemaOf(const Component& component);

}  // namespace stele::server::rest
