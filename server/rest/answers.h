// What handlers answer with.
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "server/http/response.h"
#include "server/operations/desk.h"
#include "server/rest/shape.h"

namespace stele::server::rest {

// Problems, and the answer to whatever changes something.
std::vector<Component> SharedComponents();

inline kj::Promise<http::Response> Refuse(const Error& error) {
  return http::Problem(error);
}

// What `show` makes of the answer, or the problem.
template <class T, class Show>
kj::Promise<http::Response> Reply(Promised<T> promise, Show show) {
  return promise.then([show = std::move(show)](Result<T> answer) -> http::Response {
    if (!answer.has_value()) return http::Problem(answer.error());
    return show(*answer);
  });
}
template <class T, class Show>
kj::Promise<http::Response> ReplyNow(const Result<T>& answer, Show show) {
  if (!answer.has_value()) return http::Problem(answer.error());
  return show(*answer);
}

// 200 with what ToJson makes of it.
struct AsJson {
  template <class T>
  http::Response operator()(const T& answer) const {
    return http::Json(200, ToJson(answer));
  }
};

// {"position", NAME: rows, "next"}; `next` empty: null.
Object PageOf(Position position, std::string_view name, Array rows, const std::string& next);

inline Value Whole(uint64_t number) {
  return static_cast<int64_t>(number);
}

}  // namespace stele::server::rest
