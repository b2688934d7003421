// Times, places in the log and durations, as parameters and bodies give them.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "projections/asked.h"
#include "replay/time_machine.h"
#include "server/rest/call.h"
#include "server/rest/route.h"

namespace stele::server::rest {

// Of a moment, or 0 when the parameter is not there: microseconds since 1970, or as queries write
// them (docs/queries.md); a day is its begin. kInvalidInput.
Result<TimeUs> AskedMoment(const Call& call, std::string_view name, TimeUs now);

// A moment of an instance: an event's number, or a moment as AskedMoment has it; neither when the
// parameter is not there. A number from 10^12 on is microseconds. kInvalidInput.
Result<replay::When> AskedWhen(const Call& call, std::string_view name, TimeUs now);

// How long a request waits: "5s", at most kMaxWaitUs; 0 when the parameter is not there.
Result<int64_t> AskedWait(const Call& call, std::string_view name);

// A moment to come, of a member of the body: microseconds since 1970, a time as RFC 3339 writes it,
// or a duration from now; 0 when it is not there. kInvalidInput.
Result<TimeUs> MomentToCome(const Call& call, std::string_view name, TimeUs now);

// Any moment, of a member of the body: microseconds since 1970, or as queries write it; 0 when it
// is not there. kInvalidInput.
Result<TimeUs> GivenMoment(const Call& call, std::string_view name, TimeUs now);

// `as_of` and `after` of a question to views.
std::vector<Parameter> FreshnessParameters();
Result<projections::Freshness> AskedFreshness(const Call& call, TimeUs now);

// `limit` and `cursor` of what comes in pages.
std::vector<Parameter> PageParameters();
size_t AskedLimit(const Call& call);

// All of them, in that order.
std::vector<Parameter> Together(std::vector<std::vector<Parameter>> lists);

}  // namespace stele::server::rest
