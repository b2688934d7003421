// Definitions and task types: judging a text, registering it, what may start.
//
// Thread: the loop's.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "engine/definition/export.h"
#include "engine/definition/load.h"
#include "engine/runtime/custom_types.h"
#include "server/operations/desk.h"

namespace stele::server {

// Why a text was refused: with every fault of it, by place.
struct Refused {
  Error error;
  std::vector<definition::Fault> faults;
};
template <class T>
using Judged = std::expected<T, Refused>;

struct DefinitionText {
  std::string text;
  definition::Syntax syntax = definition::Syntax::kYaml;
  std::string name = "workflow";  // of one that does not say its own
  bool draft = false;
};

struct DefinitionStatus {
  DefinitionId id;
  std::string name;
  uint32_t version = 1;
  std::string state;  // "draft", "active", "paused", "retired"
  std::string reason;
  std::string description;
  TimeUs registered;
  bool is_new = false;  // Register alone: it was not known before
  Position position;    // of the change
};
Object ToJson(const DefinitionStatus& status);

class Definitions {
 public:
  explicit Definitions(Desk& desk) : desk_(desk) {}

  // Nothing is registered. The name and the number of steps.
  struct Valid {
    std::string name;
    size_t steps = 0;
  };
  Judged<Valid> Validate(const Caller& caller, const DefinitionText& text);
  kj::Promise<Judged<DefinitionStatus>> Register(const Caller& caller, const DefinitionText& text);

  // Every version that the caller may see, in the order in which they were registered; `name`: of
  // that one alone.
  Result<std::vector<DefinitionStatus>> List(const Caller& caller, const std::string& name);
  // `version` 0: the newest.
  Result<DefinitionStatus> Get(const Caller& caller, const std::string& name, uint32_t version);
  // As it was written, without a dialect; else in that dialect.
  Result<std::string> Source(const Caller& caller, const std::string& name, uint32_t version,
                             std::optional<definition::Dialect> dialect, definition::Syntax syntax);
  Promised<DefinitionStatus> Change(const Caller& caller, const std::string& name, uint32_t version,
                                    model::DefinitionState state, const std::string& reason);

  // Task types of somebody's own: {type, …document}.
  Result<Array> Types(const Caller& caller);
  Promised<Written> RegisterType(const Caller& caller, const std::string& name,
                                 const Value& document);
  Promised<Written> RemoveType(const Caller& caller, const std::string& name);

 private:
  definition::LoadResult Load(const DefinitionText& text) const;
  Promised<Written> ChangeType(const Caller& caller, const std::string& name,
                               const std::string& document);

  Desk& desk_;
};

}  // namespace stele::server
