@0xcc4b6ad121c2dac2;
# Definitions and task types, of the native interface. The rules are those of api.capnp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("stele::api");

using Answers = import "answers.capnp";

interface Definitions {
  validate @0 (text :DefinitionText) -> (verdict :Verdict);
  # Nothing is registered.

  register @1 (text :DefinitionText) -> (registration :Registration);
  # The same text again gives the version that it has.

  list @2 (name :Text) -> (definitions :List(DefinitionStatus));
  # Every version, in the order in which they were registered; of that name, empty: of all.

  get @3 (name :Text, version :UInt32) -> (definition :DefinitionStatus);
  # `version` 0: the newest, here and below.

  source @4 (name :Text, version :UInt32, dialect :Text, syntax :Syntax) -> (text :Text);
  # Without a dialect as it was written; else in that notation (docs/notations.md).

  change @5 (name :Text, version :UInt32, state :DefinitionState, reason :Text)
      -> (definition :DefinitionStatus);
  # Whether it may start. Instances that run go on.

  types @6 () -> (types :Text);
  # JSON: an array of the task types of somebody's own, {type, …document}.

  registerType @7 (name :Text, document :Text) -> (position :UInt64);
  # `document`: JSON, an object (docs/tasks.md).

  removeType @8 (name :Text) -> (position :UInt64);

  records @9 (from :UInt64, firings :Bool) -> (records :List(Answers.LogRecord), next :UInt64);
  # What definitions, types and triggers are made of, for who replays it: the registry's history from
  # that event on, as much as fits into a message. `firings`: with those of triggers. Of a definition
  # that the caller may not see, and of its triggers, the numbers are all that there is. `next`: to
  # go on from; 0: there is no more.
}

enum Syntax { yaml @0; json @1; }

enum DefinitionState { draft @0; active @1; paused @2; retired @3; }

struct DefinitionText {
  text @0 :Text;
  syntax @1 :Syntax;
  name @2 :Text;                  # of one that does not say its own; empty: "workflow"
  draft @3 :Bool;                 # it may not start before it is made active
}

struct Fault {
  code @0 :UInt32;                # 104 of "STL0104"
  message @1 :Text;
  line @2 :UInt32;                # in the text, from 1; 0: it is about no place
  column @3 :UInt32;
}

# Why a text was refused, with every fault of it.
struct Refused {
  code @0 :UInt32;
  message @1 :Text;
  faults @2 :List(Fault);         # by place
}

struct Verdict {
  union {
    valid :group {
      name @0 :Text;
      steps @1 :UInt32;           # how many it has
    }
    refused @2 :Refused;
  }
}

struct Registration {
  union {
    definition @0 :DefinitionStatus;
    refused @1 :Refused;
  }
}

struct DefinitionStatus {
  name @0 :Text;
  version @1 :UInt32;             # of that name, from 1
  state @2 :DefinitionState;
  reason @3 :Text;                # why it came to that state
  description @4 :Text;
  registered @5 :Int64;
  isNew @6 :Bool;                 # of `register` alone: it was not known before
  position @7 :UInt64;            # of the change's record; 0: nothing was changed
}
