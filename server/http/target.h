// The target of a request (RFC 9112 3.2) as decoded segments and query parameters. What could mean
// two things to two readers is refused: `..`, an encoded slash, control characters, bytes that are
// no UTF-8, empty segments within the path.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace stele::server::http {

struct Target {
  std::string path;                   // as sent, without the query; always begins with a slash
  std::vector<std::string> segments;  // decoded; none for "/"
  bool slash_at_end = false;          // "/a/": its segments are those of "/a"
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order, repetitions kept
};

// Accepts the origin form ("/path?query") and the absolute form ("http://host/path?query"), which a
// proxy may send. kBadRequest otherwise.
Result<Target> ParseTarget(std::string_view raw);

// %XX decoded, and with `plus_is_blank` "+" as in queries. kBadRequest when a percent sign is not
// followed by two hexadecimal digits. Looks at nothing else.
Result<std::string> PercentDecode(std::string_view text, bool plus_is_blank);

}  // namespace stele::server::http
