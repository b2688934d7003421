#include "engine/tasks/smtp_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "base/check.h"
#include "engine/tasks/curl_parts.h"
#include "engine/tasks/smtp_dialogue.h"
#include "engine/tasks/uv_handle.h"

namespace stele::tasks {

struct SmtpClient::Transfer {
  uint64_t id = 0;
  SmtpClient* client = nullptr;
  Request request;
  Done done;
  CURL* easy = nullptr;
  SmtpReplyReader login_replies;  // to what libcurl says
  SmtpReply login_reply;          // the last of them
  char error[CURL_ERROR_SIZE] = {};
  UvHandle<uv_timer_t> timeout;

  // From the moment that the connection is there.
  std::optional<SmtpDialogue> dialogue;
  SmtpReplyReader replies;
  std::string outgoing;
  size_t sent = 0;
  UvHandle<uv_poll_t> poll;

  ~Transfer() { curl_easy_cleanup(easy); }
};

namespace {

constexpr std::string_view kNoSmtp = "something that is not SMTP";
constexpr int kSubmissionPort = 587;
constexpr int kSubmissionsPort = 465;

// What went wrong when the server did not refuse it.
TaskFailure TransportFailure(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {"timeout", "", true, {}};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return {"tls", "", true, {}};
    case CURLE_USE_SSL_FAILED:  // no STARTTLS on offer
      return {"tls", "", false, {}};
    case CURLE_LOGIN_DENIED:  // no way to authenticate that both sides know
      return {"smtp", "", false, {}};
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {"config", "", false, {}};
    default:  // an enum of libcurl's, not ours: it grows
      return {"connect", "", true, {}};
  }
}

TaskFailure Refused(const SmtpServer& server, const SmtpReply& reply) {
  return {
      "smtp", fmt::format("Expected {} to take the mail but found: {}", server.Url(), reply.text),
      reply.code < 500, Payload::FromValue(Object{{"code", reply.code}, {"reply", reply.text}})};
}

TaskFailure Broken(const SmtpServer& server, std::string_view found) {
  return {"connect",
          fmt::format("Expected {} to take the mail but found: {}", server.Url(), found),
          true,
          {}};
}

}  // namespace

struct SmtpClient::Callbacks {
  // A line of the server's, before the connection is ours.
  static size_t OnReply(char* bytes, size_t, size_t size, void* user) {
    auto* transfer = static_cast<Transfer*>(user);
    transfer->login_replies.Push(std::string_view(bytes, size));
    while (std::optional<SmtpReply> reply = transfer->login_replies.Next()) {
      transfer->login_reply = *std::move(reply);
    }
    return transfer->login_replies.broken() ? 0 : size;
  }

  static void OnReady(uv_poll_t* poll, int, int) {
    auto* transfer = static_cast<Transfer*>(poll->data);
    transfer->client->Pump(*transfer);
  }

  static void OnTimeout(uv_timer_t* timer) {
    auto* transfer = static_cast<Transfer*>(timer->data);
    const Request& request = transfer->request;
    transfer->client->Finish(
        *transfer,
        std::unexpected(TaskFailure{
            "timeout",
            fmt::format("Expected {} to take the mail within {} s but it did not",
                        request.server.Url(), static_cast<double>(request.timeout_us) / 1e6),
            true,
            {}}));
  }

