// A script in the place of docker, podman or kubectl: it notes what it was called with, then does
// what the test says. Calls are kept by their first argument, the verb.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tasks/program_run.h"
#include "task_harness.h"

namespace stele::tasks {

class Programs : public testing::Test {
 protected:
  Programs() {
    signal(SIGPIPE, SIG_DFL);  // nobody else sees to it
    for (const char* name : {"bin", "notes", "base", "scratch"}) {
      std::filesystem::create_directory(place_.path() + "/" + name);
    }
    options_.base_directory = place_.path() + "/base";
    options_.scratch_root = place_.path() + "/scratch";
    options_.environment = {{"PATH", place_.path() + "/bin"}, {"HOME", place_.path()}};
  }

  void Install(const std::string& name) {
    std::string notes = place_.path() + "/notes";
    place_.Write("bin/" + name, "#!/bin/bash\nPATH=/usr/bin:/bin\nnotes='" + notes + R"('
env -0 > "$notes/$1.environment"
echo "${0##*/}" > "$notes/$1.program"
if [ ! -e "$notes/deaf" ]; then cat > "$notes/$1.input"; fi
echo $$ > "$notes/$1.pid"
printf '%s\n' "$@" > "$notes/$1.writing"
mv "$notes/$1.writing" "$notes/$1.arguments"
# Where the attempt's shared directory is, for a container's script.
for argument in "$@"; do
  case "$argument" in --volume=*:/stele:z) shared="${argument#--volume=}"; shared="${shared%:/stele:z}" ;; esac
done
if [ -e "$notes/$1.do" ]; then . "$notes/$1.do"; fi
)");
    std::filesystem::permissions(place_.path() + "/bin/" + name, std::filesystem::perms::owner_all);
  }
  // What it does when it is called with this verb: a text for bash.
  void Do(std::string_view verb, std::string_view script) {
    place_.Write("notes/" + std::string(verb) + ".do", script);
  }
  // It does not read its input.
  void BeDeaf() { place_.Write("notes/deaf", ""); }

  bool WasCalled(std::string_view verb) const {
    return std::filesystem::exists(place_.path() + "/notes/" + std::string(verb) + ".arguments");
  }
  std::string Noted(std::string_view verb, std::string_view what) const {
    return place_.Read("notes/" + std::string(verb) + "." + std::string(what));
  }
  std::vector<std::string> Arguments(std::string_view verb) const {
    std::istringstream lines(Noted(verb, "arguments"));
    std::vector<std::string> arguments;
    for (std::string line; std::getline(lines, line);) arguments.push_back(line);
    return arguments;
  }
  std::vector<std::string> Environment(std::string_view verb) const {
    std::istringstream texts(Noted(verb, "environment"));
    std::vector<std::string> variables;
    for (std::string text; std::getline(texts, text, '\0');) variables.push_back(text);
    return variables;
  }
  // The process of the call runs no more, or was ended before it said who it is.
  bool IsGone(std::string_view verb) const {
    std::string pid = Noted(verb, "pid");
    if (!pid.ends_with('\n')) return true;
    std::ifstream file("/proc/" + pid.substr(0, pid.size() - 1) + "/stat");
    std::string stat(std::istreambuf_iterator<char>(file), {});
    return stat.empty() || stat.substr(stat.rfind(')') + 2, 1) == "Z";
  }
  bool ScratchIsEmpty() const { return std::filesystem::is_empty(options_.scratch_root); }

  // Cancels the attempt when the call of `verb` runs, and waits until it has stopped.
  void CancelWhenCalled(TaskExecutor& executor, TaskRequest request, std::string_view verb) {
    AttemptKey key = request.key;
    executor.Start(std::move(request),
                   [](TaskResult) { ADD_FAILURE() << "a cancelled attempt answered"; });
    loop_.RunUntil([&] { return WasCalled(verb); });
    bool stopped = false;
    executor.Cancel(key, [&stopped] { stopped = true; });
    loop_.RunUntil([&stopped] { return stopped; });
    EXPECT_TRUE(IsGone(verb));
  }

  TemporaryDirectory place_;
  ProgramOptions options_;
  TestLoop loop_;
};

// The PATH of this process, for tests of the real programs.
inline std::string RealPath() {
  const char* path = std::getenv("PATH");
  return path == nullptr ? "/usr/bin:/bin" : path;
}

}  // namespace stele::tasks
