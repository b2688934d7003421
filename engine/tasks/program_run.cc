#include "engine/tasks/program_run.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

namespace stele::tasks {
namespace {

constexpr size_t kMaxLineBytes = 200;

}  // namespace

std::string_view ProgramOptions::path() const {
  for (const auto& [name, value] : environment) {
    if (name == "PATH") return value;
  }
  return {};
}

std::vector<std::string> ProgramOptions::EnvironmentList() const {
  std::vector<std::string> list;
  list.reserve(environment.size());
  for (const auto& [name, value] : environment) list.push_back(name + "=" + value);
  return list;
}

ProgramOptions ProgramOptions::FromProcess(std::string base_directory,
                                           const std::vector<std::string_view>& names) {
  ProgramOptions options;
  options.base_directory = std::move(base_directory);
  if (const char* path = std::getenv("PATH")) options.environment[0].second = path;
  std::vector<std::string_view> all = {"HOME", "LANG"};
  all.insert(all.end(), names.begin(), names.end());
  for (std::string_view name : all) {
    const char* value = std::getenv(std::string(name).c_str());
    if (value != nullptr) options.environment.emplace_back(name, value);
  }
  const char* temporary = std::getenv("TMPDIR");
  if (temporary != nullptr && temporary[0] == '/') options.scratch_root = temporary;
  return options;
}

ProgramRun::ProgramRun(uv_loop_t* loop, const ProgramOptions& options, const Redactor& redactor)
    : loop_(loop),
      options_(options),
      out_redactor_(redactor),
      err_redactor_(redactor),
      out_(options.max_stream_bytes),
      err_(kErrorTailBytes * 2),
      log_(options.max_log_bytes) {}

std::optional<TaskFailure> ProgramRun::Start(ChildProcess::Spec spec,
                                             std::optional<std::string> input, int64_t timeout_us,
                                             std::function<void(Ended)> ended, LaunchFault* fault) {
  ended_ = std::move(ended);
  spec.takes_input = input.has_value();
  LaunchStep failed = LaunchStep::kStart;
  auto child = ChildProcess::Start(loop_, spec, this, &failed);
  if (!child) {
    if (fault != nullptr) *fault = {failed, uv_strerror(child.error())};
    return TaskFailure{
        "spawn",
        fmt::format("Expected to start {} but found: {}", spec.program, uv_strerror(child.error())),
        child.error() != UV_E2BIG && child.error() != UV_EACCES,
        {}};
  }
  child_ = *std::move(child);
  if (input) {
    child_->WriteInput(*std::move(input));
    child_->CloseInput();
  }
  if (timeout_us > 0) {
    timeout_ = MakeTimer(loop_, this);
    uv_timer_start(
        timeout_.get(),
        [](uv_timer_t* timer) {
          auto* self = static_cast<ProgramRun*>(timer->data);
          self->timed_out_ = true;
          self->Stop();
        },
        ToTimerMs(timeout_us), 0);
  }
  return std::nullopt;
}

void ProgramRun::OnOutput(ChildProcess::Stream stream, std::string_view bytes) {
  Take(stream, (stream == ChildProcess::Stream::kOut ? out_redactor_ : err_redactor_).Push(bytes));
}

void ProgramRun::Take(ChildProcess::Stream stream, const std::string& shown) {
  (stream == ChildProcess::Stream::kOut ? out_ : err_).Append(shown);
  log_.Append(shown);
}

void ProgramRun::OnExit(ChildProcess::Exit exit) {
  Take(ChildProcess::Stream::kOut, out_redactor_.Finish());
  Take(ChildProcess::Stream::kErr, err_redactor_.Finish());
  timeout_.reset();
  Ended ended;
  ended.cpu_us = child_->cpu_us();
  child_.reset();
  ended.exit = exit;
  ended.timed_out = timed_out_;
  ended.out = out_.ToString();
  ended.out_truncated = out_.truncated();
  ended.errors = Tail(err_.ToString(), kErrorTailBytes);
  ended.log = TaskLog{log_.ToString(), log_.truncated()};
  auto report = std::move(ended_);
  report(std::move(ended));
}

std::string LastLine(std::string_view errors) {
  size_t end = errors.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return {};
  std::string_view line = errors.substr(0, end + 1);
  return std::string(Head(line.substr(line.rfind('\n') + 1), kMaxLineBytes));
}

std::string ShownExit(ChildProcess::Exit exit) {
  if (exit.signal != 0) return fmt::format("signal {} ({})", exit.signal, strsignal(exit.signal));
  if (exit.code == kUnknownExitCode) return "one that another part of the process took";
  return fmt::format("exit code {}", exit.code);
}

TaskFailure ExitFailure(const ProgramRun::Ended& ended) {
  int64_t code = ended.exit.code;
  int signal = ended.exit.signal;
  bool is_plain = signal == 0 && code != kUnknownExitCode;
  std::string found = is_plain ? fmt::format("{}", code) : ShownExit(ended.exit);
  if (std::string line = LastLine(ended.errors); !line.empty()) found += ": " + line;
  Object details;
  if (code != kUnknownExitCode)
    details.Set("exit_code", signal != 0 ? int64_t{128} + signal : code);
  if (signal != 0) details.Set("signal", int64_t{signal});
  details.Set("stderr", ended.errors);
  return TaskFailure{"exit", fmt::format("Expected exit code 0 but found {}", found), true,
                     Payload::FromValue(details)};
}

TaskFailure TimeoutFailure(std::string_view what, int64_t timeout_us, std::string_view errors) {
  return TaskFailure{"timeout",
                     fmt::format("Expected {} to end within {} s but it was still running", what,
                                 static_cast<double>(timeout_us) / 1e6),
                     true, Payload::FromValue(Object{{"stderr", Value(errors)}})};
}

}  // namespace stele::tasks
