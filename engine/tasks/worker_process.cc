#include "engine/tasks/worker_process.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/json.h"
#include "engine/tasks/bounded_text.h"
#include "engine/tasks/program_run.h"

namespace stele::tasks {
namespace {

// A longer line on the error stream is left out.
constexpr size_t kMaxErrorLineBytes = 64u << 10;
constexpr std::string_view kOwnVariables = "STELE_";

// Of what is wrong with a line.
constexpr size_t kMaxRefusalBytes = 300;

}  // namespace

WorkerProcessOptions WorkerProcessOptions::ForCommand(std::string command,
                                                      std::vector<std::string> types) {
  WorkerProcessOptions options;
  options.name = fmt::format("{}", fmt::join(types, ","));
  options.types = std::move(types);
  options.program.program = "/bin/sh";
  options.program.arguments = {"-c", std::move(command)};
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!std::string_view(*variable).starts_with(kOwnVariables))
      options.program.environment.emplace_back(*variable);
  std::error_code ignored;
  options.program.directory = std::filesystem::current_path(ignored).string();
  return options;
}

WorkerProcess::WorkerProcess(uv_loop_t* loop, WorkerPool* pool, WorkerProcessOptions options)
    : loop_(loop),
      pool_(pool),
      options_(std::move(options)),
      lines_(options_.max_line_bytes),
      error_lines_(kMaxErrorLineBytes),
      redactor_({}) {
  options_.program.takes_input = true;
  options_.name = std::string(Head(options_.name, kMaxWorkerTextBytes));
  pool_->Expect(options_.types, true);
  expected_ = true;
  Start();
}

WorkerProcess::~WorkerProcess() {
  if (expected_) pool_->Expect(options_.types, false);
  if (worker_) pool_->Lose(worker_, "it was ended");
}

void WorkerProcess::Start() {
  timer_.reset();
  ++starts_;
  lines_ = LineBuffer(options_.max_line_bytes);
  error_lines_ = LineBuffer(kMaxErrorLineBytes);
  auto child = ChildProcess::Start(loop_, options_.program, this);
  if (!child.has_value())
    return Ended(fmt::format("it could not be started: {}", uv_strerror(child.error())));
  child_ = *std::move(child);
  worker_ = pool_->Join(
      {options_.name, options_.types, options_.slots, options_.lease_us, options_.start_us}, this);
}

void WorkerProcess::Ended(std::string_view how) {
  child_.reset();
  timer_.reset();
  held_.clear();
  overdue_.clear();
  secrets_.clear();
  redactor_ = Redactor({});
  if (worker_) pool_->Lose(std::exchange(worker_, WorkerId()), how);
  if (ended_) {
    const auto ended = std::exchange(ended_, nullptr);
    return ended();
  }
  if (options_.max_starts > 0 && starts_ >= options_.max_starts) {
    Note(fmt::format("{}; it was started {} times in vain and is given up", how, starts_));
    pool_->Expect(options_.types, false);
    expected_ = false;
    is_given_up_ = true;
    return AfterAWhile(0);  // perhaps the constructor is at work
  }
  int64_t wait_us = options_.restart_us;
  for (uint32_t i = 1; i < starts_ && wait_us < options_.max_restart_us; ++i) wait_us *= 2;
  wait_us = std::min(wait_us, options_.max_restart_us);
  Note(fmt::format("{}; it is started again in {} ms", how, wait_us / 1000));
  AfterAWhile(wait_us);
}

void WorkerProcess::End(std::function<void()> ended) {
  if (std::exchange(expected_, false)) pool_->Expect(options_.types, false);
  if (child_ == nullptr) {
    timer_.reset();
    return ended();
  }
  ended_ = std::move(ended);
  if (worker_) pool_->Leave(worker_);
  StopProgram();
}

// First its input ends, then it is asked by a signal, then it is killed.
void WorkerProcess::StopProgram() {
  if (child_ == nullptr || std::exchange(ending_, true)) return;
  child_->CloseInput();
  AfterAWhile(options_.input_grace_us);
}

void WorkerProcess::AfterAWhile(int64_t microseconds) {
  timer_ = MakeTimer(loop_, this);
  uv_timer_start(
      timer_.get(), [](uv_timer_t* timer) { static_cast<WorkerProcess*>(timer->data)->OnTimer(); },
      ToTimerMs(microseconds), 0);
}

void WorkerProcess::OnTimer() {
  timer_.reset();
  if (is_given_up_) {
    if (options_.on_given_up) options_.on_given_up();
    return;
  }
  if (child_ == nullptr) return Start();
  child_->Stop(options_.kill_grace_us);
}

