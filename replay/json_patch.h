// What differs between two JSON documents, as a patch that makes one of the other: RFC 6902, with
// places as JSON Pointers (RFC 6901).
//
// Members are compared by name, items of arrays by place behind what both begin with and before
// what both end with: an item that was put into a list is one `add`. Only `add`, `remove` and
// `replace` are written; a patch of anybody's may have the others, too.
//
// Thread: any.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"

namespace stele::replay {

// A value that is there in one of two documents alone, or another in the one than in the other. Of
// items that were taken away the place is that in the first document.
struct Difference {
  std::string at;     // JSON Pointer
  const Value* from;  // null: it was not there
  const Value* to;    // null: it is not there any more
};
// In the order in which a patch says them. REQUIRES: the documents outlive what is answered.
std::vector<Difference> DifferencesBetween(const Value& from, const Value& to);

// An array of operations; empty: they are equal.
Array PatchBetween(const Value& from, const Value& to);

// kInvalidInput: `patch` is none, or does not fit the document, with the number of the operation.
Result<Value> ApplyPatch(Value document, const Array& patch);

}  // namespace stele::replay
