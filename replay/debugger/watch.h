// Expressions that are evaluated at every place where a debugger stops.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/value.h"
#include "engine/expression/expression.h"

namespace stele::replay {

struct Watch {
  uint32_t number = 0;  // from 1
  expression::Expression expression;
};

struct WatchValue {
  uint32_t number = 0;
  std::string expression;
  Result<Value> now;     // an error where it has no value
  Result<Value> before;  // where the last move began
  // One of them has no value and the other has, or the values differ.
  bool has_changed() const;
};

}  // namespace stele::replay
