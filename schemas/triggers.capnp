@0xeb00344580608178;
# Triggers, of the native interface. The rules are those of api.capnp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("stele::api");

interface Triggers {
  list @0 (definition :Text, removed :Bool) -> (triggers :List(TriggerStatus));
  # By number; of that definition, empty: of all. `removed`: those that were removed, too.

  get @1 (id :UInt32) -> (trigger :TriggerStatus);

  add @2 (definition :Text, trigger :Text) -> (trigger :TriggerStatus);
  # `trigger`: JSON, one entry as in the section `triggers:` of a definition.

  change @3 (id :UInt32, state :TriggerState, reason :Text) -> (trigger :TriggerStatus);
  # One that is paused does not fire, and does not make up for it when it is resumed.

  fire @4 (id :UInt32, key :Text, input :Text) -> (instance :UInt64);
  # Once for a key; an empty one is always new. `input`: JSON. An instance of 0: it is noted, and
  # starts later.

  backfill @5 (id :UInt32, from :Int64, to :Int64) -> (fired :UInt64, known :UInt64);
  # The moments of a schedule in [from, to) that have started nothing. `known`: those that have.
}

enum TriggerState { active @0; paused @1; removed @2; }

struct TriggerStatus {
  id @0 :UInt32;
  definition @1 :Text;
  name @2 :Text;
  kind @3 :Text;                  # "cron", "webhook", …
  state @4 :TriggerState;
  reason @5 :Text;
  declared @6 :Bool;              # by its definition; else by hand
  config @7 :Text;                # JSON, as it was given
  path @8 :Text;                  # of a webhook
  next @9 :Int64;                 # when it fires next; 0: that cannot be told
  fired @10 :UInt64;              # how often it has
  lastOutcome @11 :Text;
  lastTime @12 :Int64;
}
