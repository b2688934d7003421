// HTTP requests on a libuv loop, through libcurl's multi interface (curl_loop.h). Connections are
// kept and used again.
//
// libcurl looks names up on threads of its own; a request for a numeric address starts none.
//
// Thread: the loop's. After the client is destroyed the loop has to run until it has nothing to do.
#pragma once

#include <uv.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/tasks/curl_loop.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/limits.h"

namespace stele::tasks {

class HttpClient {
 public:
  struct Response {
    int64_t status = 0;
    // Of the last answer, names in lower case, in its order.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;  // decompressed
  };
  struct Request {
    std::string method = "GET";
    std::string url;  // http or https
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<std::string> body;
    int64_t timeout_us = kDefaultHttpTimeoutUs;
    bool follow_redirects = true;  // at most kMaxRedirects; http_redirect.h says how
    bool verify_tls = true;
    std::string ca_file;  // empty: the system's
    std::string proxy;    // empty: none; the environment's proxies are not looked at
    size_t max_response_bytes = kMaxResponseBytes;
    // Takes the body in the pieces in which it comes, instead of Response::body and without its
    // limit; `head` has the status and the headers. False ends the request as "output_limit".
    // It must not call the client: libcurl is at work.
    std::function<bool(const Response& head, std::string_view piece)> on_piece;
  };
  // Failures: "connect", "timeout", "tls", "redirect", "output_limit", "config", "http".
  using Done = std::function<void(std::expected<Response, TaskFailure>)>;

  explicit HttpClient(uv_loop_t* loop);
  // Drops what is under way; nobody is told.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // `done` comes from the loop, never before Send returns. It must not destroy the client.
  uint64_t Send(Request request, Done done);
  // Closes the request's connection; its `done` is never called. Unknown ids are passed over.
  void Cancel(uint64_t id);

 private:
  struct Transfer;
  struct Callbacks;  // what libcurl calls

  void Finish(uint64_t id, int code);

  CurlLoop loop_;
  std::map<uint64_t, std::unique_ptr<Transfer>> transfers_;
  uint64_t next_id_ = 1;
};

// `url` with the encoded pairs at the end of its query. Errors say what no http(s) URL is.
Result<std::string> BuildUrl(const std::string& url,
                             const std::vector<std::pair<std::string, std::string>>& query);

// Without user, password, query and fragment: for messages.
std::string ShownUrl(const std::string& url);

// The application/x-www-form-urlencoded text of the pairs.
std::string FormEncode(const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace stele::tasks
