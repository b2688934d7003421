// An instance's state as bytes and back: the only reader and writer of schemas/snapshot.capnp.
//
// Complete and deterministic: the same state gives the same bytes, and two states that differ in
// any field give different ones. Tests compare states this way. Snapshots may be lost or refused at
// any time; the log rebuilds them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/model/instance.h"

namespace stele::model {

inline constexpr uint16_t kSnapshotFormat = 1;

std::string EncodeSnapshot(const Instance& instance);

// The same state again.
Instance CopyOf(const Instance& instance);

// kStoreCorrupt: damaged, or its lists are not in their order. kStoreUnknownFormat: written by
// another build; rebuild the instance from its records.
Result<Instance> DecodeSnapshot(std::string_view bytes);

}  // namespace stele::model
