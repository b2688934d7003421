// What a shard knows across its instances: who has which key, which messages wait for somebody and
// who waits for which, who holds a definition's limit and who waits for it, which firings have no
// instance yet. A fold of the log, kept as notes (notes.h), so that nothing of it must be in memory
// and a restart reads only the tail.
//
// Keys (parts as in notes.h):
//   i key                                  -> instance   idempotency keys
//   b definition key instance              -> ""         business keys of open instances
//   r definition key instance              -> ""         holds a place under the definition's limit
//   q definition key order instance        -> ""         waits for a place; the higher priority
//                                                       first
//   m name key position ordinal            -> message    published, not met yet
//   p position ordinal                     -> key of m
//   d id                                   -> position,  a message id that was published
//                                             ordinal
//   w name key instance run event          -> ""         a run that waits for a message
//   x instance run                         -> keys of w
//   e expires key                          -> ""         what is forgotten then
//   c instance                             -> ""         was paused with its parent
//   t trigger key                          -> firing     fired, not started yet
//   o trigger instance                     -> ""         open instances that a trigger started
//
// A crash may leave notes that are ahead of the log's part that is folded again: folding a record
// over notes that reflect it already, or some of it, must give the same notes.
//
// Thread: the shard's loop.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/definition/definition.h"
#include "engine/model/instance.h"
#include "engine/runtime/notes.h"
#include "engine/tasks/executor.h"

namespace stele::runtime {

struct KeptMessage {
  Position position;
  uint32_t ordinal = 0;
  std::string name;
  std::string key;
  Payload payload;
  TimeUs expires;
};

using model::MessagePlace;

struct WaitingRun {
  InstanceId instance;
  RunId run;
  uint32_t event = 0;
};

struct PendingFiring {
  TriggerId trigger;
  std::string key;
  TimeUs time;
  std::string outcome;
  Payload payload;
};

// The idempotency key of the child that an attempt of a call starts.
inline std::string CallKey(const tasks::AttemptKey& attempt) {
  return "call:" + attempt.ToString();
}

// Who holds a definition's limit for a key, and who waits for a place.
struct Places {
  std::set<InstanceId> holders;
  std::set<std::pair<uint32_t, InstanceId>> queue;  // in the order in which they are admitted
};

// The idempotency key of an instance that a trigger starts.
std::string FiringKey(TriggerId trigger, std::string_view key);
// The trigger and the firing's key in an idempotency key that FiringKey made; nothing: it is
// another.
std::optional<std::pair<TriggerId, std::string_view>> FiringOf(std::string_view idempotency_key);

class Board {
 public:
  Board(eventstore::EventStore& store, ShardId shard) : notes_(store, shard) {}

  // One record of an instance. `instance` is its state then or later; `waiting` are its runs that
  // wait for messages, kept by the caller with the instance (WaitingRuns).
  void Fold(const model::Instance& instance, const definition::Definition& definition,
            std::span<const model::Event> events, const model::RecordContext& record,
            std::vector<RunId>& waiting);
  void FoldRegistry(std::span<const model::Event> events, const model::RecordContext& record);
  static std::vector<RunId> WaitingRuns(const model::Instance& instance);
  // The same as the notes have it, which at a restart is the time of the last checkpoint.
  Result<std::vector<RunId>> NotedWaits(InstanceId instance) const;
  // After its record was folded: the instance has another version of its definition.
  void Migrated(const model::Instance& instance, const definition::Definition& to);

  Result<std::optional<InstanceId>> ByIdempotencyKey(std::string_view key) const;
  // Its instance is cut out of the log.
  void ForgetIdempotencyKey(std::string_view key) { notes_.Erase(IdempotencyNote(key)); }
  // The note of that key, in EventStore's words.
  static std::string IdempotencyNote(std::string_view key) { return 'i' + std::string(key); }
  Result<std::optional<InstanceId>> ByBusinessKey(std::string_view definition,
                                                  std::string_view key) const;
  // Good until the next record is folded.
  Result<const Places*> PlacesOf(std::string_view definition, std::string_view key);
  // An instance that turned out not to wait for a place.
  void LeaveQueue(std::string_view definition, std::string_view key, InstanceId instance);
  // Every (definition, key) for which instances wait.
  Result<std::vector<std::pair<std::string, std::string>>> Queues() const;
  // Every (name, key) of messages that are kept.
  Result<std::vector<std::pair<std::string, std::string>>> Topics() const;

  // The oldest messages and waits of a name and key, at most `most`. Messages that have expired are
  // forgotten on the way.
  Result<std::vector<KeptMessage>> Messages(std::string_view name, std::string_view key, TimeUs now,
                                            size_t most);
  Result<std::vector<WaitingRun>> Waits(std::string_view name, std::string_view key,
                                        size_t most) const;
  // Messages that this record published and that are kept.
  Status ForgetMessages(Position published);
  // A wait that turned out to be over.
  void ForgetWait(std::string_view name, std::string_view key, const WaitingRun& wait);

  // Whether the child is paused because its parent was.
  Result<bool> WasPausedWithParent(InstanceId child) const;

  // The first message with that id, as long as the id is remembered.
  Result<std::optional<MessagePlace>> FirstWithId(std::string_view message_id) const;
  // Whether an earlier message has had the id of the one at that place, and is remembered.
  Result<bool> IsRepeated(std::string_view message_id, Position position, uint32_t ordinal) const;

  Result<std::vector<PendingFiring>> PendingFirings() const;
  // A firing that is given up without an instance.
  void ForgetFiring(TriggerId trigger, std::string_view key);
  Result<std::vector<InstanceId>> OpenOf(TriggerId trigger, size_t most) const;

  // Forgets what has expired, and what is in memory of limits that nobody needs. REQUIRES: the
  // log has been folded to its end.
  Status Expire(TimeUs now);
  Notes& notes() { return notes_; }

 private:
  struct Folding;

  Result<std::vector<std::pair<std::string, std::string>>> DistinctPairs(
      std::string_view kind) const;
  // `is_new`: the instance starts; otherwise it has been open before.
  void Begin(const Folding& folding, bool queued, bool is_new);
  void End(const Folding& folding);
  void Hold(const model::Instance& instance, std::string_view definition, bool is_new);
  void Release(const model::Instance& instance, std::string_view definition);
  void Queue(const model::Instance& instance, std::string_view definition, bool is_new);
  void LeaveQueue(const model::Instance& instance, std::string_view definition);
  Places* KnownPlaces(std::string_view definition, std::string_view key);
  void Note(std::string key, std::string value, bool is_new);
  void ForgetMessage(const std::string& key, std::string place, TimeUs expires);
  void Wait(const Folding& folding, RunId run, std::span<const model::Wait> waits, bool is_new);
  void WaitAgain(const Folding& folding, RunId run);
  void EndWait(const Folding& folding, RunId run);
  void Publish(const model::MessagePublished& message, const model::RecordContext& record,
               uint32_t ordinal);
  void Consume(const MessagePlace& message);
  void Forget(const model::InstancesPurged& purged);

  Notes notes_;
  struct Less {
    using is_transparent = void;
    using View = std::pair<std::string_view, std::string_view>;
    bool operator()(const View& a, const View& b) const { return a < b; }
  };
  // Those that somebody has asked for, by definition and key.
  std::map<std::pair<std::string, std::string>, Places, Less> places_;
};

}  // namespace stele::runtime
