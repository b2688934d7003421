// A data directory as commands find it. It is never created by those that only read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "eventstore/event_store.h"
#include "eventstore/tree_writer.h"

namespace stele::cli {

class Engine;

inline constexpr std::string_view kDefaultData = "./stele-data";
inline constexpr ShardId kShard{0};

// Whether somebody has run something there.
bool HasData(const std::string& data);
// kStoreNotFound: nobody has.
Status RequireData(const std::string& data);

// Others may read meanwhile; nothing in the directory is changed.
// `damaged`: a damaged log too, to say where the damage is. The others refuse it, lest they take
// half a history for the whole. `without_key`: of a sealed log the chain alone.
Result<std::unique_ptr<eventstore::EventStore>> OpenForReading(const Arguments& arguments,
                                                               bool damaged = false,
                                                               bool without_key = false);

// To change what is there already.
Result<std::unique_ptr<eventstore::EventStore>> OpenForWriting(const Arguments& arguments);

// Who signs heads, as the settings say.
Result<eventstore::HeadSigning> SigningOf(const std::string& data);

// "42" as the operand of a command.
Result<InstanceId> ParseInstanceId(const std::string& word);

// Where the files of the registered definitions were: their scripts are looked for there.
std::vector<std::string> ScriptDirectoriesOf(Engine& engine);

}  // namespace stele::cli
