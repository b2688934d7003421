@0xfe6f4667f49276b1;
# The values that the native interface asks with and answers with. The rules are those of api.capnp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("stele::api");

struct Caller {
  name @0 :Text;
  role @1 :Text;                  # "admin", "operator", "developer", "worker", "auditor", "viewer"
  groups @2 :List(Text);
  expires @3 :Int64;              # when the token does; 0: never
  mustChangePassword @4 :Bool;    # and may do nothing else before
}

struct Variable {
  name @0 :Text;
  value @1 :Text;                 # JSON
}

struct StartRequest {
  definition @0 :Text;            # its name
  version @1 :UInt32;             # 0: the newest that is active
  input @2 :Text;                 # JSON, an object
  variables @3 :List(Variable);   # in place of the definition's defaults
  businessKey @4 :Text;
  unique @5 :Bool;                # refused when an open instance has the same business key
  idempotencyKey @6 :Text;        # a start with a key that was used gives the same instance
  tags @7 :List(Text);
  priority @8 :Int32;
  deadline @9 :Int64;             # 0: the definition's
  paused @10 :Bool;               # nothing of it starts before it is resumed
  traceParent @11 :Text;          # W3C traceparent of whoever asks; one that is malformed counts as none
}

# Where another instance begins, and what is different in it.
struct ForkRequest {
  moment @0 :Moment;              # behind that event, with all of its record; must be given
  variables @1 :List(Variable);   # others are as they were
  version @2 :UInt32;             # of its definition, to go on in; 0: its own
  plan @3 :Text;                  # as Instance.migrate's, to that version
  businessKey @4 :Text;           # a reset keeps its own unless given
  unique @5 :Bool;                # refused when an open instance has the same business key
  idempotencyKey @6 :Text;        # a fork with a key that was used gives the same instance
  deadline @7 :Int64;             # 0: none; of a reset, its own
  paused @8 :Bool;                # nothing of it starts before it is resumed
  resets @9 :Bool;                # the instance is terminated behind it
  reason @10 :Text;
  traceParent @11 :Text;          # as of StartRequest
}

struct Started {
  id @0 :UInt64;
  position @1 :UInt64;            # of the record in the log
  known @2 :Bool;                 # its idempotency key had started it before
}

struct StartResult {
  union {
    started @0 :Started;
    refused @1 :Refusal;
  }
}

struct Refusal {
  code @0 :UInt32;                # 405 of "STL0405"
  message @1 :Text;
}

struct InstanceStatus {
  id @0 :UInt64;
  definition @1 :Text;
  version @2 :UInt32;
  status @3 :Text;                # "running", "waiting", "completed", …
  businessKey @4 :Text;
  idempotencyKey @5 :Text;
  tags @6 :List(Text);
  priority @7 :Int32;
  parent @8 :UInt64;              # 0: none
  started @9 :Int64;
  ended @10 :Int64;               # 0: it has not
  deadline @11 :Int64;
  errorKind @12 :Text;            # why it failed, or why its steps are undone
  errorMessage @13 :Text;
  input @14 :Text;                # JSON
  output @15 :Text;               # JSON, when it has completed
  variables @16 :List(Variable);  # of its outermost scope
  waitingFor @17 :Text;           # JSON: an array of what keeps it from going on
  seq @18 :UInt64;                # the last event that it reflects
  position @19 :UInt64;           # and its record
  origin @20 :UInt64;             # that it was forked from; 0: it was started
  originSeq @21 :UInt64;          # the last event of the origin that is in it
}

enum Resolution { retry @0; skip @1; fail @2; }

struct Moment {
  union {
    seq @0 :UInt64;               # behind that event; 0: now
    time @1 :Int64;               # behind all that had happened until then
  }
}

struct AttemptPlace {
  run @0 :UInt32;                 # 0: before all of them
  attempt @1 :UInt32;
}

