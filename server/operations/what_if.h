// What would have become of an instance, asked of a server: a dry fork. Nothing is recorded.
//
// Thread: the loop's; the history is read and decided again on a thread of the desk's.
#pragma once

#include <string>

#include "base/value.h"
#include "replay/time_machine.h"
#include "server/operations/desk.h"
#include "server/operations/instances.h"

namespace stele::server {

struct WhatIfRequest {
  replay::When at;
  Object variables;        // name to value, set in the root scope
  uint32_t version = 0;    // of its definition, to go on in; 0: its own
  std::string definition;  // a text in place of a version; empty: none
  std::string plan;        // as requests::Migrate's
  Object stubs;            // step ids or task types to outputs, which are objects
};

// The report: replay::ToJson. Whoever may read the instance may ask; of a text of one's own, who
// may read definitions, too: it may use what is registered. kNoSuchMoment, kCannotMigrate,
// kLimitExceeded: the history behind that event is too long to be decided again here.
Promised<Object> AskWhatIf(Desk& desk, Instances& instances, const Caller& caller,
                           InstanceId instance, WhatIfRequest request);

}  // namespace stele::server
