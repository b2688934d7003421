#include "server/operations/workers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <list>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "engine/runtime/custom_types.h"
#include "engine/tasks/worker_message.h"
#include "server/auth/source.h"
#include "server/operations/limits.h"
#include "server/operations/taken.h"

namespace stele::server {

using tasks::LeaseId;
using tasks::WorkerId;

namespace {

Status CheckName(std::string_view name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (name.size() > kMaxWorkerNameBytes)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("worker: Expected a name of at most {} bytes but found {}",
                            kMaxWorkerNameBytes, name.size()));
  if (!IsUtf8(name) || std::ranges::any_of(name, is_control))
    return Fail(ErrorCode::kInvalidInput,
                "worker: Expected a name of one line in UTF-8 but found other bytes");
  return {};
}

Status CheckTypes(const std::vector<std::string>& types) {
  if (types.empty() || types.size() > kMaxWorkerTypes)
    return Fail(types.empty() ? ErrorCode::kInvalidInput : ErrorCode::kLimitExceeded,
                fmt::format("types: Expected 1 to {} types of tasks but found {}", kMaxWorkerTypes,
                            types.size()));
  for (const std::string& type : types)
    if (const Status fits = runtime::CheckTypeName(type); !fits.has_value())
      return Fail(fits.error().code, "types: " + fits.error().message);
  return {};
}

Status CheckBetween(std::string_view what, int64_t least, int64_t most, int64_t found) {
  if (found >= least && found <= most) return {};
  return Fail(
      ErrorCode::kLimitExceeded,
      fmt::format("{}: Expected {} to {} microseconds but found {}", what, least, most, found));
}

// What its results are recorded under: of somebody with a name, that is in it, so that nobody's
// worker passes for another's.
std::string PoolName(const Caller& caller, const std::string& worker) {
  if (caller.kind == CallerKind::kAnonymousDev && !worker.empty()) return worker;
  if (worker.empty() || worker == caller.name) return caller.name;
  return caller.name + "/" + worker;
}

}  // namespace

// One that asks, with its leases. It is in the pool from its first poll on and goes with the last
// of polls and leases.
class Workers::Poller final : public tasks::Worker {
 public:
  Poller(Workers& workers, PollerKey key) : workers_(workers), key_(std::move(key)) {}
  ~Poller() override {
    for (const LeaseId lease : held_) workers_.leases_.erase(lease);
    if (joined_) workers_.pool().Lose(id_, "the server stops");
  }

  bool IsOf(const Caller& caller, const std::string& worker) const {
    return std::get<0>(key_) == caller.name && std::get<1>(key_) == worker;
  }
  WorkerId id() const { return id_; }

  void Open(OpenPoll* poll, const std::string& pool_name);
  // REQUIRES: it was opened. It may be the last that is done with the poller.
  void Close(OpenPoll* poll, const std::vector<LeaseId>& untaken);
  bool Holds(LeaseId lease) const { return held_.contains(lease); }
  // The lease is about to end by an answer: its slot is nobody's.
  void Forget(LeaseId lease);
  void LeaveIfUnused();

  void OnTask(const tasks::WorkerTask& task) override;
  // Its next heartbeat is refused.
  void OnCancel(LeaseId, std::string_view) override {}
  void OnLeaseEnded(LeaseId lease, std::string_view) override {
    Forget(lease);
    // It holds nothing of it: the slot need not wait for a late answer, which is refused.
    (void)workers_.pool().Return(id_, lease);
    LeaveIfUnused();
  }
  void OnLeft() override {
    joined_ = false;
    workers_.pollers_.erase(key_);
  }

 private:
  void SetSlots() { workers_.pool().SetSlots(id_, Slots()); }
  uint32_t Slots() const;

  Workers& workers_;
  const PollerKey key_;
  bool joined_ = false;
  WorkerId id_;
  std::list<OpenPoll*> polls_;  // the oldest first
  std::set<LeaseId> held_;
};

