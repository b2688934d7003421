#include "sdk/cpp/serving.h"

#include <kj/debug.h>

#include <random>
#include <utility>
#include <vector>

#include "schemas/api.capnp.h"
#include "server/loop/address.h"
#include "server/loop/connect.h"
#include "server/vat/vat_client.h"

namespace stele::sdk {

namespace {

// Of the leases: one that is late is not the last.
constexpr int kHeartbeatsPerLease = 3;
// However short a lease is.
constexpr auto kLeastRenewal = 1 * kj::MILLISECONDS;
// To be connected, and greeted.
constexpr auto kConnectPatience = 10 * kj::SECONDS;

// As the server said it; KJ marks what came over a connection.
std::string TextOf(const kj::Exception& exception) {
  constexpr std::string_view kRemote = "remote exception: ";
  const kj::StringPtr description = exception.getDescription();
  std::string_view text(description.begin(), description.size());
  while (text.starts_with(kRemote)) text.remove_prefix(kRemote.size());
  return std::string(text);
}

// What schemas/api.capnp says of the types of exceptions.
bool IsFinal(const kj::Exception& exception) {
  return exception.getType() == kj::Exception::Type::FAILED ||
         exception.getType() == kj::Exception::Type::UNIMPLEMENTED;
}

}  // namespace

class Serving::Connection {
 public:
  Connection(Serving& serving, kj::Own<kj::AsyncIoStream> stream)
      : serving_(serving),
        stream_(kj::mv(stream)),
        vat_(*stream_),
        tasks_(serving.handlers_, serving.threads_, serving.outbox_) {}

  RunningTasks& tasks() { return tasks_; }

  kj::Promise<void> Join() {
    const WorkerOptions& options = serving_.options_;
    auto gate = vat_.Bootstrap().castAs<api::Gate>();
    auto join = WorkersOf(gate, options.token).joinRequest();
    join.setWorker(tasks_.MakeServer());
    join.setName(kj::StringPtr(options.name.c_str(), options.name.size()));
    auto types = join.initTypes(static_cast<unsigned>(serving_.handlers_.size()));
    unsigned i = 0;
    for (const auto& [type, handler] : serving_.handlers_)
      types.set(i++, kj::StringPtr(type.c_str(), type.size()));
    join.setSlots(options.slots);
    join.setRate(options.rate);
    join.setLease(std::chrono::microseconds(options.lease).count());
    return join.send().then([this](auto&& joined) { membership_ = joined.getMembership(); });
  }

  // Until it is over.
  kj::Promise<Over> Work() {
    auto lost = vat_.onDisconnect().then([]() -> Over { return Lost{"it has ended"}; });
    auto ended = Membership().whenEndedRequest().send().then(
        [](auto&&) -> Over { return Lost{"the server has ended it"}; });
    auto renewing = Renew().then([]() -> Over { return {}; });
    auto stopped = serving_.stopped_.addBranch().then([this]() -> kj::Promise<Over> {
      return Membership().leaveRequest().send().then([](auto&&) -> Over { return {}; });
    });
    // In this order: of what is there at once the first one counts.
    return stopped.exclusiveJoin(kj::mv(lost))
        .exclusiveJoin(kj::mv(ended))
        .exclusiveJoin(kj::mv(renewing));
  }

 private:
  static api::Workers::Client WorkersOf(api::Gate::Client& gate, const std::string& token) {
    if (token.empty())
      return gate.anonymousRequest().send().getSession().workersRequest().send().getWorkers();
    auto request = gate.withTokenRequest();
    request.setToken(kj::StringPtr(token.c_str(), token.size()));
    return request.send().getSession().workersRequest().send().getWorkers();
  }
  api::Membership::Client& Membership() { return KJ_ASSERT_NONNULL(membership_); }
  kj::Promise<void> Renew() {
    const int64_t lease_us = std::chrono::microseconds(serving_.options_.lease).count();
    // It holds as long as the connection.
    if (lease_us <= 0) return kj::NEVER_DONE;
    return serving_.loop_.timer()
        .afterDelay(kj::max(lease_us / kHeartbeatsPerLease * kj::MICROSECONDS, kLeastRenewal))
        .then([this] {
          tasks_.RenewLeases();
          return Renew();
        });
  }