struct LogPage {
  position @0 :UInt64;            # of the view
  attempts @1 :List(Attempt);
  next @2 :AttemptPlace;          # to go on behind; run 0: there is no more
}

struct Attempt {
  place @0 :AttemptPlace;
  step @1 :Text;
  label @2 :Text;                 # the id with the indices of the loops around: "update[2]"
  type @3 :Text;                  # "script", …
  state @4 :Text;                 # "running", "completed", "failed", …
  started @5 :Int64;
  ended @6 :Int64;
  errorKind @7 :Text;
  errorMessage @8 :Text;
  log @9 :Text;
  logSize @10 :UInt64;            # bytes that are recorded; `log` may have fewer
  logTruncated @11 :Bool;         # more was printed than is recorded
}

# Who acts on a task, and what they say.
struct Acting {
  comment @0 :Text;
  asOperator @1 :Bool;            # for somebody else; needs a role that may
  name @2 :Text;                  # who it is, of a server that asks nobody (--dev); else empty
  groups @3 :List(Text);          # and their groups; else empty
}

# How fresh an answer is to be.
struct Freshness {
  asOf @0 :UInt64;                # as it was behind the record at that position; 0: now
  asOfTime @1 :Int64;             # or at that time; 0: now
  after @2 :UInt64;               # it knows of the record at that position
  patience @3 :Int64;             # how long that may take; with `after` 0: of all that is durable
}

# A page of rows. docs/queries.md has the query, its fields and what they are sorted by.
struct Search {
  query @0 :Text;
  sort @1 :Text;                  # a field, "-" before it: the latest first; empty: the usual one
  cursor @2 :Text;                # `next` of the page before; empty: the first
  limit @3 :UInt32;               # 0: 50, at most 1,000
  freshness @4 :Freshness;
}

struct InstancePage {
  rows @0 :List(InstanceRow);
  next @1 :Text;                  # a cursor; empty: this is the last page
  position @2 :UInt64;
  now @3 :Int64;                  # what durations count from
}

struct InstanceRow {
  id @0 :UInt64;
  definition @1 :Text;
  version @2 :UInt32;
  status @3 :Text;
  businessKey @4 :Text;
  tags @5 :List(Text);
  priority @6 :Int32;
  parent @7 :UInt64;
  started @8 :Int64;
  ended @9 :Int64;
  deadline @10 :Int64;
  updated @11 :Int64;             # its last record
  stepsCompleted @12 :UInt64;     # of stepsTotal: each once, undone or not
  progressPercent @13 :UInt32;    # of its outermost steps
  steps @14 :List(OpenStep);      # the first of those that are open
  stepsOpen @15 :UInt32;          # how many are
  waits @16 :List(RowWait);       # the first of what it waits for
  waitsOpen @17 :UInt32;          # how much there is
  errorKind @18 :Text;
  errorMessage @19 :Text;
  parkedKind @20 :Text;           # why a step waits for an operator
  actor @21 :Text;                # who started it; empty: the engine
  trigger @22 :UInt32;            # what started it; 0: none
  undone @23 :Bool;               # its steps are being undone, or were
  stepsTotal @24 :UInt32;         # of the outermost graph, but fallbacks and compensations
  stepsDecided @25 :UInt32;       # of those: completed, failed, skipped or cancelled
  variables @26 :List(RowVariable);
}

# A text, number or boolean among the variables of the outermost scope, or in the input.
struct RowVariable {
  name @0 :Text;                  # "customer", "customer.id"
  value @1 :Text;
  isInput @2 :Bool;
  isJson @3 :Bool;                # a number or boolean as JSON writes it; else a text
}

struct OpenStep {
  run @0 :UInt32;
  id @1 :Text;
  label @2 :Text;
  state @3 :Text;                 # "attempt", "backoff", "waiting", …
  since @4 :Int64;
  attempt @5 :UInt32;
}

struct RowWait {
  what @0 :Text;                  # "people", "message", "delay", "operator", "child", …
  step @1 :Text;                  # its label; empty: the instance itself
  subject @2 :Text;               # whom or what
  since @3 :Int64;
  due @4 :Int64;
}

