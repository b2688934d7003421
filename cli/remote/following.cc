#include "cli/remote/following.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <utility>

#include "cli/commands.h"
#include "cli/text.h"
#include "engine/apply/apply.h"
#include "engine/model/beginning.h"
#include "engine/model/codec.h"
#include "eventstore/for_each_record.h"
#include "replay/history.h"

namespace stele::cli {

using replay::Motion;

namespace {

// Without an event it is looked at again so much later: workers come and go without one, and so do
// connections.
constexpr int64_t kLookAgainUs = 1'000'000;
// On a terminal the live lines are printed anew so often.
constexpr int64_t kRedrawUs = 100'000;
// What one instance's end means for another is recorded behind it: when nothing moves it is looked
// at this often, so much later each time.
constexpr uint32_t kStillLooks = 3;
constexpr int64_t kStillUs = 10'000;

// While one is there a signal ends what is followed, and not the program. Which thread gets it does
// not matter: looking up a name has started some.
class HeldSignals {
 public:
  HeldSignals() {
    came_ = 0;
    struct sigaction note{};
    note.sa_handler = [](int) { came_ = 1; };
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &note, &before_[i]);
  }
  ~HeldSignals() {
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  bool came() const { return came_ != 0; }

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  // All that a handler can write to.
  static inline volatile std::sig_atomic_t came_ = 0;
  struct sigaction before_[std::size(kSignals)]{};
};

}  // namespace

// Told of an instance's events as they become durable: what they are the records say.
class Following::Waker {
 public:
  Waker(Following& following, api::Instance::Client instance)
      : receiver_(kj::heap<Receiver>(following)), subscription_(nullptr) {
    auto request = instance.followRequest();
    request.setReceiver(receiver_);
    subscription_ = request.send().getSubscription();
  }
  api::Subscription::Client& subscription() { return subscription_; }

 private:
  class Receiver final : public api::EventReceiver::Server {
   public:
    explicit Receiver(Following& following) : following_(following) {}
    kj::Promise<void> next(NextContext) override { return Wake(); }
    kj::Promise<void> end(EndContext) override { return Wake(); }

   private:
    kj::Promise<void> Wake() {
      following_.woken_ = true;
      if (following_.wake_.get() != nullptr) following_.wake_->fulfill();
      return kj::READY_NOW;
    }
    Following& following_;
  };

  api::EventReceiver::Client receiver_;
  api::Subscription::Client subscription_;
};

Following::Following(Remote& server, const Terminal& terminal, const Arguments& arguments,
                     bool quiet)
    : server_(server),
      terminal_(terminal),
      source_(SourceOf(server)),
      options_{.json = arguments.Has("--json"),
               .quiet = arguments.Has("--quiet"),
               .place = PlaceOf(arguments)},
      display_(terminal, clock_,
               options_.json || options_.quiet || quiet ? Loudness::kQuiet : Loudness::kLines) {}

Following::~Following() = default;

void Following::Note(std::string_view sentence) {
  display_.Clear();
  terminal_.PrintNote(Clean(sentence));
}

Status Following::ReadRegistry() {
  auto registry = replay::ReadRegistry(*source_);
  if (!registry.has_value()) return std::unexpected(registry.error());
  registries_.push_back(*std::move(registry));
  display_.TellWaits(source_->NeedsWorker(registries_.back()));
  return {};
}

Result<const model::Registry*> Following::Registry() {
  if (registries_.empty()) STELE_RETURN_IF_ERROR(ReadRegistry());
  return &registries_.back();
}

Result<Following::Now> Following::Look(InstanceId instance) {
  auto found = runs_.find(instance);
  const bool is_new = found == runs_.end();
  if (is_new) found = runs_.try_emplace(instance).first;
  const Status read = Refresh(instance, found->second);
  if (!read.has_value()) {
    if (is_new) runs_.erase(found);
    return std::unexpected(read.error());
  }
  return Now{&found->second.state, &found->second.run.timeline->definition()};
}

void Following::Follow(InstanceId instance, Position since) {
  Followed& followed = runs_[instance];
  if (std::exchange(followed.is_shown, true)) return;
  followed.shown = followed.next;
  followed.since = since;
}

void Following::Carry(InstanceId instance) {
  runs_.try_emplace(instance);
}

Result<bool> Following::TakeRecord(const eventstore::RecordView& record, Followed& followed) {
  const model::RecordContext context{record.position, record.header.time};
  const model::Registry& registry = registries_.back();
  Seq seq = record.header.first_seq;
  bool known = true;
  Status readable;
  const std::string prefix = says_which_ ? fmt::format("[{}] ", record.header.instance.value) : "";
  const bool is_news = followed.is_shown && record.position > followed.since;
  const auto take = [&](const model::Event& event) {
    const Seq here = std::exchange(seq, seq.Next());
    if (!known || !readable.has_value() || here < followed.next) return;
    const DefinitionId begins = model::DefinitionBehind(event);
    const auto* registered = begins ? registry.Find(begins) : nullptr;
    known = !begins || registered != nullptr;
    if (registered != nullptr)
      readable = replay::CheckMayBeRead(*registered, record.header.instance);
    if (!known || !readable.has_value()) return;
    if (model::BeginsInstance(event)) {
      followed.run.timeline.emplace(*registered->definition, &registry);
      if (is_news && here >= followed.shown)
        display_.Say(fmt::format("instance {} of {}", record.header.instance.value,
                                 Clean(registered->name)));
    }
    apply::Apply(followed.state, event, context);
    followed.run.timeline->Apply(event, context);
    if (is_news && here >= followed.shown) display_.Show(*followed.run.timeline, event, prefix);
    followed.next = here.Next();
  };
  STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, take));
  STELE_RETURN_IF_ERROR(readable);
  return known;
}

