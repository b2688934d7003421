// Live events: what becomes durable, told to whoever follows it, from any position on.
//
//     record durable ──► Wake ──► one reader, on a thread ──► recent ──► followers that it fits
//                                  a follower that is behind reads the log itself ──┘
//
// However many follow, the log is read and shown once. A follower asks for its next events when it
// has sent the ones before, so that a slow one costs what it has not taken yet: nothing.
//
// A follower is told of what its caller may `read`, as definitions say it when it is told; from
// whom something is hidden, of what belongs to no definition nothing: a message, say, that any
// instance may be waiting for.
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "replay/event_reader.h"
#include "server/operations/desk.h"
#include "server/operations/instances.h"

namespace stele::server {

using EventPointer = std::shared_ptr<const replay::ShownEvent>;

// What somebody wants to be told; empty: anything.
struct EventFilter {
  InstanceId instance;  // 0: all
  std::string definition;
  std::set<std::string, std::less<>> names;  // "step_completed"
  bool with_accounts = false;  // settings, and attempts that were denied: for who manages users

  bool Fits(const replay::ShownEvent& event) const;
};

// Where somebody is in the log: behind an event that was seen, or before a record.
struct EventPlace {
  Position position;
  uint32_t ordinal = 0;  // the first one of that record that is wanted
};

class Events {
 public:
  Events(Desk& desk, Instances& instances) : desk_(desk), instances_(instances) {}
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // What somebody is told of, as definitions are now.
  struct Told {
    Sight read;
    Sight definitions;
  };

  class Follower {
   public:
    Follower(Events& events, Caller caller, EventFilter filter, EventPlace place);
    ~Follower();
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    // The next events that fit, some of them, in the order of the log; waits until there is one.
    // Empty: the server closes, and there will be none. One at a time.
    Promised<std::vector<EventPointer>> Next();
    // The first record that it has not looked at yet.
    Position position() const { return place_.position; }

   private:
    friend class Events;
    Promised<std::vector<EventPointer>> ReadBehind();
    std::vector<EventPointer> TakeRecent();
    bool MayBeTold(const EventPointer& event, const Told& told) const;
    kj::Promise<void> WaitForMore();

    Events& events_;
    const Caller caller_;
    const EventFilter filter_;
    EventPlace place_;
    std::shared_ptr<replay::EventReader> reader_;  // while it is behind
    kj::Own<kj::PromiseFulfiller<void>> wake_;     // while it waits
  };

  // `place.position` 0: from now on. kInvalidInput: a position that the log has not reached.
  Result<kj::Own<Follower>> Follow(const Caller& caller, EventFilter filter, EventPlace place);

  // Something has become durable.
  void Wake();
  // Whether anybody wants to know.
  bool has_followers() const { return !followers_.empty(); }
  size_t followers() const { return followers_.size(); }

 private:
  Told ToldTo(const Caller& caller) const;
  bool MayTell(const replay::ShownEvent& event, const Told& told) const;

  struct Batch {
    std::vector<EventPointer> events;
    Position end;       // everything before it was read
    bool more = false;  // there may be more than it has
  };
  std::unique_ptr<replay::EventReader> ReaderFrom(InstanceId instance, Position from);
  // Up to so many events' records, on a thread.
  Promised<Batch> Read(const std::shared_ptr<replay::EventReader>& reader);
  kj::Promise<void> ReadRecent();
  kj::Promise<void> HaveRead(const std::shared_ptr<replay::EventReader>& reader,
                             const Result<Batch>& batch);
  kj::Promise<void> EndReading();
  void Break(const Error& error);
  void Take(const Batch& batch);
  void WakeAll();

  Desk& desk_;
  Instances& instances_;
  std::set<Follower*> followers_;
  std::unordered_map<InstanceId, std::set<Follower*>> of_instance_;  // that wait
  std::set<Follower*> of_all_;                                       // that wait

  std::shared_ptr<replay::EventReader> reader_;  // of all, while somebody follows
  std::deque<EventPointer> recent_;
  size_t recent_bytes_ = 0;
  Position recent_from_{1};       // the first position of which `recent_` has all events
  Position recent_end_{1};        // and the first of which it has none
  std::optional<Error> failure_;  // why those that follow are told nothing any more
  bool reading_ = false;
  bool woken_ = false;
  kj::Promise<void> reading_task_ = nullptr;
};

}  // namespace stele::server
