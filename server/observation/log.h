// The log of a server: one line of JSON an event, for programs that collect them.
//
//     {"time":"2026-03-01T12:00:00.000000Z","level":"info","message":"request","route":…}
//
// No line holds a query, a header, a body or a path: there are tokens and keys in them.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "server/http/service.h"

namespace stele::server {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };
std::string_view LogLevelName(LogLevel level);  // "warn"
std::optional<LogLevel> FindLogLevel(std::string_view name);

class Log {
 public:
  virtual ~Log() = default;
  // Members named "time", "level" and "message" in `fields` are lost.
  virtual void Write(LogLevel level, std::string_view message, const Object& fields) = 0;
};

class JsonLog final : public Log {
 public:
  // A whole line, with its end. False: it is lost.
  using Sink = std::function<bool(std::string_view line)>;

  // Writes what is at least of that level, and before the next line that can be written how many
  // before it are lost. REQUIRES: the clock outlives it.
  JsonLog(const Clock& clock, LogLevel least, Sink sink)
      : clock_(clock), least_(least), sink_(std::move(sink)) {}

  void Write(LogLevel level, std::string_view message, const Object& fields) override;
  // The lines from now on.
  void WriteTo(Sink sink) { sink_ = std::move(sink); }

 private:
  std::string LineOf(LogLevel level, std::string_view message, const Object& fields) const;

  const Clock& clock_;
  const LogLevel least_;
  Sink sink_;
  int64_t lost_ = 0;  // lines, since the last that was written
};

// Appends to the file, a line a write; a program that rotates it moves it, and has it opened again.
// "-" is the standard error stream. What cannot be written is lost, and what comes behind half a
// line begins a new one. `note` is told once why something is lost; it may be null. kIo.
using LogNote = std::function<void(std::string_view note)>;
Result<JsonLog::Sink> OpenLogSink(const std::string& path, LogNote note = nullptr);

// The trace of an instance, in hexadecimal; empty: it has none, or nobody knows at once.
using TraceIdOf = std::function<std::string(InstanceId instance)>;

// Faults of ours as errors; what machines ask again and again at the level debug. `trace_id_of` may
// be null.
void LogRequest(Log& log, const http::AccessRecord& record, const TraceIdOf& trace_id_of = nullptr);

}  // namespace stele::server
