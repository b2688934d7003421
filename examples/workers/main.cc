// A worker in C++ that counts the words of a text, for examples/workers/words.yml.
//
//     count_words [ADDRESS]      the token, where the server asks for one, is in $STELE_TOKEN
//
// SIGINT and SIGTERM let it finish what it has.
#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>

#include "stele/worker.h"

namespace {

using stele::sdk::Failure;
using stele::sdk::Result;
using stele::sdk::Task;

// The text in {"text": "…"}. A program of your own would use a library for JSON.
Result TextOf(const std::string& config) {
  constexpr char kBefore[] = R"("text":")";
  const size_t begin = config.find(kBefore);
  const size_t end = config.rfind('"');
  if (begin == std::string::npos || end <= begin + sizeof(kBefore) - 2)
    return std::unexpected(Failure{.kind = "no_text",
                                   .message = "Expected a text to count but found none",
                                   .retryable = false});
  const size_t from = begin + sizeof(kBefore) - 1;
  return config.substr(from, end - from);
}

Result CountWords(const Task& task) {
  const Result text = TextOf(task.config());
  if (!text.has_value()) return text;
  std::istringstream words(*text);
  size_t count = 0;
  for (std::string word; words >> word && !task.cancelled();) ++count;
  task.Log("did " + task.key() + "\n");
  return R"({"words":)" + std::to_string(count) + "}";
}

}  // namespace

int main(int count, char** arguments) {
  // Before there are threads, so that this one alone takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  stele::sdk::WorkerOptions options{.name = "count-words"};
  if (count > 1) options.address = arguments[1];
  if (const char* token = std::getenv("STELE_TOKEN")) options.token = token;
  options.note = [](std::string_view what) { std::cerr << what << std::endl; };

  stele::sdk::Worker worker(options);
  worker.Handle("count_words", CountWords);
  std::thread stopping([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    worker.Stop();
  });
  const auto ended = worker.Run();
  if (!ended.has_value()) std::cerr << ended.error() << std::endl;
  pthread_kill(stopping.native_handle(), SIGTERM);  // it waits no longer
  stopping.join();
  return ended.has_value() ? 0 : 1;
}
