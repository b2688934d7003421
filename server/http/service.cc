#include "server/http/service.h"

#include <fmt/format.h>
#include <kj/debug.h>

#include <utility>

#include "base/check.h"
#include "server/http/exchange.h"
#include "server/http/reply.h"
#include "server/http/wire.h"

namespace stele::server::http {
namespace {

class Connection final : public kj::HttpService {
 public:
  Connection(ServiceState& state, kj::AsyncIoStream& stream, std::string source)
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
  kj::AsyncIoStream& stream_;
  const std::string source_;
};

}  // namespace

class Service::Impl final : public kj::HttpServerCallbacks, public kj::HttpServerErrorHandler {
 public:
  Impl(kj::Timer& timer, const Router& router, ServiceSettings settings, ServiceHooks hooks)
      : Impl(timer, router, std::move(settings), std::move(hooks),
             kj::newPromiseAndFulfiller<void>()) {}

  kj::Promise<void> Serve(kj::Own<kj::AsyncIoStream> stream, std::string source) {
    // The factory takes it before listenHttp returns.
    next_source_ = std::move(source);
    return server_.listenHttp(kj::mv(stream));
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

  // What is no HTTP: no handler has seen it.
  kj::Promise<void> handleClientProtocolError(kj::HttpHeaders::ProtocolError fault,
                                              kj::HttpService::Response& out) override {
    return Refuse(static_cast<int>(fault.statusCode), fault.description.cStr(), out);
  }

  // Exchanges answer for their handlers and tell of them, so what comes here is the client's fault:
  // heads that kj cannot make a body of, and, without a response to send, heads of more than 128
  // KiB and connections that broke.
  kj::Promise<void> handleApplicationError(kj::Exception fault,
                                           kj::Maybe<kj::HttpService::Response&> out) override {
    if (fault.getType() == kj::Exception::Type::DISCONNECTED) return kj::READY_NOW;
    KJ_IF_MAYBE (response, out) {
      return Refuse(400, "Expected a length and coding of the body that are valid but found others",
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
            [this](kj::AsyncIoStream& stream) -> kj::Own<kj::HttpService> {
              return kj::heap<Connection>(state_, stream, std::exchange(next_source_, {}));
            },
            Settings()) {
    const Status cors = CheckCors(state_.settings.cors);
    CHECK(cors.has_value(), "{}", cors.error().message);
  }

  kj::HttpServerSettings Settings() {
    kj::HttpServerSettings settings;
    settings.headerTimeout = state_.settings.header_time;
    settings.pipelineTimeout = state_.settings.idle_time;
    settings.canceledUploadGraceBytes = kMaxDroppedBytes;
    settings.canceledUploadGracePeriod = kDropSeconds * kj::SECONDS;
    settings.errorHandler = *this;
    settings.callbacks = *this;
    return settings;
  }

  kj::Promise<void> Refuse(int status, std::string_view detail, kj::HttpService::Response& out) {
    Request request;
    request.id = NextId(state_);
    Response response = BareProblem(status, detail);
    Complete(request, state_.settings.cors, response);
    std::string body = TakeWholeBody(request, response);
    if (state_.hooks.access)
      state_.hooks.access({.id = request.id, .status = status, .bytes_out = body.size()});
    return SendWhole(out, state_.table, response, std::move(body), false);
  }

  kj::Own<kj::PromiseFulfiller<void>> drain_;
  ServiceState state_;
  std::string next_source_;
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
