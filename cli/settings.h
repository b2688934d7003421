// The bounds of an engine, from settings.json of its data directory (docs/settings.md).
#pragma once

#include <string>

#include "base/error.h"
#include "engine/runtime/shard.h"

namespace stele::cli {

// The defaults when there is no file. kUsage with the file, the member, what was expected and what
// was found.
Result<runtime::ShardOptions> ReadSettings(const std::string& data);

}  // namespace stele::cli
