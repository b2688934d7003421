// A value of a setting, from a file, a variable or a flag.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "cli/configuration/setting_table.h"
#include "engine/definition/document.h"

namespace stele::cli {

// Nothing when there was a fault. Paths are found from `directory`; empty: as they stand.
std::optional<Value> TakeSetting(const Setting& setting, const definition::Node& node,
                                 const std::string& directory, definition::Faults& faults);

// The same of a text: the elements of a list are `texts`, anything else is the last of them.
std::optional<Value> TakeSetting(const Setting& setting, const std::vector<std::string>& texts,
                                 definition::Faults& faults);

// `path` as it is found from `directory`; "-" stays what it is.
std::string FoundFrom(const std::string& directory, const std::string& path);

}  // namespace stele::cli
