@0xc1f0a84d5be27936;
# Alert rules, of the native interface. The rules are those of api.capnp; docs/alerts.md has the
# members of what is JSON.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("stele::api");

interface Alerts {
  list @0 () -> (alerts :List(Alert));
  # By name, but for those of definitions that the caller may not see.

  get @1 (name :Text) -> (alert :Alert);

  set @2 (name :Text, rule :Text) -> (alert :Alert, position :UInt64);
  # `rule`: JSON, an object. In place of the one that there was.

  remove @3 (name :Text) -> (position :UInt64);
}

struct Alert {
  name @0 :Text;
  rule @1 :Text;        # JSON: as it was set; of `notify` the type alone, for who may not set it
  state @2 :Text;       # "firing", "pending", "quiet", "unknown"
  since @3 :Int64;      # it fires, or its condition holds; 0: neither
  looked @4 :Int64;     # when it was looked at; 0: not yet
  value @5 :Text;       # JSON: the figures of its condition
  fault @6 :Text;       # why it cannot be told; empty: it can
  delivery @7 :Text;    # JSON: what became of the last one; empty: there was none
}
