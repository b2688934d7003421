#include "engine/tasks/mcp_http.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "engine/tasks/bounded_text.h"
#include "engine/tasks/mcp_message.h"

namespace stele::tasks {
namespace {

constexpr std::string_view kSessionHeader = "mcp-session-id";
constexpr size_t kMaxSessionIdBytes = 1024;
constexpr int64_t kNotFound = 404;

bool IsSuccess(int64_t status) {
  return status >= 200 && status < 300;
}

bool IsEventStream(const HttpClient::Response& head) {
  return std::ranges::any_of(head.headers, [](const auto& header) {
    return header.first == "content-type" && MediaType(header.second) == "text/event-stream";
  });
}

// What the protocol allows: visible ASCII.
bool IsSessionId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxSessionIdBytes &&
         std::ranges::all_of(id, [](char c) { return c >= 0x21 && c <= 0x7e; });
}

}  // namespace

McpHttp::McpHttp(uv_loop_t* loop, std::shared_ptr<HttpClient> client, HttpPlan plan,
                 McpLimits limits, const Redactor& redactor, Observer* observer)
    : client_(std::move(client)),
      plan_(std::move(plan)),
      limits_(limits),
      redactor_(redactor),
      observer_(observer),
      wake_(MakeTimer(loop, this)) {}

McpHttp::~McpHttp() {
  for (const auto& [number, exchange] : exchanges_) client_->Cancel(number);
  if (goodbye_ != 0) client_->Cancel(goodbye_);
}

// A notification has to be there before what follows it; a request's answer may need the answers to
// the server's own requests first.
void McpHttp::Send(std::string message, std::optional<int64_t> request_id) {
  if (closing_) return;
  waiting_bytes_ += message.size();
  // What waits alone is our own, and as long as it has to be.
  if (!waiting_.empty() && waiting_bytes_ > limits_.max_message_bytes) {
    observer_->OnFailure(
        TaskFailure{"mcp_server",
                    "Expected the server to take its messages but found that it asks for more "
                    "than it takes",
                    true,
                    {}});
    return;
  }
  waiting_.push_back(Waiting{std::move(message), request_id});
  SendWaiting();
}

void McpHttp::SendWaiting() {
  while (ordered_ == 0 && !waiting_.empty() && !closing_) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= next.message.size();
    Post(std::move(next));
  }
}

HttpClient::Request McpHttp::RequestFor(std::string method) const {
  HttpPlan plan = plan_;
  plan.request.method = std::move(method);
  plan.request.follow_redirects = false;  // a session belongs to one server
  plan.request.timeout_us = 0;            // the attempt has one
  SetHeaderOnce(plan, "Accept", "application/json, text/event-stream");
  SetHeaderOnce(plan, "User-Agent", "stele");
  if (!version_.empty()) SetHeaderOnce(plan, "MCP-Protocol-Version", version_);
  if (!session_id_.empty()) SetHeaderOnce(plan, "Mcp-Session-Id", session_id_);
  return plan.request;
}

void McpHttp::Post(Waiting waiting) {
  HttpClient::Request request = RequestFor("POST");
  request.body = std::move(waiting.message);
  request.headers.emplace_back("Content-Type", "application/json");
  auto exchange = std::make_shared<Exchange>(
      Exchange{waiting.request_id, EventStream(limits_.max_message_bytes), {}, false});
  request.on_piece = [this, exchange](const HttpClient::Response& head, std::string_view piece) {
    return OnPiece(*exchange, head, piece);
  };
  // The number is known only behind Send, which answers later.
  auto number = std::make_shared<uint64_t>(0);
  *number = client_->Send(std::move(request),
                          [this, number](auto answer) { OnEnded(*number, std::move(answer)); });
  exchanges_.emplace(*number, std::move(exchange));
  if (!waiting.request_id) ordered_ = *number;
}

// Inside of libcurl: what comes is kept for Deliver.
bool McpHttp::OnPiece(Exchange& exchange, const HttpClient::Response& head,
                      std::string_view piece) {
  exchange.is_stream = IsSuccess(head.status) && IsEventStream(head);
  if (!exchange.is_stream) {
    exchange.body += piece;
    return exchange.body.size() <= limits_.max_message_bytes;
  }
  KeepSession(head);
  std::vector<std::string> events;
  if (!exchange.events.Push(piece, events)) return false;
  for (std::string& event : events) inbox_.push_back(std::move(event));
  if (!inbox_.empty()) WakeSoon();
  return true;
}

