// Which handler a request is for. Patterns are literal segments and parameters:
// "/api/v1/instances/{id}/steps/{step}"; a last segment "{path*}" takes the whole rest, which may
// be empty. A literal beats a parameter, a parameter beats a rest. A path with a slash at its end
// is another path, and none of ours.
//
// Thread: built by one, then read by any.
#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/limits.h"
#include "server/http/request.h"
#include "server/http/response.h"
#include "server/http/target.h"

namespace stele::server::http {

// The request lives until the response has been sent. An exception is answered by 500.
using Handler = std::function<kj::Promise<Response>(Request&)>;

// Asked of the head, before any of the body is read or asked for: what to answer at once, or
// nothing. What it finds out it may leave in `admitted`.
using Admit = std::function<std::optional<Response>(Request& head)>;

struct RouteOptions {
  Admit admit = nullptr;  // null: everybody may send a body
  // Answered however many requests are in progress, and none of those: what says whether the server
  // is well.
  bool always = false;
  size_t max_body = kMaxBodyBytes;
  // Answers WebSocket handshakes alone; a plain GET gets 426.
  bool web_socket = false;
  // What the route is called in the OpenAPI document.
  std::string operation;
};

struct Route {
  Method method;
  std::string pattern;
  std::vector<std::string> parameters;  // of the pattern, in order
  Handler handler;
  RouteOptions options;
};

class Router {
 public:
  struct Matched {
    const Route* route;
    std::map<std::string, std::string> params;
  };
  struct Unmatched {
    Error error;
    std::vector<Method> allowed;  // at that path; none when nothing is there
  };

  Router();
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // REQUIRES: a well-formed pattern, and no other route of that method and shape.
  void Add(Method method, std::string_view pattern, Handler handler, RouteOptions options = {});

  // A GET route answers HEAD, too. kUnknownRoute, with the path that was probably meant, or
  // kWrongMethod.
  std::expected<Matched, Unmatched> Match(Method method, const Target& target) const;

  // In the order in which they were added.
  const std::deque<Route>& routes() const { return routes_; }

 private:
  struct Node;

  const Node* Find(const Target& target, std::vector<std::string>& taken) const;
  std::string NearestPath(const Target& target) const;

  std::unique_ptr<Node> root_;
  std::deque<Route> routes_;  // a deque: nodes point into it
};

}  // namespace stele::server::http
