@0x9374898de29eff54;
# The native interface: what a client may ask of a server, over Cap'n Proto RPC.
#
#     Gate ──login──► Session ──► Instances ──start──► Instance ──wait──► …
#
# Whoever has a capability may do what it does; how much that is, the session's role decides at each
# call. Calls may be made on results that have not come yet: `start` and `wait` on what it gives are
# one round trip.
#
# A call that is refused fails with an exception whose text begins with the code: "STL0405: Expected
# … but found …" (docs/errors.md has all codes). Its type says what a client can do about it:
# OVERLOADED: try again later; DISCONNECTED: this server goes away; UNIMPLEMENTED: it does not know
# how; FAILED: the same call will fail again.
#
# Fields whose comment says "JSON" hold JSON text; empty: there is none. Times are microseconds since
# the Unix epoch, durations microseconds; 0: none. Numbers of instances, triggers, positions and
# events count from 1. Empty text and lists: none, or any, as the comment says.
#
# Rules for who changes it, from its first release on: a number is never changed and never used
# again; a new field means nothing when it is absent; a new method is refused by older servers as
# UNIMPLEMENTED; `Gate.version` tells the two apart.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("stele::api");

using Alerts = import "alerts.capnp".Alerts;
using Answers = import "answers.capnp";
using Definitions = import "definitions.capnp".Definitions;
using Maintenance = import "maintenance.capnp".Maintenance;
using Triggers = import "triggers.capnp".Triggers;
using Workers = import "workers.capnp".Workers;

# What a connection begins with. Nothing else may be called before somebody is known.
interface Gate {
  version @0 () -> (protocol :UInt32, program :Text);
  # `protocol` is 1; raised when something means something else. `program`: for people.

  login @1 (name :Text, password :Text) -> (session :Session, token :Text, expires :Int64);
  # The token is good for `withToken`, and for REST, until it expires.

  withToken @2 (token :Text) -> (session :Session);
  # A token of this server or of an issuer that it trusts, or an API key.

  anonymous @3 () -> (session :Session);
  # Of a server that asks nobody for a name (--dev): refused by any other.
}

# What somebody may do. It ends with the connection, and as soon as what it was opened with counts
# no more: the token has expired or was revoked, the account was disabled.
interface Session {
  whoAmI @0 () -> (caller :Answers.Caller);

  narrow @1 (role :Text, groups :List(Text)) -> (session :Session);
  # One that may do less, to be handed on. Refused for a role that may do anything that this one may
  # not, and for groups that this one is not in. An empty role: the same. The groups are those alone.

  instances @2 () -> (instances :Instances);
  definitions @3 () -> (definitions :Definitions);
  triggers @4 () -> (triggers :Triggers);
  tasks @5 () -> (tasks :Tasks);
  views @6 () -> (views :Views);
  log @7 () -> (log :Log);

  refresh @8 () -> (token :Text, expires :Int64);
  # Another token for who has one of this server's own. This session goes on with the old one's end.

  logout @9 () -> ();
  # Ends the token at once, for everybody who has it.

  changePassword @10 (before :Text, now :Text) -> (token :Text, expires :Int64);
  # Every token that was made before counts no more, this session's own too: the new one is for
  # Gate.withToken.

  workers @11 () -> (workers :Workers);
  maintenance @12 () -> (maintenance :Maintenance);
  alerts @13 () -> (alerts :Alerts);
}

interface Instances {
  start @0 Answers.StartRequest -> (started :Answers.Started, instance :Instance);
  # Answers when the start is durable.

  startMany @1 (requests :List(Answers.StartRequest)) -> (results :List(Answers.StartResult));
  # Each for itself, in their order: one that is refused keeps none of the others away. Answers when
  # all are durable or refused. At most 10,000.

  get @2 (id :UInt64) -> (instance :Instance);
  # Asks nothing: a number that there is not is refused by the first call on the instance.

  publish @3 (name :Text, key :Text, payload :Text, messageId :Text, expires :Int64)
      -> (position :UInt64, known :Bool);
  # A message to whichever instance waits for one of that name and key, now or until it expires.
  # `payload`: JSON. `messageId`: one that was published before is not published again (`known`).
  # `expires`: a moment; 0: after the usual time.

