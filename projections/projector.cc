#include "projections/projector.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>

#include "base/check.h"
#include "projections/limits.h"
#include "projections/log_mark.h"
#include "projections/removal.h"

namespace stele::projections {

namespace {

// How long the follower waits for records before it looks whether the building of others failed.
constexpr int64_t kFollowPatienceUs = 1'000'000;

}  // namespace

Result<std::unique_ptr<Projector>> Projector::Open(const eventstore::EventStore& log, ShardId shard,
                                                   std::string path, std::vector<MakeView> views) {
  std::unique_ptr<Projector> projector(new Projector(log, shard, std::move(path)));
  STELE_RETURN_IF_ERROR(projector->Load(std::move(views)));
  return projector;
}

Projector::~Projector() {
  Stop();
  main_.reset();
  building_.clear();
}

Status Projector::Load(std::vector<MakeView> views) {
  for (MakeView& make : views) {
    const std::unique_ptr<View> view = make();
    kinds_.push_back(
        {std::move(make), std::string(view->name()), view->version(), view->reads_from()});
  }
  auto store = ViewStore::Open(fmt::format("{}/{}", path_, shard_.value), log_.file_cipher());
  if (!store.has_value()) return std::unexpected(store.error());
  store_ = *std::move(store);
  repaired_ = store_->repaired();
  RemoveComparisons(path_, shard_);
  STELE_RETURN_IF_ERROR(RemoveAsOfBeforePurge(path_, log_, shard_));
  const Result<Position> cut = LastCutPurge(log_, shard_);
  if (!cut.has_value()) return std::unexpected(cut.error());
  std::map<Position, std::unique_ptr<Feed>> feeds;  // by where they stand
  std::vector<std::string> served;
  for (const auto& generation : store_->generations()) {
    const auto kind = std::ranges::find(kinds_, generation->view(), &Kind::name);
    const Result<bool> of_log = IsOfLog(log_, shard_, *generation);
    if (!of_log.has_value()) return std::unexpected(of_log.error());
    if (!*of_log)
      repaired_ = fmt::format(
          "Expected views of this log but found those of another one, or of "
          "another course of it, at position {}.",
          generation->position().value);
    // Behind the log's end: of another log, or of a log that was cut. Of no view or version of this
    // build: nothing feeds it any more.
    // Or before instances that it counts were cut out.
    const bool stale = kind == kinds_.end() || !*of_log ||
                       (generation->position() < *cut && generation->cut_before() < *cut) ||
                       (generation->version() != kind->version && !generation->serves());
    if (stale) {
      STELE_RETURN_IF_ERROR(store_->Drop(generation));
      continue;
    }
    if (generation->version() != kind->version) continue;  // serves until the new one has caught up
    served.push_back(generation->view());
    auto& feed = feeds[generation->position()];
    if (feed == nullptr)
      feed = std::make_unique<Feed>(log_, shard_, *store_, generation->position());
    feed->Add(kind->make(), generation);
  }
  for (const Kind& kind : kinds_) {
    if (std::ranges::find(served, kind.name) != served.end()) continue;
    auto generation = Create(kind);
    if (!generation.has_value()) return std::unexpected(generation.error());
    auto& feed = feeds[Position()];
    if (feed == nullptr) feed = std::make_unique<Feed>(log_, shard_, *store_, Position());
    feed->Add(kind.make(), *generation);
  }
  CHECK(!feeds.empty(), "there are no views");
  main_ = std::move(feeds.rbegin()->second);
  feeds.erase(std::prev(feeds.end()));
  for (auto& [position, feed] : feeds) building_.push_back(std::move(feed));
  return {};
}

// An empty generation.
Result<std::shared_ptr<Generation>> Projector::Create(const Kind& kind) {
  const Result<Position> cut = LastCutPurge(log_, shard_);
  if (!cut.has_value()) return std::unexpected(cut.error());
  auto generation = store_->Create(kind.name, kind.version);
  if (generation.has_value())
    if (const Status noted = store_->NoteCutBefore(*generation, *cut); !noted.has_value())
      return std::unexpected(noted.error());
  return generation;
}

// Instances were cut out of what a feed has to read: its views begin anew.
Status Projector::BeginAnew(Feed& feed) {
  auto anew = std::make_unique<Feed>(log_, shard_, *store_, Position());
  const std::lock_guard lock(mutex_);
  for (const Feed::Member& member : feed.members()) {
    const auto kind = FindKind(member.generation->view());
    if (!kind.has_value()) return std::unexpected(kind.error());
    STELE_RETURN_IF_ERROR(store_->Drop(member.generation));
    auto generation = Create(**kind);
    if (!generation.has_value()) return std::unexpected(generation.error());
    anew->Add((*kind)->make(), *generation);
  }
  for (auto& one : building_) {
    if (one.get() != &feed) continue;
    one = std::move(anew);
    break;
  }
  return {};
}

Position Projector::End() const {
  return Position(log_.NextPosition(shard_).value - 1);
}

Result<const Projector::Kind*> Projector::FindKind(std::string_view view) const {
  const auto kind = std::ranges::find(kinds_, view, &Kind::name);
  if (kind != kinds_.end()) return &*kind;
  std::vector<std::string_view> names;
  for (const Kind& known : kinds_) names.push_back(known.name);
  return Fail(ErrorCode::kUnknownView, fmt::format("Expected one of the views {} but found \"{}\"",
                                                   fmt::join(names, ", "), view));
}

Result<uint64_t> Projector::StepMain() {
  const std::lock_guard lock(main_mutex_);
  return main_->Step(kBatchRecords);
}

// REQUIRES: main_ is at the end of the log as it was a moment ago.
Status Projector::ServeAll() {
  for (const Feed::Member& member : main_->members())
    if (!member.generation->serves()) STELE_RETURN_IF_ERROR(store_->Serve(member.generation));
  return {};
}

// Steps the first feed that is behind; joins it to the one that serves when it is no more. The
// number of records; 0: nothing is being built.
Result<uint64_t> Projector::StepBuilding() {
  Feed* feed = nullptr;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(building_, [](const auto& one) { return one->members().empty(); });
    if (building_.empty()) return 0;
    feed = building_.front().get();
  }
  Position end;
  {
    const std::lock_guard lock(main_mutex_);
    end = main_->position();
  }
  auto records = feed->Step(kBatchRecords, end);
  if (!records.has_value() && records.error().code == ErrorCode::kInstanceErased) {
    if (const Status begun = BeginAnew(*feed); !begun.has_value())
      return std::unexpected(begun.error());
    return 1;
  }
  if (!records.has_value() || feed->position() < end) return records;
  const std::lock_guard lock(main_mutex_);
  for (;;) {
    const auto rest = feed->Step(kBatchRecords, main_->position());
    if (!rest.has_value()) return rest;
    if (*rest == 0) break;
  }
  const std::lock_guard state_lock(mutex_);
  for (const Feed::Member& member : feed->members()) {
    if (const auto before = store_->Serving(member.generation->view())) main_->Remove(*before);
    STELE_RETURN_IF_ERROR(store_->Serve(member.generation));
  }
  main_->Join(*feed);
  std::erase_if(building_, [&](const auto& one) { return one.get() == feed; });
  return std::max<uint64_t>(*records, 1);
}

