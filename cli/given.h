// Values that a user gives on the command line: JSON, files, NAME=VALUE, durations, moments, and
// who the user is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "cli/arguments.h"
#include "engine/definition/definition.h"
#include "engine/model/asker.h"
#include "engine/model/event.h"

namespace stele::cli {

// A variable of the environment; empty where it is not set.
std::string FromEnvironment(const char* name);

// Who asks: --by (kUsage when nobody may be called so), or the login name; from where: who runs the
// program, whatever --by says.
Result<model::KeptAsker> WhoAsks(const Arguments& arguments);

// kIo unless there is a regular file: a workflow is read twice, and a pipe may never end.
Status CheckRegularFile(const std::string& path);

// A file that a user names, of at most `most` bytes.
Result<std::string> ReadGivenFile(const std::string& path, size_t most);

// The JSON of an option, its text or "@FILE"; absent when the option was not given. kInvalidInput
// when a member occurs twice, which JSON leaves open.
Result<Payload> GivenJson(const Arguments& arguments, std::string_view option);
// The same, which must be an object.
Result<Payload> GivenObject(const Arguments& arguments, std::string_view option);

// "NAME=VALUE": JSON where it is JSON, else text; a text where `declared` says so. kUsage when a
// name is given twice, kInvalidInput when a value is no UTF-8.
Result<std::vector<model::NamedPayload>> GivenVariables(
    const std::vector<std::string>& words, std::string_view what,
    const std::vector<definition::Variable>& declared);

// `word` as a number within bounds; `what` it is, for the refusal.
Result<int64_t> ParseNumber(const std::string& word, std::string_view what, int64_t least,
                            int64_t most);
// A number of an option within bounds; absent when the option was not given.
Result<std::optional<int64_t>> GivenNumber(const Arguments& arguments, std::string_view option,
                                           int64_t least, int64_t most);
// Each --header, "NAME: VALUE" or "NAME:VALUE".
Result<std::vector<std::pair<std::string, std::string>>> GivenHeaders(const Arguments& arguments);

// Microseconds.
// `least_us`: 0, where none at all is one, too.
Result<std::optional<int64_t>> GivenDuration(const Arguments& arguments, std::string_view option,
                                             int64_t least_us = 1);
// A duration from `now`, or a time as RFC 3339 writes it.
Result<TimeUs> GivenMoment(const Arguments& arguments, std::string_view option, TimeUs now);

}  // namespace stele::cli
