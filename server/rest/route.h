// One thing that can be asked over REST: what a request is, who may make it, what is answered, and
// who does it. The table of them (api.h) is what requests are routed and checked by, and what the
// OpenAPI document is written from: nothing else says what the interface is.
//
// Thread: built by one, then the loop's.
#pragma once

#include <kj/async.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "server/auth/roles.h"
#include "server/http/limits.h"
#include "server/http/request.h"
#include "server/http/response.h"
#include "server/rest/shape.h"

namespace stele::server::rest {

class Call;

// A query parameter, or a header. Those of the path are known by their names (open_api.cc).
struct Parameter {
  enum class Kind : uint8_t { kText, kTexts, kNumber, kFlag, kChoice, kHeader };
  Kind kind = Kind::kText;
  std::string name;
  std::string about;
  int64_t least = 0;  // of a number
  int64_t most = 0;
  std::vector<std::string> choices;
};

Parameter Text(std::string name, std::string about);
// May be given several times.
Parameter Texts(std::string name, std::string about);
Parameter Number(std::string name, int64_t least, int64_t most, std::string about);
Parameter Flag(std::string name, std::string about);
Parameter Choice(std::string name, std::vector<std::string> choices, std::string about);
Parameter Header(std::string name, std::string about);

struct Body {
  // Nothing is taken; an object, whose schema is the component; anything, which the handler reads.
  enum class Kind : uint8_t { kNone, kObject, kRaw } kind = Kind::kNone;
  std::string component;
  std::vector<std::string> media = {"application/json"};  // for the document, of kRaw
};
inline Body ObjectOf(std::string component) {
  return {.kind = Body::Kind::kObject, .component = std::move(component)};
}
inline Body Raw(std::vector<std::string> media) {
  return {.kind = Body::Kind::kRaw, .component = {}, .media = std::move(media)};
}

struct Answer {
  int status = 200;
  std::string about;
  std::string type;  // in the notation of shape.h; empty: no JSON
  std::string media = "application/json";
};

// Refusals may come as problems, with any status. REQUIRES of the call: it lives until the promise
// is done.
using Handle = std::function<kj::Promise<http::Response>(const Call&)>;

struct Route {
  http::Method method = http::Method::kGet;
  std::string pattern;  // behind kPrefix, unless it is `outside`
  std::string id;       // "startInstance"
  std::string summary;
  // What the caller must be allowed; nothing: whoever has a name. What is about a definition is
  // asked again, with its name, by the operation.
  std::optional<Permission> permission;
  std::vector<Parameter> parameters = {};
  Body body = {};
  std::vector<Answer> answers = {};
  Handle handle;

  bool anybody = false;            // nobody is asked for a name
  bool always = false;             // RouteOptions::always
  bool outside = false;            // its pattern is the whole path
  bool waits = false;              // may take long: the credential must count at its end, too
  bool with_old_password = false;  // also for who must change the password first
  size_t max_body = http::kMaxBodyBytes;
};

inline constexpr std::string_view kPrefix = "/api/v1";
std::string PathOf(const Route& route);

// What belongs together: routes, and the shapes that they speak of.
struct Resource {
  std::string name;  // "instances"
  std::string about;
  std::vector<Route> routes;
  std::vector<Component> components;
};

}  // namespace stele::server::rest
