@0xbafdee45502504ad;
# The body of a record in the log: one cause and everything that the engine derived from it.
#
# Rules (docs/log-format.md):
# - A released number is never changed and never used again; retired fields stay, marked so.
# - schemas/record.lock lists every number; a test compares it with this file as compiled.
# - A reader that meets an event number it does not know stops and names the position.
#
# Payloads are JSON text. Times are microseconds since the Unix epoch; 0 means "none". Ids count
# from 1 in their instance, except scopes, steps, transitions and bodies, which count from 0.

using Cxx = import "/capnp/c++.capnp";
using State = import "snapshot.capnp";
using import "values.capnp".Outcome;
using import "values.capnp".payload;
using import "values.capnp".Purpose;
using import "values.capnp".SecretUse;
using import "values.capnp".Variable;
using import "values.capnp".Wait;
$Cxx.namespace("stele::schema");

struct Record {
  format @0 :UInt16;          # 1
  events @1 :List(Event);     # [0] is the cause
}

struct Event {
  union {
    # An instance's life.
    instanceStarted @0 :InstanceStarted;
    instanceCompleted @1 :InstanceCompleted;
    instanceFailed @2 :InstanceFailed;
    instanceCancelRequested @3 :InstanceCancelRequested;
    instanceCancelled @4 :InstanceCancelled;
    instanceTerminated @5 :Reason;
    instancePaused @6 :InstancePause;
    instanceResumed @7 :InstanceResumed;
    instanceMigrated @8 :InstanceMigrated;
    instanceForked @9 :InstanceForked;

    # Steps and their attempts.
    stepActivated @10 :StepActivated;
    stepPassed @11 :StepPassed;
    stepSkipped @12 :StepPassed;
    stepCompleted @13 :StepCompleted;
    stepFailed @14 :StepFailed;
    stepCancelled @15 :StepCancelled;
    attemptStarted @16 :AttemptStarted;
    attemptCompleted @17 :AttemptCompleted;
    attemptFailed @18 :AttemptFailed;
    attemptInterrupted @19 :AttemptInterrupted;
    retryScheduled @20 :RetryScheduled;
    timerElapsed @21 :TimerElapsed;

    # Tokens, scopes, data.
    tokenArrived @22 :TokenArrived;
    tokenHeld @23 :TokenHeld;
    scopeOpened @24 :ScopeOpened;
    scopeClosed @25 :ScopeClosed;
    variablesSet @26 :VariablesSet;

    # Sagas and incidents.
    compensationStarted @27 :CompensationStarted;
    compensationWaived @28 :CompensationWaived;
    compensationEnded @29 :CompensationEnded;
    incidentRaised @30 :IncidentRaised;
    incidentResolved @31 :IncidentResolved;

    # Operators on steps.
    stepRetryRequested @32 :RunCommand;
    stepSkipRequested @33 :RunCommand;
    stepRolledBack @34 :StepRolledBack;

    # Messages and people.
    signalReceived @35 :Message;
    messagePublished @36 :Message;
    messageCorrelated @37 :MessageCorrelated;
    humanTaskCreated @38 :HumanTaskCreated;
    humanTaskClaimed @39 :HumanTaskAction;
    humanTaskReleased @40 :HumanTaskAction;
    humanTaskDecided @41 :HumanTaskDecided;
    humanTaskEscalated @42 :HumanTaskEscalated;

    # Child instances.
    childStarted @43 :ChildStarted;
    childEnded @44 :ChildEnded;

    # The registry: definitions, triggers, users, settings.
    definitionRegistered @45 :DefinitionRegistered;
    definitionStateChanged @46 :StateChanged;
    triggerRegistered @47 :TriggerRegistered;
    triggerFired @48 :TriggerFired;
    triggerStateChanged @49 :StateChanged;
    userChanged @50 :NamedDocument;
    settingChanged @51 :NamedDocument;

    # Workers, single-stepping, refusals.
    leaseGranted @52 :Lease;
    leaseExpired @53 :Lease;
    instanceRetryRequested @54 :InstanceRetry;
    singleStepSet @55 :SingleStepSet;
    accessDenied @56 :NamedDocument;

    # Steps that an operator keeps from starting, instances that wait for their turn, reminders.
    stepHeld @57 :StepHeld;
    stepFailing @58 :StepFailing;
    instanceAdmitted @59 :Reason;
    humanTaskReminded @60 :HumanTaskReminded;

    # The registry: what is removed of ended instances; alerts that begin or end.
    instancesPurged @61 :InstancesPurged;
    instancesErased @62 :InstancesErased;
    alertChanged @63 :AlertChanged;
  }
}