  receivers @4 (position :UInt64) -> (instances :List(UInt64));
  # Those that have received the message of that position by now.
}

# An instance. What changes it answers with the position of the record, when that is durable.
# `reason` is kept with the history. A `step` names an open run: the step's id, its label
# ("update[2]" in a loop) or "#RUN".
interface Instance {
  status @0 () -> (status :Answers.InstanceStatus);
  # As it is when all that is shown is durable.

  wait @1 (patience :Int64) -> (status :Answers.InstanceStatus);
  # When it has ended, or as it is when so long has passed or the server stops: `status.ended` is 0
  # then. At most an hour; 0: as it is.

  signal @2 (name :Text, payload :Text) -> (position :UInt64);   # payload: JSON
  pause @3 (reason :Text) -> (position :UInt64);
  resume @4 (reason :Text, steps :UInt32) -> (position :UInt64);
  # `steps`: so many of the held steps start, and it stays paused; 0: it is paused no more.
  cancel @5 (compensate :Bool, reason :Text) -> (position :UInt64);
  # `compensate`: what was done is undone first.
  terminate @6 (reason :Text) -> (position :UInt64);
  retry @7 (reason :Text) -> (position :UInt64);                 # one that has failed
  retryStep @8 (step :Text, reason :Text) -> (position :UInt64);
  skipStep @9 (step :Text, reason :Text) -> (position :UInt64);
  rollBack @10 (fromStep :Text, toStep :Text, reason :Text) -> (position :UInt64);
  # `fromStep` empty: from wherever it is.
  resolveStep @11 (step :Text, resolution :Answers.Resolution, reason :Text) -> (position :UInt64);
  # Of a run that waits for an operator.
  setVariables @12 (variables :List(Answers.Variable), step :Text, reason :Text)
      -> (position :UInt64);
  # `step` names an open run in whose scope they are; empty: the instance's own.
  migrate @13 (version :UInt32, plan :Text, reason :Text) -> (position :UInt64);
  # To another version of its definition. `plan`: JSON, an object of old step ids and new ones;
  # empty: every step stays itself.

  steps @14 () -> (steps :Text);
  # JSON: an array of what became of every step.
  history @15 (from :UInt64, limit :UInt32)
      -> (events :List(Text), next :UInt64, position :UInt64);
  # Events from that one on, each a JSON object; at most 5,000, 0: 200. `next`: to go on from; 0:
  # there is no more. `position`: the last record that the page knows of.
  stateAt @16 (moment :Answers.Moment) -> (state :Text);
  # JSON: the whole state as it was; docs/time-travel.md has the members, of this and what follows.
  logs @17 (step :Text, limit :UInt32, after :Answers.AttemptPlace) -> (page :Answers.LogPage);
  # What attempts have printed. `step`: an id or a label; empty: all.
  follow @18 (receiver :EventReceiver, filter :Answers.EventFilter, from :Answers.EventPlace)
      -> (subscription :Subscription);
  # As Log.follow, of this instance; the filter's own is not looked at.
  task @19 (step :Text) -> (task :Task);
  # As Tasks.get.

  records @20 (from :UInt64)
      -> (records :List(Answers.LogRecord), next :UInt64, lacking :List(Text));
  # What holds its events from that one on, for who replays it: as many as fit into a message.
  # `next`: to go on from; 0: there is no more. `lacking`: the task types that workers do and that no
  # worker is there for now: what such a step has begun waits for one.

  diff @21 (from :Answers.Moment, to :Answers.Moment) -> (diff :Text);
  # JSON: what differs between two states, with a patch (RFC 6902) that makes one of the other.
  bisect @22 (expression :Text, exact :Bool) -> (found :Text);
  # JSON: the first event behind which the expression holds. `exact`: looks behind every event.
  timeline @23 (limit :UInt32) -> (timeline :Text);
  # JSON: the runs of steps over time, with their attempts and waits; at most 10,000, 0: 1,000.

