#include "cli/load/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

namespace stele::load {

namespace {

constexpr std::string_view kSaysAddress = "rpc at ";

std::vector<std::string> EnvironmentWithout(const std::vector<std::string>& left_out) {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (std::ranges::find(left_out, name) == left_out.end()) kept.emplace_back(text);
  }
  return kept;
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The number of a child whose output and errors come out of `reader`.
Result<pid_t> Launch(std::vector<std::string> words, std::vector<std::string> environment,
                     int& reader) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return Fail(ErrorCode::kIo, fmt::format("Expected a pipe but found: {}", std::strerror(errno)));
  const std::vector<char*> arguments = Pointers(words);
  const std::vector<char*> variables = Pointers(environment);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    // Of its own group: a Ctrl-C is for who measures, who then ends it in order.
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(EXIT_FAILURE);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    execve(arguments.front(), arguments.data(), variables.data());
    _exit(EXIT_FAILURE);
  }
  close(ends[1]);
  reader = ends[0];
  if (child > 0) return child;
  close(reader);
  return Fail(ErrorCode::kIo,
              fmt::format("Expected a process but found: {}", std::strerror(errno)));
}

// Lines up to the one with the address, which it returns; empty: they have ended.
std::string ReadAddress(int reader, std::string& said) {
  char bytes[512];
  for (;;) {
    const ssize_t got = read(reader, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return "";
    said.append(bytes, static_cast<size_t>(got));
    const size_t at = said.find(kSaysAddress);
    if (at == std::string::npos) continue;
    const size_t end = said.find('\n', at);
    if (end == std::string::npos) continue;
    const size_t begin = at + kSaysAddress.size();
    return said.substr(begin, end - begin);
  }
}

}  // namespace

Result<std::unique_ptr<ServerProcess>> ServerProcess::Start(
    const std::string& program, const std::string& data, const std::vector<std::string>& left_out) {
  int reader = -1;
  auto child = Launch({program, "serve", "--dev", "--data", data, "--rpc", "127.0.0.1:0"},
                      EnvironmentWithout(left_out), reader);
  if (!child.has_value()) return std::unexpected(child.error());
  std::unique_ptr<ServerProcess> server(new ServerProcess(*child));
  std::string said;
  server->address_ = ReadAddress(reader, said);
  close(reader);
  if (server->address_.empty())
    return Fail(ErrorCode::kUnreachable,
                fmt::format("Expected a server on {} but it ended, saying: {}", data, said));
  return server;
}

ServerProcess::~ServerProcess() {
  kill(id_, SIGTERM);
  int status = 0;
  while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace stele::load