struct InstanceStarted {
  definition @0 :UInt32;
  priority @1 :Int32;
  input @2 :Text $payload;
  variables @3 :List(Variable);   # given at the start, in place of the definition's defaults
  businessKey @4 :Text;
  idempotencyKey @5 :Text;
  tags @6 :List(Text);
  deadline @7 :Int64;
  parentInstance @8 :UInt64;      # 0: none
  parentRun @9 :UInt32;
  linked @10 :Bool;               # it is cancelled, paused and resumed with its parent
  paused @11 :Bool;               # nothing starts until it is resumed, as to go step by step
  queued @12 :Bool;               # it waits for InstanceAdmitted
  concurrencyKey @13 :Text;       # of the definition's limit
  traceParent @14 :Text;          # W3C traceparent of whoever started it; empty: none
}

struct InstanceCompleted { output @0 :Text $payload; }

struct InstanceFailed {
  kind @0 :Text;
  message @1 :Text $payload;
  run @2 :UInt32;                 # the run that failed; 0: none
  compensated @3 :Bool;
}

struct InstanceCancelRequested { compensate @0 :Bool; reason @1 :Text $payload; }

struct InstanceCancelled { compensated @0 :Bool; }

struct Reason { text @0 :Text $payload; }

# `withParent`: it is resumed with its parent.
struct InstancePause { text @0 :Text $payload; withParent @1 :Bool; }

# `deadline`: of the instance from now on, 0: none. `queued`: it waits for InstanceAdmitted.
struct InstanceRetry { text @0 :Text $payload; deadline @1 :Int64; queued @2 :Bool; }

struct InstanceResumed {
  reason @0 :Text $payload;
  steps @1 :UInt32;               # it stays paused, but so many held steps start; 0: it goes on
}

struct InstanceMigrated {
  definition @0 :UInt32;
  plan @1 :Text;                  # JSON: old step id to new step id
  steps @2 :List(UInt32);         # by old index, the new one; 0xFFFFFFFF: nothing refers to it
  transitions @3 :List(UInt32);
  bodies @4 :List(UInt32);
  reason @5 :Text $payload;
}

# A history that begins with what another one was at an event of it.
struct InstanceForked {
  originInstance @0 :UInt64;
  originSeq @1 :UInt64;           # its last event that is in the state
  originHash @2 :Data;            # the leaf of the record that holds it (docs/log-format.md)
  originPosition @3 :UInt64;      # that record
  state @4 :State.Instance;       # of the origin, as it was behind that event
  variables @5 :List(Variable);   # set in the root scope
  definition @6 :UInt32;          # migrated to; 0: the origin's
  plan @7 :Text;                  # as InstanceMigrated's
  businessKey @8 :Text;
  idempotencyKey @9 :Text;
  deadline @10 :Int64;            # 0: none
  paused @11 :Bool;               # nothing starts until it is resumed
  queued @12 :Bool;               # it waits for InstanceAdmitted
  endsOrigin @13 :Bool;           # the origin is terminated behind this record: a reset
  reason @14 :Text $payload;
  traceParent @15 :Text;
}

struct StepActivated {
  run @0 :UInt32;
  scope @1 :UInt32;
  step @2 :UInt32;
  via @3 :UInt32;                 # the transition that the token came on; 0xFFFFFFFF: none
  due @4 :Int64;                  # a delay's end
  deadline @5 :Int64;             # of its first attempt
  of @6 :UInt32;                  # fallback, compensation: the run that it stands in for or undoes
  purpose @7 :Purpose;
  config @8 :Text $payload;                # rendered; absent: the definition's, as it stands
  input @9 :Text $payload;                 # its mapped inputs, an object; a loop's items
  secrets @10 :List(SecretUse);
  waits @11 :List(Wait);          # what a waiting step waits for, the first of them
  concurrencyKey @12 :Text;       # of the step's limit
  unprepared @13 :Bool;           # what it is to do could not be said: it fails in the same record
}

# A live token has come to a step of an instance that is paused.
struct StepHeld {
  scope @0 :UInt32;
  step @1 :UInt32;
  via @2 :UInt32;                 # as StepActivated will have it
  output @3 :Text $payload;                # of the step before, as `outputs` will show it
}

# A run of a paused instance has failed; what follows is decided on resume.
struct StepFailing {
  run @0 :UInt32;
  kind @1 :Text;
  message @2 :Text $payload;
  retryable @3 :Bool;
}