  Serving& serving_;
  kj::Own<kj::AsyncIoStream> stream_;
  server::VatClient vat_;
  RunningTasks tasks_;
  kj::Maybe<api::Membership::Client> membership_;
};

Serving::Serving(server::KjLoop& loop, const WorkerOptions& options, const Handlers& handlers,
                 HandlerThreads& threads, std::shared_ptr<Outbox> outbox)
    : loop_(loop),
      options_(options),
      handlers_(handlers),
      threads_(threads),
      outbox_(std::move(outbox)),
      backoff_(options.first_retry, options.last_retry, std::random_device()()),
      stopped_(nullptr),
      listening_(nullptr) {
  auto stop = kj::newPromiseAndFulfiller<void>();
  stop_ = kj::mv(stop.fulfiller);
  stopped_ = stop.promise.fork();
}

Serving::~Serving() = default;

kj::Promise<Ended> Serving::Serve() {
  if (options_.tls.has_value()) {
    auto tls = server::TlsClient::Create({.certificate_file = options_.tls->certificate_file,
                                          .key_file = options_.tls->key_file,
                                          .ca_file = options_.tls->ca_file});
    if (!tls.has_value()) return Ended(std::unexpected(tls.error().ToString()));
    tls_ = *std::move(tls);
  }
  if (const auto address = server::ParseAddress(options_.address); !address.has_value())
    return Ended(std::unexpected(address.error().ToString()));
  listening_ = Listen().eagerlyEvaluate(nullptr);
  return GoOn();
}

kj::Promise<void> Serving::Listen() {
  return outbox_->Arm().then([this] {
    for (Said& said : outbox_->Take()) {
      if (std::holds_alternative<StopAsked>(said)) {
        stopping_ = true;
        stop_->fulfill();
      } else if (connection_ != nullptr) {
        connection_->tasks().Take(std::move(said));
      }
    }
    return Listen();
  });
}

kj::Promise<Ended> Serving::GoOn() {
  if (stopping_) return Ended();
  auto over = Dial()
                  .then([this](kj::Own<kj::AsyncIoStream> stream) { return Work(kj::mv(stream)); })
                  .catch_([](kj::Exception&& fault) -> Over {
                    return Lost{TextOf(fault), IsFinal(fault)};
                  });
  return over.then([this](Over how) {
    connection_.reset();
    return After(std::move(how));
  });
}

kj::Promise<Ended> Serving::After(Over over) {
  if (!over.has_value() || stopping_) return Ended();
  if (over->final) return Ended(std::unexpected(std::move(over->why)));
  if (!std::exchange(noted_loss_, true)) Note("no connection: " + over->why);
  return loop_.timer()
      .afterDelay(backoff_.Next().count() * kj::MILLISECONDS)
      .exclusiveJoin(stopped_.addBranch())
      .then([this] { return GoOn(); });
}

kj::Promise<kj::Own<kj::AsyncIoStream>> Serving::Dial() {
  auto connected = server::Connect(loop_, options_.address, tls_,
                                   tls_.has_value() ? options_.tls->server_name : "");
  // Who was asked to stop waits for no server.
  auto stopped = stopped_.addBranch().then([]() -> kj::Own<kj::AsyncIoStream> {
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the worker stops"));
  });
  return loop_.timer()
      .timeoutAfter(kConnectPatience, kj::mv(connected))
      .exclusiveJoin(kj::mv(stopped));
}

kj::Promise<Serving::Over> Serving::Work(kj::Own<kj::AsyncIoStream> stream) {
  connection_ = std::make_unique<Connection>(*this, kj::mv(stream));
  return loop_.timer().timeoutAfter(kConnectPatience, connection_->Join()).then([this] {
    backoff_.Reset();
    if (std::exchange(noted_loss_, false)) Note("connected");
    return connection_->Work();
  });
}

void Serving::Note(const std::string& what) {
  if (options_.note) options_.note(options_.address + ": " + what);
}

}  // namespace stele::sdk
