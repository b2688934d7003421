// Text as the native interface takes it; clients use it, too.
//
// Thread: any.
#pragma once

#include <capnp/blob.h>

#include <string>

namespace stele::server::rpc {

// As it is, whatever bytes it has. It is read until the call has taken it.
inline capnp::Text::Reader TextOf(const std::string& text) {
  return {text.c_str(), text.size()};
}

}  // namespace stele::server::rpc