struct StepPassed { scope @0 :UInt32; step @1 :UInt32; via @2 :UInt32; }

struct StepCompleted {
  run @0 :UInt32;
  output @1 :Text $payload;                # of steps without attempts (loops, sub-processes)
  undoable @2 :Bool;              # it names a compensation
}

struct StepFailed {
  run @0 :UInt32;
  kind @1 :Text;
  message @2 :Text $payload;
  fallback @3 :Bool;              # a fallback stands in: the run ends when that ends
  handled @4 :Bool;               # the flow goes on all the same
}

struct StepCancelled { run @0 :UInt32; reason @1 :CancelReason; }

enum CancelReason {
  scopeFailed @0; instanceCancelled @1; instanceTerminated @2;
  raceLost @3; rolledBack @4; skipped @5;
}

struct AttemptStarted {
  run @0 :UInt32;
  attempt @1 :UInt32;
  deadline @2 :Int64;
}

struct AttemptCompleted {
  run @0 :UInt32;
  attempt @1 :UInt32;
  output @2 :Text $payload;
  log @3 :Text $payload;
  logTruncated @4 :Bool;
}

struct AttemptFailed {
  run @0 :UInt32;
  attempt @1 :UInt32;
  kind @2 :Text;
  message @3 :Text $payload;
  retryable @4 :Bool;
  details @5 :Text $payload;
  log @6 :Text $payload;
  logTruncated @7 :Bool;
}

struct AttemptInterrupted {
  run @0 :UInt32;
  attempt @1 :UInt32;
  by @2 :Interruption;
}

enum Interruption {
  crash @0;                       # the process died; the attempt may have acted
  shutdown @1;                    # the engine stopped it before it stopped itself
}

struct RetryScheduled {
  run @0 :UInt32;
  attempt @1 :UInt32;             # the attempt that will start
  due @2 :Int64;
}

enum TimerKind {
  delay @0; retry @1; attemptDeadline @2;
  instanceDeadline @3; escalation @4; reminder @5;
}

struct TimerElapsed {
  kind @0 :TimerKind;
  run @1 :UInt32;                 # 0: the instance's
  attempt @2 :UInt32;
}

struct TokenArrived {
  scope @0 :UInt32;
  transition @1 :UInt32;
  step @2 :UInt32;                # the transition's target
  live @3 :Bool;
  fires @4 :Bool;                 # with it, the join starts its step
  last @5 :Bool;                  # every incoming transition is decided: the join begins anew
}

struct TokenHeld {
  scope @0 :UInt32;
  transition @1 :UInt32;          # a dead token that leaves a loop which may yet take it
}

struct ScopeOpened {
  scope @0 :UInt32;
  parent @1 :UInt32;
  run @2 :UInt32;                 # that owns it
  body @3 :UInt32;
  index @4 :UInt32;               # of a loop's iteration, from 0
  item @5 :Text $payload;
}

struct ScopeClosed {
  scope @0 :UInt32;
  outcome @1 :Outcome;
  output @2 :Text $payload;
  keepsUndo @3 :Bool;             # its completed steps can still be undone, as a part of its parent
}

struct VariablesSet {
  scope @0 :UInt32;
  variables @1 :List(Variable);
  reason @2 :Text $payload;       # of an operator
}

struct CompensationStarted {
  scope @0 :UInt32;               # whose completed steps are undone
  endsAs @1 :Outcome;             # failed or cancelled
  run @2 :UInt32;                 # that failed; 0: none
  kind @3 :Text;
  message @4 :Text $payload;
}

struct CompensationWaived {
  run @0 :UInt32;                 # whose compensation is given up
  reason @1 :Text $payload;
}

struct CompensationEnded { scope @0 :UInt32; }

struct IncidentRaised { run @0 :UInt32; kind @1 :Text; message @2 :Text $payload; }

struct IncidentResolved {
  run @0 :UInt32;
  resolution @1 :Resolution;
  reason @2 :Text $payload;
}

enum Resolution { retry @0; skip @1; fail @2; }

struct RunCommand { run @0 :UInt32; reason @1 :Text $payload; }

struct StepRolledBack {
  fromRun @0 :UInt32;
  toStep @1 :UInt32;
  scope @2 :UInt32;
  reason @3 :Text $payload;
  reset @4 :List(UInt32);         # steps that are as if no token had reached them
  cleared @5 :List(UInt32);       # transitions whose tokens are gone
}

struct Message {
  name @0 :Text;
  correlationKey @1 :Text $payload;
  payload @2 :Text $payload;
  expires @3 :Int64;
  messageId @4 :Text;
}