Status Projector::CatchUp(const Progress& progress) {
  CHECK(!follows_, "the views follow the log already");
  const Position end = End();
  uint64_t total = end.value - std::min(end.value, main_->position().value);
  for (const auto& feed : building_)
    total += end.value - std::min(end.value, feed->position().value);
  uint64_t done = 0;
  // So that who has little time comes further each time.
  uint64_t unkept = 0;
  const auto keep = [&](uint64_t records) -> Status {
    unkept += records;
    if (unkept < kKeptRecords) return {};
    unkept = 0;
    return store_->Sync();
  };
  while (main_->position() < end) {
    const Result<uint64_t> records = StepMain();
    if (!records.has_value()) return std::unexpected(records.error());
    if (*records == 0) break;
    done += *records;
    STELE_RETURN_IF_ERROR(keep(*records));
    if (progress) progress(done, total);
  }
  STELE_RETURN_IF_ERROR(ServeAll());
  for (;;) {
    const Result<uint64_t> records = StepBuilding();
    if (!records.has_value()) return std::unexpected(records.error());
    if (*records == 0) return {};
    done += *records;
    STELE_RETURN_IF_ERROR(keep(*records));
    if (progress) progress(std::min(done, total), total);
  }
}

void Projector::Start() {
  CHECK(!follows_, "the views follow the log already");
  follows_ = true;
  stopping_ = false;
  stop_ = std::stop_source();
  follower_ = std::thread([this] { Follow(); });
  builder_ = std::thread([this] { BuildAside(); });
  // For who looks at the process's threads.
  pthread_setname_np(follower_.native_handle(), "views");
  pthread_setname_np(builder_.native_handle(), "views-build");
}