void McpHttp::KeepSession(const HttpClient::Response& head) {
  if (!version_.empty() || !session_id_.empty()) return;  // only `initialize` opens one
  for (const auto& [name, value] : head.headers) {
    if (name == kSessionHeader && IsSessionId(value)) session_id_ = value;
  }
}

void McpHttp::WakeSoon() {
  uv_timer_start(
      wake_.get(), [](uv_timer_t* timer) { static_cast<McpHttp*>(timer->data)->Deliver(); }, 0, 0);
}

void McpHttp::Deliver() {
  if (nothing_to_say_) {
    auto closed = std::move(closed_);
    closed();
    return;
  }
  while (!inbox_.empty() && !closing_) {
    std::string message = std::move(inbox_.front());
    inbox_.pop_front();
    if (!message.empty()) observer_->OnMessage(message);
  }
}

void McpHttp::OnEnded(uint64_t number, std::expected<HttpClient::Response, TaskFailure> answer) {
  auto ended = exchanges_.extract(number);
  std::shared_ptr<Exchange> exchange = std::move(ended.mapped());
  if (ordered_ == number) ordered_ = 0;
  if (!answer) {
    if (exchange->request_id) {
      observer_->OnFailure(std::move(answer.error()));
      return;
    }
    observer_->OnLog(answer.error().message + "\n");
    SendWaiting();
    return;
  }
  if (!IsSuccess(answer->status)) {
    RefuseStatus(*exchange, answer->status);
    if (!closing_) SendWaiting();
    return;
  }
  KeepSession(*answer);
  if (!exchange->is_stream && !exchange->body.empty()) {
    inbox_.push_back(std::move(exchange->body));
  }
  Deliver();
  if (!closing_ && exchange->request_id) observer_->OnAnswerEnded(*exchange->request_id);
  if (!closing_) SendWaiting();
}

void McpHttp::RefuseStatus(const Exchange& exchange, int64_t status) {
  std::string where = ShownUrl(plan_.request.url);
  std::string sentence =
      fmt::format("Expected {} to answer with success but found {}", where, status);
  if (!exchange.request_id) {
    observer_->OnLog(sentence + "\n");
    return;
  }
  // A server may say in JSON-RPC what it did not like.
  auto messages = ParseMcpMessages(exchange.body, redactor_);
  if (messages && messages->size() == 1 && messages->front().kind == McpMessage::Kind::kError) {
    observer_->OnMessage(exchange.body);
    if (closing_) return;
  }
  std::string excerpt = Excerpt(redactor_, exchange.body, kBodyExcerptBytes);
  Object details{{"status", status}};
  if (IsUtf8(excerpt)) details.Set("body", excerpt);
  bool session_ended = status == kNotFound && !session_id_.empty();
  bool retryable = session_ended || IsRetryableStatus(status);
  if (session_ended) sentence += ": the session has ended";
  observer_->OnFailure(
      TaskFailure{"http_status", std::move(sentence), retryable, Payload::FromValue(details)});
}

void McpHttp::Close(std::optional<std::string> last, std::function<void()> closed) {
  closing_ = true;
  closed_ = std::move(closed);
  for (const auto& [number, exchange] : exchanges_) client_->Cancel(number);
  exchanges_.clear();
  auto end_session = [this] {
    if (session_id_.empty()) {
      nothing_to_say_ = true;
      WakeSoon();
      return;
    }
    Say(RequestFor("DELETE"), [this] {
      auto done = std::move(closed_);
      done();
    });
  };
  if (!last) {
    end_session();
    return;
  }
  HttpClient::Request request = RequestFor("POST");
  request.body = *std::move(last);
  request.headers.emplace_back("Content-Type", "application/json");
  Say(std::move(request), end_session);
}

// Whatever is answered: the server may not let clients end sessions, for one.
void McpHttp::Say(HttpClient::Request request, std::function<void()> then) {
  request.timeout_us = limits_.goodbye_us;
  goodbye_ = client_->Send(std::move(request), [this, then = std::move(then)](const auto&) {
    goodbye_ = 0;
    then();
  });
}

}  // namespace stele::tasks
