#include "engine/tasks/child_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "engine/tasks/broken_pipe.h"

namespace stele::tasks {
namespace {

// What a pipe can hold when its reader comes for the last time (Linux: 1 MiB at most for a user).
constexpr size_t kMaxPipeBytes = 1u << 20;
constexpr size_t kReadBytes = 64u << 10;

struct PendingWrite {
  uv_write_t request;
  std::string bytes;
};

}  // namespace

std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::expected<std::unique_ptr<ChildProcess>, int> ChildProcess::Start(uv_loop_t* loop,
                                                                      const Spec& spec,
                                                                      Observer* observer,
                                                                      LaunchStep* failed) {
  if (spec.takes_input) BlockBrokenPipeSignal();
  std::unique_ptr<ChildProcess> child(new ChildProcess(loop, observer));
  uv_file ends[3] = {-1, -1, -1};
  LaunchStep step = LaunchStep::kStart;
  int status = spec.takes_input ? child->OpenInput(&ends[0]) : 0;
  if (status == 0) status = child->OpenOutput(child->out_, &ends[1]);
  if (status == 0) status = child->OpenOutput(child->err_, &ends[2]);
  if (status == 0) status = child->Execute(spec, ends, step);
  for (uv_file end : ends) {
    if (end >= 0) close(end);
  }
  if (status == 0) status = child->WatchExit();
  if (failed != nullptr) *failed = step;
  if (status != 0) return std::unexpected(status);
  return child;
}

int ChildProcess::Execute(const Spec& spec, const uv_file (&ends)[3], LaunchStep& failed) {
  std::vector<std::string> arguments = spec.arguments;
  arguments.insert(arguments.begin(), spec.program);
  std::vector<std::string> environment = spec.environment;
  std::vector<char*> argument_pointers = PointersTo(arguments);
  std::vector<char*> environment_pointers = PointersTo(environment);
  auto launched = StartProcess({.program = spec.program.c_str(),
                                .arguments = argument_pointers.data(),
                                .environment = environment_pointers.data(),
                                .directory = spec.directory.c_str(),
                                .streams = {ends[0], ends[1], ends[2]},
                                .confinement = &spec.confinement});
  if (!launched) {
    failed = launched.error().step;
    return uv_translate_sys_error(launched.error().error);
  }
  pid_ = launched->pid;
  watch_file_ = std::move(launched->watch);
  ended_file_ = std::move(launched->ended);
  return 0;
}

int ChildProcess::WatchExit() {
  auto* watch = new uv_poll_t;
  int status = uv_poll_init(loop_, watch, watch_file_.get());
  if (status != 0) {
    delete watch;
    return status;
  }
  watch->data = this;
  watch_.reset(watch);
  return uv_poll_start(watch, UV_READABLE, [](uv_poll_t* handle, int, int) {
    auto* self = static_cast<ChildProcess*>(handle->data);
    if (self != nullptr) self->OnLeaderExit();
  });
}

// Pipes, not the socket pairs that libuv would make: a script may open /dev/stderr.
int ChildProcess::OpenOutput(Output& output, uv_file* write_end) {
  uv_file ends[2];
  int status = uv_pipe(ends, UV_NONBLOCK_PIPE, 0);
  if (status != 0) return status;
  *write_end = ends[1];
  auto* pipe = new uv_pipe_t;
  uv_pipe_init(loop_, pipe, 0);
  pipe->data = &output;
  output.pipe.reset(pipe);
  status = uv_pipe_open(pipe, ends[0]);
  if (status != 0) {
    close(ends[0]);
    return status;
  }
  return uv_read_start(
      reinterpret_cast<uv_stream_t*>(pipe),
      [](uv_handle_t*, size_t, uv_buf_t* buffer) {
        *buffer = uv_buf_init(new char[kReadBytes], kReadBytes);
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
        std::unique_ptr<char[]> memory(buffer->base);
        auto* from = static_cast<Output*>(stream->data);
        if (from == nullptr || count == 0) return;
        if (count < 0) {
          uv_read_stop(stream);
          return;
        }
        from->owner->observer_->OnOutput(
            from->stream, std::string_view(memory.get(), static_cast<size_t>(count)));
      });
}

int ChildProcess::OpenInput(uv_file* read_end) {
  uv_file ends[2];
  int status = uv_pipe(ends, 0, UV_NONBLOCK_PIPE);
  if (status != 0) return status;
  *read_end = ends[0];
  auto* pipe = new uv_pipe_t;
  uv_pipe_init(loop_, pipe, 0);
  pipe->data = this;
  in_.reset(pipe);
  status = uv_pipe_open(pipe, ends[1]);
  if (status != 0) close(ends[1]);
  return status;
}

void ChildProcess::WriteInput(std::string bytes) {
  if (in_ == nullptr) return;  // the program has ended
  auto* write = new PendingWrite{{}, std::move(bytes)};
  write->request.data = write;
  uv_buf_t buffer = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  // A program that does not read to the end may have its reasons: its exit tells.
  auto written = [](uv_write_t* request, int) { delete static_cast<PendingWrite*>(request->data); };
  if (uv_write(&write->request, reinterpret_cast<uv_stream_t*>(in_.get()), &buffer, 1, written) !=
      0) {
    delete write;
  }
}

size_t ChildProcess::unread_input() const {
  return in_ == nullptr ? 0
                        : uv_stream_get_write_queue_size(reinterpret_cast<uv_stream_t*>(in_.get()));
}

void ChildProcess::CloseInput() {
  if (in_ == nullptr) return;
  if (unread_input() == 0) {
    in_.reset();
    return;
  }
  // The pipe is closed when the last write has ended, or with the process.
  auto* shutdown = new uv_shutdown_t;
  auto ended = [](uv_shutdown_t* request, int) {
    auto* self = static_cast<ChildProcess*>(request->handle->data);
    if (self != nullptr) self->in_.reset();
    delete request;
  };
  if (uv_shutdown(shutdown, reinterpret_cast<uv_stream_t*>(in_.get()), ended) != 0) {
    delete shutdown;
    in_.reset();
  }
}

ChildProcess::~ChildProcess() {
  if (pid_ == 0) return;
  SignalGroup(SIGKILL);
  // SIGKILL cannot be put off, so this does not wait for long.
  Reap(pid_, true);
}

void ChildProcess::Stop(int64_t grace_us) {
  if (pid_ == 0) return;
  SignalGroup(SIGTERM);
  SignalGroup(SIGCONT);  // one that is stopped gets to see the SIGTERM
  if (kill_timer_ == nullptr) kill_timer_ = MakeTimer(loop_, this);
  uv_timer_start(
      kill_timer_.get(),
      [](uv_timer_t* timer) { static_cast<ChildProcess*>(timer->data)->SignalGroup(SIGKILL); },
      ToTimerMs(grace_us), 0);
}

void ChildProcess::SignalGroup(int signal) {
  if (pid_ != 0) kill(-pid_, signal);
}

void ChildProcess::OnLeaderExit() {
  // Before its number is free again.
  SignalGroup(SIGKILL);
  const Reaped reaped = Reap(pid_, false);
  if (reaped.state == Reaped::State::kRuns) return;
  const std::optional<ProcessEnd> inside = ReadEnd(ended_file_);
  const ProcessEnd end = inside.value_or(reaped.end);
  pid_ = 0;
  watch_.reset();
  kill_timer_.reset();
  in_.reset();
  Drain(out_);
  Drain(err_);
  cpu_us_ = end.cpu_us;
  Exit exit;
  if (!inside && reaped.state == Reaped::State::kElsewhere) {
    exit.code = kUnknownExitCode;
  } else if (WIFSIGNALED(end.status)) {
    exit.signal = WTERMSIG(end.status);
  } else {
    exit.code = WEXITSTATUS(end.status);
  }
  observer_->OnExit(exit);
}

// What the leader wrote is in the pipe by now; a descendant that keeps the pipe open could hold
// back its end for ever, so the end is not waited for.
void ChildProcess::Drain(Output& output) {
  uv_read_stop(reinterpret_cast<uv_stream_t*>(output.pipe.get()));
  uv_os_fd_t file = -1;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(output.pipe.get()), &file) == 0) {
    std::unique_ptr<char[]> buffer(new char[kReadBytes]);
    for (size_t total = 0; total < kMaxPipeBytes;) {
      ssize_t count = read(file, buffer.get(), kReadBytes);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      total += static_cast<size_t>(count);
      observer_->OnOutput(output.stream,
                          std::string_view(buffer.get(), static_cast<size_t>(count)));
    }
  }
  output.pipe.reset();
}

}  // namespace stele::tasks
