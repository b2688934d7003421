#include "cli/load/clients.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/load/fine_timer.h"
#include "cli/load/follower.h"
#include "cli/load/limits.h"
#include "cli/load/line.h"
#include "schemas/definitions.capnp.h"
#include "server/loop/address.h"
#include "server/loop/own_loop.h"
#include "server/rpc/errors.h"
#include "server/rpc/text.h"

namespace stele::load {

using server::rpc::ErrorOf;

// The loop, and what lives on it; what stands further down ends first.
struct Clients::Parts {
  Parts(const ServerAddress& address, std::function<bool()> stop)
      : server(address), stop(std::move(stop)) {}

  // Runs the loop until `done`, or to be stopped; false: for so long it was not.
  bool RunUntil(const std::function<bool()>& done, int64_t patience_us);
  // Runs it until the promise is kept or broken; kTimeout.
  Status Await(kj::Promise<void> promise, int64_t patience_us);
  Error Late(std::string_view wanted, int64_t patience_us) const;
  // The log's last record, as far as views know of it; 0: who asks is not told.
  uint64_t Position();

  const ServerAddress server;
  const std::function<bool()> stop;
  server::OwnLoop uv;
  server::KjLoop loop{uv.get()};
  FineTimer timer{uv.get()};
  std::optional<server::TlsClient> tls;
  std::deque<Told> told;  // of those that follow
  std::vector<kj::Own<Line>> lines;
};

bool Clients::Parts::RunUntil(const std::function<bool()>& done, int64_t patience_us) {
  const int64_t until_us = NowUs() + patience_us;
  while (!done()) {
    if (NowUs() >= until_us || stop()) return false;
    timer.WakeAt(std::min(until_us, NowUs() + kLookEveryUs));
    uv.Turn();
  }
  return true;
}

Status Clients::Parts::Await(kj::Promise<void> promise, int64_t patience_us) {
  std::optional<Status> outcome;
  const auto running =
      promise
          .then([&] { outcome.emplace(); },
                [&](kj::Exception&& fault) { outcome.emplace(std::unexpected(ErrorOf(fault))); })
          .eagerlyEvaluate(nullptr);
  if (RunUntil([&] { return outcome.has_value(); }, patience_us)) return *outcome;
  return std::unexpected(Late("an answer", patience_us));
}

Error Clients::Parts::Late(std::string_view wanted, int64_t patience_us) const {
  return {ErrorCode::kTimeout, fmt::format("Expected {} of {} within {} s but found none", wanted,
                                           server.address, patience_us / 1'000'000)};
}

uint64_t Clients::Parts::Position() {
  uint64_t position = 0;
  auto asked = lines.front()->session().viewsRequest().send().getViews().statesRequest().send();
  (void)Await(asked.then([&](auto&& answer) {
    for (const api::ViewState::Reader view : answer.getViews())
      position = std::max(position, view.getPosition() + view.getLag());
  }),
              kAnswerPatienceUs);
  return position;
}

Clients::Clients(const ServerAddress& server, std::function<bool()> stop)
    : parts_(std::make_unique<Parts>(server, std::move(stop))) {}
Clients::~Clients() = default;

Result<std::unique_ptr<Clients>> Clients::Connect(const ServerAddress& server, size_t connections,
                                                  std::function<bool()> stop) {
  std::unique_ptr<Clients> clients(new Clients(server, std::move(stop)));
  if (server.tls) {
    auto tls = server::TlsClient::Create({.certificate_file = server.certificate_file,
                                          .key_file = server.key_file,
                                          .ca_file = server.ca_file});
    if (!tls.has_value()) return std::unexpected(tls.error());
    clients->parts_->tls = *std::move(tls);
  }
  STELE_RETURN_IF_ERROR(clients->Grow(connections));
  return clients;
}

Status Clients::Grow(size_t connections) {
  Parts& parts = *parts_;
  for (size_t wanted = parts.lines.size() + connections; parts.lines.size() < wanted;) {
    const size_t some = std::min(wanted - parts.lines.size(), kConnectsAtOnce);
    kj::Vector<kj::Promise<void>> opening;
    for (size_t i = 0; i < some; ++i)
      opening.add(Line::Open(parts.loop, parts.server, parts.tls).then([&](kj::Own<Line> line) {
        parts.lines.push_back(kj::mv(line));
      }));
    Status opened = parts.Await(kj::joinPromises(opening.releaseAsArray()), kConnectPatienceUs);
    if (opened.has_value()) continue;
    Error error = opened.error();
    if (error.code == ErrorCode::kClosed || error.code == ErrorCode::kTimeout)
      error.code = ErrorCode::kUnreachable;
    return std::unexpected(std::move(error));
  }
  return {};
}

std::optional<pid_t> Clients::server_process() const {
  if (!server::ParseAddress(parts_->server.address)->is_unix()) return std::nullopt;
  ucred peer{};
  kj::uint length = sizeof peer;
  parts_->lines.front()->stream().getsockopt(SOL_SOCKET, SO_PEERCRED, &peer, &length);
  return peer.pid > 0 ? std::optional(peer.pid) : std::nullopt;
}

Status Clients::Prepare(const Work& work) {
  auto definitions = parts_->lines.front()->session().definitionsRequest().send().getDefinitions();
  if (work.with_tasks) {
    auto type = definitions.registerTypeRequest();
    type.setName(server::rpc::TextOf(std::string(kTaskType)));
    type.setDocument(server::rpc::TextOf(std::string(kTaskDocument)));
    STELE_RETURN_IF_ERROR(parts_->Await(type.send().ignoreResult(), kAnswerPatienceUs));
  }
  const std::string text = work.definition_text();
  auto request = definitions.registerRequest();
  request.initText().setText(server::rpc::TextOf(text));
  request.getText().setSyntax(api::Syntax::JSON);
  return parts_->Await(request.send().ignoreResult(), kAnswerPatienceUs);
}

// Keeps the load going on the connections, in turns.
class Clients::Runner final : private kj::TaskSet::ErrorHandler {
 public:
  Runner(Parts& parts, const Work& work, Load& load)
      : parts_(parts),
        definition_(work.definition()),
        until_end_(work.until_end),
        load_(load),
        calls_(*this) {}

