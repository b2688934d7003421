#include "engine/secrets/key_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "engine/secrets/private_file.h"

namespace stele::secrets {
namespace {

// Longer is no key; the rest is not read.
constexpr size_t kMaxOutputBytes = 4096;

std::unexpected<Error> CommandFailed(const std::string& found) {
  return Fail(ErrorCode::kMasterKey,
              fmt::format("Expected the command of the setting \"key_command\" to print the master "
                          "key but found that {}",
                          found));
}

// Both ends close themselves.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  ~Pipe() {
    for (const int end : ends)
      if (end >= 0) close(end);
  }
  void Close(size_t which) { close(std::exchange(ends[which], -1)); }
};

// Starts the command with `output` as its standard output.
Result<pid_t> Start(const std::string& command, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  std::string shell = "sh", flag = "-c", text = command;
  char* const arguments[] = {shell.data(), flag.data(), text.data(), nullptr};
  pid_t process = 0;
  const int failed = posix_spawn(&process, "/bin/sh", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return CommandFailed(std::string("it did not start: ") + std::strerror(failed));
  return process;
}

// REQUIRES: nobody writes to the pipe any more when its other ends are closed.
void ReadAll(int input, std::string* output) {
  char part[512];
  ssize_t count = 0;
  while (output->size() <= kMaxOutputBytes) {
    count = read(input, part, sizeof part);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    output->append(part, static_cast<size_t>(count));
  }
  std::memset(part, 0, sizeof part);
}

Result<SecretKey> FromCommand(const std::string& command) {
  Pipe pipe;
  if (pipe2(pipe.ends.data(), O_CLOEXEC) != 0)
    return CommandFailed(std::string("there was no pipe for it: ") + std::strerror(errno));
  const Result<pid_t> process = Start(command, pipe.ends[1]);
  if (!process) return std::unexpected(process.error());
  pipe.Close(1);
  std::string output;
  const WipeAtEnd wipe(output);
  output.reserve(2 * kMaxOutputBytes);  // so that no copy is left where it grew
  ReadAll(pipe.ends[0], &output);
  pipe.Close(0);
  int status = 0;
  while (waitpid(*process, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status))
    return CommandFailed(fmt::format("signal {} ended it", WTERMSIG(status)));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return CommandFailed(fmt::format("it ended with {}", WEXITSTATUS(status)));
  return SecretKey::Parse(output, "the output of the setting \"key_command\"");
}

Result<SecretKey> FromEnvironment(const std::string& name) {
  const char* text = std::getenv(name.c_str());
  if (text == nullptr || *text == '\0')
    return Fail(
        ErrorCode::kMasterKey,
        fmt::format("Expected the master key in the environment variable {} but found none", name));
  return SecretKey::Parse(text, "the environment variable " + name);
}

Result<SecretKey> Read(const KeySource& source) {
  if (!source.file.empty()) return SecretKey::ReadFile(source.file);
  if (!source.environment.empty()) return FromEnvironment(source.environment);
  return FromCommand(source.command);
}

}  // namespace

Result<SecretKey> ReadKey(const KeySource& source) {
  CHECK(!source.empty());
  Result<SecretKey> key = Read(source);
  // What the store of secrets calls its key.
  if (!key && key.error().code == ErrorCode::kSecretKey)
    return Fail(ErrorCode::kMasterKey, key.error().message);
  return key;
}

}  // namespace stele::secrets
