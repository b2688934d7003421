// A worker: a program that does tasks for a Stele server. docs/workers.md shows a whole one.
//
//     stele::sdk::Worker worker({.address = "127.0.0.1:7421", .token = token, .name = "press-1"});
//     worker.Handle("resize", [](const stele::sdk::Task& task) -> stele::sdk::Result {
//       return R"({"size": 6})";
//     });
//     worker.Run();  // until somebody calls Stop
//
// A task may come more than once, with the same key: a worker that acts on the world should look
// whether it knows the key. What a handler gives back, and what it throws, is the task's outcome.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stele::sdk {

// Why a task failed.
struct Failure {
  std::string kind = "worker";  // what retry policies tell apart
  std::string message;
  bool retryable = true;  // false: no policy may try it again
  std::string details;    // JSON, an object; empty: none
};

// The output: JSON, an object; empty: {}.
using Result = std::expected<std::string, Failure>;

// A task that the worker holds. Copies are the same task. Any thread may use it.
class Task {
 public:
  struct State;
  explicit Task(std::shared_ptr<State> state) : state_(std::move(state)) {}

  const std::string& key() const;  // "42-7-1": instance, run, attempt
  const std::string& type() const;
  const std::string& definition() const;
  const std::string& step() const;
  uint64_t instance() const;
  uint32_t attempt() const;           // from 1
  const std::string& config() const;  // JSON, an object
  const std::string& input() const;   // JSON, an object
  // The attempt's `traceparent` (W3C Trace Context), for spans of the handler's own and for what it
  // calls; empty: the instance has no trace.
  const std::string& trace_parent() const;
  // When the step's timeout elapses, if it has one.
  std::optional<std::chrono::steady_clock::time_point> deadline() const;

  // Nobody wants the result any more: a long handler should look now and then, and return.
  bool cancelled() const;
  // How far it is; kept with the task when the worker is lost. The lease is renewed without it.
  void Heartbeat(std::string detail) const;
  // A text for the attempt's log.
  void Log(std::string text) const;

 private:
  std::shared_ptr<State> state_;
};

// Not called for a task that was cancelled while it waited for a thread.
using Handler = std::function<Result(const Task& task)>;
// Answers the task, from any thread; only the first call counts.
using Answer = std::function<void(Result result)>;
using AsyncHandler = std::function<void(Task task, Answer answer)>;

// Files in PEM; empty: none.
struct Tls {
  std::string ca_file;           // whom the server's certificate is signed by; none: the system's
  std::string certificate_file;  // the worker's own, and its key
  std::string key_file;
  std::string server_name;  // empty: the host of the address
};

struct WorkerOptions {
  std::string address = "127.0.0.1:7421";  // HOST:PORT, or unix:PATH
  std::string token;   // of the server, or an API key; empty: of a server that asks nobody (--dev)
  std::string name;    // what results are recorded under; empty: the token's
  uint32_t slots = 8;  // tasks at once
  double rate = 0;     // tasks a second at most, those of a second at once after a pause; 0: any
  // Threads that run handlers; none: as many as slots. 0: the one that called Run does, and the
  // handlers must not take long.
  std::optional<uint32_t> threads;
  // How long the server waits for a sign of life of a task before another worker gets it, 1 s to
  // 1 h; 0: as long as the connection lasts.
  std::chrono::milliseconds lease{30'000};
  // Between two attempts to connect: the first, and about twice as long each time up to the last.
  std::chrono::milliseconds first_retry{200};
  std::chrono::milliseconds last_retry{30'000};
  std::optional<Tls> tls;
  // Told on Run's thread when a connection is lost or cannot be made, and when it is there again.
  std::function<void(std::string_view what)> note;
};

class Worker {
 public:
  explicit Worker(WorkerOptions options);
  // REQUIRES: Run has returned.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Before Run. One handler a type.
  void Handle(std::string type, Handler handler);
  // For work that goes on elsewhere: it may return before it answers.
  void HandleAsync(std::string type, AsyncHandler handler);

  // Works until Stop, and connects anew whenever the connection is lost. The text: why it cannot
  // work at all, such as a token that the server refuses. Once. REQUIRES: no event loop of KJ's
  // runs on this thread.
  std::expected<void, std::string> Run();

  // No new tasks: Run returns when those that it has are answered. Any thread, any number of times,
  // also before Run.
  void Stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace stele::sdk
