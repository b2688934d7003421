@0xd4ae95f15c3b7a60;
# What those who run a server may ask of it, of the native interface: permission `administer`. The
# rules are those of api.capnp.
#
# Reports are JSON, with the members that the program prints with --json (docs/server.md).

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("stele::api");

using Answers = import "answers.capnp";

interface Maintenance {
  verify @0 (chainAlone :Bool, watcher :Watcher) -> (report :Text);
  # The proof that the log is what was written, up to where it ended when it was asked for.
  # `chainAlone`: its chain of hashes, and not what the records mean. `watcher`, here and below: told
  # how far it is; null: nobody is.

  rebuildViews @1 (views :List(Text), watcher :Watcher) -> (states :List(Answers.ViewState));
  # Of these names, empty: all. Answers when those that were built serve; until then the old ones do.

  compareViews @2 (views :List(Text), watcher :Watcher) -> (comparisons :Text);
  # What serves with what the log amounts to. JSON: an array.

  backup @3 (directory :Text, keep :UInt32) -> (backup :Text, notes :List(Text));
  # `directory`: a name below the directory that the server was told to make backups in; without
  # one all of these are refused. `keep`: older ones than so many go; 0: none. `notes`, here and
  # below: what somebody should read, a sentence each.

  backups @4 (directory :Text) -> (found :FoundBackups);
  verifyBackups @5 (directory :Text, backup :UInt32) -> (found :FoundBackups);
  # Every byte and every chain, of that one; 0: of all.

  archive @6 (range :ArchiveRange) -> (report :Text);

  retention @7 () -> (policy :Text);
  # How long what is kept, as it is in force: JSON, an object.

  retain @8 (named :Named, dryRun :Bool) -> (report :Text);
  # Purges what is due, or those that are named, whatever their age. `dryRun`: says what would go.

  erase @9 (named :Named) -> (report :Text);
  # Destroys the keys of what was given to them and what they gave.

  secrets @10 () -> (secrets :Text);
  # JSON: an array of names and sizes. Nothing tells a value.
  setSecret @11 (name :Text, value :Data) -> ();
  removeSecret @12 (name :Text) -> ();

  keys @13 () -> (state :Text);
  # JSON: whether the log is sealed.
}

# Of what may take long. `done` of `total` records of what is done now.
interface Watcher {
  progress @0 (what :Text, done :UInt64, total :UInt64) -> ();
}

struct FoundBackups {
  backups @0 :Text;               # JSON: an array, the oldest first
  faults @1 :List(Answers.Refusal);  # why others cannot be read
  notes @2 :List(Text);
}

struct ArchiveRange {
  union {
    all @0 :Void;
    before @1 :Int64;             # what was recorded before
    keepBytes @2 :UInt64;         # what does not fit into so many
  }
}

# Instances, with all that they called.
struct Named {
  instances @0 :List(UInt64);
  subject @1 :Text;               # and those with this business key, or with the tag `subject:` KEY
  reason @2 :Text;                # kept in the log
}
