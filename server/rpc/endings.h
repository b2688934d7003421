// Where a promise goes that is over but may not end where that is found out: inside itself, or
// inside a call of what its end calls in turn. It ends in a turn of its own, and whatever that
// takes along, the sets that other promises run in included, is not being run then.
//
// Owner: the server; it outlives its connections. Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <vector>

namespace stele::server::rpc {

class Endings final : private kj::TaskSet::ErrorHandler {
 public:
  Endings() = default;
  // What is left ends now, with what its end adds.
  ~Endings() noexcept(false) { EndAll(); }
  Endings(const Endings&) = delete;
  Endings& operator=(const Endings&) = delete;

  void Add(kj::Promise<void> over);

 private:
  void EndAll();
  // A connection that can no more be told of an end is its client's affair.
  void taskFailed(kj::Exception&&) override {}

  std::vector<kj::Promise<void>> over_;
  kj::TaskSet turns_{*this};
};

}  // namespace stele::server::rpc
