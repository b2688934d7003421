// A shard: one libuv loop that owns a log's instances. Inbox, decide, append, apply, effects,
// timers.
//
// A turn of the loop decides what is in the inbox on the state in memory and hands the records to
// the committer; what they lead to outside (answers, attempts, observers) is released when their
// block is durable. The loop never waits for the disk.
//
//     inbox ──► decide + apply ──► batch ──► committer ──► durable ──► release: answers, attempts
//
// Thread: all methods on the loop's thread, but for Post.
// Owns: the instances in memory, the committer. Does not own the loop, the store, the executors.
#pragma once

#include <uv.h>

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "engine/decide/decide.h"
#include "engine/model/asker.h"
#include "engine/model/codec.h"
#include "engine/model/command.h"
#include "engine/model/registry.h"
#include "engine/model/trace_context.h"
#include "engine/runtime/board.h"
#include "engine/runtime/limits.h"
#include "engine/runtime/live.h"
#include "engine/runtime/scheduler.h"
#include "engine/runtime/timer_queue.h"
#include "engine/secrets/secrets.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/limits.h"
#include "eventstore/committer.h"
#include "eventstore/event_store.h"

namespace stele::runtime {

struct ShardOptions {
  ShardId shard;
  size_t max_records_in_flight = kMaxRecordsInFlight;
  size_t max_bytes_in_flight = kMaxBytesInFlight;
  size_t idle_memory_bytes = kIdleMemoryBytes;
  uint64_t snapshot_events = kSnapshotEvents;
  uint64_t checkpoint_records = kCheckpointRecords;
  size_t max_output_bytes = kMaxOutputBytes;
  size_t max_log_bytes = tasks::kMaxLogBytes;  // at most that: executors keep no more
  size_t max_input_bytes = kMaxInputBytes;
  size_t max_payload_bytes = kMaxPayloadBytes;
  size_t max_open_instances = kMaxOpenInstances;
  size_t max_queued_attempts = kMaxQueuedAttempts;
  uint32_t max_call_depth = kMaxCallDepth;
  int64_t timeout_grace_us = kTimeoutGraceUs;
  // Which share of the instances that come without a traceparent are sampled; nothing: they have no
  // trace, and hand none on.
  std::optional<double> trace_ratio;
  SchedulerSettings scheduler;
};

// Told of what is durable, in the order of the log. Must not call the shard but through Post.
class Observer {
 public:
  virtual ~Observer() = default;
  // False: OnRecord is not wanted, which saves a copy of the events.
  virtual bool wants_records() const { return false; }
  virtual void OnRecord(InstanceId, std::span<const model::Event>, const model::RecordContext&) {}
  // The instance has ended; the reference is good during the call.
  virtual void OnEnded(const model::Instance&) {}
  // The shard has stopped because of this error; nothing more will happen.
  virtual void OnFatal(const Error&) {}
};

// What the parts of the world are, given by main.
struct ShardParts {
  uv_loop_t* loop = nullptr;
  eventstore::EventStore* store = nullptr;
  tasks::TaskRegistry* tasks = nullptr;
  const Clock* clock = nullptr;
  const secrets::Secrets* secrets = nullptr;
  Observer* observer = nullptr;  // may be null
};

// How a shard does.
struct ShardFigures {
  // In microseconds, from when a batch was handed over until the loop knew that it is durable.
  eventstore::DoublingCounts::Reading commit_us;
  eventstore::DoublingCounts::Reading block_records;
  eventstore::DoublingCounts::Reading block_bytes;
  size_t inbox = 0;             // what waits to be decided
  uint64_t records_on_way = 0;  // to the disk
  size_t bytes_on_way = 0;
  size_t timers = 0;  // instances that are to be woken at a moment
};

struct StartOptions {
  // Refuse when an open instance of the definition has the same business key. It says nothing of
  // instances that have failed: one of them may be retried while the new one is open.
  bool unique_business_key = false;
};

struct DefinitionSource {
  std::string canonical;
  std::string name;
  std::string source;
  std::string file;
};

class Shard {
 public:
  using Answer = std::function<void(const Result<Position>&)>;