  fork @24 Answers.ForkRequest -> (started :Answers.Started, instance :Instance, at :UInt64);
  # Another instance, that goes on from a moment of this one. `at`: the last event of this one that
  # is in it. Answers when it is durable.
}

# Tasks for people.
interface Tasks {
  find @0 (search :Answers.Search) -> (page :Answers.TaskPage);
  # Without a condition on `state`: those that are open.

  get @1 (instance :UInt64, step :Text) -> (task :Task);
  # Asks nothing. `step` names the open run of the task, as of Instance.
}

# A task. Who acts is the caller: a task that names people or groups, or that somebody has claimed,
# is refused to others.
interface Task {
  claim @0 (by :Answers.Acting) -> (position :UInt64);
  unclaim @1 (by :Answers.Acting) -> (position :UInt64);
  approve @2 (by :Answers.Acting, variables :Text) -> (position :UInt64);
  reject @3 (by :Answers.Acting, variables :Text) -> (position :UInt64);
  complete @4 (by :Answers.Acting, variables :Text) -> (position :UInt64);
  # `variables`: JSON, an object of what was filled in.
  fail @5 (by :Answers.Acting, kind :Text) -> (position :UInt64);
  # As an attempt fails, with an error of that kind.
}

# Questions to the views. Their answers are as of the view's position, which they name.
interface Views {
  instances @0 (search :Answers.Search) -> (page :Answers.InstancePage);

  statistics @1 (scope :Answers.StatisticsScope, freshness :Answers.Freshness)
      -> (statistics :Text);
  # JSON, as docs/statistics.md has it; so are those that follow.
  series @2 (scope :Answers.StatisticsScope, resolution :Text, freshness :Answers.Freshness)
      -> (series :Text);
  # `resolution`: "minute", "hour", "day".
  definitions @3 (after :Text, limit :UInt32, freshness :Answers.Freshness) -> (page :Text);
  errors @4 (filter :Answers.ErrorFilter, limit :UInt32, cursor :Text,
             freshness :Answers.Freshness) -> (page :Text);
  workers @5 (freshness :Answers.Freshness) -> (workers :Text);

  states @6 () -> (views :List(Answers.ViewState));
  # How far behind the log each view is.
}

# What happens, as it becomes durable.
interface Log {
  follow @0 (receiver :EventReceiver, filter :Answers.EventFilter, from :Answers.EventPlace)
      -> (subscription :Subscription);
  # Events that fit, in the order of the log, from that place on; a position of 0: from now on. Who
  # was cut off goes on behind the last event that came: with its position, and its ordinal plus 1.

  report @1 (filter :Answers.ReportFilter, limit :UInt32, from :Text)
      -> (deeds :List(Text), next :Text, position :UInt64);
  # Who did what (docs/audit.md): permission `audit`. Each a JSON object; at most 1,000, 0: 200.
  # `from`: the `next` of the page before; empty: from the begin. `next` empty: there is no more. A
  # page may have none and still a `next`: so much of the log is looked at for one. `position`: the
  # last record that was looked at.

  # Proofs of docs/audit.md: permission `audit`.
  prove @2 (instance :UInt64, event :UInt64) -> (proof :Text, covered :UInt64, leftOut :UInt64);
  # JSON: that the instance's records, or the one with that event, stand in the log. `event` 0: all
  # of them. `covered`: the records that its head is over; `leftOut`: those behind it.
  heads @3 (from :UInt64, limit :UInt32) -> (heads :List(Text));
  # The signed heads over so many records or more, the smallest first; at most 1,000, 0: 200.
  # `from` as large as can be: the newest.
  growth @4 (older :Text, newer :Text) -> (proof :Text);
  # JSON: that the log only grew between two signed heads. `newer` empty: until now.
}

interface EventReceiver {
  next @0 (events :List(Answers.Event)) -> stream;
  # Some events. No more come than the receiver answers for: a slow one costs the server nothing and
  # is behind, with all that it has missed to come.

  end @1 (code :UInt32, message :Text) -> ();
  # There will be no more: the server stops, the token counts no more, or the log cannot be read.
}

# Dropping it ends what it is about.
interface Subscription {
  position @0 () -> (position :UInt64);
  # The first record that was not looked at yet.
}
