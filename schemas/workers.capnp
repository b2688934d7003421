@0xb1d9a5c07f3e6a24;
# Workers, of the native interface: programs that are called for each task. The rules are those of
# api.capnp.
#
#     Session.workers ──join──► Membership         the server ──run──► Worker ──► result
#                                                                        └──heartbeat──► TaskControl

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("stele::api");

interface Workers {
  join @0 (worker :Worker, name :Text, types :List(Text), slots :UInt32, lease :Int64,
           rate :Float64) -> (membership :Membership);
  # `worker` is called for tasks of these types, as many at once as it has slots (at most 1,000).
  # `name`: what its results are recorded under, behind the caller's own; empty: the caller's alone.
  # `lease`: how long it may hold a task without a heartbeat, 1 s to 1 h; 0: as long as the
  # connection lasts. `rate`: how many tasks a second it is called for at most, those of a second at
  # once after a pause; 0: as many as there are.
}

# A worker's place. Dropping it, or losing the connection, loses what the worker holds: that goes to
# another one.
interface Membership {
  setSlots @0 (slots :UInt32) -> ();
  # What it holds stays. 0: nothing new.

  leave @1 () -> ();
  # Nothing new comes; answers when everything that it holds is answered.

  whenEnded @2 () -> ();
  # Answers when it has left, or was lost: what it joined with counts no more, or `worker` cannot be
  # called.

  setRate @3 (rate :Float64) -> ();
  # Tasks a second, as in `join`, from now on.
}

# A program of somebody's that does tasks.
interface Worker {
  run @0 (task :WorkerTask, control :TaskControl) -> (result :WorkerResult);
  # A call that fails fails the task, with the kind "worker". A call that is cancelled is one whose
  # result nobody wants any more: the task was cancelled, or its lease has ended. Who cannot stop at
  # once keeps `control` until the task has stopped.
}

struct WorkerTask {
  key @0 :Text;                   # "42-7-1": instance, run, attempt. The same one may come again
  type @1 :Text;
  definition @2 :Text;
  step @3 :Text;
  instance @4 :UInt64;
  attempt @5 :UInt32;             # from 1
  config @6 :Text;                # JSON, an object
  input @7 :Text;                 # JSON, an object
  timeout @8 :Int64;              # what is left of the step's; 0: it has none
  lease @9 :Int64;                # how long without a heartbeat; 0: as long as the connection
  traceParent @10 :Text;          # W3C traceparent of the attempt
}

struct WorkerResult {
  union {
    output @0 :Text;              # JSON, an object; empty: {}
    failure @1 :WorkerFailure;
  }
  log @2 :Text;                   # kept with the attempt
}

struct WorkerFailure {
  kind @0 :Text;                  # what retry policies and conditions tell apart; empty: "worker"
  message @1 :Text;
  retryable @2 :Bool = true;      # false: no policy may try it again
  details @3 :Text;               # JSON, an object; empty: none
}

# A task that is being done. Dropping it says that nothing of the task runs any more.
interface TaskControl {
  heartbeat @0 (detail :Text) -> ();
  # Renews the lease. `detail`: how far it is, kept when the worker is lost. Refused when nobody wants
  # the result any more.

  log @1 (text :Text) -> ();
  # Something that it printed, for the attempt's log.
}