struct MessageCorrelated {
  run @0 :UInt32;
  name @1 :Text;
  payload @2 :Text $payload;
  messagePosition @3 :UInt64;     # of the record that published it; 0: a signal
  messageOrdinal @4 :UInt32;      # among those that this record published, from 0
  wait @5 :UInt32;                # which of the run's waits it meets
}

struct HumanTaskCreated {
  run @0 :UInt32;
  assignees @1 :List(Text);
  groups @2 :List(Text);
  minApprovers @3 :UInt32;
  due @4 :Int64;
  form @5 :Text $payload;
  veto @6 :Bool;
  escalateAt @7 :Int64;
  remindAt @8 :Int64;
  remindEveryUs @9 :Int64;
  remindLimit @10 :UInt32;
}

struct HumanTaskAction {
  run @0 :UInt32;
  person @1 :Text;
  comment @2 :Text $payload;
  groups @3 :List(Text);          # that the person is in
  asOperator @4 :Bool;            # an operator acts for somebody
}

struct HumanTaskEscalated {
  run @0 :UInt32;
  assignees @1 :List(Text);       # that are added
  groups @2 :List(Text);
}

struct HumanTaskReminded {
  run @0 :UInt32;
  count @1 :UInt32;
  next @2 :Int64;                 # 0: this was the last
}

struct HumanTaskDecided {
  run @0 :UInt32;
  person @1 :Text;
  approved @2 :Bool;
  comment @3 :Text $payload;
  variables @4 :Text $payload;             # an object
  groups @5 :List(Text);
  asOperator @6 :Bool;
}

struct ChildStarted {
  run @0 :UInt32;
  child @1 :UInt64;
  shard @2 :UInt32;
}

struct ChildEnded {
  run @0 :UInt32;
  child @1 :UInt64;
  outcome @2 :Outcome;
  output @3 :Text $payload;
  kind @4 :Text;
  message @5 :Text $payload;
}

struct DefinitionRegistered {
  definition @0 :UInt32;
  name @1 :Text;
  version @2 :UInt32;             # of that name, from 1
  canonical @3 :Text $payload;             # what is executed, for ever (docs/canonical.md)
  source @4 :Text $payload;                # as the user wrote it
  file @5 :Text;
}

struct StateChanged { id @0 :UInt32; state @1 :Text; reason @2 :Text $payload; }

struct TriggerRegistered {
  trigger @0 :UInt32;
  definition @1 :Text;
  kind @2 :Text;
  config @3 :Text $payload;
}

struct TriggerFired {
  trigger @0 :UInt32;
  time @1 :Int64;                 # of the firing, as the schedule says
  outcome @2 :Text;               # started, skipped, buffered, …
  payload @3 :Text $payload;               # the input that the instance is given
  key @4 :Text;                   # names the firing: nothing fires twice with the same
}

struct NamedDocument { name @0 :Text; document @1 :Text $payload; }
struct Lease { run @0 :UInt32; attempt @1 :UInt32; worker @2 :Text; expires @3 :Int64; }
struct SingleStepSet { on @0 :Bool; }
struct AlertChanged { rule @0 :Text; firing @1 :Bool; document @2 :Text; }

struct InstanceRange { first @0 :UInt64; last @1 :UInt64; }   # both included
struct MessagePlace { position @0 :UInt64; ordinal @1 :UInt32; }   # of the record's messages, from 0

# A row that a view would have of the purged instances alone; `version` is the view's.
struct ViewRow { view @0 :Text; version @1 :UInt32; key @2 :Data; value @3 :Data; }

# Their records are cut out of the archive behind this one, and nothing more happens to them.
struct InstancesPurged {
  instances @0 :List(InstanceRange);   # in order; each ended
  closedBefore @1 :Int64;              # all of them had ended then; 0: they were named
  reason @2 :Text $payload;
  totals @3 :List(ViewRow);            # what they add to views of totals: docs/retention.md
  firings @4 :List(Text);              # their idempotency keys that name firings of triggers
  conditions @5 :Text;                 # JSON: what conditions of triggers have come to at a position
                                       # behind all of their records; empty: an earlier one has it
  messages @6 :List(MessagePlace);     # that they had met, that others published, not yet expired
  messageIds @7 :List(Text);           # of messages that they published: who had the same one since
                                       # had it in vain, and others may have it from here on
}

# Their keys are destroyed behind this one, and nothing more happens to them.
struct InstancesErased { instances @0 :List(InstanceRange); reason @1 :Text $payload; }