void Projector::Stop() {
  if (!follows_) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.request_stop();
  changed_.notify_all();
  follower_.join();
  builder_.join();
  follows_ = false;
}

void Projector::Follow() {
  bool serves = false;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || failure_.has_value()) return;
    }
    const Result<uint64_t> records = StepMain();
    if (!records.has_value()) return Failed(records.error());
    if (*records > 0) {
      NotifyAll();
      continue;
    }
    if (!std::exchange(serves, true)) {
      const std::lock_guard lock(main_mutex_);
      if (const Status served = ServeAll(); !served.has_value()) return Failed(served.error());
      NotifyAll();
    }
    log_.WaitForRecords(shard_, main_->position().Next(), kFollowPatienceUs, stop_.get_token());
  }
}

void Projector::BuildAside() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock,
                    [this] { return stopping_ || failure_.has_value() || !building_.empty(); });
      if (stopping_ || failure_.has_value()) return;
    }
    const Result<uint64_t> records = StepBuilding();
    if (!records.has_value()) return Failed(records.error());
    NotifyAll();
  }
}

// Of what a waiter may look at without the lock: one that has looked and does not wait yet would
// miss it otherwise.
void Projector::NotifyAll() {
  {
    const std::lock_guard lock(mutex_);
  }
  changed_.notify_all();
}

void Projector::Failed(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_.has_value()) failure_ = error;
  }
  changed_.notify_all();
}

std::optional<Error> Projector::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

Status Projector::WaitFor(Position position, int64_t timeout_us, std::string_view view) {
  if (!view.empty())
    if (const auto kind = FindKind(view); !kind.has_value()) return std::unexpected(kind.error());
  if (position > End())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a position up to {}, the end of the log, but found {}",
                            End().value, position.value));
  const auto is_there = [&] {
    return std::ranges::all_of(kinds_, [&](const Kind& kind) {
      if (!view.empty() && kind.name != view) return true;
      const auto serving = store_->Serving(kind.name);
      return serving != nullptr && serving->version() >= kind.reads_from &&
             serving->position() >= position;
    });
  };
  std::unique_lock lock(mutex_);
  const bool waited = changed_.wait_for(lock, std::chrono::microseconds(timeout_us), [&] {
    return failure_.has_value() || stopping_ || is_there();
  });
  if (failure_.has_value()) return std::unexpected(*failure_);
  if (is_there()) return {};
  if (waited)
    return Fail(ErrorCode::kShardStopped,
                fmt::format("Expected the views to come to position {} but found them stopped",
                            position.value));
  return Fail(ErrorCode::kTimeout,
              fmt::format("Expected the views to be at position {} within {} ms but found them "
                          "behind it",
                          position.value, timeout_us / 1000));
}

Result<ViewReader> Projector::Read(std::string_view view) const {
  const auto kind = FindKind(view);
  if (!kind.has_value()) return std::unexpected(kind.error());
  const auto serving = store_->Serving(view);
  if (serving == nullptr)
    return Fail(ErrorCode::kBackPressure,
                fmt::format("Expected the view \"{}\" to be there but found that it is being built "
                            "for the first time; try again later",
                            view));
  if (serving->version() < (*kind)->reads_from)
    return Fail(ErrorCode::kBackPressure,
                fmt::format("Expected version {} of the view \"{}\" but found {}, which another "
                            "build of Stele wrote; it is being built anew, try again later",
                            (*kind)->version, view, serving->version()));
  return ViewReader(serving);
}

