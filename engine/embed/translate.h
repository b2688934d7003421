// Between the public header's words and the engine's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "engine/definition/load.h"
#include "engine/model/event.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"
#include "stele/engine.h"

namespace stele::embed {

Error ToError(const stele::Error& error);
std::unexpected<Error> Refuse(ErrorCode code, std::string message);
// "STL0102: Expected a definition without faults but found 2", with the faults.
Error ToError(const std::vector<definition::Fault>& faults);
std::unexpected<Error> RefuseStopped();
std::unexpected<Error> RefuseOnLoop();
// Of Stop, on a thread whose work it waits for.
std::unexpected<Error> RefuseOnOwnThread();

// A JSON object, or nothing for an empty text. `what` names it in the refusal: "input".
Result<std::optional<Value>> ParseObject(std::string_view text, std::string_view what);
std::vector<model::NamedPayload> ToVariables(const std::optional<Value>& object);

Instance ToInstance(const model::Instance& instance, const model::Registry& registry);

}  // namespace stele::embed
