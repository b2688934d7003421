#include "server/rpc/endings.h"

#include <utility>

namespace stele::server::rpc {

void Endings::Add(kj::Promise<void> over) {
  over_.push_back(kj::mv(over));
  if (over_.size() == 1) turns_.add(kj::evalLater([this] { EndAll(); }));
}

void Endings::EndAll() {
  while (!over_.empty()) const auto ended = std::exchange(over_, {});
}

}  // namespace stele::server::rpc
