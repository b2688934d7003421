// What the two clients of libcurl share. Includes libcurl: for their .cc files alone.
#pragma once

#include <curl/curl.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "base/check.h"

namespace stele::tasks {

// Libcurl's setters fail for want of memory or of a feature that the build lacks; both are ours.
template <class T>
void SetOption(CURL* easy, CURLoption option, T value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  CHECK(code == CURLE_OK, "option {}: {}", static_cast<int>(option), curl_easy_strerror(code));
}

// For CURLOPT_OPENSOCKETFUNCTION. A script that is started meanwhile must not inherit the
// connection.
inline curl_socket_t OpenClosedOnExec(void*, curlsocktype, curl_sockaddr* address) {
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlDeleter>;

// Of the whole URL or a part of it; empty when there is none.
inline std::string UrlText(CURLU* url, CURLUPart part = CURLUPART_URL, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

}  // namespace stele::tasks
