// A program in a process group of its own, with its two output streams. Nothing of the group is
// left when the leader has exited: what it started in the background is killed then, and a
// descendant that has left the group and holds the streams open is not waited for.
//
// Its input is empty, or a pipe that is written to; the loop's thread takes no SIGPIPE then.
//
// When the engine itself is killed (SIGKILL), the kernel kills the leader, and in namespaces all
// that it started. What else the leader had started by then goes on.
//
// Thread: the loop's, and always the same: the leader dies with the thread that started it.
#pragma once

#include <uv.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tasks/confinement.h"
#include "engine/tasks/process_launch.h"
#include "engine/tasks/uv_handle.h"

namespace stele::tasks {

// As execve wants them, a null behind the last. Good as long as `texts` are.
std::vector<char*> PointersTo(std::vector<std::string>& texts);

// Of a program that another part of this process has waited for (a handler of SIGCHLD for one).
inline constexpr int64_t kUnknownExitCode = -1;

class ChildProcess {
 public:
  struct Spec {
    std::string program;                   // a path
    std::vector<std::string> arguments;    // without the program's name
    std::vector<std::string> environment;  // NAME=value, all of it
    std::string directory;
    bool takes_input = false;  // false: /dev/null
    Confinement confinement;
  };
  enum class Stream { kOut, kErr };
  struct Exit {
    int64_t code = 0;
    int signal = 0;  // 0: it exited by itself
  };
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void OnOutput(Stream stream, std::string_view bytes) = 0;
    // The last call. May destroy the process.
    virtual void OnExit(Exit exit) = 0;
  };

  // Errors are libuv's numbers; `failed` gets the step that failed. REQUIRES: `observer` outlives
  // the process.
  static std::expected<std::unique_ptr<ChildProcess>, int> Start(uv_loop_t* loop, const Spec& spec,
                                                                 Observer* observer,
                                                                 LaunchStep* failed = nullptr);
  // Kills the group, if it runs, and reaps its leader.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Processor time of the leader and of what it waited for, from OnExit on.
  int64_t cpu_us() const { return cpu_us_; }

  // SIGTERM to the group, SIGKILL when the leader is still there after `grace_us`. OnExit follows.
  void Stop(int64_t grace_us);

  // Bytes wait in memory until the program reads them; what it never reads is dropped with it.
  // REQUIRES: takes_input, and CloseInput was not called.
  void WriteInput(std::string bytes);
  size_t unread_input() const;
  // The program sees the end of its input behind what was written.
  void CloseInput();

 private:
  struct Output {
    ChildProcess* owner;
    Stream stream;
    UvHandle<uv_pipe_t> pipe;
  };

  ChildProcess(uv_loop_t* loop, Observer* observer) : loop_(loop), observer_(observer) {}
  int OpenOutput(Output& output, uv_file* write_end);
  int OpenInput(uv_file* read_end);
  void Drain(Output& output);
  int Execute(const Spec& spec, const uv_file (&ends)[3], LaunchStep& failed);
  int WatchExit();
  void OnLeaderExit();
  void SignalGroup(int signal);

  uv_loop_t* loop_;
  Observer* observer_;
  OwnedFile ended_file_;
  OwnedFile watch_file_;
  UvHandle<uv_poll_t> watch_;  // of watch_file_, and gone before it
  UvHandle<uv_timer_t> kill_timer_;
  UvHandle<uv_pipe_t> in_;
  Output out_{this, Stream::kOut, nullptr};
  Output err_{this, Stream::kErr, nullptr};
  int pid_ = 0;  // 0: not running
  int64_t cpu_us_ = 0;
};

}  // namespace stele::tasks
