// Which of an instance's data a row shows, and is found by: texts, numbers and booleans among the
// variables of the root scope and in the input, also one level down, in their order, within
// kMaxRowVariables and kMaxRowVariableBytes.
//
// Thread: any.
#pragma once

#include <vector>

#include "engine/model/instance.h"
#include "projections/views/instance_row.h"

namespace stele::projections {

std::vector<RowVariable> RowVariablesOf(const model::Instance& instance);

}  // namespace stele::projections
