#include "engine/tasks/http_redirect.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <span>

#include "engine/tasks/curl_parts.h"

namespace stele::tasks {
namespace {

// The same for every server.
constexpr const char* kOrdinaryHeaders[] = {"Accept", "Accept-Language", "User-Agent"};
constexpr const char* kBodyHeaders[] = {"Content-Type", "Content-Encoding", "Content-Length"};

bool IsOneOf(const std::string& name, std::span<const char* const> names) {
  return std::ranges::any_of(
      names, [&](const char* known) { return strcasecmp(name.c_str(), known) == 0; });
}

UrlHandle Parsed(const std::string& url) {
  UrlHandle parsed(curl_url());
  CHECK(parsed != nullptr, "no memory for libcurl");
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return nullptr;
  return parsed;
}

// RFC 6454: scheme, host and port. libcurl gives scheme and host in lower case.
bool HaveOneOrigin(CURLU* a, CURLU* b) {
  return std::ranges::all_of(
      std::initializer_list<CURLUPart>{CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT},
      [&](CURLUPart part) {
        return strcasecmp(UrlText(a, part, CURLU_DEFAULT_PORT).c_str(),
                          UrlText(b, part, CURLU_DEFAULT_PORT).c_str()) == 0;
      });
}

// Whoever is named in the URL is named again, unless the answer names somebody.
void KeepUser(CURLU* from, CURLU* to) {
  if (!UrlText(to, CURLUPART_USER).empty()) return;
  for (const CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD}) {
    const std::string text = UrlText(from, part);
    if (!text.empty()) curl_url_set(to, part, text.c_str(), 0);
  }
}

void DropBody(HttpClient::Request& request) {
  request.method = request.method == "HEAD" ? "HEAD" : "GET";
  request.body.reset();
  std::erase_if(request.headers,
                [](const auto& header) { return IsOneOf(header.first, kBodyHeaders); });
}

}  // namespace

std::optional<std::string> Redirect(HttpClient::Request& request, int64_t status,
                                    const std::string& url) {
  const UrlHandle from = Parsed(request.url);
  const UrlHandle to = Parsed(url);
  const std::string scheme = to == nullptr ? "" : UrlText(to.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return fmt::format("Expected {} to point to an http:// or https:// URL but found another one",
                       ShownUrl(request.url));
  }
  const bool is_post = request.method == "POST" && (status == 301 || status == 302);
  if (is_post || status == 303) DropBody(request);
  if (from != nullptr && HaveOneOrigin(from.get(), to.get())) {
    KeepUser(from.get(), to.get());
  } else {
    if (request.body) {
      return fmt::format(
          "Expected {} to keep what it was sent but found that it is to go to {}, another server "
          "(status {})",
          ShownUrl(request.url), ShownUrl(url), status);
    }
    std::erase_if(request.headers,
                  [](const auto& header) { return !IsOneOf(header.first, kOrdinaryHeaders); });
  }
  request.url = UrlText(to.get());
  return std::nullopt;
}

}  // namespace stele::tasks
