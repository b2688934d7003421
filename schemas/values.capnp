@0x9c2f6e1d7b3a4058;
# What both a record and a snapshot are made of. The rules for numbers are those of record.capnp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("stele::schema");

# What people and programs put in: sealed when the log is encrypted, and gone when its key is
# destroyed (docs/encryption.md). Without a value the record still applies. Every field of text or
# bytes has the mark or a line in schemas/record.clear; a test compares.
annotation payload @0xd3a1c0f2b7e64590 (field) :Void;

enum Purpose { normal @0; fallback @1; compensation @2; }

enum Outcome { completed @0; failed @1; cancelled @2; }

struct Variable { name @0 :Text; value @1 :Text $payload; }

enum WaitKind { message @0; signal @1; timer @2; }

struct Wait {
  event @0 :Text;                 # its id in an event race
  kind @1 :WaitKind;
  name @2 :Text;
  key @3 :Text $payload;
  due @4 :Int64;                  # timer
}

struct SecretUse {
  pointer @0 :Text;               # RFC 6901, into config; "input" before it for the input
  offset @1 :UInt32;
  name @2 :Text;
}
