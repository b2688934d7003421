// How the log says that a worker has done it: the actor of the record.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

namespace stele::model {

inline constexpr std::string_view kWorkerActor = "worker:";

// Of a worker's name; empty for none.
inline std::string WorkerActor(std::string_view name) {
  return name.empty() ? std::string() : std::string(kWorkerActor).append(name);
}
// The name; empty when the actor is no worker.
inline std::string_view WorkerOfActor(std::string_view actor) {
  return actor.starts_with(kWorkerActor) ? actor.substr(kWorkerActor.size()) : std::string_view();
}

}  // namespace stele::model
