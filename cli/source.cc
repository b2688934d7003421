#include "cli/source.h"

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "cli/open_data.h"
#include "cli/recorded.h"
#include "cli/remote/remote.h"

namespace stele::cli {

namespace {

class StoredSource final : public Source {
 public:
  explicit StoredSource(std::unique_ptr<eventstore::EventStore> store)
      : owned_(std::move(store)), store_(*owned_) {}
  explicit StoredSource(const eventstore::EventStore& store) : store_(store) {}
  Result<std::unique_ptr<eventstore::Cursor>> RecordsFrom(InstanceId instance,
                                                          Seq from) const override {
    return store_.ReadInstance(kShard, instance, from);
  }
  replay::LacksWorker NeedsWorker(const model::Registry& registry) const override {
    return NeedsWorkerOf(registry);
  }

 private:
  const std::unique_ptr<eventstore::EventStore> owned_;  // null: it is somebody else's
  const eventstore::EventStore& store_;
};

// A page of records as a server sends it.
struct Page {
  capnp::List<api::LogRecord>::Reader records;
  Seq next;                     // 0: there is no more
  std::shared_ptr<void> owner;  // of the message that they are in
};

class RemoteCursor final : public eventstore::Cursor {
 public:
  using Fetch = std::function<Result<Page>(Seq from)>;

  RemoteCursor(InstanceId instance, Fetch fetch, Page first)
      : instance_(instance), fetch_(std::move(fetch)), page_(std::move(first)) {}

  Result<std::optional<eventstore::RecordView>> Next() override {
    while (at_ == page_.records.size()) {
      if (!page_.next) return std::nullopt;
      auto page = fetch_(page_.next);
      if (!page.has_value()) return std::unexpected(page.error());
      page_ = *std::move(page);
      at_ = 0;
    }
    const auto record = page_.records[at_++];
    const auto actor = record.getActor();
    const auto source = record.getSource();
    const auto body = record.getBody();
    passed_ = Position(record.getPosition());
    return eventstore::RecordView{
        .shard = kShard,
        .position = passed_,
        .header = {.instance = instance_,
                   .first_seq = Seq(record.getFirstSeq()),
                   .time = TimeUs(record.getTime()),
                   .causation = Position(record.getCausation()),
                   .actor = {actor.begin(), actor.size()},
                   .source = {source.begin(), source.size()}},
        .body = {reinterpret_cast<const char*>(body.begin()), body.size()},
        .seal = {},
        .erased = record.getErased()};
  }
  Position Passed() const override { return passed_; }

 private:
  const InstanceId instance_;
  const Fetch fetch_;
  Page page_;
  unsigned at_ = 0;
  Position passed_;
};

class RemoteSource final : public Source {
 public:
  RemoteSource(Remote& server, Firings firings) : server_(&server), firings_(firings) {}
  RemoteSource(std::unique_ptr<Remote> server, const Arguments& arguments, Firings firings)
      : owned_(std::move(server)),
        server_(owned_.get()),
        arguments_(arguments),
        firings_(firings) {}

  Result<std::unique_ptr<eventstore::Cursor>> RecordsFrom(InstanceId instance,
                                                          Seq from) const override {
    RemoteCursor::Fetch fetch = [this, instance](Seq from) -> Result<Page> {
      if (server_ == nullptr)
        return Fail(ErrorCode::kUnreachable, "Expected a connection but found that it is lost");
      return instance ? FetchOfInstance(instance, from) : FetchOfRegistry(from);
    };
    auto first = fetch(from);
    if (!first.has_value()) return std::unexpected(first.error());
    return std::make_unique<RemoteCursor>(instance, std::move(fetch), *std::move(first));
  }
  replay::LacksWorker NeedsWorker(const model::Registry&) const override {
    return [this](const definition::Step& step) { return lacking_.contains(step.task_type); };
  }
  void Expect(std::span<const InstanceId> instances) const override {
    for (const InstanceId instance : instances)
      expected_.emplace(instance, RecordsOf(instance, Seq(1)));
  }
  Status ConnectAgain() override {
    if (!arguments_.has_value()) return {};
    // What waits for an answer ends before the connection, and its loop before the next one.
    expected_.clear();
    server_ = nullptr;
    owned_.reset();
    auto server = Remote::Open(*arguments_);
    if (!server.has_value()) return std::unexpected(server.error());
    owned_ = *std::move(server);
    server_ = owned_.get();
    return {};
  }

 private:
  using Answer = kj::Promise<capnp::Response<api::Instance::RecordsResults>>;
  using Expected = std::map<InstanceId, Answer>;

  Answer RecordsOf(InstanceId instance, Seq from) const {
    auto get = server_->session().instancesRequest().send().getInstances().getRequest();
    get.setId(instance.value);
    auto request = get.send().getInstance().recordsRequest();
    request.setFrom(from.value);
    return request.send();
  }
  template <class Results>
  static Page PageOf(capnp::Response<Results> response) {
    auto owner = std::make_shared<capnp::Response<Results>>(kj::mv(response));
    return {owner->getRecords(), Seq(owner->getNext()), owner};
  }
  Result<Page> FetchOfInstance(InstanceId instance, Seq from) const {
    auto expected = from == Seq(1) ? expected_.extract(instance) : Expected::node_type();
    auto response =
        server_->Wait(expected.empty() ? RecordsOf(instance, from) : kj::mv(expected.mapped()));
    if (!response.has_value()) return std::unexpected(response.error());
    lacking_.clear();
    for (const auto type : response->getLacking()) lacking_.emplace(type.begin(), type.size());
    return PageOf(*std::move(response));
  }
  Result<Page> FetchOfRegistry(Seq from) const {
    auto request = server_->session().definitionsRequest().send().getDefinitions().recordsRequest();
    request.setFrom(from.value);
    request.setFirings(firings_ == Firings::kWith);
    auto response = server_->Wait(request.send());
    if (!response.has_value()) return std::unexpected(response.error());
    return PageOf(*std::move(response));
  }

  std::unique_ptr<Remote> owned_;       // null: it is somebody else's, or lost
  Remote* server_;                      // null: lost
  std::optional<Arguments> arguments_;  // of one that is its own
  const Firings firings_;
  mutable std::set<std::string, std::less<>> lacking_;
  // Of instances that will be read; ends before the server.
  mutable Expected expected_;
};

}  // namespace

Result<std::unique_ptr<Source>> OpenSource(const Arguments& arguments, Firings firings) {
  if (IsForServer(arguments)) {
    auto server = Remote::Open(arguments);
    if (!server.has_value()) return std::unexpected(server.error());
    return std::make_unique<RemoteSource>(*std::move(server), arguments, firings);
  }
  auto store = OpenForReading(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  return std::make_unique<StoredSource>(*std::move(store));
}

Result<model::Registry> ReadRegistryOf(const Arguments& arguments) {
  const auto source = OpenSource(arguments);
  if (!source.has_value()) return std::unexpected(source.error());
  return replay::ReadRegistry(**source);
}

std::unique_ptr<Source> SourceOf(const eventstore::EventStore& store) {
  return std::make_unique<StoredSource>(store);
}

std::unique_ptr<Source> SourceOf(Remote& server, Firings firings) {
  return std::make_unique<RemoteSource>(server, firings);
}

}  // namespace stele::cli
