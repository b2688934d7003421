// Runs the triggers of a shard's registry: what is due fires, and what has fired starts an
// instance, each firing one, over crashes and restarts.
//
//     due ──► Shard::Fire (a record) ──► durable ──► Shard::Start under the firing's key ──►
//     durable
//
// A firing is pending between the two records, on the shard's board; a restart starts what it finds
// there. The key under which it starts (runtime::FiringKey) makes a second start find the first.
// Which events and conditions have fired is a fold of the log (occurrences.h), noted now and then
// with its position; a restart reads on from there and leaves out what it finds fired.
//
// Owns: its timer. Does not own the shard or the store. Thread: the shard's loop, all of it.
#pragma once

#include <uv.h>

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "engine/runtime/shard.h"
#include "engine/secrets/secrets.h"
#include "engine/triggers/declared.h"
#include "engine/triggers/occurrences.h"
#include "engine/triggers/pending_firings.h"
#include "engine/triggers/timetables.h"
#include "engine/triggers/trigger_table.h"
#include "engine/triggers/webhook.h"

namespace stele::triggers {

struct ServiceParts {
  uv_loop_t* loop = nullptr;
  const Clock* clock = nullptr;
  ShardId shard;
  runtime::Observer* next = nullptr;     // is told of everything, too; may be null
  uint64_t note_records = kNoteRecords;  // the fold is noted each time so many have passed
};

// What one trigger made of a request.
struct Delivered {
  TriggerId trigger;
  struct Fired {
    std::string key;
    std::optional<InstanceId> instance;  // nothing: it starts later
  };
  using Verdict = std::variant<Fired, WebhookIgnored, WebhookRefused>;
  Verdict verdict;
};
struct Delivery {
  std::optional<WebhookRefused> refusal;  // of the whole request
  std::vector<Delivered> triggers;
};

struct Backfilled {
  size_t fired = 0;
  size_t known = 0;  // started or waiting already
};

// Is told of records by the shard: give it to Shard::Open as the observer.
class TriggerService final : public runtime::Observer {
 public:
  using Answer = runtime::Shard::Answer;

  explicit TriggerService(const ServiceParts& parts);
  // REQUIRES: the shard has stopped, failed, or is gone.
  ~TriggerService() override;
  TriggerService(const TriggerService&) = delete;
  TriggerService& operator=(const TriggerService&) = delete;

  // Reads the triggers of the registry and registers what definitions declare. From then on the
  // methods below may be called; nothing fires by itself. `secrets` holds what signatures of
  // requests are made with. REQUIRES: the shard is open, on that store.
  Status Attach(runtime::Shard* shard, const eventstore::EventStore* store,
                const secrets::Secrets* secrets);
  // Whether all that the definitions declare is taken up, durably.
  bool settled() const { return over_ || (seen_.empty() && taking_up_ == 0); }
  // Who is told of everything, too, from then on; in place of the parts' one.
  void Tell(runtime::Observer* next) { parts_.next = next; }
  // From then on triggers fire: first what happened since they last did. Call it when the shard has
  // resumed.
  Status Begin();
  // Fires nothing more. Call it before the shard is stopped.
  void End();

  // service_changes.cc: the registry.
  // A trigger by hand: one entry as in the section `triggers:` of a definition. The answer comes
  // when it is durable; the id is good then. kInvalidDefinition and others: its faults.
  TriggerId Add(std::string_view definition, const Value& trigger, model::Asker asker,
                Answer answer);
  // Another one by hand in the place of `old`, whose name it may have: a request to a webhook finds
  // either one, and after a crash there is one of them. kUnknownTrigger, or as Add.
  TriggerId Replace(TriggerId old, const Value& trigger, model::Asker asker, Answer answer);
  // A paused trigger does not fire, and does not make up for it when it is resumed.
  void Change(TriggerId id, model::TriggerState state, std::string_view reason, model::Asker asker,
              Answer answer);

  // service_requests.cc: firings that somebody asks for.
  // Once for a key; an empty key is always a new one. `input` goes through the `input` and
  // `conditions` of manual and api triggers, and is the input of the others.
  void Fire(TriggerId id, const std::string& key, const Value& input, model::Asker asker,
            Started started);
  // A firing that somebody else has seen, of a trigger of a kind that this service does not watch
  // for. Once for a key; a key that has fired answers although the trigger is paused by now.
  // `input` is what it starts with.
  void FireSeen(TriggerId id, const std::string& key, Payload input, model::Asker asker,
                Started started);
  // Fires a schedule's moments in [from, to) that are dealt with and started nothing: one after the
  // other, or beside each other with the overlap `allow` or `cancel_other`. What is yet to come
  // comes by itself. Answers when the firings are durable.
  void Backfill(TriggerId id, TimeUs from, TimeUs to, model::Asker asker,
                std::function<void(const Result<Backfilled>&)> answer);
  // Answers when every firing is durable and its start was tried.
  void Deliver(const WebhookRequest& request, model::Asker asker,
               std::function<void(const Delivery&)> answer);

