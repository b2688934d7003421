#include "engine/tasks/curl_multi.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/check.h"
#include "engine/tasks/curl_parts.h"
#include "engine/tasks/http_redirect.h"

namespace stele::tasks {

struct HttpClient::Transfer {
  Request request;
  Response response;
  Done done;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  size_t header_bytes = 0;
  int64_t redirects = 0;  // followed so far
  bool too_large = false;
  char error[CURL_ERROR_SIZE] = {};

  ~Transfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
};

namespace {

std::string_view KindOf(CURLcode code, bool* retryable) {
  *retryable = true;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return "connect";
    case CURLE_OPERATION_TIMEDOUT:
      return "timeout";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_SHUTDOWN_FAILED:
      return "tls";
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CACERT_BADFILE:
      *retryable = false;
      return "config";
    default:  // an enum of libcurl's, not ours: it grows
      return "http";
  }
}

std::string Lowered(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lowered;
}

}  // namespace

struct HttpClient::Callbacks {
  // What comes with such an answer is not looked at.
  static bool PointsElsewhere(const Transfer& transfer) {
    if (!transfer.request.follow_redirects) return false;
    long status = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    constexpr long kRedirects[] = {301, 302, 303, 307, 308};
    return std::ranges::find(kRedirects, status) != std::end(kRedirects) &&
           std::ranges::any_of(transfer.response.headers,
                               [](const auto& header) { return header.first == "location"; });
  }

