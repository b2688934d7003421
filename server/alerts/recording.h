// What is recorded of rules; the same whoever asks: a server, or a program that has the log to
// itself.
//
// Thread: the shard's.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/model/registry.h"
#include "engine/runtime/shard.h"
#include "server/alerts/rule.h"

namespace stele::server::alerts {

// The documents of all rules, by name.
std::map<std::string, std::string> DocumentsOf(const model::Registry& registry);

// In place of the rule of that name, or as a new one: kLimitExceeded, when there are kMaxRules.
// kInvalidInput or kLimitExceeded: what would be recorded cannot be read again. `answer` is called
// unless it is refused.
Status RecordRule(runtime::Shard& shard, Rule rule, model::Asker asker,
                  runtime::Shard::Answer answer);

// With what became of its alerts. kUnknownAlert.
Status RecordRemoval(runtime::Shard& shard, const std::string& name, model::Asker asker,
                     runtime::Shard::Answer answer);

// kUnknownAlert.
std::unexpected<Error> UnknownRule(const std::string& name);

}  // namespace stele::server::alerts
