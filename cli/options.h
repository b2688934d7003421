// Options that several commands take.
#pragma once

#include "cli/arguments.h"

namespace stele::cli {

inline constexpr OptionSpec kData{"--data", "DIR", "the data directory (default ./stele-data)"};
inline constexpr OptionSpec kJson{"--json", "", "JSON on standard output instead of text"};
inline constexpr OptionSpec kQuiet{"--quiet", "", "only outputs and errors"};
inline constexpr OptionSpec kStub{"--stub", "STEP_OR_TYPE=JSON",
                                  "complete a step with this output instead of acting", true};
inline constexpr OptionSpec kWorker{"--worker", "TYPE[,TYPE…]=COMMAND",
                                    "a program that does the tasks of these types", true};
inline constexpr OptionSpec kWorkerSlots{"--worker-slots", "N",
                                         "tasks at once of each --worker (default 1)"};
inline constexpr OptionSpec kWorkerLease{
    "--worker-lease", "DURATION",
    "a --worker that sends no heartbeat for so long is ended (default: none is asked for)"};
inline constexpr OptionSpec kBy{"--by", "PERSON", "who asks (default: your login name)"};
inline constexpr OptionSpec kReason{"--reason", "TEXT", "kept in the history"};
inline constexpr OptionSpec kBusinessKey{"--business-key", "KEY",
                                         "what people know the instance by"};
inline constexpr OptionSpec kUnique{"--unique", "",
                                    "refuse when an open instance has the business key"};
inline constexpr OptionSpec kIdempotencyKey{"--idempotency-key", "KEY",
                                            "the same key never starts a second instance"};
inline constexpr OptionSpec kDeadline{"--deadline", "DURATION|TIME",
                                      "it fails when it has not ended then (\"2h\", RFC 3339)"};
inline constexpr OptionSpec kPaused{"--paused", "",
                                    "starts paused: \"stele step\" and \"stele resume\" go on"};
inline constexpr OptionSpec kNoWait{
    "--no-wait", "", "record it and return; tasks start with the next command that waits"};
// Of commands that work at a server as they do on a data directory.
inline constexpr OptionSpec kAtServer[] = {
    {"--server", "ADDR", "instead of --data: a server's RPC (default: STELE_SERVER)"},
    {"--token-file", "FILE",
     "who asks there (default: STELE_TOKEN, or what \"stele login\" wrote)"},
    {"--tls-ca", "FILE",
     "TLS, trusting this certificate; \"tls:\" before ADDR trusts the system's"},
    {"--tls-certificate", "FILE", "TLS, showing this chain in PEM"},
    {"--tls-key", "FILE", "the key of that certificate"},
    {"--plaintext", "", "without TLS send passwords and tokens to another machine, too"}};
inline constexpr OptionSpec kVersion{"--version", "N", "a version of the definition"};

}  // namespace stele::cli