class Workers::OpenPoll {
 public:
  OpenPoll(Workers& workers, Poller& poller, uint32_t max,
           kj::Own<kj::PromiseFulfiller<void>> handed)
      : workers_(workers), poller_(poller), max_(max), handed_(kj::mv(handed)) {
    ++workers_.polls_;
  }
  ~OpenPoll() {
    --workers_.polls_;
    poller_.Close(this, leases_);
  }
  OpenPoll(const OpenPoll&) = delete;
  OpenPoll& operator=(const OpenPoll&) = delete;

  uint32_t wanted() const { return max_ - static_cast<uint32_t>(leases_.size()); }
  void Hand(const tasks::WorkerTask& task) {
    PolledTask polled{workers_.NameOf(task.lease, task.key), tasks::TaskMessage(task)};
    polled.task.as_object().Set("lease", polled.lease);
    leases_.push_back(task.lease);
    tasks_.push_back(std::move(polled));
    handed_->fulfill();
  }
  // What is still its own, which is taken by that.
  std::vector<PolledTask> Take() {
    std::vector<PolledTask> taken;
    for (size_t i = 0; i < leases_.size(); ++i)
      if (poller_.Holds(leases_[i])) taken.push_back(std::move(tasks_[i]));
    leases_.clear();
    tasks_.clear();
    max_ = 0;
    return taken;
  }

 private:
  Workers& workers_;
  Poller& poller_;
  uint32_t max_;
  kj::Own<kj::PromiseFulfiller<void>> handed_;
  std::vector<LeaseId> leases_;
  std::vector<PolledTask> tasks_;
};

uint32_t Workers::Poller::Slots() const {
  size_t slots = held_.size();
  for (const OpenPoll* poll : polls_) slots += poll->wanted();
  return static_cast<uint32_t>(slots);
}

void Workers::Poller::Open(OpenPoll* poll, const std::string& pool_name) {
  polls_.push_back(poll);
  if (joined_) return SetSlots();
  joined_ = true;
  // Without slots at first: tasks come when the id is known.
  id_ = workers_.pool().Join(
      {.name = pool_name, .types = std::get<2>(key_), .slots = 0, .lease_us = std::get<3>(key_)},
      this);
  SetSlots();
}

void Workers::Poller::Close(OpenPoll* poll, const std::vector<LeaseId>& untaken) {
  polls_.remove(poll);
  std::vector<LeaseId> returned;
  for (const LeaseId lease : untaken)
    if (Holds(lease)) returned.push_back(lease);
  for (const LeaseId lease : returned) Forget(lease);
  SetSlots();
  for (const LeaseId lease : returned) (void)workers_.pool().Return(id_, lease);
  LeaveIfUnused();
}

void Workers::Poller::Forget(LeaseId lease) {
  held_.erase(lease);
  workers_.leases_.erase(lease);
  SetSlots();
}

void Workers::Poller::LeaveIfUnused() {
  if (polls_.empty() && held_.empty()) workers_.pool().Leave(id_);
}

void Workers::Poller::OnTask(const tasks::WorkerTask& task) {
  const auto asks = std::ranges::find_if(polls_, [](OpenPoll* poll) { return poll->wanted() > 0; });
  CHECK(asks != polls_.end(), "a task was handed to worker {} that asks for none", id_.value);
  held_.insert(task.lease);
  workers_.leases_.emplace(task.lease, Held{this, task.key});
  (*asks)->Hand(task);
}

// ---- Joining and polling ----

Workers::Membership::~Membership() {
  --workers_.joined_;
  workers_.pool().Lose(id_, "its connection has ended");
}

Workers::Workers(Desk& desk, const RandomBytes& random)
    : desk_(desk), process_(ReadableWord(random, kProcessWordSize)) {}

Workers::~Workers() {
  CHECK(polls_ == 0 && joined_ == 0, "{} polls and {} memberships are left", polls_, joined_);
  // They take themselves out of what is beside them.
  pollers_.clear();
}

