// Everything that `stele serve` can be told, once: from this table come its flags, the keys of the
// configuration file, the variables of the environment, `stele config` and the table of
// docs/configuration.md. None of it is a secret, since every process of a user sees the flags of
// the others: secrets are in files that a setting names. What bounds the engine of a data directory
// is in that directory (settings.h).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "cli/arguments.h"

namespace stele::cli {

enum class SettingKind : uint8_t {
  kText,
  kFile,  // of a configuration file: found from the directory that it is in
  kDirectory,
  kSwitch,
  kNumber,
  kDuration,  // as microseconds
  kWord,      // one of those that `value` names
  kList,      // texts; in the environment with commas between
  kIssuers,   // issuers.h
};

struct Setting {
  // "http.idle_timeout": `idle_timeout` under `http:` in the file, STELE_HTTP_IDLE_TIMEOUT in the
  // environment.
  std::string_view name;
  SettingKind kind;
  std::string_view flag;
  std::string_view value;      // what the flag takes, as its help says it
  std::string_view otherwise;  // when nobody says; as a flag would say it, empty: none
  std::string_view help;
  int64_t least = 0;  // of a number, or of a duration in microseconds
  int64_t most = 0;
};

inline constexpr int64_t kSettingSecond = 1'000'000;
inline constexpr int64_t kSettingDay = 86'400 * kSettingSecond;

inline constexpr Setting kSettings[] = {
    {"data", SettingKind::kDirectory, "--data", "DIR", "./stele-data", "the data directory"},
    {"http.listen", SettingKind::kList, "--http", "ADDR", "", "serves REST and live events there"},
    {"rpc.listen", SettingKind::kList, "--rpc", "ADDR", "", "serves Cap'n Proto RPC there"},
    {"dev", SettingKind::kSwitch, "--dev", "", "",
     "asks nobody for a name; on this machine alone, at 127.0.0.1:7420 and :7421 unless told"},
    {"tls.certificate", SettingKind::kFile, "--tls-certificate", "FILE", "",
     "the server's chain in PEM: both edges speak TLS"},
    {"tls.key", SettingKind::kFile, "--tls-key", "FILE", "", "the key of that certificate"},
    {"tls.ca", SettingKind::kFile, "--tls-ca", "FILE", "",
     "clients show certificates that this one has signed"},
    {"tls.clients", SettingKind::kWord, "--tls-clients", "required|workers|optional", "required",
     "with a CA: everybody must show one, workers alone, or who likes to"},
    {"auth.token_lifetime", SettingKind::kDuration, "--auth-token-lifetime", "DURATION", "1h",
     "how long a token of a login counts", kSettingSecond, kSettingDay},
    {"auth.session_lifetime", SettingKind::kDuration, "--auth-session-lifetime", "DURATION", "12h",
     "how long tokens can be exchanged before the password is asked for again", kSettingSecond,
     30 * kSettingDay},
    {"auth.issuers", SettingKind::kIssuers, "--auth-issuers", "JSON", "",
     "whose tokens count, too: a list of {issuer, keys, audience, …}"},
    {"cors.origins", SettingKind::kList, "--cors-origin", "ORIGIN", "",
     "pages of it may ask; \"*\": all pages"},
    {"cors.headers", SettingKind::kList, "--cors-header", "NAME", "",
     "a header that those pages may send, beside the usual ones"},
    {"cors.credentials", SettingKind::kSwitch, "--cors-credentials", "", "",
     "those pages may send cookies and certificates"},
    {"cors.max_age", SettingKind::kDuration, "--cors-max-age", "DURATION", "10m",
     "how long browsers keep what they were told of that", 0, kSettingDay},
    {"http.header_timeout", SettingKind::kDuration, "--http-header-timeout", "DURATION", "15s",
     "for the head of a request", kSettingSecond, kSettingDay},
    {"http.body_timeout", SettingKind::kDuration, "--http-body-timeout", "DURATION", "30s",
     "for the body of a request", kSettingSecond, kSettingDay},
    {"http.idle_timeout", SettingKind::kDuration, "--http-idle-timeout", "DURATION", "60s",
     "between two requests of a connection", kSettingSecond, kSettingDay},
    {"http.send_timeout", SettingKind::kDuration, "--http-send-timeout", "DURATION", "60s",
     "for a client to take the next bytes of its answer", kSettingSecond, kSettingDay},
    {"http.max_requests", SettingKind::kNumber, "--http-max-requests", "N", "4096",
     "requests at once; one more is answered with 503", 1, 1'000'000},
    {"http.max_streams", SettingKind::kNumber, "--http-max-streams", "N", "4096",
     "streams of events at once; one more is answered with 503", 1, 1'000'000},
    {"http.max_connections", SettingKind::kNumber, "--http-max-connections", "N", "20000",
     "connections of an address at once; one more is closed", 1, 1'000'000},
    {"rpc.max_connections", SettingKind::kNumber, "--rpc-max-connections", "N", "20000",
     "connections of an address at once; one more is closed", 1, 1'000'000},
    {"connection_loops", SettingKind::kNumber, "--connection-loops", "N", "",
     "threads for sockets and TLS; 0: the engine's own. Unless told: as many as processors beyond "
     "two, 4 at most",
     0, 64},
    {"drain_timeout", SettingKind::kDuration, "--drain-timeout", "DURATION", "10s",
     "at the end: for what is under way, and for connections to close", 0, kSettingDay},
    {"backups", SettingKind::kDirectory, "--backups", "DIR", "",
     "clients may have backups made below it, outside the data; without it, nowhere"},
    {"metrics.open", SettingKind::kSwitch, "--open-metrics", "", "",
     "asks nobody for a name at /metrics"},
    {"tracing.endpoint", SettingKind::kText, "--trace-endpoint", "URL", "",
     "tells a collector there of spans, by OTLP/HTTP: http://127.0.0.1:4318/v1/traces"},
    {"tracing.headers_file", SettingKind::kFile, "--trace-headers-file", "FILE", "",
     "headers for it, \"Name: value\" a line"},
    {"tracing.ratio", SettingKind::kText, "--trace-ratio", "RATIO", "",
     "which share of the instances that come without a trace is sampled, 0 to 1"},
    {"tracing.service", SettingKind::kText, "--trace-service", "NAME", "stele",
     "what the server is called in traces"},
    {"log.file", SettingKind::kFile, "--log", "FILE", "",
     "a line of JSON for each request and event; \"-\" is standard error"},
    {"log.level", SettingKind::kWord, "--log-level", "debug|info|warn|error", "info",
     "the least that is logged"},
};

// The flags of the table, then others.
template <size_t N>
constexpr auto WithSettings(const OptionSpec (&others)[N]) {
  std::array<OptionSpec, std::size(kSettings) + N> options;
  size_t at = 0;
  for (const Setting& setting : kSettings)
    options[at++] = {setting.flag, setting.value, setting.help, setting.kind == SettingKind::kList,
                     setting.otherwise};
  for (const OptionSpec& other : others) options[at++] = other;
  return options;
}

}  // namespace stele::cli
