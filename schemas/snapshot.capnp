@0xd1c0ae6a6f6b2b17;
# The state of one instance at a seq: what its history amounts to up to there. A cache of the log:
# when a reader does not know the format, it rebuilds the state from the records instead.
#
# The same state gives the same bytes, so tests compare states by comparing snapshots. The rules
# for numbers and marks are those of record.capnp: the state of an instance is also a part of a record,
# that of a fork.

using Cxx = import "/capnp/c++.capnp";
using Values = import "values.capnp";
using import "values.capnp".payload;
$Cxx.namespace("stele::schema");

struct Snapshot {
  format @0 :UInt16;              # 1
  instance @1 :Instance;
}

enum InstanceStatus {
  none @0;
  running @1;
  compensating @2;
  completed @3;
  failed @4;
  cancelled @5;
  terminated @6;
}

struct Instance {
  id @0 :UInt64;
  definition @1 :UInt32;
  status @2 :InstanceStatus;
  cancelRequested @3 :Bool;       # retired
  compensated @4 :Bool;
  priority @5 :Int32;
  seq @6 :UInt64;
  position @7 :UInt64;
  started @8 :Int64;
  ended @9 :Int64;
  deadline @10 :Int64;
  lastRun @11 :UInt32;
  lastScope @12 :UInt32;
  parentInstance @13 :UInt64;
  parentRun @14 :UInt32;
  input @15 :Text $payload;
  output @16 :Text $payload;
  failureKind @17 :Text;
  failureMessage @18 :Text $payload;
  failureRun @19 :UInt32;
  businessKey @20 :Text;
  idempotencyKey @21 :Text;
  tags @22 :List(Text);
  scopes @23 :List(Scope);        # by id, rising
  runs @24 :List(StepRun);        # by id, rising
  paused @25 :Bool;
  queued @26 :Bool;
  linked @27 :Bool;
  concurrencyKey @28 :Text;
  signals @29 :List(Signal);      # that nothing has waited for yet, the oldest first
  traceParent @30 :Text;
  origin @31 :UInt64;             # that it was forked from; 0: it was started
  originSeq @32 :UInt64;
  endsOrigin @33 :Bool;
}

struct Signal {
  name @0 :Text;
  payload @1 :Text $payload;
}

enum ScopeState {
  unset @0;
  open @1;
  compensating @2;
  closed @3;
}

struct Scope {
  id @0 :UInt32;
  parent @1 :UInt32;
  owner @2 :UInt32;
  body @3 :UInt32;
  state @4 :ScopeState;
  endsAs @5 :Values.Outcome;
  index @6 :UInt32;
  active @7 :UInt32;
  item @8 :Text $payload;
  slots @9 :List(Slot);           # by step, rising
  variables @10 :List(Values.Variable);
  held @11 :List(UInt32);
  failure @12 :Failure;           # compensating: why; null otherwise
  undo @13 :List(Undo);
  heldSteps @14 :List(HeldStep);
  arrivals @15 :List(Arrival);    # tokens that wait at joins, in the order in which they came
}

struct HeldStep {
  step @0 :UInt32;
  via @1 :UInt32;
  output @2 :Text $payload;
}

struct Arrival {
  transition @0 :UInt32;
  live @1 :Bool;
  step @2 :UInt32;
}

struct Failure {
  kind @0 :Text;
  message @1 :Text $payload;
  run @2 :UInt32;
}

enum SlotState {
  idle @0;
  active @1;
  completed @2;
  skipped @3;
  failed @4;
  cancelled @5;
  handled @6;
  omitted @7;
}

struct Slot {
  step @0 :UInt32;
  state @1 :SlotState;
  fired @2 :Bool;
  completions @3 :UInt32;
  output @4 :Text $payload;
}

struct Undo {
  run @0 :UInt32;
  scope @1 :UInt32;
  step @2 :UInt32;
  output @3 :Text $payload;
}

enum RunState {
  unset @0;
  attempt @1;
  backoff @2;
  delay @3;
  children @4;
  parked @5;
  done @6;
  failed @7;
  held @8;
  waiting @9;
  failing @10;
}

struct StepRun {
  id @0 :UInt32;
  scope @1 :UInt32;
  step @2 :UInt32;
  state @3 :RunState;
  purpose @4 :Values.Purpose;
  attempt @5 :UInt32;
  uncounted @6 :UInt32;
  of @7 :UInt32;
  via @8 :UInt32;
  activated @9 :Int64;
  due @10 :Int64;
  deadline @11 :Int64;
  config @12 :Text $payload;
  input @13 :Text $payload;
  output @14 :Text $payload;
  secrets @15 :List(Values.SecretUse);
  loop @16 :LoopProgress;
  errorKind @17 :Text;
  errorMessage @18 :Text $payload;
  waits @19 :List(Values.Wait);
  human @20 :HumanTask;
  child @21 :UInt64;
  concurrencyKey @22 :Text;
  retryable @23 :Bool;
  unprepared @24 :Bool;
}

struct HumanTask {
  assignees @0 :List(Text);
  groups @1 :List(Text);
  minApprovers @2 :UInt32;
  veto @3 :Bool;
  due @4 :Int64;
  escalateAt @5 :Int64;
  remindAt @6 :Int64;
  remindEveryUs @7 :Int64;
  remindLimit @8 :UInt32;
  reminders @9 :UInt32;
  claimedBy @10 :Text;
  votes @11 :List(Vote);
}

struct Vote {
  person @0 :Text;
  approved @1 :Bool;
  comment @2 :Text $payload;
  time @3 :Int64;
}

struct LoopProgress {
  next @0 :UInt32;
  running @1 :UInt32;
  failed @2 :UInt32;
  last @3 :Text $payload;
}
