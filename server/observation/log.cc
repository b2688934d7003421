#include "server/observation/log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

#include "base/json.h"

namespace stele::server {

namespace {

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warn", "error"};

std::string InstantText(TimeUs time) {
  const std::chrono::sys_time<std::chrono::microseconds> at(std::chrono::microseconds(time.value));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", std::chrono::floor<std::chrono::seconds>(at),
                     time.value % 1'000'000);
}

// Closes what it has opened.
class LogFile {
 public:
  LogFile(int fd, bool owns, LogNote note) : fd_(fd), owns_(owns), note_(std::move(note)) {}
  ~LogFile() {
    if (owns_) close(fd_);
  }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  bool Append(std::string_view line) {
    // On a disk that was full, the file ends in the middle of a line.
    if (std::string_view end = "\n"; torn_ && WriteAll(end)) torn_ = false;
    if (torn_) return false;
    const size_t size = line.size();
    if (WriteAll(line)) return true;
    const int fault = errno;
    torn_ = line.size() < size;
    if (const LogNote note = std::exchange(note_, nullptr); note != nullptr)
      note(fmt::format("lines of the log are lost: {}", std::generic_category().message(fault)));
    return false;
  }

 private:
  // What is left of it, when it could not be: none or some.
  bool WriteAll(std::string_view& line) const {
    while (!line.empty()) {
      const ssize_t written = write(fd_, line.data(), line.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      line.remove_prefix(static_cast<size_t>(written));
    }
    return true;
  }

  const int fd_;
  const bool owns_;
  LogNote note_;       // null: told, or nobody is
  bool torn_ = false;  // ends with a part of a line
};

// The number behind "/instances/" where the route has one there.
std::optional<int64_t> InstanceOf(const http::AccessRecord& record) {
  constexpr std::string_view kBefore = "/instances/";
  if (record.route.find("/instances/{") == std::string_view::npos) return std::nullopt;
  const size_t at = record.path.find(kBefore);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = record.path.substr(at + kBefore.size());
  int64_t number = 0;
  const auto [end, fault] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (fault != std::errc() || (end != rest.data() + rest.size() && *end != '/'))
    return std::nullopt;
  return number;
}

LogLevel LevelOf(const http::AccessRecord& record) {
  // What the server does not do is what a client should not have asked for.
  const bool asked_amiss = record.status == 501 || record.status == 505;
  if (record.status >= 500 && !asked_amiss) return LogLevel::kError;
  if (record.route == "/metrics" || record.route.starts_with("/health")) return LogLevel::kDebug;
  return LogLevel::kInfo;
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  return kLevels[static_cast<size_t>(level)];
}

std::optional<LogLevel> FindLogLevel(std::string_view name) {
  for (size_t i = 0; i < kLevels.size(); ++i)
    if (kLevels[i] == name) return static_cast<LogLevel>(i);
  return std::nullopt;
}

std::string JsonLog::LineOf(LogLevel level, std::string_view message, const Object& fields) const {
  Object line{
      {"time", InstantText(clock_.Now())}, {"level", LogLevelName(level)}, {"message", message}};
  for (const Member& field : fields)
    if (line.Find(field.key) == nullptr) line.Set(field.key, field.value);
  return ToJson(line) + '\n';
}

void JsonLog::Write(LogLevel level, std::string_view message, const Object& fields) {
  if (level < least_) return;
  if (lost_ > 0 && sink_(LineOf(LogLevel::kError, "lines lost", {{"lines", lost_}}))) lost_ = 0;
  if (lost_ > 0 || !sink_(LineOf(level, message, fields))) ++lost_;
}

Result<JsonLog::Sink> OpenLogSink(const std::string& path, LogNote note) {
  std::shared_ptr<LogFile> file;
  if (path == "-") {
    file = std::make_shared<LogFile>(STDERR_FILENO, false, nullptr);
  } else {
    const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
      return Fail(ErrorCode::kIo,
                  fmt::format("Expected a file to append the log to but found \"{}\": {}", path,
                              std::generic_category().message(errno)));
    file = std::make_shared<LogFile>(fd, true, std::move(note));
  }
  return [file](std::string_view line) { return file->Append(line); };
}

void LogRequest(Log& log, const http::AccessRecord& record, const TraceIdOf& trace_id_of) {
  Object fields{{"request_id", record.id},
                {"method", record.method},
                {"route", record.route},
                {"status", record.status},
                {"duration_us", record.duration_us},
                {"bytes_in", static_cast<int64_t>(record.bytes_in)},
                {"bytes_out", static_cast<int64_t>(record.bytes_out)},
                {"source", record.source}};
  if (const auto instance = InstanceOf(record); instance.has_value()) {
    fields.Set("instance", *instance);
    if (trace_id_of)
      if (std::string trace = trace_id_of(InstanceId(static_cast<uint64_t>(*instance)));
          !trace.empty())
        fields.Set("trace_id", std::move(trace));
  }
  log.Write(LevelOf(record), "request", fields);
}

}  // namespace stele::server
