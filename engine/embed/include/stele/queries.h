// What is asked of all instances and of all tasks for people, for stele/engine.h. Include that
// header.
//
// The answers come from views, which follow the log on a thread of their own; no question reads the
// log. A question waits until its view knows what was durable when it was asked, so that what has
// been written is read.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "stele/values.h"

namespace stele::embed {

// What a change came to in the log.
struct Written {
  uint64_t position = 0;  // of its record; Filter::after takes it
};
struct Started : Written {
  uint64_t instance = 0;
  operator uint64_t() const { return instance; }
};

// What keeps an instance from going on.
struct Waiting {
  std::string what;  // "resume", "place", "people", "message", "delay", "operator", "child"
  std::string step;  // empty: the instance itself
  std::string title;
};

// A step that is open.
struct OpenStep {
  std::string step;
  std::string label;  // the step with the indices of the loops around it: "update[2]"
  std::string state;  // "attempt", "backoff", "waiting", "parked", …
  uint32_t attempt = 1;
  int64_t since_us = 0;
};

struct Instance {
  uint64_t id = 0;
  std::string definition;
  uint32_t version = 1;
  // "running", "paused", "queued", "compensating"; ended: "completed", "failed", "cancelled",
  // "terminated".
  std::string status;
  std::string business_key;
  std::vector<std::string> tags;
  int32_t priority = 0;
  int64_t started_us = 0;
  int64_t ended_us = 0;  // 0: it has not
  std::string kind;      // of its failure; Query: or why it is undone, or a step is parked
  std::string message;
  std::vector<Waiting> waits;  // Query: the first 8

  // Query leaves these empty.
  std::string input;
  std::string variables;  // of the outermost scope, an object
  std::string output;     // an object, when it has completed

  // Query alone fills these in.
  std::vector<OpenStep> steps;  // the first 16
  uint32_t progress = 0;        // percent of the steps of the outermost graph that are decided
  uint64_t parent = 0;          // the instance that called it
  int64_t updated_us = 0;       // of its last record
  int64_t deadline_us = 0;

  bool ended() const { return ended_us != 0; }
};

// Part of what was found.
template <class Row>
struct Page {
  std::vector<Row> rows;
  std::string next;       // Filter::cursor of the page behind it; empty: this is the last one
  uint64_t position = 0;  // the last record of the log that the answer knows of

  auto begin() const { return rows.begin(); }
  auto end() const { return rows.end(); }
  size_t size() const { return rows.size(); }
  bool empty() const { return rows.empty(); }
  const Row& operator[](size_t index) const { return rows[index]; }
};

// How long a question waits for its view.
inline constexpr std::chrono::milliseconds kPatience{5'000};

struct Filter {
  // "status:failed definition:order* started>24h tag:eu var.customer=42" (docs/queries.md). What is
  // given beside it must hold, too.
  std::string query;
  std::string status;  // "running": what waits, and what is parked, is running
  bool open = false;   // only those that have not ended
  std::string definition;
  std::string business_key;
  std::string tag;
  std::string sort;      // "-started", the latest first
  std::string cursor;    // Page::next, for the same question
  size_t limit = 1'000;  // at most that
  // As it was behind the record at a position, or at a time: built from the log the first time that
  // it is asked for. 0: now.
  uint64_t as_of = 0;
  int64_t as_of_us = 0;
  // The answer knows of the record at `after`, 0: of all that was durable when it was asked for, or
  // is STL0605 when that takes longer than `patience`. `after` 0 without patience: it is what the
  // view knows.
  uint64_t after = 0;
  std::chrono::milliseconds patience = kPatience;
};

// A task for people.
struct Task {
  uint64_t instance = 0;
  std::string definition;
  std::string step;
  uint64_t run = 0;   // "STEP#RUN" names one task of several of a step
  std::string label;  // the step with the indices of the loops around it: "review[2]"
  std::string type;   // "approval", "manual"
  std::string title;
  // "open", "claimed"; over: "approved", "rejected", "done", "failed", "skipped", "cancelled".
  std::string state;
  std::vector<std::string> assignees;  // with `groups`: who may act; both empty: anybody
  std::vector<std::string> groups;
  std::string claimed_by;
  uint32_t approvals = 0;  // so far
  uint32_t min_approvers = 1;
  int64_t since_us = 0;
  int64_t due_us = 0;        // 0: at no time
  int64_t completed_us = 0;  // 0: it is open
  std::string business_key;  // of the instance
};

struct TaskFilter {
  std::string query;                // docs/queries.md; without `state`: those that are open
  std::string person;               // names the person, or the person has claimed it
  std::vector<std::string> groups;  // or names one of these
  std::string definition;
  std::string sort = "created";  // the oldest first
  // As those of Filter.
  std::string cursor;
  size_t limit = 1'000;
  uint64_t as_of = 0;
  int64_t as_of_us = 0;
  uint64_t after = 0;
  std::chrono::milliseconds patience = kPatience;
};

// What a definition and its steps come to: docs/statistics.md.
struct Stretch {
  std::string definition;  // empty: of all
  uint32_t version = 0;    // 0: of all versions
  int64_t from_us = 0;     // what happened from then on, 0: ever,
  int64_t to_us = 0;       // and before then; 0: until now
  // As those of Filter.
  uint64_t after = 0;
  std::chrono::milliseconds patience = kPatience;
};

// How a view stands.
struct ViewState {
  std::string name;  // "instances", "tasks", "statistics", …
  uint32_t version = 0;
  uint64_t position = 0;  // the last record that it knows of
  uint64_t lag = 0;       // how many records are behind that one
  bool answers = false;   // false: it is being built for the first time
  bool building = false;  // another building of it will take its place
  uint64_t built = 0;     // how far that one is
  std::string failure;    // why no view follows the log any more; empty: they do
};

}  // namespace stele::embed
