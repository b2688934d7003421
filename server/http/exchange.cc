#include "server/http/exchange.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <kj/debug.h>

#include <algorithm>
#include <utility>

#include "server/http/body_reader.h"
#include "server/http/reply.h"
#include "server/http/status.h"

namespace stele::server::http {
namespace {

constexpr kj::StringPtr kContinue = "HTTP/1.1 100 Continue\r\n\r\n"_kj;

std::optional<Method> MethodOf(kj::HttpMethod method) {
  switch (method) {
    case kj::HttpMethod::GET:
      return Method::kGet;
    case kj::HttpMethod::HEAD:
      return Method::kHead;
    case kj::HttpMethod::POST:
      return Method::kPost;
    case kj::HttpMethod::PUT:
      return Method::kPut;
    case kj::HttpMethod::PATCH:
      return Method::kPatch;
    case kj::HttpMethod::DELETE:
      return Method::kDelete;
    case kj::HttpMethod::OPTIONS:
      return Method::kOptions;
    default:  // WebDAV and the like
      return std::nullopt;
  }
}

std::string Copy(kj::StringPtr text) {
  return {text.begin(), text.size()};
}

bool IsRequestId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxRequestIdBytes && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.:").contains(c);
  });
}

std::string NamesOf(const std::vector<Method>& methods) {
  std::vector<std::string_view> names;
  for (const Method method : methods) names.push_back(MethodName(method));
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string NextId(ServiceState& state) {
  return fmt::format("{}-{}", state.settings.id_prefix, ++state.last_id);
}

Exchange::Exchange(ServiceState& state, FramedStream& connection, kj::AsyncInputStream& body,
                   kj::HttpService::Response& out)
    : state_(state), connection_(connection), body_(body), out_(out), begin_(state.timer.now()) {}

Exchange::~Exchange() {
  if (is_stream_) --state_.streams;
  if (in_progress_) --state_.in_progress;
  if (!state_.hooks.access) return;
  state_.hooks.access({.method = method_,
                       .route = route_ == nullptr ? std::string_view() : route_->pattern,
                       .path = request_.path,
                       .source = request_.source,
                       .id = request_.id,
                       .status = status_,
                       .bytes_in = request_.body.size(),
                       .bytes_out = bytes_out_,
                       .duration_us = (state_.timer.now() - begin_) / kj::MICROSECONDS});
}

kj::Promise<void> Exchange::Run(kj::HttpMethod method, std::string_view url,
                                const kj::HttpHeaders& headers, std::string source) {
  // kj's views of the head end with the first read of the body.
  headers.forEach([this](kj::StringPtr name, kj::StringPtr value) {
    request_.headers.Add(Copy(name), std::string(Trim({value.begin(), value.size()})));
  });
  method_ = Copy(kj::str(method));
  request_.source = std::move(source);
  handshake_ = headers.isWebSocket();
  const std::string_view id = request_.headers.Get("X-Request-Id");
  request_.id = IsRequestId(id) ? std::string(id) : NextId(state_);
  KJ_IF_MAYBE (length, body_.tryGetLength()) body_read_ = *length == 0;
  // HTTP/1.0 has no such word (RFC 9110 10.1.1).
  expects_continue_ = !body_read_ && request_.headers.Has("Expect") && !connection_.facts().is_1_0;
  if (std::optional<Response> refusal = Refuse(method, url)) return Answer(*std::move(refusal));
  return ReadThenHandle();
}

std::optional<Response> Exchange::Refuse(kj::HttpMethod method, std::string_view url) {
  const std::optional<Method> known = MethodOf(method);
  if (!known.has_value())
    return Problem(501, {ErrorCode::kWrongMethod,
                         fmt::format("Expected a method of HTTP but found {}", method_)});
  request_.method = *known;
  Result<Target> target = ParseTarget(url);
  if (!target.has_value()) return Problem(target.error());
  request_.path = target->path;
  const std::string_view expected = request_.headers.Get("Expect");
  if (!expected.empty() && !EqualIgnoringCase(expected, "100-continue"))
    return Problem(417, {ErrorCode::kBadRequest,
                         "Expected no other expectation than 100-continue but found one"});
  if (state_.draining)
    return Problem(
        {ErrorCode::kClosed, "Expected a running server but found one that is stopping"});
  auto matched = state_.router.Match(*known, *target);
  if (!matched.has_value()) return Unmatched(matched.error());
  route_ = matched->route;
  request_.params = std::move(matched->params);
  request_.query = Query(std::move(target->query));
  if (std::optional<Response> crowd = RefuseCrowd()) return crowd;
  const bool web_socket = route_->options.web_socket;
  const bool talks = web_socket || handshake_;
  if (const Status origin = CheckOrigin(state_.settings.cors, request_, talks); !origin)
    return Problem(origin.error());
  if (web_socket)
    if (std::optional<Response> plain = RefuseHandshake()) return plain;
  return route_->options.admit ? route_->options.admit(request_) : std::nullopt;
}

std::optional<Response> Exchange::RefuseCrowd() const {
  if (state_.in_progress < state_.settings.max_in_progress || route_->options.always)
    return std::nullopt;
  return Problem({ErrorCode::kBackPressure,
                  fmt::format("Expected at most {} requests in progress but found more",
                              state_.settings.max_in_progress)});
}

std::optional<Response> Exchange::RefuseHandshake() const {
  if (handshake_ && request_.method == Method::kGet &&
      request_.headers.HasToken("Connection", "upgrade") &&
      request_.headers.Get("Sec-WebSocket-Version") == "13" &&
      request_.headers.Has("Sec-WebSocket-Key"))
    return std::nullopt;
  Response response =
      Problem(426, {ErrorCode::kBadRequest,
                    "Expected the handshake of a WebSocket (RFC 6455, version 13) but found a "
                    "plain request"});
  response.headers.Add("Sec-WebSocket-Version", "13");
  return response;
}

Response Exchange::Unmatched(const Router::Unmatched& unmatched) const {
  if (unmatched.allowed.empty()) return Problem(unmatched.error);
  const std::string methods = NamesOf(unmatched.allowed);
  Response response = request_.method == Method::kOptions ? NoContent() : Problem(unmatched.error);
  response.headers.Add("Allow", methods);
  if (request_.method == Method::kOptions)
    AddPreflightHeaders(state_.settings.cors, request_.headers, methods, response.headers);
  return response;
}

kj::Promise<void> Exchange::ReadThenHandle() {
  const size_t most = route_->options.max_body;
  bool too_large = false;
  KJ_IF_MAYBE (length, body_.tryGetLength()) too_large = *length > most;
  kj::Promise<void> ready = expects_continue_ && !too_large ? SendContinue() : kj::READY_NOW;
  return ready
      .then([this, most]() {
        return ReadBody(body_, most, body_share_, state_.timer, state_.settings.body_time);
      })
      .then([this, most](ReadResult read) -> kj::Promise<Response> {
        if (const auto& fault = connection_.fault()) return Problem(fault->status, fault->error);
        if (!read.has_value()) return std::move(read.error());
        body_read_ = true;
        Result<std::string> body =
            Unpack(*std::move(read), request_.headers.Get("Content-Encoding"), most);
        if (!body.has_value()) return Problem(body.error());
        request_.body = *std::move(body);
        if (std::optional<Response> crowd = RefuseCrowd()) return *std::move(crowd);
        return Handle();
      })
      .then([this](Response response) { return Answer(kj::mv(response)); });
}

// kj's server does not know of it. Between two responses nothing else writes to the connection.
kj::Promise<void> Exchange::SendContinue() {
  return connection_.write(kContinue.begin(), kContinue.size()).then([this]() {
    expects_continue_ = false;
  });
}

kj::Promise<Response> Exchange::Handle() {
  in_progress_ = !route_->options.always;
  if (in_progress_) ++state_.in_progress;
  return kj::evalNow([this]() { return route_->handler(request_); })
      .catch_([this](kj::Exception&& fault) {
        TellProblem(kj::str(fault).cStr());
        return BareProblem(500, "The server failed; its log has the reason under the request's id");
      });
}

kj::Promise<void> Exchange::Answer(Response response) {
  if (const std::optional<std::string> unsafe = FindUnsafeField(response)) {
    TellProblem(*unsafe);
    response = BareProblem(500, "The server failed; its log has the reason under the request's id");
  }
  const bool streams = !std::holds_alternative<std::string>(response.body) &&
                       !std::holds_alternative<ProblemDocument>(response.body);
  if (streams && connection_.facts().is_1_0)
    response = Problem(505, {ErrorCode::kUnsupported,
                             "Expected HTTP/1.1, which has chunks, for an answer whose length "
                             "nobody knows yet, but found HTTP/1.0"});
  else if (streams && request_.method != Method::kHead && !BecomeStream())
    response =
        Problem({ErrorCode::kBackPressure, fmt::format("Expected at most {} streams but found more",
                                                       state_.settings.max_streams)});
  Complete(request_, state_.settings.cors, response);
  status_ = response.status;
  if (std::holds_alternative<Conversation>(response.body)) return Converse(kj::mv(response));
  if (std::holds_alternative<EventFeed>(response.body)) return AnswerEvents(kj::mv(response));
  if (std::holds_alternative<Download>(response.body)) return AnswerDownload(kj::mv(response));
  return AnswerWhole(kj::mv(response));
}

void Exchange::TellProblem(std::string_view what) const {
  if (state_.hooks.problem) state_.hooks.problem(request_.id, what);
}

bool Exchange::BecomeStream() {
  if (state_.streams >= state_.settings.max_streams) return false;
  if (std::exchange(in_progress_, false)) --state_.in_progress;
  ++state_.streams;
  is_stream_ = true;
  return true;
}

}  // namespace stele::server::http
