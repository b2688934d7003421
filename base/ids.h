// Strong types for identities and quantities. They do not convert into each other, so that a
// position cannot be passed where a sequence number is wanted. All are dense and count from 1;
// zero means "none" unless a type says otherwise.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace stele {

template <class Tag, class Integer>
struct StrongInteger {
  using value_type = Integer;

  Integer value = 0;

  constexpr StrongInteger() = default;
  constexpr explicit StrongInteger(Integer v) : value(v) {}

  constexpr auto operator<=>(const StrongInteger&) const = default;
  constexpr explicit operator bool() const { return value != 0; }
  constexpr StrongInteger Next() const { return StrongInteger(static_cast<Integer>(value + 1)); }
  constexpr StrongInteger Plus(Integer n) const {
    return StrongInteger(static_cast<Integer>(value + n));
  }
};

// An independent log with one writer. Zero is the first shard.
using ShardId = StrongInteger<struct ShardTag, uint32_t>;
// A record's place in its shard's log.
using Position = StrongInteger<struct PositionTag, uint64_t>;
// One execution of one definition version. Zero is the shard's registry of definitions.
using InstanceId = StrongInteger<struct InstanceTag, uint64_t>;
// An event's place in its instance's history.
using Seq = StrongInteger<struct SeqTag, uint64_t>;
// A registered definition version.
using DefinitionId = StrongInteger<struct DefinitionTag, uint32_t>;
// A scope of an instance. Zero is the root scope.
using ScopeId = StrongInteger<struct ScopeTag, uint32_t>;
// A trigger of the registry.
using TriggerId = StrongInteger<struct TriggerTag, uint32_t>;
// A step run of an instance.
using RunId = StrongInteger<struct RunTag, uint32_t>;
// A step's index in its definition's table. Zero is the first step.
using StepIndex = StrongInteger<struct StepTag, uint32_t>;
// A transition's index in its definition's table. Zero is the first transition.
using TransitionIndex = StrongInteger<struct TransitionTag, uint32_t>;
// A body's (a graph's) index in its definition's table. Zero is the root body.
using BodyIndex = StrongInteger<struct BodyTag, uint32_t>;

// Microseconds since the Unix epoch.
using TimeUs = StrongInteger<struct TimeTag, int64_t>;

inline constexpr uint32_t kNoIndex = UINT32_MAX;

}  // namespace stele

template <class Tag, class Integer>
struct std::hash<stele::StrongInteger<Tag, Integer>> {
  size_t operator()(const stele::StrongInteger<Tag, Integer>& id) const noexcept {
    return static_cast<size_t>(id.value) * 0x9E3779B97F4A7C15ull;
  }
};
