// One run of a program to its end: what it is given to read, its streams without secrets and within
// bounds, its time limit. Used by the tasks that hand their work to a program: script,
// container, kubernetes.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/tasks/bounded_text.h"
#include "engine/tasks/child_process.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/limits.h"
#include "engine/tasks/redactor.h"

namespace stele::tasks {

// What such a task type is told by main.
struct ProgramOptions {
  // Where `stele` was called: programs run there, relative paths start from there.
  std::string base_directory = ".";
  // Where files that a configuration names are looked for after base_directory; the definition's
  // directory belongs here.
  std::vector<std::string> search_directories;
  // Where attempts get their directories. A killed engine leaves them there.
  std::string scratch_root = "/tmp";
  // All that programs see of the engine's own environment.
  std::vector<std::pair<std::string, std::string>> environment = {
      {"PATH", "/usr/local/bin:/usr/bin:/bin"}};

  int64_t kill_grace_us = kKillGraceUs;
  size_t max_stream_bytes = kMaxStreamBytes;
  size_t max_log_bytes = kMaxLogBytes;
  size_t max_outputs_bytes = kMaxOutputsFileBytes;

  std::string_view path() const;
  // The environment as NAME=value.
  std::vector<std::string> EnvironmentList() const;
  // With PATH, HOME, LANG and `names` of this process, and its TMPDIR as the scratch root.
  static ProgramOptions FromProcess(std::string base_directory,
                                    const std::vector<std::string_view>& names);
};

class ProgramRun final : public ChildProcess::Observer {
 public:
  struct Ended {
    ChildProcess::Exit exit;
    bool timed_out = false;
    std::string out;  // its middle may be missing
    bool out_truncated = false;
    std::string errors;  // the end of the error stream
    TaskLog log;
    int64_t cpu_us = 0;  // processor time of the program and of what it waited for
  };

  // REQUIRES: the options and the redactor outlive this.
  ProgramRun(uv_loop_t* loop, const ProgramOptions& options, const Redactor& redactor);

  // Why nothing was started.
  struct LaunchFault {
    LaunchStep step = LaunchStep::kStart;
    const char* reason = "";
  };

  // A failure ("spawn") when nothing was started; `ended` is then not called. It may destroy this.
  // `input` is what the program reads, absent: nothing. A timeout of 0 is none.
  std::optional<TaskFailure> Start(ChildProcess::Spec spec, std::optional<std::string> input,
                                   int64_t timeout_us, std::function<void(Ended)> ended,
                                   LaunchFault* fault = nullptr);
  // SIGTERM, later SIGKILL; `ended` follows. Nothing when it has ended.
  void Stop() {
    if (child_ != nullptr) child_->Stop(options_.kill_grace_us);
  }

  void OnOutput(ChildProcess::Stream stream, std::string_view bytes) override;
  void OnExit(ChildProcess::Exit exit) override;

 private:
  void Take(ChildProcess::Stream stream, const std::string& shown);

  uv_loop_t* loop_;
  const ProgramOptions& options_;
  StreamRedactor out_redactor_;
  StreamRedactor err_redactor_;
  BoundedText out_;
  BoundedText err_;
  BoundedText log_;
  std::function<void(Ended)> ended_;
  UvHandle<uv_timer_t> timeout_;
  bool timed_out_ = false;
  // Last, so that it is gone before what it reports to.
  std::unique_ptr<ChildProcess> child_;
};

// The last line of `errors`, shortened for a sentence. Empty when there is none.
std::string LastLine(std::string_view errors);

// "signal 9 (Killed)", "exit code 3", or that nobody knows.
std::string ShownExit(ChildProcess::Exit exit);

// "exit": Expected exit code 0 but found 3: no such thing. Details: exit_code, signal, stderr.
TaskFailure ExitFailure(const ProgramRun::Ended& ended);

// "timeout": Expected `what` to end within …
TaskFailure TimeoutFailure(std::string_view what, int64_t timeout_us, std::string_view errors);

}  // namespace stele::tasks
