// Workers of a server, each with a connection and a thread of its own, that do the tasks of a
// measurement at once.
//
// Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/error.h"
#include "cli/load/clients.h"

namespace stele::sdk {
class Worker;
}

namespace stele::load {

class Workers {
 public:
  // `failed` is called on a worker's thread when it cannot work at all.
  Workers(const ServerAddress& server, size_t count, uint32_t slots,
          std::function<void(const Error&)> failed);
  // Has them end, and waits for that.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

 private:
  std::vector<std::unique_ptr<sdk::Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace stele::load
