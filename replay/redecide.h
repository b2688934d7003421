// A recorded cause, decided again: whether what the record says followed from it follows now. The
// one mechanism of `verify`, which proves a log, and of regression replay (replay/regression),
// which asks what another build or another definition makes of it.
//
// Follows instances record by record, each in the order of its history; the memory that it takes is
// that of the instances which are open at once.
//
// Thread: one at a time; the registry and the source may be shared with others who only read.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "engine/decide/decide.h"
#include "engine/model/registry.h"
#include "eventstore/event_store.h"
#include "replay/history.h"

namespace stele::replay {

// What is decided with in place of what was recorded, and what then counts as the same.
class Alternative {
 public:
  virtual ~Alternative() = default;

  // How a cause is decided under it.
  struct Terms {
    enum class Kind : uint8_t {
      kDecide,
      kPass,  // it says nothing under this alternative: what is recorded changes nothing
      kGone,  // it speaks of a step that is not there
    };
    Kind kind = Kind::kDecide;
    const definition::Definition* definition = nullptr;  // kDecide
    const definition::Definition* target = nullptr;      // decide::Context::target
  };
  // Changes the command to what was asked. `recorded`: the definition that the history ran then.
  virtual Terms TermsOf(model::Command& command, const model::RegisteredDefinition& recorded,
                        const model::RecordContext& record) = 0;

  // Where two lists of events part; what is behind both ends: nowhere.
  struct Parting {
    size_t recorded = 0;
    size_t decided = 0;
  };
  virtual std::optional<Parting> Compare(const std::vector<model::Event>& recorded,
                                         const std::vector<model::Event>& decided,
                                         const model::RegisteredDefinition& ran,
                                         const eventstore::RecordView& record) = 0;
};

// What came of deciding a record again.
struct Redecision {
  enum class Outcome : uint8_t {
    kSame,
    kUnfollowed,  // of an instance that is not followed
    kErased,      // what it was decided on cannot be read any more
    kOutOfPlace,  // no such record can stand there
    kRefused,     // the cause is refused
    kGone,        // the cause speaks of a step that is not there
    kDiffers,     // something else follows
  };
  Outcome outcome = Outcome::kSame;
  bool begins = false;  // it is the first of the instance's records
  // Where they part: of the record's events, and of those that are decided.
  size_t recorded_at = 0;
  size_t decided_at = 0;
  std::optional<Rejection> rejection;               // kRefused
  std::string expected;                             // kOutOfPlace: in its place
  std::string found;                                // kOutOfPlace, where the event does not say it
  const definition::Definition* ran = nullptr;      // by the history
  const definition::Definition* decided = nullptr;  // that was decided with
};

struct RedeciderOptions {
  // The records are all of a shard's, in the order of the log: what is missing is kOutOfPlace.
  bool whole_log = false;
  // Ended instances are kept until they are forgotten. Without it, a failed one that is retried is
  // decided again from its start, with what `source` has of it; and then kept, as kKeptRetried are.
  bool keeps_ended = false;
  const Source* source = nullptr;
  // Null: each instance with its own definition.
  Alternative* alternative = nullptr;
  // Whether an instance is to be followed, which begins with that definition; null: all are.
  std::function<Result<bool>(InstanceId instance, const model::RegisteredDefinition& definition)>
      follows = nullptr;
  // Whether its payloads are gone, asked when it begins; null: as its records say.
  std::function<Result<bool>(InstanceId instance)> is_erased = nullptr;
  // Asked of a fork that can be read before anything is decided on the state that it names; null:
  // whoever wrote the records is trusted.
  std::function<Status(const eventstore::RecordView& record, const model::InstanceForked& fork)>
      check_fork = nullptr;
};

// Who was retried is often retried again: so many of them that have failed once more are kept, and
// of so many that are not followed, this is remembered.
inline constexpr size_t kKeptRetried = 256;

// A document, or an event, for people: on one line, cut where it is long.
std::string ShowDocument(const Value& document);
std::string ShowEvent(const model::Event& event, const definition::Definition* definition);
// The events of a record; the error names its position.
Result<std::vector<model::Event>> DecodeRecord(const eventstore::RecordView& record);

class Redecider {
 public:
  // REQUIRES: the registry outlives it, and has the definitions that the records name.
  Redecider(const model::Registry& registry, RedeciderOptions options)
      : registry_(registry), options_(std::move(options)) {}

  // REQUIRES: a record of an instance. Errors: the record cannot be read, or the source fails.
  Result<Redecision> Take(const eventstore::RecordView& record);

  // Of the last record: its events, and those that follow from its cause now.
  const std::vector<model::Event>& recorded() const { return recorded_; }
  const std::vector<model::Event>& decided() const { return decided_; }

  // The state that was decided, null: it is not followed.
  const model::Instance* Find(InstanceId instance) const;
  // Its records are passed over from now on.
  void Forget(InstanceId instance);
  void ForgetAll();
  // Those that are kept though they have failed do not count.
  size_t followed() const { return followed_.size() - kept_.size(); }

 private:
  struct Followed {
    model::Instance instance;
    DefinitionId definition;  // that its history runs
    bool erased = false;
    bool retried = false;
  };
  Result<Redecision> TakeEvents(const eventstore::RecordView& record);
  void LetGo(InstanceId instance, const Followed& followed);
  // Null: `out` says why there is none.
  Result<Followed*> FollowedBy(const eventstore::RecordView& record, Redecision& out);
  Result<Followed*> Begin(const eventstore::RecordView& record, Redecision& out);
  Result<Followed*> Reopen(const eventstore::RecordView& record, Redecision& out);
  Status Decide(const eventstore::RecordView& record, model::Command command,
                const model::RegisteredDefinition& ran, Followed& followed, Redecision& out);
  void Compare(const eventstore::RecordView& record, const model::RegisteredDefinition& ran,
               Redecision& out);

  const model::Registry& registry_;
  const RedeciderOptions options_;
  std::map<InstanceId, Followed> followed_;
  std::deque<InstanceId> kept_;        // of these, retried ones that have failed; the longest first
  std::deque<InstanceId> unfollowed_;  // retried ones that are not among them; the longest first
  InstanceId last_started_;
  bool reopening_ = false;
  decide::Decider decider_;
  std::vector<model::Event> recorded_;
  std::vector<model::Event> decided_;
};

}  // namespace stele::replay