Status Workers::CheckSlots(uint32_t slots) {
  if (slots <= tasks::kMaxWorkerSlots) return {};
  return Fail(
      ErrorCode::kLimitExceeded,
      fmt::format("Expected at most {} tasks at once but found {}", tasks::kMaxWorkerSlots, slots));
}

Status Workers::CheckRate(double tasks_per_second) {
  if (tasks_per_second == 0) return {};
  if (tasks_per_second >= tasks::kMinWorkerRate && tasks_per_second <= tasks::kMaxWorkerRate)
    return {};
  return Fail(ErrorCode::kLimitExceeded,
              fmt::format("rate: Expected {} to {} tasks a second, or 0 for any, but found {}",
                          tasks::kMinWorkerRate, tasks::kMaxWorkerRate, tasks_per_second));
}

Result<std::string> Workers::Admit(const Caller& caller, std::string given) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kWork));
  if (!certificates_) return given;
  const std::string_view certified = CertificateOf(caller.source);
  if (certified.empty())
    return desk_.Deny(caller, Permission::kWork,
                      "Expected a worker that shows a certificate but found a connection without "
                      "one (tls.clients: workers)");
  if (!given.empty() && given != certified)
    return desk_.Deny(caller, Permission::kWork,
                      fmt::format("worker: Expected the name that the certificate says, \"{}\", "
                                  "but found \"{}\"",
                                  certified, given));
  return std::string(certified);
}

Result<std::unique_ptr<Workers::Membership>> Workers::Join(const Caller& caller,
                                                           tasks::WorkerPool::Joining joining,
                                                           tasks::Worker* worker) {
  auto name = Admit(caller, std::move(joining.name));
  if (!name.has_value()) return std::unexpected(std::move(name).error());
  joining.name = *std::move(name);
  STELE_RETURN_IF_ERROR(CheckName(joining.name));
  STELE_RETURN_IF_ERROR(CheckTypes(joining.types));
  STELE_RETURN_IF_ERROR(CheckSlots(joining.slots));
  STELE_RETURN_IF_ERROR(CheckRate(joining.rate));
  if (joining.lease_us != 0)
    STELE_RETURN_IF_ERROR(
        CheckBetween("lease", kMinWorkerLeaseUs, kMaxWorkerLeaseUs, joining.lease_us));
  if (desk_.closed()) return Desk::Closed();
  if (joined_ >= kMaxJoinedWorkers)
    return Fail(ErrorCode::kBackPressure,
                fmt::format("Expected fewer than {} workers but found as many; try again later",
                            kMaxJoinedWorkers));
  joining.name = PoolName(caller, joining.name);
  ++joined_;
  return std::make_unique<Membership>(*this, pool().Join(std::move(joining), worker));
}

