// Instances as lists show them: the row of the view, and what the state of one that had not ended
// says beyond it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "cli/questions.h"
#include "engine/model/registry.h"
#include "projections/views/instance_row.h"

namespace stele::cli {

struct Listed {
  projections::InstanceRow row;
  // Of what it waits for, as the row has it where the instance's history is there no more.
  std::vector<std::string> waits;  // phrases
  std::optional<Array> waiting_for;
};

// Reads those that had not ended, as of the moment that was asked for.
Result<std::vector<Listed>> LookInto(const Questions& questions, const model::Registry& registry,
                                     std::vector<projections::InstanceRow> rows);

// The first thing that it waits for, and how many more; empty: nothing.
std::string WaitsText(const Listed& listed);

// {"position", "instances", "next"}
Value ToJson(std::vector<Listed> listed, const Questions& questions, const std::string& next);

}  // namespace stele::cli