  // Makes the next request of an answer that points elsewhere; a failure when that may not be.
  static std::optional<TaskFailure> Follow(Transfer& transfer) {
    Request& request = transfer.request;
    long status = 0;
    curl_off_t took_us = 0;
    char* url = nullptr;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer.easy, CURLINFO_TOTAL_TIME_T, &took_us);
    curl_easy_getinfo(transfer.easy, CURLINFO_REDIRECT_URL, &url);
    if (++transfer.redirects > kMaxRedirects) {
      return TaskFailure{"redirect",
                         fmt::format("Expected at most {} redirects but found more, the last to {}",
                                     kMaxRedirects, ShownUrl(request.url)),
                         false,
                         {}};
    }
    const std::string next = url == nullptr ? "" : url;
    if (std::optional<std::string> fault = Redirect(request, status, next)) {
      return TaskFailure{"redirect", *std::move(fault), false, {}};
    }
    // What is left of the time; 0 would be no limit.
    if (request.timeout_us > 0) {
      request.timeout_us = std::max<int64_t>(request.timeout_us - took_us, 1);
    }
    transfer.response = {};
    transfer.header_bytes = 0;
    transfer.error[0] = '\0';
    curl_easy_reset(transfer.easy);
    curl_slist_free_all(std::exchange(transfer.headers, nullptr));
    Prepare(transfer);
    return std::nullopt;
  }

  static size_t OnBody(char* bytes, size_t, size_t count, void* user) {
    auto* transfer = static_cast<Transfer*>(user);
    if (PointsElsewhere(*transfer)) return count;
    if (transfer->request.on_piece) {
      long status = 0;
      curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
      transfer->response.status = status;
      transfer->too_large =
          !transfer->request.on_piece(transfer->response, std::string_view(bytes, count));
      return transfer->too_large ? 0 : count;
    }
    if (transfer->response.body.size() + count > transfer->request.max_response_bytes) {
      transfer->too_large = true;
      return 0;
    }
    transfer->response.body.append(bytes, count);
    return count;
  }

  static size_t OnHeader(char* bytes, size_t, size_t count, void* user) {
    auto* transfer = static_cast<Transfer*>(user);
    std::string_view line(bytes, count);
    transfer->header_bytes += count;
    if (transfer->header_bytes > kMaxResponseHeaderBytes) {
      transfer->too_large = true;
      return 0;
    }
    if (line.starts_with("HTTP/")) {  // another answer: a redirect, or after "100 Continue"
      transfer->response.headers.clear();
      return count;
    }
    size_t colon = line.find(':');
    if (colon == std::string_view::npos) return count;
    std::string_view value = line.substr(colon + 1);
    size_t first = value.find_first_not_of(" \t\r\n");
    size_t last = value.find_last_not_of(" \t\r\n");
    value = first == std::string_view::npos ? std::string_view()
                                            : value.substr(first, last - first + 1);
    transfer->response.headers.emplace_back(Lowered(line.substr(0, colon)), value);
    return count;
  }

  static void Prepare(Transfer& transfer) {
    const Request& request = transfer.request;
    CURL* easy = transfer.easy;
    SetOption(easy, CURLOPT_ERRORBUFFER, transfer.error);
    SetOption(easy, CURLOPT_NOSIGNAL, 1L);
    SetOption(easy, CURLOPT_QUICK_EXIT, 1L);  // ending a request does not wait for a name server
    SetOption(easy, CURLOPT_OPENSOCKETFUNCTION, &OpenClosedOnExec);
    SetOption(easy, CURLOPT_URL, request.url.c_str());
    SetOption(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SetOption(easy, CURLOPT_FOLLOWLOCATION, 0L);  // Follow does it, with care for the headers
    SetOption(easy, CURLOPT_SSL_VERIFYPEER, request.verify_tls ? 1L : 0L);
    SetOption(easy, CURLOPT_SSL_VERIFYHOST, request.verify_tls ? 2L : 0L);
    if (!request.ca_file.empty()) SetOption(easy, CURLOPT_CAINFO, request.ca_file.c_str());
    SetOption(easy, CURLOPT_PROXY, request.proxy.c_str());
    SetOption(easy, CURLOPT_ACCEPT_ENCODING, "");  // all that libcurl can decompress
    SetOption(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(ToTimerMs(request.timeout_us)));
    SetOption(easy, CURLOPT_WRITEFUNCTION, &OnBody);
    SetOption(easy, CURLOPT_WRITEDATA, &transfer);
    SetOption(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
    SetOption(easy, CURLOPT_HEADERDATA, &transfer);
    SetMethod(transfer);
    auto add_header = [&transfer](const std::string& line) {
      curl_slist* longer = curl_slist_append(transfer.headers, line.c_str());
      CHECK(longer != nullptr, "no memory for a header");
      transfer.headers = longer;
    };
    add_header("Expect:");  // no round trip before a long body
    for (const auto& [name, value] : request.headers) {
      // The semicolon is how libcurl is told of a header without a value.
      add_header(value.empty() ? name + ";" : name + ": " + value);
    }
    SetOption(easy, CURLOPT_HTTPHEADER, transfer.headers);
  }

  static void SetMethod(Transfer& transfer) {
    const Request& request = transfer.request;
    if (request.method == "HEAD") {
      SetOption(transfer.easy, CURLOPT_NOBODY, 1L);
      return;
    }
    if (request.body || request.method == "POST") {
      SetOption(transfer.easy, CURLOPT_POST, 1L);
      SetOption(transfer.easy, CURLOPT_POSTFIELDSIZE_LARGE,
                static_cast<curl_off_t>(request.body ? request.body->size() : 0));
      SetOption(transfer.easy, CURLOPT_POSTFIELDS, request.body ? request.body->data() : "");
      if (request.method != "POST") {
        SetOption(transfer.easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
      }
    } else if (request.method != "GET") {
      SetOption(transfer.easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
  }

  static std::expected<Response, TaskFailure> Judge(Transfer& transfer, CURLcode code) {
    if (transfer.too_large) {
      return std::unexpected(TaskFailure{
          "output_limit",
          fmt::format("Expected an answer of at most {} bytes (headers: {}) from {} but found more",
                      transfer.request.max_response_bytes, kMaxResponseHeaderBytes,
                      ShownUrl(transfer.request.url)),
          false,
          {}});
    }
    if (code == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
      transfer.response.status = status;
      return std::move(transfer.response);
    }
    bool retryable = false;
    std::string_view kind = KindOf(code, &retryable);
    if (kind == "config" && transfer.redirects > 0) kind = "redirect";  // the answer's fault
    const char* text = transfer.error[0] != '\0' ? transfer.error : curl_easy_strerror(code);
    return std::unexpected(TaskFailure{std::string(kind),
                                       fmt::format("Expected an answer from {} but found: {}",
                                                   ShownUrl(transfer.request.url), text),
                                       retryable,
                                       {}});
  }
};

HttpClient::HttpClient(uv_loop_t* loop) : loop_(loop) {}

HttpClient::~HttpClient() {
  for (auto& [id, transfer] : transfers_) loop_.Remove(transfer->easy);
}

uint64_t HttpClient::Send(Request request, Done done) {
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  transfer->easy = curl_easy_init();
  CHECK(transfer->easy != nullptr, "no memory for libcurl");
  Callbacks::Prepare(*transfer);
  uint64_t id = next_id_++;
  CURL* easy = transfer->easy;
  transfers_.emplace(id, std::move(transfer));
  loop_.Add(easy, [this, id](int code) { Finish(id, code); });
  return id;
}

void HttpClient::Cancel(uint64_t id) {
  auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  loop_.Remove(found->second->easy);
  transfers_.erase(found);
}

void HttpClient::Finish(uint64_t id, int code) {
  auto ended = transfers_.extract(id);
  Transfer& transfer = *ended.mapped();
  loop_.Remove(transfer.easy);
  if (code == CURLE_OK && Callbacks::PointsElsewhere(transfer)) {
    if (std::optional<TaskFailure> failure = Callbacks::Follow(transfer)) {
      transfer.done(std::unexpected(*std::move(failure)));
      return;
    }
    CURL* easy = transfer.easy;
    transfers_.insert(std::move(ended));
    loop_.Add(easy, [this, id](int next_code) { Finish(id, next_code); });
    return;
  }
  transfer.done(Callbacks::Judge(transfer, static_cast<CURLcode>(code)));
}

Result<std::string> BuildUrl(const std::string& url,
                             const std::vector<std::pair<std::string, std::string>>& query) {
  UrlHandle parsed(curl_url());
  CHECK(parsed != nullptr, "no memory for libcurl");
  CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0);
  if (url.find('\0') != std::string::npos) code = CURLUE_MALFORMED_INPUT;
  std::string lowered = Lowered(url.substr(0, 8));
  if (code == CURLUE_OK && !lowered.starts_with("http://") && lowered != "https://") {
    code = CURLUE_UNSUPPORTED_SCHEME;
  }
  if (code != CURLUE_OK) {
    return Fail(ErrorCode::kTaskConfig,
                fmt::format("Expected an http:// or https:// URL but found \"{}\" ({})", url,
                            curl_url_strerror(code)));
  }
  for (const auto& pair : query) {
    std::string encoded = FormEncode({pair});
    code = curl_url_set(parsed.get(), CURLUPART_QUERY, encoded.c_str(), CURLU_APPENDQUERY);
    CHECK(code == CURLUE_OK, "libcurl: {}", curl_url_strerror(code));
  }
  return UrlText(parsed.get());
}

std::string ShownUrl(const std::string& url) {
  UrlHandle parsed(curl_url());
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return "the URL";
  for (CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    curl_url_set(parsed.get(), part, nullptr, 0);
  }
  return UrlText(parsed.get());
}

std::string FormEncode(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  auto encode = [&out](std::string_view text) {
    // A length of 0 means "measure it" to libcurl; an empty view may have no NUL at its place.
    if (text.empty()) return;
    char* encoded = curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()));
    CHECK(encoded != nullptr, "libcurl cannot encode {} bytes", text.size());
    out += encoded;
    curl_free(encoded);
  };
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    encode(name);
    out += '=';
    encode(value);
  }
  return out;
}

}  // namespace stele::tasks