Status Following::Refresh(InstanceId id, Followed& followed) {
  if (const auto registry = Registry(); !registry.has_value())
    return std::unexpected(registry.error());
  bool known = true;
  const auto take = [&](const eventstore::RecordView& record) -> Result<bool> {
    const auto taken = TakeRecord(record, followed);
    if (taken.has_value()) known = *taken;
    return taken;
  };
  followed.state.id = id;
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(source_->RecordsFrom(id, followed.next), take));
  if (known && followed.run.timeline.has_value()) return {};
  if (known)
    return Fail(ErrorCode::kUnknownInstance,
                fmt::format("Expected an instance but found no {}", id.value));
  // Of a definition that was registered meanwhile: all of it by what is registered now.
  STELE_RETURN_IF_ERROR(ReadRegistry());
  followed.state = {};
  followed.state.id = id;
  followed.shown = std::max(followed.shown, followed.next);
  followed.next = Seq(1);
  return eventstore::ForEachRecord(
      source_->RecordsFrom(id, followed.next),
      [&](const eventstore::RecordView& record) { return TakeRecord(record, followed); });
}

Status Following::Watch(InstanceId id, Followed& followed) {
  if (followed.waker != nullptr) return {};
  auto get = server_.session().instancesRequest().send().getInstances().getRequest();
  get.setId(id.value);
  auto waker = std::make_unique<Waker>(*this, get.send().getInstance());
  const auto place = server_.Wait(waker->subscription().positionRequest().send());
  if (!place.has_value()) return std::unexpected(place.error());
  followed.waker = std::move(waker);
  return {};
}

replay::Standing Following::StandingOf(const Followed& followed) const {
  return replay::StandingOf(followed.state, followed.run.timeline->definition(), NeedsWorker());
}

Result<Motion> Following::MotionOf(InstanceId id, std::set<InstanceId>& seen) {
  if (!seen.insert(id).second) return Motion::kNone;
  Followed& followed = runs_[id];
  if (followed.run.ending.has_value()) return Motion::kNone;
  STELE_RETURN_IF_ERROR(Watch(id, followed));
  STELE_RETURN_IF_ERROR(Refresh(id, followed));
  if (model::HasEnded(followed.state.status)) {
    followed.run.ending = EndingOf(followed.state);
    followed.waker.reset();
    return Motion::kNone;
  }
  const replay::Standing standing = StandingOf(followed);
  Motion motion = standing.motion;
  for (const replay::Waiting& waiting : standing.waits) {
    if (waiting.what != replay::WaitFor::kChild) continue;
    const auto child = MotionOf(waiting.child, seen);
    const bool unseen = !child.has_value() && child.error().code == ErrorCode::kForbidden;
    if (!child.has_value() && !unseen) return child;
    // One that may not be read may move: what becomes of it its parent will say.
    const bool over = unseen || runs_[waiting.child].run.ending.has_value();
    motion = std::max(motion, over ? Motion::kWork : *child);
  }
  return motion;
}