  // The triggers as they are durably.
  const TriggerTable& table() const { return table_; }
  const InstanceViews& views() const { return occurrences_.views(); }
  // Fires what is due by the clock, now. For clocks that a test drives.
  void Tick();

  bool wants_records() const override { return true; }
  void OnRecord(InstanceId instance, std::span<const model::Event> events,
                const model::RecordContext& record) override;
  void OnEnded(const model::Instance& instance) override;
  void OnFatal(const Error& error) override;

 private:
  struct Seen {
    InstanceId instance;
    std::vector<model::Event> events;
    model::RecordContext record;
  };
  // What is to be fired.
  struct Shot {
    TriggerId trigger;
    std::string key;
    TimeUs time;
    Payload input;
    bool buffered = false;
    bool at_once = false;  // starts although nothing fires by itself yet
    model::KeptAsker asker;
    std::string trace_parent;  // of the request that fires it; empty: none
    Started started;
  };

  // service.cc: the fold
  Status ReadTable(Position to);
  Status CatchUp();
  void Process();
  void Absorb(const Seen& seen);
  std::string DefinitionNameOf(const Seen& seen);
  void FireOccurrences();
  void Note();
  void Arm();

  // service_schedule.cc
  void FireSchedules(TimeUs now);
  void FireScheduled(const DueFiring& due);
  void NoteMissed(const MissedFirings& missed);
  bool IsBusy(TriggerId trigger);

  // service_requests.cc
  Result<std::vector<Firing>> FiringsToFill(TriggerId id, TimeUs from, TimeUs to);
  void FireDelivered(const KnownTrigger& trigger, const WebhookFires& fires, model::Asker asker,
                     std::function<void(Delivered::Verdict)> given);

  // service_changes.cc
  // A trigger by hand as it is to be registered.
  struct ByHand {
    std::string kind;
    StoredTrigger stored;
    bool paused = false;
  };
  // `old`: the one whose name it may have; 0: none.
  static Result<ByHand> ReadByHand(const model::Registry& registry, std::string_view definition,
                                   const Value& trigger, TriggerId old);
  // All of its records in one turn of the loop, so that they become durable together.
  TriggerId Register(std::string_view definition, const Result<ByHand>& added, TriggerId old,
                     model::Asker asker, Answer answer);
  void ReconcileAll();
  // Those by hand that keep a declared one of their name away.
  std::vector<TriggerId> Reconcile(std::string_view definition);
  // Reconciles it, and says so in the outcomes of those.
  void TellHidden(std::string_view definition);

  // service_start.cc: from a firing to its instance
  bool IsKnown(TriggerId trigger, const std::string& key);
  // REQUIRES: no firing of that trigger and key is known.
  void Shoot(Shot shot);
  // Joins a firing that is known.
  void ShootOnce(Shot shot);
  void NoteOutcome(TriggerId trigger, const std::string& key, TimeUs time, std::string outcome);
  void FiringIsDurable(TriggerId trigger, const std::string& key);
  void StartOne(Pending& pending);
  void StartAnswered(TriggerId trigger, const std::string& key, InstanceId instance,
                     const Result<Position>& answer);
  void StartBuffered();
  void StartBufferedOf(TriggerId trigger);
  // Whether the first in line is dealt with, so that the next may be.
  bool StartNextBuffered(TriggerId trigger);
  void CancelOpen(TriggerId trigger);
  void StartPending(TimeUs now, bool definitions_changed);
  void Refuse(Pending& pending, const Error& error);

  // A function that does nothing once this object is gone.
  template <class Work>
  auto WhileAlive(Work work) {
    return [alive = std::weak_ptr<bool>(alive_), work = std::move(work)](auto&&... arguments) {
      if (!alive.expired()) work(std::forward<decltype(arguments)>(arguments)...);
    };
  }

  ServiceParts parts_;
  runtime::Shard* shard_ = nullptr;
  const eventstore::EventStore* store_ = nullptr;
  const secrets::Secrets* secrets_ = nullptr;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  uv_timer_t* timer_;  // freed by the loop when it has closed
  bool begun_ = false;
  bool over_ = false;  // fires nothing more

  TriggerTable table_;
  Position table_position_;  // of the last record of the registry in it
  Occurrences occurrences_{table_};
  Timetables timetables_;
  PendingFirings pending_;
  std::set<InstanceId> cancelled_;  // told to make way
  std::set<TriggerId> draining_;    // StartBufferedOf is at it
  size_t taking_up_ = 0;            // changes that Reconcile has asked for
  std::set<TriggerId> replaced_;    // removed by Reconcile, which the table may not show yet

  std::deque<Seen> seen_;  // to be processed
  bool posted_ = false;
  Position passed_;  // the last record that the shard has told
  Position folded_;  // the last record in occurrences_
  Position noted_;   // the last record in the note
};

}  // namespace stele::triggers
