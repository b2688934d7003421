// Definitions that need types of workers which nobody has registered.
//
// Thread: the loop's.
#pragma once

#include <set>
#include <string>

#include "server/operations/definitions.h"

namespace stele::server {

// Registers those of the types that are not there, as types that workers do, and then the
// definition. The text is judged first as if they were there: of one that is refused nothing stays.
kj::Promise<Judged<DefinitionStatus>> RegisterWithWorkers(Definitions& definitions, Desk& desk,
                                                          const Caller& caller,
                                                          const DefinitionText& text,
                                                          const std::set<std::string>& types);

}  // namespace stele::server
