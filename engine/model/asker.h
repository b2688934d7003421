// On whose behalf something is asked for: who, and from where.
//
// The source is one text, whose first word is the way that the request came on:
//
//     rest 10.0.0.7           over HTTP, from that address
//     rpc 10.0.0.7 press-1    over RPC; behind the address the certificate's name, if one was shown
//     rpc unix                over a socket of this machine
//     cli anna@host-3         the program on a data directory: who ran it, whatever name was given
//     sdk                     a program that has the engine inside
//
// Empty: the engine itself, or unknown. It says where to look, and proves nothing. Of what a
// trigger or a worker does (TriggerActor, worker_actor.h) the actor says so. Thread: any.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace stele::model {

inline constexpr std::string_view kRestSource = "rest";
inline constexpr std::string_view kRpcSource = "rpc";
inline constexpr std::string_view kCliSource = "cli";
inline constexpr std::string_view kProgramSource = "sdk";

// With texts of its own, for who asks later.
struct KeptAsker {
  std::string actor;
  std::string source;
  bool operator==(const KeptAsker&) const = default;
};

// For the time of a call. A name alone makes one, whose source is unknown.
struct Asker {
  Asker() = default;
  Asker(std::string_view who, std::string_view from) : actor(who), source(from) {}
  template <std::convertible_to<std::string_view> Text>
  Asker(const Text& who) : actor(who) {}  // NOLINT(google-explicit-constructor)
  Asker(const KeptAsker& kept)            // NOLINT(google-explicit-constructor)
      : actor(kept.actor), source(kept.source) {}

  KeptAsker Keep() const { return {std::string(actor), std::string(source)}; }

  std::string_view actor;
  std::string_view source;
};

// Who asks for what a trigger starts and cancels.
inline constexpr std::string_view kTriggerActor = "trigger:";
inline std::string TriggerActor(TriggerId trigger) {
  return std::string(kTriggerActor).append(std::to_string(trigger.value));
}

}  // namespace stele::model
