#include "engine/tasks/curl_multi.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>

#include "base/check.h"

namespace stele::tasks {

struct HttpClient::Transfer {
  Request request;
  Response response;
  Done done;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  size_t header_bytes = 0;
  bool too_large = false;
  char error[CURL_ERROR_SIZE] = {};

  ~Transfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
};

namespace {

// Libcurl's setters fail for want of memory or of a feature that the build lacks; both are ours.
template <class T>
void Set(CURL* easy, CURLoption option, T value) {
  CURLcode code = curl_easy_setopt(easy, option, value);
  CHECK(code == CURLE_OK, "option {}: {}", static_cast<int>(option), curl_easy_strerror(code));
}

// A script that is started meanwhile must not inherit the connection.
curl_socket_t OpenSocket(void*, curlsocktype, curl_sockaddr* address) {
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

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
    case CURLE_TOO_MANY_REDIRECTS:
      *retryable = false;
      return "redirect";
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

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlDeleter>;

std::string UrlText(CURLU* url) {
  char* text = nullptr;
  if (curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

}  // namespace

struct HttpClient::Callbacks {
  static size_t OnBody(char* bytes, size_t, size_t count, void* user) {
    auto* transfer = static_cast<Transfer*>(user);
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
    Set(easy, CURLOPT_ERRORBUFFER, transfer.error);
    Set(easy, CURLOPT_NOSIGNAL, 1L);
    Set(easy, CURLOPT_QUICK_EXIT, 1L);  // ending a request does not wait for a name server
    Set(easy, CURLOPT_OPENSOCKETFUNCTION, &OpenSocket);
    Set(easy, CURLOPT_URL, request.url.c_str());
    Set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    Set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    Set(easy, CURLOPT_FOLLOWLOCATION, request.follow_redirects ? 1L : 0L);
    Set(easy, CURLOPT_MAXREDIRS, static_cast<long>(request.max_redirects));
    Set(easy, CURLOPT_SSL_VERIFYPEER, request.verify_tls ? 1L : 0L);
    Set(easy, CURLOPT_SSL_VERIFYHOST, request.verify_tls ? 2L : 0L);
    if (!request.ca_file.empty()) Set(easy, CURLOPT_CAINFO, request.ca_file.c_str());
    Set(easy, CURLOPT_PROXY, request.proxy.c_str());
    Set(easy, CURLOPT_ACCEPT_ENCODING, "");  // all that libcurl can decompress
    Set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(ToTimerMs(request.timeout_us)));
    Set(easy, CURLOPT_WRITEFUNCTION, &OnBody);
    Set(easy, CURLOPT_WRITEDATA, &transfer);
    Set(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
    Set(easy, CURLOPT_HEADERDATA, &transfer);
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
    Set(easy, CURLOPT_HTTPHEADER, transfer.headers);
  }

  // A method of libcurl's own is changed by redirects as browsers do it (303: GET); one set by name
  // stays.
  static void SetMethod(Transfer& transfer) {
    const Request& request = transfer.request;
    if (request.method == "HEAD") {
      Set(transfer.easy, CURLOPT_NOBODY, 1L);
      return;
    }
    if (request.body || request.method == "POST") {
      Set(transfer.easy, CURLOPT_POST, 1L);
      Set(transfer.easy, CURLOPT_POSTFIELDSIZE_LARGE,
          static_cast<curl_off_t>(request.body ? request.body->size() : 0));
      Set(transfer.easy, CURLOPT_POSTFIELDS, request.body ? request.body->data() : "");
      if (request.method != "POST") {
        Set(transfer.easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
      }
    } else if (request.method != "GET") {
      Set(transfer.easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
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
    long redirects = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_REDIRECT_COUNT, &redirects);
    if (kind == "config" && redirects > 0) kind = "redirect";  // the answer's fault
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
    char* encoded = curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()));
    CHECK(encoded != nullptr, "libcurl cannot encode {} bytes", text.size());
    // A length of 0 means "measure it" to libcurl; an empty view may have no NUL at its place.
    if (!text.empty()) out += encoded;
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
