// What a question is asked of: the view as it serves, or as it was behind an earlier record or at
// an earlier time.
//
// Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "projections/projector.h"

namespace stele::projections {

struct Freshness {
  // As it was behind the record at a position, or at a time. 0: now.
  uint64_t as_of = 0;
  int64_t as_of_us = 0;
  // The answer knows of the record at `after`; 0: of all that was durable when it was asked for, or
  // is kTimeout when that takes longer than `patience`. `after` 0 without patience: it is what the
  // view knows.
  uint64_t after = 0;
  std::chrono::milliseconds patience{0};
};

struct Asked {
  std::shared_ptr<const ScratchView> then;  // null: the one that serves
  std::unique_ptr<ViewReader> reader;       // reads from it
  TimeUs now;                               // what durations count from
  std::string course;                       // SearchRequest::course
};

// May wait, and read much of the log. REQUIRES: the projector follows the log, and both outlive the
// answer.
Result<Asked> AskView(Projector& projector, const eventstore::EventStore& log, ShardId shard,
                      std::string_view view, const Freshness& freshness, TimeUs now);

}  // namespace stele::projections
