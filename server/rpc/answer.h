// From an operation's answer to that of a call.
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <type_traits>
#include <utility>

#include "server/operations/desk.h"
#include "server/rpc/errors.h"

namespace stele::server::rpc {

inline kj::Promise<void> Refuse(const Error& error) {
  return ToException(error);
}

// Calls fill(value), which writes the results or returns a Status that refuses after all.
template <class T, class Fill>
kj::Promise<void> Filled(Result<T>& result, Fill& fill) {
  if (!result.has_value()) return Refuse(result.error());
  if constexpr (std::is_void_v<std::invoke_result_t<Fill&, T&>>) {
    fill(*result);
  } else {
    if (const Status filled = fill(*result); !filled.has_value()) return Refuse(filled.error());
  }
  return kj::READY_NOW;
}

template <class T, class Fill>
kj::Promise<void> Answer(Result<T> result, Fill fill) {
  return Filled(result, fill);
}

template <class T, class Fill>
kj::Promise<void> Answer(Promised<T> promised, Fill fill) {
  return promised.then(
      [fill = std::move(fill)](Result<T> result) mutable { return Filled(result, fill); });
}

}  // namespace stele::server::rpc
