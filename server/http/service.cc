#include "server/http/service.h"

#include <fmt/format.h>
#include <kj/debug.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "server/http/exchange.h"
#include "server/http/framed_stream.h"
#include "server/http/reply.h"
#include "server/http/wire.h"

namespace stele::server::http {
namespace {

// A client that does not read would hold its request's place for ever. The kernel alone knows what
// has been taken, and ends the connection.
void CutOffWhenDeaf(kj::AsyncIoStream& stream, kj::Duration time) {
  const auto most = static_cast<unsigned>(
      std::min<int64_t>(time / kj::MILLISECONDS, std::numeric_limits<int>::max()));
  // A stream that is no socket has no such option, and whoever made it sees to its end.
  const auto not_a_socket = kj::runCatchingExceptions(
      [&]() { stream.setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof(most)); });
}

class Connection final : public kj::HttpService {
 public:
  Connection(ServiceState& state, FramedStream& stream, std::string source)
      : state_(state), stream_(stream), source_(std::move(source)) {}

  kj::Promise<void> request(kj::HttpMethod method, kj::StringPtr url,
                            const kj::HttpHeaders& headers, kj::AsyncInputStream& body,
                            Response& response) override {
    auto exchange = kj::heap<Exchange>(state_, stream_, body, response);
    auto done = exchange->Run(method, {url.begin(), url.size()}, headers, source_);
    return done.attach(kj::mv(exchange));
  }

 private:
  ServiceState& state_;
  FramedStream& stream_;
  const std::string source_;
};

}  // namespace

class Service::Impl final : public kj::HttpServerCallbacks, public kj::HttpServerErrorHandler {
 public:
  Impl(kj::Timer& timer, const Router& router, ServiceSettings settings, ServiceHooks hooks)
      : Impl(timer, router, std::move(settings), std::move(hooks),
             kj::newPromiseAndFulfiller<void>()) {}

  kj::Promise<void> Serve(kj::Own<kj::AsyncIoStream> stream, std::string source) {
    CutOffWhenDeaf(*stream, state_.settings.send_time);
    auto framed = kj::heap<FramedStream>(
        kj::mv(stream), state_.timer,
        FramedStream::Times{.head = state_.settings.header_time, .idle = state_.settings.idle_time},
        [this, source](const FramingFault& fault) {
          Response response = Problem(fault.status, fault.error);
          const std::string body = Refused(response, source);
          return LastResponse(response, body);
        });
    // The factory takes both before listenHttpCleanDrain returns.
    next_source_ = std::move(source);
    next_ = framed.get();
    return server_.listenHttpCleanDrain(*framed)
        .then([&framed = *framed](bool) { return framed.Linger(); })
        .attach(kj::mv(framed));
  }

  kj::Promise<void> Drain() {
    if (!state_.draining) {
      state_.draining = true;
      drain_->fulfill();
      drained_ = server_.drain().fork();
    }
    return drained_.addBranch();
  }

  const ServiceState& state() const { return state_; }

  bool shouldClose() override { return state_.draining || state_.close_next; }

  // The framing lets no other fault come to kj than a method that it does not know.
  kj::Promise<void> handleClientProtocolError(kj::HttpHeaders::ProtocolError fault,
                                              kj::HttpService::Response& out) override {
    return Send(Problem(static_cast<int>(fault.statusCode),
                        {ErrorCode::kWrongMethod, "Expected a method of HTTP but found another"}),
                out);
  }

  // Exchanges answer for their handlers and tell of them, so what comes here is the client's fault:
  // connections that broke, and, without a response to send, the rest of a body that nobody read.
  kj::Promise<void> handleApplicationError(kj::Exception fault,
                                           kj::Maybe<kj::HttpService::Response&> out) override {
    if (fault.getType() == kj::Exception::Type::DISCONNECTED) return kj::READY_NOW;
    KJ_IF_MAYBE (response, out) {
      return Send(Problem({ErrorCode::kBadRequest, "Expected a request but found other bytes"}),
                  *response);
    }
    return kj::READY_NOW;
  }

 private:
  Impl(kj::Timer& timer, const Router& router, ServiceSettings settings, ServiceHooks hooks,
       kj::PromiseFulfillerPair<void> drain)
      : drain_(kj::mv(drain.fulfiller)),
        state_{.timer = timer,
               .router = router,
               .settings = std::move(settings),
               .hooks = std::move(hooks),
               .table = {},
               .on_drain = drain.promise.fork()},
        server_(
            timer, state_.table,
            [this](kj::AsyncIoStream&) -> kj::Own<kj::HttpService> {
              return kj::heap<Connection>(state_, *std::exchange(next_, nullptr),
                                          std::exchange(next_source_, {}));
            },
            Settings()) {
    const Status cors = CheckCors(state_.settings.cors);
    CHECK(cors.has_value(), "{}", cors.error().message);
  }

  kj::HttpServerSettings Settings() {
    kj::HttpServerSettings settings;
    // The framed stream sees to these times, and is given one more for what it says of a late head.
    settings.headerTimeout = state_.settings.header_time + kDropSeconds * kj::SECONDS;
    settings.pipelineTimeout = settings.headerTimeout + state_.settings.idle_time;
    settings.canceledUploadGraceBytes = kMaxDroppedBytes;
    settings.canceledUploadGracePeriod = kDropSeconds * kj::SECONDS;
    settings.errorHandler = *this;
    settings.callbacks = *this;
    return settings;
  }

  kj::Promise<void> Send(Response response, kj::HttpService::Response& out) {
    std::string body = Refused(response, {});
    return SendWhole(out, state_.table, response, std::move(body), false);
  }

  // Completes the answer to what no handler has seen, and tells of it; the body.
  std::string Refused(Response& response, std::string_view source) {
    Request request;
    request.id = NextId(state_);
    Complete(request, state_.settings.cors, response);
    std::string body = TakeWholeBody(request, response);
    if (state_.hooks.access)
      state_.hooks.access({.source = source,
                           .id = request.id,
                           .status = response.status,
                           .bytes_out = body.size()});
    return body;
  }

  kj::Own<kj::PromiseFulfiller<void>> drain_;
  ServiceState state_;
  std::string next_source_;
  FramedStream* next_ = nullptr;
  kj::ForkedPromise<void> drained_ = nullptr;
  kj::HttpServer server_;
};

Service::Service(kj::Timer& timer, const Router& router, ServiceSettings settings,
                 ServiceHooks hooks)
    : impl_(std::make_unique<Impl>(timer, router, std::move(settings), std::move(hooks))) {}
Service::~Service() = default;

kj::Promise<void> Service::Serve(kj::Own<kj::AsyncIoStream> connection, std::string source) {
  return impl_->Serve(kj::mv(connection), std::move(source));
}

kj::Promise<void> Service::Drain() {
  return impl_->Drain();
}

size_t Service::in_progress() const {
  return impl_->state().in_progress;
}

size_t Service::streams() const {
  return impl_->state().streams;
}

}  // namespace stele::server::http
