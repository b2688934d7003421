// A uv loop with KJ's inside, and what tests drive it with. Its end checks that every handle was
// let go of.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <kj/async-io.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "server/loop/kj_loop.h"
#include "server/loop/stream.h"

namespace stele::server {

class LoopWorld {
 public:
  LoopWorld() {
    uv_loop_init(&uv_);
    uv_timer_init(&uv_, &glance_);
    uv_unref(reinterpret_cast<uv_handle_t*>(&glance_));
    kj_.emplace(&uv_);
  }
  LoopWorld(const LoopWorld&) = delete;
  LoopWorld& operator=(const LoopWorld&) = delete;
  ~LoopWorld() {
    kj_.reset();
    uv_close(reinterpret_cast<uv_handle_t*>(&glance_), nullptr);
    uv_run(&uv_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&uv_), 0) << "a handle was not let go of";
  }

  KjLoop& loop() { return *kj_; }
  uv_loop_t* uv() { return &uv_; }

  // Turns until `done`; throws when nothing is left that could bring it about.
  void Until(const std::function<bool()>& done) {
    // A turn runs timers and then sleeps: what a timer has brought about would not be seen when
    // nothing else is to come.
    uv_timer_start(&glance_, [](uv_timer_t*) {}, kGlanceMs, kGlanceMs);
    while (!done())
      if (uv_run(&uv_, UV_RUN_ONCE) == 0 && !done())
        throw std::runtime_error("the loop has nothing left to wait for");
    uv_timer_stop(&glance_);
  }

  template <class T>
  T Await(kj::Promise<T> promise) {
    std::optional<T> value;
    std::optional<kj::Exception> fault;
    auto task = promise
                    .then([&](T&& got) { value.emplace(kj::mv(got)); },
                          [&](kj::Exception&& why) { fault.emplace(kj::mv(why)); })
                    .eagerlyEvaluate(nullptr);
    Until([&] { return value || fault; });
    if (fault) kj::throwFatalException(kj::mv(*fault));
    return *std::move(value);
  }
  void Await(kj::Promise<void> promise) {
    Await(promise.then([] { return true; }));
  }
  // The exception that `promise` fails with; none if it is kept.
  template <class T>
  std::optional<kj::Exception> FaultOf(kj::Promise<T> promise) {
    std::optional<kj::Exception> fault;
    bool kept = false;
    auto task =
        Ignored(kj::mv(promise))
            .then([&] { kept = true; }, [&](kj::Exception&& why) { fault.emplace(kj::mv(why)); })
            .eagerlyEvaluate(nullptr);
    Until([&] { return kept || fault; });
    return fault;
  }
  template <class T>
  bool IsDisconnected(kj::Promise<T> promise) {
    auto fault = FaultOf(kj::mv(promise));
    return fault && fault->getType() == kj::Exception::Type::DISCONNECTED;
  }
  // Turns of the loop that do not sleep: what is possible without time passing has happened.
  void Settle(int turns = 20) {
    for (int i = 0; i < turns; ++i) uv_run(&uv_, UV_RUN_NOWAIT);
  }

  // Two ends of a connection of Unix sockets.
  std::pair<kj::Own<kj::AsyncIoStream>, kj::Own<kj::AsyncIoStream>> Pair() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
      throw std::runtime_error("socketpair");
    return {WrapSocket(loop(), fds[0]).value(), WrapSocket(loop(), fds[1]).value()};
  }

 private:
  static kj::Promise<void> Ignored(kj::Promise<void> promise) { return promise; }
  template <class T>
  static kj::Promise<void> Ignored(kj::Promise<T> promise) {
    return promise.ignoreResult();
  }

  static constexpr uint64_t kGlanceMs = 50;

  uv_loop_t uv_;
  uv_timer_t glance_;  // keeps no loop alive
  std::optional<KjLoop> kj_;
};

// A folder of its own, removed with it.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "stele-loop-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline kj::ArrayPtr<const kj::byte> Bytes(const std::string& text) {
  return kj::arrayPtr(reinterpret_cast<const kj::byte*>(text.data()), text.size());
}

inline kj::Promise<void> WriteText(kj::AsyncOutputStream& to, const std::string& text) {
  auto copy = kj::heapArray<kj::byte>(Bytes(text));
  auto promise = to.write(copy.begin(), copy.size());
  return promise.attach(kj::mv(copy));
}

// Bytes that differ from place to place, so that lost or swapped ones are seen.
inline std::string Noise(size_t size) {
  std::string text(size, '\0');
  uint32_t state = 1;
  for (char& c : text) {
    state = state * 1664525u + 1013904223u;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

}  // namespace stele::server
