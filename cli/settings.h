// The bounds of an engine, from settings.json of its data directory (docs/settings.md).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/retention/policy.h"
#include "engine/runtime/open_store.h"
#include "engine/runtime/shard.h"
#include "engine/secrets/key_source.h"

namespace stele::cli {

// The defaults when there is no file. kUsage with the file, the member, what was expected and what
// was found.
Result<runtime::ShardOptions> ReadSettings(const std::string& data);
// Where the same file says that the master key is; none: nothing is sealed.
Result<secrets::KeySource> ReadKeySource(const std::string& data);
// Where the same file says that the key is that signs heads, and how often that is done.
Result<runtime::AuditSource> ReadAuditSource(const std::string& data);
// Where the same file says that archived segments are; empty: `archive` in the data directory.
// kUsage when it names another one and segments are still there.
Result<std::string> ReadArchiveDirectory(const std::string& data);
// What the same file says of retention.
Result<retention::RetentionPolicy> ReadRetention(const std::string& data);

// A sentence for each task type that the settings limit and that is none of those known here. No
// fault: its type may be registered later.
std::vector<std::string> UnknownTaskTypes(const runtime::ShardOptions& settings,
                                          const std::set<std::string>& known);

}  // namespace stele::cli
