#include "smtp_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stele::tasks {

// The Python that Debian's packages are for, whatever comes first on PATH.
constexpr const char* kPython = "/usr/bin/python3";

TestSmtpServer::TestSmtpServer(std::vector<std::string> options) {
  int to_server[2];
  int from_server[2];
  EXPECT_EQ(pipe2(to_server, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(from_server, O_CLOEXEC), 0);
  std::vector<std::string> words = {kPython, STELE_SOURCE_DIR "/tests/engine/tasks/smtp_server.py",
                                    directory_.path()};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_server[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from_server[1], STDOUT_FILENO);
  EXPECT_EQ(posix_spawn(&process_, kPython, &actions, nullptr, arguments.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(to_server[0]);
  close(from_server[1]);
  input_ = to_server[1];
  lines_ = fdopen(from_server[0], "r");
  Value started = Next();
  port_ = At(started, "port").as_int();
  if (At(started, "certificate").is_string()) certificate_ = At(started, "certificate").as_string();
}

TestSmtpServer::~TestSmtpServer() {
  close(input_);
  waitpid(process_, nullptr, 0);
  std::fclose(lines_);
}

std::string TestSmtpServer::Url(std::string_view scheme) const {
  return std::string(scheme) + "://127.0.0.1:" + std::to_string(port_);
}

Value TestSmtpServer::Next() {
  char* line = nullptr;
  size_t capacity = 0;
  ssize_t length = getline(&line, &capacity, lines_);
  EXPECT_GT(length, 0) << "the mail server ended (is python3-aiosmtpd installed?)";
  Value event = length > 0 ? Json(std::string_view(line, static_cast<size_t>(length))) : Value();
  std::free(line);
  return event;
}

}  // namespace stele::tasks
