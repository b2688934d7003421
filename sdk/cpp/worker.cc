#include "stele/worker.h"

#include <uv.h>

#include <utility>

#include "sdk/cpp/serving.h"

namespace stele::sdk {

struct Worker::Parts {
  WorkerOptions options;
  Handlers handlers;
  std::shared_ptr<Outbox> outbox = std::make_shared<Outbox>();
};

Worker::Worker(WorkerOptions options) : parts_(std::make_unique<Parts>()) {
  parts_->options = std::move(options);
}

Worker::~Worker() = default;

void Worker::Handle(std::string type, Handler handler) {
  HandleAsync(std::move(type),
              [handler = std::move(handler)](const Task& task, const Answer& answer) {
                answer(handler(task));
              });
}

void Worker::HandleAsync(std::string type, AsyncHandler handler) {
  parts_->handlers.insert_or_assign(std::move(type), std::move(handler));
}

void Worker::Stop() {
  parts_->outbox->Say(StopAsked{});
}

std::expected<void, std::string> Worker::Run() {
  if (parts_->handlers.empty())
    return std::unexpected("Expected a worker with a handler but found none");
  uv_loop_t uv;
  if (const int fault = uv_loop_init(&uv); fault != 0)
    return std::unexpected(std::string("Expected an event loop but found: ") + uv_strerror(fault));
  Ended ended = std::unexpected("the loop has ended before the worker");
  {
    server::KjLoop loop(&uv);
    // Handlers on other threads wake it.
    const server::KjLoop::KeepAlive keep(loop);
    HandlerThreads threads(parts_->options.threads.value_or(parts_->options.slots));
    Serving serving(loop, parts_->options, parts_->handlers, threads, parts_->outbox);
    bool over = false;
    const auto served = serving.Serve()
                            .then([&](Ended how) { ended = std::move(how); },
                                  [&](kj::Exception&& fault) {
                                    ended = std::unexpected(fault.getDescription().cStr());
                                  })
                            .then([&] { over = true; })
                            .eagerlyEvaluate(nullptr);
    while (!over) uv_run(&uv, UV_RUN_ONCE);
  }
  uv_run(&uv, UV_RUN_DEFAULT);
  uv_loop_close(&uv);
  return ended;
}

}  // namespace stele::sdk
