// What differs between two JSON documents, as a patch that makes one of the other: RFC 6902, with
// places as JSON Pointers (RFC 6901).
//
// Members are compared by name, items of arrays by place behind what both begin with and before
// what both end with: an item that was put into a list is one `add`. Only `add`, `remove` and
// `replace` are written; a patch of anybody's may have the others, too.
//
// Thread: any.
#pragma once

#include "base/error.h"
#include "base/value.h"

namespace stele::replay {

// An array of operations; empty: they are equal.
Array PatchBetween(const Value& from, const Value& to);

// kInvalidInput: `patch` is none, or does not fit the document, with the number of the operation.
Result<Value> ApplyPatch(Value document, const Array& patch);

}  // namespace stele::replay
