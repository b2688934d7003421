#include "engine/runtime/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "engine/apply/apply.h"
#include "engine/runtime/checkpointing.h"
#include "engine/runtime/definition_state.h"
#include "engine/tasks/bounded_text.h"
#include "eventstore/limits.h"

namespace stele::runtime {

namespace {

// Timers that elapse in one turn; instances that have left memory come back for it.
constexpr size_t kTimersPerTurn = 4'096;

}  // namespace

Shard::Shard(const ShardParts& parts, const ShardOptions& options)
    : parts_(parts),
      options_(options),
      scheduler_(options.scheduler),
      board_(*parts.store, options.shard),
      timers_(parts.loop, *parts.clock, [this] { ElapseTimers(); }),
      wake_(new uv_async_t),
      again_(new uv_idle_t) {
  uv_async_init(parts.loop, wake_,
                [](uv_async_t* handle) { static_cast<Shard*>(handle->data)->Turn(); });
  wake_->data = this;
  uv_idle_init(parts.loop, again_);
  again_->data = this;
}

Shard::~Shard() {
  committer_.reset();
  if (checkpointing_ != nullptr && checkpointing_->thread.joinable()) checkpointing_->thread.join();
  uv_close(reinterpret_cast<uv_handle_t*>(wake_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
  uv_close(reinterpret_cast<uv_handle_t*>(again_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_idle_t*>(handle); });
}

Result<std::unique_ptr<Shard>> Shard::Open(const ShardParts& parts, const ShardOptions& options) {
  std::unique_ptr<Shard> shard(new Shard(parts, options));
  STELE_RETURN_IF_ERROR(shard->Recover());
  Shard* raw = shard.get();
  shard->committer_ = std::make_unique<eventstore::Committer>(
      *parts.store, options.shard, [raw](const Result<Position>& durable) {
        {
          const std::lock_guard lock(raw->mutex_);
          if (durable.has_value()) {
            raw->durable_told_ = *durable;
          } else {
            raw->error_told_ = durable.error();
          }
        }
        uv_async_send(raw->wake_);
      });
  return shard;
}

TimeUs Shard::ReadClock() {
  // Never backwards: the log's times are in order.
  now_ = std::max(now_, parts_.clock->Now());
  return now_;
}

void Shard::Wake() {
  if (again_active_) return;
  again_active_ = true;
  uv_idle_start(again_, [](uv_idle_t* handle) {
    auto* shard = static_cast<Shard*>(handle->data);
    uv_idle_stop(handle);
    shard->again_active_ = false;
    shard->Turn();
  });
}

void Shard::Post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  uv_async_send(wake_);
}

void Shard::RunPosted() {
  std::vector<std::function<void()>> posted;
  Position durable;
  std::optional<Error> error;
  {
    const std::lock_guard lock(mutex_);
    posted.swap(posted_);
    durable = durable_told_;
    error.swap(error_told_);
  }
  durable_ = std::max(durable_, durable);
  NoteCommitted();
  if (error.has_value()) Failed(*error);
  for (const std::function<void()>& work : posted) work();
}

void Shard::NoteCommitted() {
  if (submitted_.empty() || submitted_.front().last > durable_) return;
  const uint64_t now_ns = uv_hrtime();
  while (!submitted_.empty() && submitted_.front().last <= durable_) {
    bytes_in_flight_ -= submitted_.front().bytes;
    commit_us_.Add((now_ns - submitted_.front().at_ns) / 1'000);
    submitted_.pop_front();
  }
}

ShardFigures Shard::figures() const {
  return {.commit_us = commit_us_.Read(),
          .block_records = committer_->block_records(),
          .block_bytes = committer_->block_bytes(),
          .inbox = inbox_.size(),
          .records_on_way = next_position_.value - 1 - durable_.value,
          .bytes_on_way = BytesInFlight(),
          .timers = timers_.size()};
}

void Shard::Turn() {
  RunPosted();
  if (!failed_) {
    ReleaseDurable();
    for (const InstanceId id : std::exchange(looked_at_, {}))
      if (const auto found = live_.find(id); found != live_.end()) Settle(*found->second);
    ProcessInbox();
    AdmitQueued();
    if (failed_) return FallOver();
    SubmitBatch();
    MaybeCheckpoint();
    EvictOverBudget();
    timers_.Arm(NextOutsideMoment());
    ContinueStop();
  }
  if (failed_ && !fallen_) FallOver();
}

void Shard::ProcessInbox() {
  if (inbox_.empty() || !HasRoom()) return;
  ReadClock();
  deciding_.swap(inbox_);
  auto next = deciding_.begin();
  while (next != deciding_.end() && !failed_ && HasRoom()) Process(*next++);
  // What is left comes before what has come meanwhile.
  inbox_.insert(inbox_.begin(), std::make_move_iterator(next),
                std::make_move_iterator(deciding_.end()));
  deciding_.clear();
  if (!inbox_.empty() && HasRoom()) Wake();
}

// For one record more on the way to the disk.
bool Shard::HasRoom() const {
  return next_position_.value - 1 - durable_.value < options_.max_records_in_flight &&
         BytesInFlight() < options_.max_bytes_in_flight;
}

void Shard::SubmitBatch() {
  if (batch_.count() == 0) return;
  submitted_.push_back({Position(next_position_.value - 1), batch_.bytes(), uv_hrtime()});
  bytes_in_flight_ += batch_.bytes();
  committer_->Submit(batch_);
}

void Shard::Process(Inbound& inbound) {
  const auto refuse = [&](Error error) {
    Release release{
        .position = next_position_.value == 1 ? Position() : Position(next_position_.value - 1),
        .kind = ReleaseKind::kRefuse,
        .answer = std::move(inbound.answer),
        .error = std::move(error)};
    if (release.answer) Hold(std::move(release));
  };
  // What has happened outside is recorded to the last; nothing new begins.
  auto* start = std::get_if<model::StartInstance>(&inbound.command);
  auto* fork = std::get_if<model::ForkInstance>(&inbound.command);
  const bool is_new = start != nullptr || fork != nullptr;
  if (is_new) TakeStarting(inbound);
  if (draining_ && (is_new || std::holds_alternative<model::ElapseTimer>(inbound.command)))
    return refuse({ErrorCode::kShardStopped, "Expected a running engine but found it stopping"});
  // What was read of an origin is not to outlive it.
  if (auto refused = RefuseRemoved(fork == nullptr ? inbound.instance : fork->origin))
    return refuse(*std::move(refused));
  if (auto refused = RefuseToFollow(inbound)) return refuse(*std::move(refused));
  const auto target = TargetOf(registry_, inbound.command);
  if (!target.has_value()) return refuse(target.error());

  Result<Live*> loaded = is_new ? &Adopt(inbound.instance) : Load(inbound.instance);
  if (!loaded.has_value()) return refuse(loaded.error());
  Live& live = **loaded;
  if (start != nullptr) AdoptStart(live, *start);
  if (fork != nullptr) AdoptFork(live, *fork);
  if (auto* retry = std::get_if<model::RetryInstance>(&inbound.command)) AdoptRetry(live, *retry);
  if (failed_) return refuse(failure_);
  if (inbound.is_result) --live.results;
  Use(live);

  events_.clear();
  const decide::Context context{*live.definition, {next_position_, now_}, *target};
  if (auto rejection = decider_.Decide(live.instance, inbound.command, context, events_)) {
    Settle(live);
    return refuse(*std::move(rejection));
  }
  if (fork != nullptr && *target != nullptr) live.definition = *target;
  Record(live, inbound.asker);
  if (inbound.answer)
    Hold({.position = context.record.position,
          .kind = ReleaseKind::kAnswer,
          .live = &live,
          .answer = std::move(inbound.answer)});
  if (fork == nullptr || !fork->ends_origin) return;
  Inbound end = EndOfOrigin(live.instance, inbound.asker);
  Process(end);
}

// The definition of an instance that begins, and whether it must wait for a place.
void Shard::AdoptStart(Live& live, model::StartInstance& start) {
  live.definition = registry_.Find(start.definition)->definition.get();
  start.queued = MustQueue(*live.definition, start.concurrency_key);
}

void Shard::AdoptFork(Live& live, model::ForkInstance& fork) {
  live.definition = registry_.Find(fork.state->definition)->definition.get();
  const DefinitionId runs = fork.definition ? fork.definition : fork.state->definition;
  fork.queued = MustQueue(*registry_.Find(runs)->definition, fork.state->concurrency_key);
}

void Shard::Record(Live& live, model::Asker asker) {
  const Position position = next_position_;
  next_position_ = next_position_.Next();
  const uint32_t count = static_cast<uint32_t>(events_.size());
  batch_.Add({.instance = live.instance.id,
              .first_seq = Seq(live.instance.seq.value - count + 1),
              .event_count = count,
              .time = now_,
              .actor = asker.actor,
              .source = tasks::Head(asker.source, eventstore::kMaxSourceBytes)},
             encoder_.Encode(events_));
  React(live);
  if (std::holds_alternative<model::InstanceMigrated>(events_[0])) {
    live.definition = registry_.Find(live.instance.definition)->definition.get();
    board_.Migrated(live.instance, *live.definition);
    PlaceMayBeFree(live.definition->name, live.instance.concurrency_key);
    if (live.instance.queued && !live.definition->concurrency.has_value())
      Send(live.instance.id, model::AdmitInstance{}, "", nullptr);
  } else if (std::holds_alternative<model::InstanceRetryRequested>(events_[0])) {
    // It is open again.
    if (std::erase(ended_in_open_, live.instance.id) > 0) live.in_open = true;
    if (!resumed_) awake_.insert(live.instance.id);
    reopened_[live.instance.id] = position;
    ++open_instances_;
  } else if (std::holds_alternative<model::InstanceStarted>(events_[0]) ||
             std::holds_alternative<model::InstanceForked>(events_[0])) {
    ++open_instances_;
    if (const auto* forked = std::get_if<model::InstanceForked>(&events_[0]))
      forked_[live.instance.id] = {forked->origin, position};
  }
  if (model::HasEnded(live.instance.status)) --open_instances_;
  CollectEffects(live);
  ArmTimer(live);
  live.open_changed = true;
  if (parts_.observer != nullptr && parts_.observer->wants_records())
    Hold({.position = position,
          .kind = ReleaseKind::kRecord,
          .live = &live,
          .events = events_,
          .record = {position, now_}});
  // Something must look after the instance when the record is durable; often an attempt does.
  if (releases_.empty() || releases_.back().position != position)
    Hold({.position = position, .kind = ReleaseKind::kSettle, .live = &live});
}

void Shard::Hold(Release release) {
  if (release.live != nullptr) ++release.live->pending;
  releases_.push_back(std::move(release));
  if (releases_.back().position <= durable_) Wake();
}

void Shard::ReleaseDurable() {
  // What is released may hold more, so the vector can grow while it is walked.
  while (!failed_ && next_release_ < releases_.size() &&
         releases_[next_release_].position <= durable_) {
    Release release = std::move(releases_[next_release_++]);
    ReleaseOne(release);
  }
  if (next_release_ == releases_.size()) {
    releases_.clear();
    next_release_ = 0;
  } else if (next_release_ > 16'384) {
    releases_.erase(releases_.begin(), releases_.begin() + static_cast<ptrdiff_t>(next_release_));
    next_release_ = 0;
  }
}

void Shard::ReleaseOne(Release& release) {
  Live* live = release.live;
  if (live != nullptr) --live->pending;
  switch (release.kind) {
    case ReleaseKind::kStart:
      StartAttempt(*live, release.attempt);
      break;
    case ReleaseKind::kCancel:
      CancelOutside(release.attempt, live->instance.id, [] {});
      break;
    case ReleaseKind::kAnswer:
      if (release.answer) release.answer(release.position);
      break;
    case ReleaseKind::kRefuse:
      release.answer(std::unexpected(release.error));
      break;
    case ReleaseKind::kRecord:
      parts_.observer->OnRecord(live == nullptr ? InstanceId() : live->instance.id, release.events,
                                release.record);
      break;
    case ReleaseKind::kSettle:
      break;
  }
  if (live != nullptr && live->pending == 0) Settle(*live);
}

void Shard::Failed(const Error& error) {
  if (failed_) return;
  failed_ = true;
  failure_ = error;
  Wake();
}

// What is not durable never happened: nothing of it is answered or acted upon, and the state in
// memory is dropped, not patched.
void Shard::FallOver() {
  fallen_ = true;
  const Error error{ErrorCode::kShardStopped,
                    fmt::format("Expected a durable log but found: {}", failure_.ToString())};
  std::vector<Release> releases;
  releases.swap(releases_);
  for (size_t i = next_release_; i < releases.size(); ++i)
    if (releases[i].answer) releases[i].answer(std::unexpected(error));
  next_release_ = 0;
  for (Inbound& inbound : std::exchange(inbox_, {}))
    if (inbound.answer) inbound.answer(std::unexpected(error));
  for (auto& [key, starting] : std::exchange(starting_, {}))
    for (const Answer& answer : starting.also) answer(std::unexpected(error));
  for (const auto& [id, live] : live_)
    for (const auto& [run, attempt] : live->outside)
      if (attempt.executor != nullptr) attempt.executor->Cancel({id, run, attempt.attempt}, [] {});
  live_.clear();
  idle_.clear();
  if (parts_.observer != nullptr) parts_.observer->OnFatal(failure_);
  if (stopped_) std::exchange(stopped_, nullptr)();
}

void Shard::Send(InstanceId instance, model::Command command, model::Asker asker, Answer answer) {
  std::optional<Error> refused = RefusePayload(command);
  if (failed_ || closing_) refused = Stopped();
  if (refused.has_value()) {
    if (answer) answer(std::unexpected(*std::move(refused)));
    return;
  }
  inbox_.push_back({instance, std::move(command), asker.Keep(), std::move(answer)});
  Wake();
}

void Shard::WhenDurable(Answer answer) {
  if (failed_ || closing_) return answer(std::unexpected(Stopped()));
  Hold({.position = Position(next_position_.value - 1),
        .kind = ReleaseKind::kAnswer,
        .answer = std::move(answer)});
}

void Shard::ElapseTimers() {
  if (failed_ || stopping_) return;
  const TimeUs now = ReadClock();
  ElapseDeadlines(now);
  BeginQueued();
  // Not all at once when very many are due: the rest follows when these have been decided.
  while (inbox_.size() < kTimersPerTurn) {
    const InstanceId id = timers_.TakeDue(now);
    if (!id) break;
    const Result<Live*> live = LoadOpen(id);
    if (!live.has_value()) return Failed(live.error());
    timers_.Remove((*live)->armed, id);
    (*live)->armed = TimeUs();
    const model::Timer timer = model::NextTimer((*live)->instance);
    CHECK(timer.at && timer.at <= now, "the timer of instance {} is due too early", id.value);
    inbox_.push_back({id, model::ElapseTimer{timer.kind, timer.run, timer.attempt}, {}, nullptr});
  }
  Wake();
}

std::vector<InstanceId> Shard::open_instances() const {
  std::vector<InstanceId> open;
  for (const auto& [id, live] : live_)
    if (!model::HasEnded(live->instance.status)) open.push_back(id);
  std::ranges::sort(open);
  return open;
}

const model::Instance* Shard::FindInMemory(InstanceId instance) const {
  const auto found = live_.find(instance);
  return found == live_.end() ? nullptr : &found->second->instance;
}

Result<const model::Instance*> Shard::Find(InstanceId instance) {
  Result<Live*> live = Load(instance);
  if (!live.has_value()) return std::unexpected(live.error());
  looked_at_.push_back(instance);
  Wake();
  return &(*live)->instance;
}

}  // namespace stele::runtime