  static void Prepare(Transfer& transfer) {
    const Request& request = transfer.request;
    CURL* easy = transfer.easy;
    SetOption(easy, CURLOPT_ERRORBUFFER, transfer.error);
    SetOption(easy, CURLOPT_NOSIGNAL, 1L);
    SetOption(easy, CURLOPT_QUICK_EXIT, 1L);  // ending does not wait for a name server
    SetOption(easy, CURLOPT_OPENSOCKETFUNCTION, &OpenClosedOnExec);
    SetOption(easy, CURLOPT_CONNECT_ONLY, 1L);
    SetOption(easy, CURLOPT_FRESH_CONNECT, 1L);
    SetOption(easy, CURLOPT_URL, request.server.Url().c_str());
    SetOption(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SetOption(easy, CURLOPT_PROXY, "");
    SetOption(easy, CURLOPT_USE_SSL,
              static_cast<long>(request.require_starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (!request.ca_file.empty()) SetOption(easy, CURLOPT_CAINFO, request.ca_file.c_str());
    if (!request.username.empty()) {
      SetOption(easy, CURLOPT_USERNAME, request.username.c_str());
      SetOption(easy, CURLOPT_PASSWORD, request.password.c_str());
    }
    SetOption(easy, CURLOPT_HEADERFUNCTION, &OnReply);
    SetOption(easy, CURLOPT_HEADERDATA, &transfer);
  }

  static TaskFailure ConnectionFailure(const Transfer& transfer, CURLcode code) {
    TaskFailure failure = TransportFailure(code);
    const SmtpServer& server = transfer.request.server;
    if (transfer.login_replies.broken()) return Broken(server, kNoSmtp);
    bool timed_out = code == CURLE_OPERATION_TIMEDOUT;
    if (transfer.login_reply.code >= 400 && !timed_out)
      return Refused(server, transfer.login_reply);
    failure.message =
        fmt::format("Expected {} to take the mail but found: {}", server.Url(),
                    transfer.error[0] != '\0' ? transfer.error : curl_easy_strerror(code));
    return failure;
  }
};

SmtpClient::SmtpClient(uv_loop_t* loop) : uv_loop_(loop), loop_(loop) {}

SmtpClient::~SmtpClient() {
  for (auto& [id, transfer] : transfers_) loop_.Remove(transfer->easy);
}

uint64_t SmtpClient::Send(Request request, Done done) {
  auto owned = std::make_unique<Transfer>();
  Transfer& transfer = *owned;
  transfer.id = next_id_++;
  transfer.client = this;
  transfer.request = std::move(request);
  transfer.done = std::move(done);
  transfer.easy = curl_easy_init();
  CHECK(transfer.easy != nullptr, "no memory for libcurl");
  Callbacks::Prepare(transfer);
  if (transfer.request.timeout_us > 0) {
    transfer.timeout = MakeTimer(uv_loop_, &transfer);
    uv_timer_start(transfer.timeout.get(), &Callbacks::OnTimeout,
                   ToTimerMs(transfer.request.timeout_us), 0);
  }
  transfers_.emplace(transfer.id, std::move(owned));
  loop_.Add(transfer.easy, [this, &transfer](int code) { OnConnected(transfer, code); });
  return transfer.id;
}

void SmtpClient::Cancel(uint64_t id) {
  auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  loop_.Remove(found->second->easy);
  transfers_.erase(found);
}

void SmtpClient::OnConnected(Transfer& transfer, int code) {
  if (code != CURLE_OK) {
    Finish(transfer,
           std::unexpected(Callbacks::ConnectionFailure(transfer, static_cast<CURLcode>(code))));
    return;
  }
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(transfer.easy, CURLINFO_ACTIVESOCKET, &socket);
  CHECK(socket != CURL_SOCKET_BAD, "a connection without a socket");
  Request& request = transfer.request;
  transfer.dialogue.emplace(std::move(request.from), std::move(request.recipients),
                            std::move(request.message));
  transfer.outgoing = transfer.dialogue->Begin();
  auto* poll = new uv_poll_t;
  int status = uv_poll_init(uv_loop_, poll, socket);
  CHECK(status == 0, "socket {}: {}", socket, uv_strerror(status));
  poll->data = &transfer;
  transfer.poll.reset(poll);
  Pump(transfer);
}

bool SmtpClient::SendPending(Transfer& transfer) {
  while (transfer.sent < transfer.outgoing.size()) {
    size_t count = 0;
    CURLcode code = curl_easy_send(transfer.easy, transfer.outgoing.data() + transfer.sent,
                                   transfer.outgoing.size() - transfer.sent, &count);
    if (code == CURLE_AGAIN) return true;
    if (code != CURLE_OK) return false;
    transfer.sent += count;
  }
  return true;
}

void SmtpClient::Pump(Transfer& transfer) {
  const SmtpServer& server = transfer.request.server;
  bool writable = SendPending(transfer);
  // A reply may have come in front of what broke the connection.
  while (true) {
    if (std::optional<SmtpReply> reply = transfer.replies.Next()) {
      SmtpDialogue& dialogue = *transfer.dialogue;
      if (reply->code < 400 && transfer.sent < transfer.outgoing.size()) {
        Finish(transfer, std::unexpected(Broken(server, "an answer to what was not sent yet")));
        return;
      }
      transfer.outgoing = dialogue.Answer(reply->code);
      transfer.sent = 0;
      writable = SendPending(transfer);  // of QUIT, what fits: nobody waits for its answer
      if (dialogue.state() == SmtpDialogue::State::kAccepted) {
        Finish(transfer, std::move(reply->text));
        return;
      }
      if (dialogue.state() == SmtpDialogue::State::kRefused) {
        Finish(transfer, std::unexpected(Refused(server, *reply)));
        return;
      }
      continue;
    }
    char buffer[4096];
    size_t count = 0;
    CURLcode code = curl_easy_recv(transfer.easy, buffer, sizeof buffer, &count);
    if (code == CURLE_AGAIN && writable && !transfer.replies.broken()) break;
    if (code != CURLE_OK || count == 0 || transfer.replies.broken()) {
      std::string_view found = transfer.replies.broken() ? kNoSmtp : "the connection broke";
      Finish(transfer, std::unexpected(Broken(server, found)));
      return;
    }
    transfer.replies.Push(std::string_view(buffer, count));
  }
  bool pending = transfer.sent < transfer.outgoing.size();
  uv_poll_start(transfer.poll.get(), UV_READABLE | (pending ? UV_WRITABLE : 0),
                &Callbacks::OnReady);
}

void SmtpClient::Finish(Transfer& transfer, std::expected<std::string, TaskFailure> outcome) {
  auto ended = transfers_.extract(transfer.id);
  transfer.poll.reset();
  loop_.Remove(transfer.easy);
  transfer.done(std::move(outcome));
}

std::string SmtpServer::Url() const {
  bool is_ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", implicit_tls ? "smtps" : "smtp", is_ipv6 ? "[" : "", host,
                     is_ipv6 ? "]" : "", port);
}

bool SmtpServer::IsLoopback() const {
  in_addr ipv4 = {};
  if (inet_pton(AF_INET, host.c_str(), &ipv4) == 1) return (ntohl(ipv4.s_addr) >> 24) == 127;
  return host == "localhost" || host == "::1";
}

Result<SmtpServer> ParseSmtpServer(const std::string& url) {
  std::unique_ptr<CURLU, UrlDeleter> parsed(curl_url());
  CHECK(parsed != nullptr, "no memory for libcurl");
  bool valid = url.find('\0') == std::string::npos &&
               curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  std::string scheme = UrlText(parsed.get(), CURLUPART_SCHEME);
  std::string path = UrlText(parsed.get(), CURLUPART_PATH);
  valid = valid && (scheme == "smtp" || scheme == "smtps") && (path.empty() || path == "/");
  for (CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    valid = valid && UrlText(parsed.get(), part).empty();
  }
  if (!valid) {
    // What is wrong with it may be a password inside.
    return Fail(ErrorCode::kTaskConfig,
                "Expected a server such as smtp://mail.example.org:587 or "
                "smtps://mail.example.org but found something else");
  }
  SmtpServer server;
  server.implicit_tls = scheme == "smtps";
  server.host = UrlText(parsed.get(), CURLUPART_HOST);
  if (server.host.starts_with('[')) server.host = server.host.substr(1, server.host.size() - 2);
  server.port = server.implicit_tls ? kSubmissionsPort : kSubmissionPort;
  std::string port = UrlText(parsed.get(), CURLUPART_PORT);
  if (!port.empty()) std::from_chars(port.data(), port.data() + port.size(), server.port);
  return server;
}

}  // namespace stele::tasks