  // Recovers from the store: snapshots, the open set, the log behind the last checkpoint. Instances
  // that were open stay dormant until Resume.
  static Result<std::unique_ptr<Shard>> Open(const ShardParts& parts, const ShardOptions& options);
  // REQUIRES: Stop was called and has answered, or the shard has failed.
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // registry.cc: each is a record of the registry, or refused.
  // Registers a definition, or finds the version of that name with the same canonical form.
  DefinitionId Register(const DefinitionSource& source, model::Asker asker, Answer answer);
  void ChangeDefinition(DefinitionId id, model::DefinitionState state, std::string_view reason,
                        model::Asker asker, Answer answer);
  // `config` is JSON that was checked. The id is good when `answer` has a position.
  TriggerId RegisterTrigger(std::string_view definition, std::string_view kind,
                            std::string_view config, model::Asker asker, Answer answer);
  void ChangeTrigger(TriggerId id, model::TriggerState state, std::string_view reason,
                     model::Asker asker, Answer answer);
  // Notes a firing. With the outcome "start" or "buffer" it stays pending on the board until an
  // instance has started with its FiringKey.
  void Fire(model::TriggerFired firing, model::Asker asker, Answer answer);
  // An empty document removes the setting.
  void ChangeSetting(std::string_view name, std::string_view document, model::Asker asker,
                     Answer answer);
  // An attempt that an edge denied, for whoever reads the log later. Whoever calls it bounds how
  // often.
  void NoteDenied(model::AccessDenied denied, model::Asker asker);
  // What a rule watches over begins or is over. kWrongState: it is so already.
  void ChangeAlert(model::AlertChanged changed, model::Asker asker, Answer answer);
  // A message from outside; `expires` 0: after the usual time. One whose id is known is not
  // published again: the answer is the position of the first, or kDuplicateKey when that one was
  // another message.
  void Publish(model::MessagePublished message, model::Asker asker, Answer answer);
  // removal.cc: ended instances, for good. Refused as one with kWrongState when one of them is
  // open, kUnknownInstance, kInstanceErased when it was purged before. Nothing happens to them any
  // more from this call on; the caller cuts them out, or destroys their keys, when the answer has
  // come. `seen`: the caller knows the log up to there, in which they had ended; kBackPressure when
  // that is before this shard was opened, or an erasure would leave a fork that began behind it. At
  // most model::kMaxRemovedAtOnce.
  void Purge(model::InstancesPurged purged, Position seen, model::Asker asker, Answer answer);
  void Erase(model::InstancesErased erased, Position seen, model::Asker asker, Answer answer);
  // The idempotency keys of instances that are cut out may be used again.
  void ForgetKeys(const std::vector<std::pair<std::string, InstanceId>>& keys);

  const model::Registry& registry() const { return registry_; }
  Board& board() { return board_; }
  const ShardOptions& options() const { return options_; }

  // Starts an instance. The id is good when `answer` has a position. An idempotency key that was
  // used before gives the instance that it started.
  InstanceId Start(model::StartInstance command, model::Asker asker, Answer answer,
                   StartOptions options = {});
  // Begins another instance, from what one was behind an event; as Start. `command` says what that
  // was: its state is not compared with the log.
  InstanceId Fork(model::ForkInstance command, model::Asker asker, Answer answer,
                  StartOptions options = {});
  // What stands against a start of a definition of that name, its state apart: bounds, keys. A
  // definition need not be registered yet.
  std::optional<Error> RefuseBounds(std::string_view definition,
                                    const model::StartInstance& command,
                                    const StartOptions& options) const;
  // What stands against a fork; nothing of it is recorded. `unregistered`: the version that it is
  // to go on in, of which the command's number is not known yet; null: it is registered.
  std::optional<Error> RefuseFork(const model::ForkInstance& command, const StartOptions& options,
                                  const definition::Definition* unregistered = nullptr) const;
  // Asks something of an instance. Answers when the record (or the state that refuses) is durable.
  void Send(InstanceId instance, model::Command command, model::Asker asker, Answer answer);