Promised<std::vector<PolledTask>> Workers::Poll(const Caller& caller, PollRequest request) {
  using Tasks = Result<std::vector<PolledTask>>;
  const auto check = [&]() -> Status {
    auto name = Admit(caller, std::move(request.worker));
    if (!name.has_value()) return std::unexpected(std::move(name).error());
    request.worker = *std::move(name);
    STELE_RETURN_IF_ERROR(CheckName(request.worker));
    STELE_RETURN_IF_ERROR(CheckTypes(request.types));
    STELE_RETURN_IF_ERROR(CheckSlots(request.max));
    STELE_RETURN_IF_ERROR(CheckBetween("wait", 0, kMaxPollWaitUs, request.wait_us));
    STELE_RETURN_IF_ERROR(
        CheckBetween("lease", kMinWorkerLeaseUs, kMaxWorkerLeaseUs, request.lease_us));
    if (request.max == 0)
      return Fail(ErrorCode::kInvalidInput, "max: Expected at least 1 task but found 0");
    if (polls_ < kMaxOpenPolls) return {};
    return Fail(ErrorCode::kBackPressure,
                fmt::format("Expected fewer than {} polls but found as many; try again later",
                            kMaxOpenPolls));
  };
  if (const Status fits = check(); !fits.has_value()) return Tasks(std::unexpected(fits.error()));
  if (desk_.closed()) return Tasks(std::vector<PolledTask>());
  std::ranges::sort(request.types);
  PollerKey key(caller.name, request.worker, std::move(request.types), request.lease_us);
  auto& poller = pollers_[key];
  if (poller == nullptr) poller = std::make_unique<Poller>(*this, std::move(key));

  auto handed = kj::newPromiseAndFulfiller<void>();
  auto poll = kj::heap<OpenPoll>(*this, *poller, request.max, kj::mv(handed.fulfiller));
  OpenPoll* const open = poll.get();
  poller->Open(open, PoolName(caller, request.worker));
  kj::Promise<void> over = request.wait_us == 0
                               ? kj::Promise<void>(kj::READY_NOW)
                               : desk_.timer()
                                     .afterDelay(request.wait_us * kj::MICROSECONDS)
                                     .exclusiveJoin(desk_.WhenClosed());
  return handed.promise.exclusiveJoin(kj::mv(over))
      .then([open]() -> Tasks { return open->Take(); })
      .attach(kj::mv(poll));
}

// ---- What they say ----

std::string Workers::NameOf(LeaseId lease, const tasks::AttemptKey& key) const {
  return fmt::format("{}-{}-{}", process_, lease.value, key.ToString());
}

Result<std::pair<LeaseId, Workers::Poller*>> Workers::Find(const Caller& caller,
                                                           const LeaseName& name) {
  const auto worker = Admit(caller, name.worker);
  if (!worker.has_value()) return std::unexpected(worker.error());
  std::string_view rest = name.lease;
  rest.remove_prefix(std::min(process_.size() + 1, rest.size()));
  uint64_t number = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), number);
  const auto found = leases_.find(LeaseId(number));
  if (found != leases_.end() && NameOf(found->first, found->second.key) == name.lease &&
      found->second.poller->IsOf(caller, *worker))
    return std::pair(found->first, found->second.poller);
  return Fail(ErrorCode::kStaleAttempt,
              fmt::format("Expected a lease of worker \"{}\" but found \"{}\", which has ended or "
                          "was never its own",
                          *worker, name.lease));
}

Status Workers::Heartbeat(const Caller& caller, const LeaseName& name, std::string_view detail) {
  const auto held = Find(caller, name);
  if (!held.has_value()) return std::unexpected(held.error());
  return pool().Heartbeat(held->second->id(), held->first, detail);
}

Status Workers::Log(const Caller& caller, const LeaseName& name, std::string_view text) {
  const auto held = Find(caller, name);
  if (!held.has_value()) return std::unexpected(held.error());
  return pool().Log(held->second->id(), held->first, text);
}

template <class Tell>
Promised<void> Workers::Answer(const Caller& caller, const LeaseName& name, Tell tell) {
  const auto held = Find(caller, name);
  if (!held.has_value()) return Status(std::unexpected(held.error()));
  const auto [lease, poller] = *held;
  poller->Forget(lease);
  const Status told = tell(poller->id(), lease);
  poller->LeaveIfUnused();
  if (!told.has_value()) return Status(told);
  return WhenTaken(desk_);
}

Promised<void> Workers::Complete(const Caller& caller, const LeaseName& name, Value output,
                                 std::string_view log) {
  return Answer(caller, name, [&](WorkerId worker, LeaseId lease) {
    return pool().Complete(worker, lease, std::move(output), log);
  });
}

Promised<void> Workers::FailTask(const Caller& caller, const LeaseName& name,
                                 tasks::TaskFailure failure, std::string_view log) {
  return Answer(caller, name, [&](WorkerId worker, LeaseId lease) {
    return pool().FailTask(worker, lease, std::move(failure), log);
  });
}

}  // namespace stele::server