struct TaskPage {
  rows @0 :List(TaskRow);
  next @1 :Text;
  position @2 :UInt64;
  now @3 :Int64;
}

struct TaskRow {
  instance @0 :UInt64;
  run @1 :UInt32;                 # "#RUN" names it for Tasks.get
  definition @2 :Text;
  version @3 :UInt32;
  step @4 :Text;
  label @5 :Text;
  type @6 :Text;                  # "approval", "manual"
  title @7 :Text;
  state @8 :Text;                 # "open", "claimed", "approved", "rejected", "done", …
  assignees @9 :List(Text);
  groups @10 :List(Text);
  claimedBy @11 :Text;
  votes @12 :List(Vote);
  minApprovers @13 :UInt32;
  created @14 :Int64;
  due @15 :Int64;
  completed @16 :Int64;           # 0: it is open
  businessKey @17 :Text;
  priority @18 :Int32;
}

struct Vote {
  person @0 :Text;
  approved @1 :Bool;
  comment @2 :Text;
  time @3 :Int64;
}

# All time, or what happened in [from, to).
struct StatisticsScope {
  definition @0 :Text;            # empty: all of them
  version @1 :UInt32;             # 0: all of them together
  from @2 :Int64;
  to @3 :Int64;
}

struct ErrorFilter {
  definition @0 :Text;
  step @1 :Text;
  kind @2 :Text;
  since @3 :Int64;                # occurred at or after
  sinceText @4 :Text;             # how that was asked for where it is from now: "24h"; all pages
                                  # then have the first one's
}

struct ViewState {
  name @0 :Text;
  version @1 :UInt32;
  serves @2 :Bool;                # one is there to answer
  position @3 :UInt64;            # of that one
  lag @4 :UInt64;                 # records behind the log
  building @5 :Bool;              # one is being built
  built @6 :UInt64;               # how far
}

struct EventFilter {
  instance @0 :UInt64;            # 0: all
  definition @1 :Text;            # empty: all
  events @2 :List(Text);          # "step_completed"; empty: all
}

# A place in the log: before the event of that ordinal of the record at that position.
struct EventPlace {
  position @0 :UInt64;
  ordinal @1 :UInt32;
}

# An event of the log; position and ordinal name it for ever.
struct Event {
  position @0 :UInt64;
  ordinal @1 :UInt32;             # in its record, from 0
  seq @2 :UInt64;                 # in its instance's history
  instance @3 :UInt64;            # 0: of definitions, triggers, messages from outside
  time @4 :Int64;
  name @5 :Text;                  # "step_completed"
  definition @6 :Text;            # the name of the one that the instance runs; empty: none
  actor @7 :Text;                 # who asked; empty: the engine itself
  document @8 :Text;              # JSON: the event with its members, as histories have it
  source @9 :Text;                # from where they asked; empty: unknown, or the engine itself
}

# What a report of who did what is about; what is not said narrows nothing.
struct ReportFilter {
  instance @0 :UInt64;
  definition @1 :Text;
  actor @2 :Text;
  since @3 :Int64;                # recorded then or later
  until @4 :Int64;                # recorded before
  kinds @5 :List(Text);           # "operate", "denied", …
  all @6 :Bool;                   # also what the engine did of itself, and workers
}

# A record of the log as it is stored, for who replays it.
struct LogRecord {
  position @0 :UInt64;
  firstSeq @1 :UInt64;            # of its first event in its instance's history
  time @2 :Int64;
  causation @3 :UInt64;           # the record that led to it; 0: none
  actor @4 :Text;                 # who asked; empty: the engine itself
  erased @5 :Bool;                # it had payloads, whose key was destroyed
  body @6 :Data;                  # its events: a message of record.capnp, one segment
  source @7 :Text;                # from where they asked; empty: unknown, or the engine itself
}