  // Goes on with the instances that were open when the shard was opened. Returns how many.
  size_t Resume(model::Asker asker);
  // Goes on with one of them.
  Status ResumeInstance(InstanceId instance, model::Asker asker);

  // The instance as it is now, loaded if need be; good until the loop runs on.
  Result<const model::Instance*> Find(InstanceId instance);
  // The same when it is in memory already; null: it is not.
  const model::Instance* FindInMemory(InstanceId instance) const;
  std::vector<InstanceId> open_instances() const;
  // Calls `ended` once, when the instance has ended durably: at the next turn if it has already.
  // Calls nothing when the engine stops before.
  void WatchEnd(InstanceId instance, std::function<void(const model::Instance&)> ended);

  // Where the instance stands in a trace; nothing: it has none.
  std::optional<model::InstanceTrace> TraceOf(const model::Instance& instance) const;

  // Answers when all that has been decided so far is durable.
  void WhenDurable(Answer answer);

  // Answers when a checkpoint that begins from now on is durable.
  void WriteCheckpoint(Answer answer);
  // From now on no attempt and no instance begins, and no timer of an instance elapses. What runs
  // goes on; what its results lead to is recorded as held, and begins after the next start.
  void Drain();
  // Attempts that run in this process: not what only waits here, as calls and workers' tasks do.
  size_t running_attempts() const { return failed_ ? 0 : scheduler_.open(); }
  // Stops attempts, makes everything durable, writes a checkpoint. Attempts that were stopped start
  // again on resume, and nobody counts them; behind a Drain, which gave them their time, they are
  // left in the log as a crash would leave them.
  void Stop(std::function<void()> stopped);
  // Runs `work` on the loop's thread. Thread: any.
  void Post(std::function<void()> work);
  // Elapses what is due by the clock, now. For clocks that a test drives.
  void ElapseTimers();

  ShardFigures figures() const;
  size_t live_instances() const { return live_.size(); }
  // Attempts that wait for a limit.
  size_t queued_attempts() const { return scheduler_.queued(); }
  InstanceId last_instance() const { return last_instance_; }

 private:
  struct Inbound {
    InstanceId instance;
    model::Command command;
    model::KeptAsker asker;
    Answer answer;
    bool is_result = false;  // counted in Live::results
  };
  enum class ReleaseKind : uint8_t { kStart, kCancel, kAnswer, kRefuse, kRecord, kSettle };
  // What waits for a position to be durable.
  struct Release {
    Position position;
    ReleaseKind kind;
    Live* live = nullptr;
    Outside attempt;                   // kStart, kCancel
    Answer answer;                     // kAnswer, kRefuse
    Error error;                       // kRefuse
    std::vector<model::Event> events;  // kRecord
    model::RecordContext record;       // kRecord
  };
  struct Checkpointing;

  Shard(const ShardParts& parts, const ShardOptions& options);

  // shard.cc: turns
  void Wake();
  void Turn();
  void RunPosted();
  void NoteCommitted();
  void ProcessInbox();
  void Process(Inbound& inbound);
  bool HasRoom() const;
  size_t BytesInFlight() const { return bytes_in_flight_ + batch_.bytes(); }
  void AdoptStart(Live& live, model::StartInstance& start);
  void AdoptFork(Live& live, model::ForkInstance& fork);
  void AdoptRetry(const Live& live, model::RetryInstance& retry);
  bool MustQueue(const definition::Definition& definition, const std::string& key);
  void Record(Live& live, model::Asker asker);
  void Hold(Release release);
  void ReleaseDurable();
  void ReleaseOne(Release& release);
  void Failed(const Error& error);
  void SubmitBatch();
  TimeUs ReadClock();
  void FallOver();

  // registry.cc
  Position RecordOfRegistry(const model::Event& event, model::Asker asker, Answer answer);
  static Error Stopped();
  bool RefuseStopped(const Answer& answer) const;

