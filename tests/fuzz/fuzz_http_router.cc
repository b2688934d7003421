// Any bytes as the target of a request: refused with a sentence, or segments and parameters that a
// router takes; what is accepted holds nothing that could mean something else further on.
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "server/http/query.h"
#include "server/http/router.h"

namespace stele::server::http {
namespace {

kj::Promise<Response> Nothing(Request&) {
  return NoContent();
}

const Router& Routes() {
  static const auto* router = []() {
    auto* made = new Router;
    for (const char* pattern :
         {"/", "/api/v1/instances", "/api/v1/instances/{id}", "/api/v1/instances/{id}/steps/{step}",
          "/api/{a}/{b}/search", "/console/{path*}"})
      made->Add(Method::kGet, pattern, Nothing);
    made->Add(Method::kPost, "/api/v1/instances", Nothing);
    return made;
  }();
  return *router;
}

void CheckText(std::string_view text) {
  CHECK(IsUtf8(text) && !text.contains('\0'));
}

void Try(std::string_view raw) {
  const Result<Target> target = ParseTarget(raw);
  if (!target.has_value()) {
    CHECK(target.error().message.starts_with("Expected "), "{}", target.error().message);
    CHECK(IsUtf8(target.error().message));
    return;
  }
  for (const std::string& segment : target->segments) {
    CheckText(segment);
    CHECK(!segment.empty() && segment != "." && segment != ".." && !segment.contains('/'));
  }
  for (const auto& [name, value] : target->query) {
    CheckText(name);
    CheckText(value);
  }
  for (const Method method : {Method::kGet, Method::kHead, Method::kPost, Method::kDelete}) {
    const auto matched = Routes().Match(method, *target);
    if (matched.has_value())
      CHECK(matched->params.size() == matched->route->parameters.size());
    else
      CHECK(!matched.error().error.message.empty());
  }
  const Query query(target->query);
  (void)query.AllowOnly({"limit", "all"});
  const auto number = query.Number("limit", -5, 5);
  if (number.has_value() && number->has_value()) CHECK(**number >= -5 && **number <= 5);
  (void)query.Bool("all");
}

}  // namespace
}  // namespace stele::server::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  stele::server::http::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
