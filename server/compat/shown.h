// What the dialects have in common: times and statuses in their words, workflows that are told by a
// number, and instances as they show them.
//
// Thread: the loop's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "engine/model/registry.h"
#include "server/operations/operations.h"
#include "server/rest/call.h"
#include "server/rest/route.h"

namespace stele::server::compat {

// "2026-09-21T14:13:20Z", to the second; null for none.
Value MomentOf(TimeUs at);

// "pending", "running", "paused", "completed", "failed" or "cancelled", of an instance's status.
std::string_view WordOf(std::string_view status);
// Those that the word stands for, for queries.
std::vector<std::string> StatusesOf(std::string_view word);
inline constexpr std::string_view kStatusWords =
    "=pending,running,paused,completed,failed,cancelled";

// A workflow has the number of its first version, whatever its newest one is. Nothing: there is
// none of that name.
std::optional<DefinitionId> NumberOf(const model::Registry& registry, std::string_view name);
// The newest version of the workflow with that number. kUnknownDefinition: there is none, or it is
// retired. REQUIRES: used before the registry changes.
Result<const model::RegisteredDefinition*> FindWorkflow(const model::Registry& registry,
                                                        uint64_t number);
// The same, of the parameter of the path.
Result<const model::RegisteredDefinition*> FindWorkflow(const Operations& operations,
                                                        const rest::Call& call,
                                                        std::string_view param);

// What is in a list as these dialects ask for it: everything that was durable before.
projections::Freshness Current();

// A POST or PUT that changes the state of every version that `fits` has; answers with the newest.
using FitsVersion = bool (*)(model::DefinitionState state);
Promised<DefinitionStatus> ChangeVersions(const Operations& operations, const Caller& caller,
                                          const std::string& name, model::DefinitionState to,
                                          FitsVersion fits);

// The step that runs with that run, of Histories::Steps; null: there is none.
const Value* FindRun(const Array& steps, RunId run);
// The member of that kind, or what stands for it.
Value MemberOr(const Value& object, std::string_view name, Value otherwise);
std::string TextMember(const Value& object, std::string_view name);
int64_t NumberMember(const Value& object, std::string_view name);

}  // namespace stele::server::compat