  // removal.cc
  std::optional<Error> RefuseRemoval(std::span<const InstanceRange> instances, Position seen) const;
  std::optional<Error> RefuseUnseenForks(std::span<const InstanceRange> instances,
                                         Position seen) const;
  std::optional<Error> RefuseRemoved(InstanceId instance) const;

  // publishing.cc
  void AnswerKnown(const MessagePlace& first, const model::MessagePublished& message,
                   const Answer& answer) const;

  // admission.cc: what may start, and when
  std::optional<Error> RefuseStart(const model::StartInstance& command,
                                   const StartOptions& options) const;
  Status PrepareStart(model::StartInstance& command);
  // Of a start or a fork: the instance that the same key has begun before; 0: there is none.
  template <class Command>
  InstanceId FindBegun(Command& command, Answer& answer);
  template <class Command>
  InstanceId BeginNew(Command command, DefinitionId runs, model::Asker asker, Answer answer);
  void TakeStarting(Inbound& inbound);
  // A place under the limit may be free, or who waits for one may go on without: at the turn's end.
  void PlaceMayBeFree(std::string_view definition, std::string_view key);
  void AdmitQueued();
  void AdmitQueued(const std::string& definition, const std::string& key);
  void Admit(InstanceId instance, const std::string& definition, const std::string& key);

  std::optional<Error> RefusePayload(const model::Command& command) const;

  // routing.cc: what one instance's record means for others
  void React(Live& live);
  void Route(std::string_view name, std::string_view key);
  void Offer(const KeptMessage& message, const WaitingRun& wait);
  void TellChildren(const Live& live, const model::Event& event);
  void TellChild(InstanceId child, bool pause);
  std::optional<Error> RefuseToFollow(const Inbound& inbound);
  void FollowParent(Live& live, model::Asker asker);
  Inbound EndOfOrigin(const model::Instance& reset, model::KeptAsker asker);
  void TellWatchers(const model::Instance& instance);

  // effects.cc: what a record asks for outside
  void CollectEffects(Live& live);
  void TakeBack(Live& live, RunId run);
  void TakeBackAll(Live& live);
  const StepTask& TaskOf(const Live& live, StepIndex step);
  Result<tasks::TaskRequest> RequestOf(const Live& live, const model::StepRun& run) const;
  void GoOn(Live& live, model::Asker asker);

  // outside.cc: attempts, from the moment at which they may begin
  void StartAttempt(Live& live, const Outside& attempt);
  void Begin(Live& live, const model::StepRun& run, const StepTask& task);
  void BeginQueued();
  void AttemptEnded(InstanceId instance, RunId run, uint32_t attempt, tasks::TaskResult result);
  void CancelOutside(const Outside& attempt, InstanceId instance, std::function<void()> stopped);
  void Uncount(InstanceId instance, const Outside& attempt);
  void ElapseDeadlines(TimeUs now);
  void StopQueued();
  TimeUs NextOutsideMoment() const;

  // residence.cc: which instances are in memory
  enum class Known : uint8_t { kNothing, kOpen };
  Result<Live*> Load(InstanceId instance);
  // REQUIRES: it has not ended. Cheaper: what it was when it left memory is what it is.
  Result<Live*> LoadOpen(InstanceId instance);
  Result<Live*> Load(InstanceId instance, Known known);
  Status ReadSnapshot(Live& live) const;
  Status ReadRecords(Live& live, Seq end = Seq(UINT64_MAX)) const;
  bool IsDormant(InstanceId instance) const;
  Live& Adopt(InstanceId instance);
  void Use(Live& live);
  void Settle(Live& live);
  void Evict(Live& live);
  void EvictOverBudget();
  Status WriteDown(Live& live);
  std::unique_lock<std::mutex> SetNewer(std::set<InstanceId> Checkpointing::* newer,
                                        InstanceId instance);
  Status NoteOpen(Live& live);
  void ArmTimer(Live& live);

  // recovery.cc
  Status Recover();
  Status RecoverRegistry();
  Status CountOpen();
  Status ReplayTail(Position from);
  Status ApplyRecord(const eventstore::RecordView& record);
  bool GoOnWith(InstanceId instance, model::Asker asker);
  void ResumeBoard();