void Following::LeaveUnread(InstanceId id, const Error& why) {
  Followed& followed = runs_[id];
  if (followed.is_shown) {
    Note(fmt::format("instance {} is not followed: {}", id.value, why.message));
    unread_.insert(id);
  }
  runs_.erase(id);
}

Result<Motion> Following::LookAtAll() {
  std::set<InstanceId> seen;
  std::vector<InstanceId> all;
  for (const auto& [id, followed] : runs_) all.push_back(id);
  Motion motion = Motion::kNone;
  for (const InstanceId id : all) {
    const auto own = MotionOf(id, seen);
    if (own.has_value()) {
      motion = std::max(motion, *own);
    } else if (own.error().code == ErrorCode::kForbidden) {
      LeaveUnread(id, own.error());
    } else {
      return own;
    }
  }
  if (motion == Motion::kNone) return motion;
  for (const InstanceId id : seen) {
    const auto found = runs_.find(id);
    if (found == runs_.end()) continue;
    const Followed& followed = found->second;
    if (!followed.run.timeline.has_value() || followed.run.ending.has_value()) continue;
    moments_.Look(followed.state, followed.run.timeline->definition(), StandingOf(followed), motion,
                  clock_.Now(), [this](std::string_view sentence) { Note(sentence); });
  }
  return motion;
}

void Following::Redraw() {
  if (!display_.is_live()) return;
  std::vector<const replay::Timeline*> timelines;
  for (const auto& [id, followed] : runs_)
    if (followed.is_shown && followed.run.timeline.has_value() && !followed.run.ending.has_value())
      timelines.push_back(&*followed.run.timeline);
  display_.Redraw(timelines);
}

// Until an event comes, or for as long as nobody looks. A signal wakes nobody up: it is looked for
// as often as lines are drawn.
void Following::WaitForNews(const std::function<bool()>& is_over) {
  const TimeUs until = clock_.Now().Plus(kLookAgainUs);
  while (!woken_ && !is_over() && clock_.Now() < until) {
    auto waiting = kj::newPromiseAndFulfiller<void>();
    wake_ = kj::mv(waiting.fulfiller);
    Redraw();
    static_cast<void>(server_.Wait(waiting.promise.then([] { return true; }), kRedrawUs));
    wake_ = nullptr;
  }
}

void Following::Run() {
  const HeldSignals signals;
  const auto is_over = [&] { return signals.came(); };
  uint32_t still = 0;
  while (!is_over()) {
    woken_ = false;
    if (server_.RenewWhenDue())
      for (auto& [id, followed] : runs_) followed.waker.reset();
    const auto motion = LookAtAll();
    if (!motion.has_value()) {
      display_.Clear();
      terminal_.PrintError(server_.Explained(motion.error()));
      failed_ = true;
      return;
    }
    if (*motion != Motion::kNone) {
      still = 0;
      WaitForNews(is_over);
    } else if (++still < kStillLooks) {
      static_cast<void>(server_.Wait(kj::Promise<bool>(kj::NEVER_DONE), kStillUs));
    } else {
      if (go_on_ == nullptr || !go_on_()) break;
      still = 0;
    }
  }
  display_.Clear();
  options_.cut_off = is_over();
}

int Following::Report(bool one) {
  std::map<InstanceId, FollowedRun> shown;
  for (auto& [id, followed] : runs_) {
    if (!followed.is_shown) continue;
    if (!followed.run.timeline.has_value()) {
      NoteLeft(terminal_, id, options_.place);
      continue;
    }
    if (!followed.run.ending.has_value())
      followed.run.ending =
          StandingEnding(followed.state, StandingOf(followed), options_.place, clock_.Now());
    shown.emplace(id, std::move(followed.run));
  }
  const int code = ReportRuns(terminal_, options_, shown, one);
  return failed_ ? kExitUsage : code;
}

}  // namespace stele::cli
