// Where commands read records: a data directory, or a server that has one.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>

#include "base/error.h"
#include "cli/arguments.h"
#include "engine/model/registry.h"
#include "eventstore/event_store.h"
#include "replay/history.h"
#include "replay/standing.h"

namespace stele::cli {

class Remote;

// Instances that are asked for before they are read: some pages of records are in memory then.
inline constexpr size_t kAskedAhead = 16;

class Source : public replay::Source {
 public:
  // The steps whose tasks wait for a worker that is not there. Of a data directory, those that
  // nobody but a worker does: nobody has the log open. REQUIRES: of a server, an instance was read
  // to its end.
  virtual replay::LacksWorker NeedsWorker(const model::Registry& registry) const = 0;
  // These will be read next: a server is asked for all of them at once, not for one after another.
  virtual void Expect(std::span<const InstanceId> instances) const {}
  // Of a server to which the connection is lost, a new one; until there is one nothing can be read.
  // Errors as OpenSource. REQUIRES: nothing is being read.
  virtual Status ConnectAgain() { return {}; }
};

// What firings come to in the registry's history is read when it is asked for: there may be many.
enum class Firings { kWithout, kWith };

// As --data or --server says.
Result<std::unique_ptr<Source>> OpenSource(const Arguments& arguments,
                                           Firings firings = Firings::kWithout);
// The registry alone.
Result<model::Registry> ReadRegistryOf(const Arguments& arguments);
// REQUIRES: the store, or the server, outlives it.
std::unique_ptr<Source> SourceOf(const eventstore::EventStore& store);
std::unique_ptr<Source> SourceOf(Remote& server, Firings firings = Firings::kWithout);

}  // namespace stele::cli