  // checkpoint.cc
  void MaybeCheckpoint();
  void BeginCheckpoint(std::function<void()> done);
  void FinishCheckpoint();
  void ContinueStop();

  const ShardParts parts_;
  const ShardOptions options_;
  model::Registry registry_;
  InstanceId last_instance_;
  TimeUs now_;
  // Those up to here that were open at the start are dormant until Resume, but for `awake_`.
  InstanceId last_at_open_;
  std::set<InstanceId> awake_;
  Position opened_at_;                       // the last record then
  std::map<InstanceId, Position> reopened_;  // since: ended ones that were retried, and where
  struct Forked {
    InstanceId origin;
    Position position;
  };
  std::map<InstanceId, Forked> forked_;  // since then
  bool resumed_ = false;

  std::unordered_map<InstanceId, std::unique_ptr<Live>> live_;
  // By definition and step; filled when a definition is first used.
  std::unordered_map<DefinitionId, std::vector<StepTask>> step_tasks_;
  Scheduler scheduler_;
  bool beginning_queued_ = false;
  // Of the attempts outside that have a timeout: when the engine ends them itself.
  std::set<std::pair<TimeUs, tasks::AttemptKey>> deadlines_;
  std::list<InstanceId> idle_;  // the longest idle first
  size_t idle_bytes_ = 0;

  std::vector<Inbound> inbox_;
  std::vector<Inbound> deciding_;
  Board board_;
  std::set<std::pair<Position, uint32_t>> offered_messages_;  // on their way to a wait
  std::set<std::pair<InstanceId, RunId>> offered_waits_;
  std::set<InstanceId> admitting_;
  std::set<std::pair<std::string, std::string>> freed_places_;  // definitions and keys
  // Starts that are in the inbox, by idempotency key, and who else asked for them; and by
  // definition and business key.
  struct Starting {
    InstanceId instance;
    std::vector<Answer> also;
  };
  std::map<std::string, Starting, std::less<>> starting_;
  std::multimap<std::pair<std::string, std::string>, InstanceId> starting_keys_;
  std::unordered_multimap<InstanceId, std::function<void(const model::Instance&)>> watchers_;
  decide::Decider decider_;
  model::RecordEncoder encoder_;
  std::vector<model::Event> events_;
  eventstore::Batch batch_;
  struct Submitted {
    Position last;
    size_t bytes = 0;
    uint64_t at_ns = 0;  // uv_hrtime
  };
  eventstore::DoublingCounts commit_us_;
  std::deque<Submitted> submitted_;  // not durable yet
  size_t bytes_in_flight_ = 0;       // of them
  Position next_position_{1};
  Position durable_;
  std::vector<Release> releases_;  // by position; those before next_release_ are spent
  size_t next_release_ = 0;

  std::unique_ptr<eventstore::Committer> committer_;
  TimerQueue timers_;
  // The loop frees the handles when they have closed, which may be after the shard's end.
  uv_async_t* wake_;
  uv_idle_t* again_;  // runs while there is more to do in this thread
  bool again_active_ = false;

  std::mutex mutex_;  // guards what other threads reach
  std::vector<std::function<void()>> posted_;
  Position durable_told_;
  std::optional<Error> error_told_;

  std::unique_ptr<Checkpointing> checkpointing_;
  Position checkpointed_;
  std::vector<Answer> checkpoint_asked_;
  std::vector<InstanceId> ended_in_open_;
  size_t open_instances_ = 0;
  size_t starting_instances_ = 0;  // in the inbox
  bool draining_ = false;          // nothing begins any more
  bool has_drained_ = false;       // what still ran then had its time
  bool stopping_ = false;
  bool closing_ = false;  // the last checkpoint is being written: nothing is taken in any more
  bool failed_ = false;
  bool fallen_ = false;
  Error failure_{};
  std::vector<InstanceId> looked_at_;  // loaded for a look; they may leave again
  size_t cancelling_ = 0;              // attempts that are being cancelled
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::function<void()> stopped_;
};

}  // namespace stele::runtime
