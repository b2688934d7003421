// The components of the OpenAPI document as JSON Schemas that values are checked by.
//
// Thread: built by one, then read by any.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "engine/definition/json_schema.h"
#include "server/rest/shape.h"

namespace stele::server::rest {

class Schemas {
 public:
  // REQUIRES: no other component of that name, unless it is the same one.
  void Add(const Component& component);

  // {NAME: schema}, by name.
  Object all() const;

  // What checks values of a type in the notation of shape.h. REQUIRES: all components that it
  // speaks of are there. `closed`: members that no component names are refused, where it does not
  // say that there may be others; for tests.
  definition::JsonSchema Compile(std::string_view type, bool closed = false) const;

 private:
  void Collect(Value& schema, bool closed, Object& found) const;

  std::map<std::string, Value, std::less<>> schemas_;
};

}  // namespace stele::server::rest