  void Pump() {
    while (const std::optional<int64_t> from_us = load_.Take(NowUs())) {
      Line& line = *parts_.lines[next_++ % parts_.lines.size()];
      calls_.add(until_end_ ? StartToEnd(line, *from_us) : Start(line, *from_us));
    }
  }

 private:
  kj::Promise<void> Start(Line& line, int64_t from_us) {
    auto request = line.instances().startRequest();
    request.setDefinition(server::rpc::TextOf(definition_));
    return request.send().then(
        [this, from_us](auto&& answer) {
          load_.Done(from_us, NowUs(), answer.getStarted().getPosition());
        },
        [this](kj::Exception&& fault) { Fault(fault); });
  }

  kj::Promise<void> StartToEnd(Line& line, int64_t from_us) {
    auto request = line.instances().startRequest();
    request.setDefinition(server::rpc::TextOf(definition_));
    auto wait = request.send().getInstance().waitRequest();
    wait.setPatience(kEndPatienceUs);
    return wait.send().then(
        [this, from_us](auto&& answer) {
          const api::InstanceStatus::Reader status = answer.getStatus();
          if (status.getStatus() == "completed")
            return load_.Done(from_us, NowUs(), status.getPosition());
          load_.Fail(
              {ErrorCode::kTaskFailed,
               fmt::format("Expected instance {} to complete but found it {}: {}", status.getId(),
                           status.getStatus().cStr(), status.getErrorMessage().cStr())});
        },
        [this](kj::Exception&& fault) { Fault(fault); });
  }

  void Fault(const kj::Exception& fault) {
    Error error = ErrorOf(fault);
    if (error.code == ErrorCode::kBackPressure) return load_.Refuse(NowUs(), error.message);
    load_.Fail(std::move(error));
  }

  void taskFailed(kj::Exception&& fault) override { Fault(fault); }

  Parts& parts_;
  const std::string definition_;
  const bool until_end_;
  Load& load_;
  size_t next_ = 0;
  kj::TaskSet calls_;
};

void Clients::Run(const Work& work, Load& load) {
  Runner runner(*parts_, work, load);
  load.Reached(parts_->Position());
  load.Begin(NowUs());
  while (!load.Look(NowUs())) {
    if (parts_->stop()) load.Stop(NowUs());
    runner.Pump();
    parts_->timer.WakeAt(load.NextLookUs(NowUs()));
    parts_->uv.Turn();
  }
}

Status Clients::Follow(const Work& work) {
  kj::Vector<kj::Promise<void>> following;
  const std::string definition = work.definition();
  for (kj::Own<Line>& line : parts_->lines) {
    auto request = line->session().logRequest().send().getLog().followRequest();
    request.setReceiver(kj::heap<Follower>(parts_->told.emplace_back()));
    request.initFilter().setDefinition(server::rpc::TextOf(definition));
    following.add(request.send().then(
        [&line = *line](auto&& answer) { line.Keep(answer.getSubscription()); }));
  }
  return parts_->Await(kj::joinPromises(following.releaseAsArray()), kAnswerPatienceUs);
}

Result<Delivered> Clients::Deliver(const Work& work) {
  const std::string definition = work.definition();
  auto request = parts_->lines.front()->instances().startRequest();
  request.setDefinition(server::rpc::TextOf(definition));
  uint64_t instance = 0;
  const int64_t from_us = NowUs();
  STELE_RETURN_IF_ERROR(parts_->Await(
      request.send().then([&](auto&& answer) { instance = answer.getStarted().getId(); }),
      kAnswerPatienceUs));
  const auto have = [&] {
    return static_cast<size_t>(std::ranges::count(parts_->told, instance, &Told::instance));
  };
  if (!parts_->RunUntil([&] { return have() == parts_->told.size(); }, kAnswerPatienceUs))
    return std::unexpected(parts_->Late(fmt::format("word of the end of instance {} to {} more",
                                                    instance, parts_->told.size() - have()),
                                        kAnswerPatienceUs));
  Delivered delivered{.followers = have(), .latencies_us = {}};
  for (const Told& told : parts_->told) delivered.latencies_us.Add(told.at_us - from_us);
  return delivered;
}

void Clients::Settle() {
  (void)parts_->RunUntil([] { return false; }, kSettleUs);
}

}  // namespace stele::load