std::vector<ViewState> Projector::States() const {
  std::vector<ViewState> states;
  const auto generations = store_->generations();
  for (const Kind& kind : kinds_)
    states.push_back(StateOf(kind.name, kind.version, generations, End()));
  return states;
}

Status Projector::Rebuild(const std::vector<std::string>& views) {
  std::vector<const Kind*> wanted;
  for (const std::string& view : views) {
    const auto kind = FindKind(view);
    if (!kind.has_value()) return std::unexpected(kind.error());
    wanted.push_back(*kind);
  }
  if (views.empty())
    for (const Kind& kind : kinds_) wanted.push_back(&kind);
  auto feed = std::make_unique<Feed>(log_, shard_, *store_, Position());
  {
    const std::lock_guard lock(mutex_);
    const auto generations = store_->generations();
    for (const Kind* kind : wanted) {
      const bool is_being_built = std::ranges::any_of(generations, [&](const auto& generation) {
        return generation->view() == kind->name && !generation->serves();
      });
      if (is_being_built) continue;
      auto generation = Create(*kind);
      if (!generation.has_value()) return std::unexpected(generation.error());
      feed->Add(kind->make(), *generation);
    }
    building_.push_back(std::move(feed));
  }
  changed_.notify_all();
  return {};
}

Result<Comparison> Projector::Verify(std::string_view view, const Progress& progress) {
  const auto kind = FindKind(view);
  if (!kind.has_value()) return std::unexpected(kind.error());
  const Result<ViewReader> serving = Read(view);
  if (!serving.has_value()) return std::unexpected(serving.error());
  return CompareWithLog(log_, shard_, path_, (*kind)->make, *serving, progress);
}

Result<std::shared_ptr<const ScratchView>> Projector::AsOf(std::string_view view, Position position,
                                                           const Progress& progress) {
  const auto kind = FindKind(view);
  if (!kind.has_value()) return std::unexpected(kind.error());
  if (position > End())
    return Fail(ErrorCode::kNoSuchMoment,
                fmt::format("Expected a position up to {}, the end of the log, but found {}",
                            End().value, position.value));
  const auto named = AsOfDirectory(path_, log_, shard_, *(*kind)->make(), position);
  if (!named.has_value()) return std::unexpected(named.error());
  const std::string& directory = *named;
  const std::lock_guard lock(as_of_mutex_);
  // One that somebody still has open is not opened twice.
  if (AsOfView known = as_of_[directory].lock()) return Keep(std::move(known));
  auto built = ScratchView::Build(log_, shard_, directory, (*kind)->make, position, progress);
  if (!built.has_value()) return std::unexpected(built.error());
  std::error_code ignored;
  std::filesystem::last_write_time(directory, std::filesystem::file_time_type::clock::now(),
                                   ignored);
  AsOfView view_then = *std::move(built);
  std::erase_if(as_of_, [](const auto& entry) { return entry.second.expired(); });
  as_of_[directory] = view_then;
  ForgetAsOf(kKeptAsOf);
  return Keep(std::move(view_then));
}

Projector::AsOfView Projector::Keep(AsOfView view) {
  std::erase(kept_, view);
  kept_.push_back(view);
  if (kept_.size() > kKeptAsOf) kept_.erase(kept_.begin());
  return view;
}

void Projector::ForgetThen() {
  const std::lock_guard lock(as_of_mutex_);
  kept_.clear();
  as_of_.clear();
  ForgetAsOf(0);
}

// Deletes all directories but those that were asked for last, by whichever process. Who reads one
// of them has its files open.
void Projector::ForgetAsOf(size_t keep) {
  std::error_code ignored;
  std::vector<std::pair<std::filesystem::file_time_type, std::string>> directories;
  for (const auto& entry : std::filesystem::directory_iterator(path_ + "/as-of", ignored))
    directories.emplace_back(entry.last_write_time(ignored), entry.path().string());
  std::ranges::sort(directories, std::greater());
  for (size_t i = keep; i < directories.size(); ++i) ScratchView::Remove(directories[i].second);
}

}  // namespace stele::projections
