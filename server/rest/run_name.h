// A run as paths name it: INSTANCE-RUN. "42-7" is the run 7 of the instance 42.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"

namespace stele::server::rest {

struct RunName {
  InstanceId instance;
  RunId run;
};
std::string ToText(const RunName& name);
// kBadRequest: it is no such name.
Result<RunName> ParseRunName(std::string_view text);

}  // namespace stele::server::rest