void WorkerProcess::OnExit(ChildProcess::Exit exit) {
  // Its last words may complete a task; a program that is no more gets no other for that.
  ending_ = true;
  if (worker_) pool_->Leave(worker_);
  if (const std::string rest = lines_.TakeRest(); !rest.empty())
    TakeLine(rest, lines_.number() + 1);
  if (const std::string rest = error_lines_.TakeRest(); !rest.empty()) TakeErrors(rest);
  ending_ = false;
  Ended("it ended with " + ShownExit(exit));
}

// ---- What it is told ----

void WorkerProcess::Say(const Value& message) {
  if (child_ == nullptr || ending_) return;
  if (child_->unread_input() > options_.max_line_bytes) {
    Note("Expected it to read what it is told but found that it does not: it is ended");
    ending_ = true;
    if (worker_) pool_->Leave(worker_);
    child_->Stop(options_.kill_grace_us);
    return;
  }
  child_->WriteInput(ToJson(message) + "\n");
}

void WorkerProcess::OnTask(const WorkerTask& task) {
  held_.insert(task.lease);
  const size_t known = secrets_.size();
  secrets_.insert(task.secrets.begin(), task.secrets.end());
  if (secrets_.size() > known)
    redactor_ = Redactor(std::vector<std::string>(secrets_.begin(), secrets_.end()));
  Say(TaskMessage(task));
}

void WorkerProcess::OnCancel(LeaseId lease, std::string_view reason) {
  Say(CancelMessage(lease, reason));
}

void WorkerProcess::OnLeaseEnded(LeaseId lease, std::string_view reason) {
  if (held_.erase(lease) > 0) overdue_.insert(lease);
  Say(EndedMessage(lease, reason));
  if (overdue_.size() < options_.slots || ending_ || child_ == nullptr) return;
  Note(fmt::format("{}: it is ended", reason));
  ending_ = true;
  pool_->Leave(worker_);
  child_->Stop(options_.kill_grace_us);
}

// It said that it leaves, and has nothing any more.
void WorkerProcess::OnLeft() {
  worker_ = WorkerId();
  StopProgram();
}

// ---- What it says ----

void WorkerProcess::OnOutput(ChildProcess::Stream stream, std::string_view bytes) {
  LineBuffer& lines = stream == ChildProcess::Stream::kOut ? lines_ : error_lines_;
  std::string line;
  for (;;) {
    const LineBuffer::Found found = lines.Take(bytes, line);
    if (found == LineBuffer::Found::kNothing) return;
    if (stream == ChildProcess::Stream::kErr) {
      TakeErrors(found == LineBuffer::Found::kLine ? line : "(a line that is too long)");
    } else if (found == LineBuffer::Found::kLine) {
      TakeLine(line, lines.number());
    } else {
      Refuse(lines.number(),
             {ErrorCode::kLimitExceeded,
              fmt::format("Expected a line of at most {} bytes but found a longer one",
                          options_.max_line_bytes)});
    }
  }
}

void WorkerProcess::TakeLine(std::string_view line, size_t number) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  Result<WorkerMessage> message = ReadWorkerMessage(line);
  if (!message.has_value()) return Refuse(number, message.error());
  starts_ = 0;
  // Late answers are nothing out of the way: the worker is told, nobody else.
  if (const Status obeyed = Obey(*std::move(message)); !obeyed.has_value())
    Say(RefusedMessage(number, obeyed.error()));
}

void WorkerProcess::Refuse(size_t number, const Error& error) {
  const Error shown{error.code, Excerpt(redactor_, error.message, kMaxRefusalBytes)};
  Note(fmt::format("line {}: {}", number, shown.message));
  Say(RefusedMessage(number, shown));
}

Status WorkerProcess::Obey(WorkerMessage message) {
  if (std::holds_alternative<LeaveMessage>(message)) {
    if (worker_) pool_->Leave(worker_);
    return {};
  }
  if (auto* heartbeat = std::get_if<HeartbeatMessage>(&message))
    return pool_->Heartbeat(worker_, heartbeat->lease, heartbeat->detail);
  if (auto* complete = std::get_if<CompleteMessage>(&message)) {
    held_.erase(complete->lease);
    overdue_.erase(complete->lease);
    return pool_->Complete(worker_, complete->lease, std::move(complete->output), complete->log);
  }
  auto& fail = std::get<FailMessage>(message);
  held_.erase(fail.lease);
  overdue_.erase(fail.lease);
  return pool_->FailTask(worker_, fail.lease, std::move(fail.failure), fail.log);
}

void WorkerProcess::TakeErrors(std::string_view line) {
  const bool is_sole = held_.size() == 1 && overdue_.empty();
  const std::string text = redactor_.Text(line);
  if (is_sole && pool_->Log(worker_, *held_.begin(), text + "\n").has_value()) return;
  Note(text);
}

void WorkerProcess::Note(std::string_view sentence) const {
  if (options_.note) options_.note(fmt::format("worker \"{}\": {}", options_.name, sentence));
}

}  // namespace stele::tasks
