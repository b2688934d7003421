"""What the entries of a format record: each drives the program through something that must stay readable.

A scenario is a function of a Recorder. What it leaves open, `goes_on` ends in every later build: commands,
and the statuses that instances have behind them.
"""

import glob
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCENARIOS = {}

# However a run ends: completed, failed, or it waits.
ANY = (0, 1, 3)
FAILED = (1,)
WAITS = (3,)


def scenario(name):
    def add(function):
        SCENARIOS[name] = function
        return function
    return add


def stubs(types):
    return [word for kind in sorted(types) for word in ("--stub", kind + '={"ok": true, "status": 200}')]


@scenario("notations")
def notations(do):
    """Every notation of the documents that the engine grew from, and each that it writes itself."""
    files = [path for folder in ("printed", "notations")
             for path in sorted(glob.glob(os.path.join(ROOT, "tests/engine/definition", folder, "*")))]
    for path in files:
        do.run_stubbed(path)
    for dialect in ("steps", "processes", "canonical"):
        text = do.stele.run("convert", os.path.join(ROOT, "examples/order-saga.yml"), "--dialect", dialect,
                            "--format", "json", data=None)
        do.run_stubbed(do.write(f"saga-{dialect}.json", text))


@scenario("types")
def types(do):
    """Every type of step: scripts run, everything that acts outside is stubbed."""
    do.stele.run("types", "register", "greet", "--schema",
                 os.path.join(ROOT, "examples/types/custom-schema.json"), "--worker")
    for path in sorted(glob.glob(os.path.join(ROOT, "examples/types/*.yml"))):
        do.run_stubbed(path, keep=("script", "call", "delay"))
    for path in sorted(glob.glob(os.path.join(ROOT, "examples/*.yml"))):
        do.run_stubbed(path)


FLAKY = """
name: flaky
variables: {file: ""}
steps:
  - id: fetch
    type: script
    retry: {max_attempts: 4, initial_delay: 10ms, backoff_strategy: exponential, jitter: 0.5}
    config: {script: 'echo x >> {{variables.file}}; test $(wc -l < {{variables.file}}) -ge 3 && echo lines=3 >> outputs'}
  - {id: count, type: script, depends_on: [fetch], config: {script: 'echo {{steps.fetch.output.lines}}'}}
"""
SAGA = """
name: trip
error_handling: compensate
steps:
  - {id: flight, type: script, compensation: no_flight, config: {script: 'echo id=F1 >> outputs'}}
  - {id: no_flight, type: script, config: {script: 'echo cancel'}}
  - {id: hotel, type: script, depends_on: [flight], compensation: no_hotel, config: {script: 'echo id=H1 >> outputs'}}
  - {id: no_hotel, type: script, config: {script: 'test -e allowed'}}
  - {id: pay, type: script, depends_on: [hotel], config: {script: 'exit 3'}}
"""
HANDLED = """
name: handled
steps:
  - {id: a, type: script, on_error: sorry, config: {script: 'exit 1'}}
  - {id: sorry, type: script, config: {script: 'echo {{outputs.error.kind}}'}}
  - {id: b, type: script, fallback: instead, config: {script: 'exit 2'}}
  - {id: instead, type: script, config: {script: 'echo instead'}}
  - {id: slow, type: script, timeout: 50ms, config: {script: 'sleep 5'}}
"""
PARKED = """
name: parked
error_handling: park
steps:
  - {id: a, type: script, optional: true, config: {script: 'test -e allowed'}}
  - {id: b, type: script, depends_on: [a], config: {script: 'echo done=1 >> outputs'}}
"""
LATER = """
name: later
steps:
  - {id: a, type: script, retry: {max_attempts: 3, initial_delay: 1h}, config: {script: 'test -e count && echo v=1 >> outputs'}}
"""
LASTING = """
name: goes-on
error_handling: continue
steps:
  - {id: a, type: script, config: {script: 'exit 1'}}
  - {id: b, type: script, depends_on: [a], config: {script: 'echo b'}}
"""


@scenario("failure")
def failure(do):
    """Retries, sagas, fallbacks, failure transitions, every strategy; a failed one that goes on."""
    do.stele.run("run", do.write("flaky.yml", FLAKY), "--var", "file=" + do.path("count"))
    do.stele.run("run", do.write("trip.yml", SAGA), codes=WAITS)
    do.stele.run("run", do.path("trip.yml"), codes=WAITS)
    do.stele.run("resolve", "3", "no_hotel", "skip", "--reason", "no hotel was booked", codes=ANY)
    do.stele.run("run", do.write("handled.yml", HANDLED), codes=ANY)
    do.stele.run("run", do.write("parked.yml", PARKED), codes=WAITS)
    do.stele.run("run", do.path("parked.yml"), codes=WAITS)
    do.stele.run("resolve", "6", "a", "fail", codes=ANY)
    do.stele.run("retry", "6", codes=ANY)
    do.stele.run("run", do.path("parked.yml"), codes=WAITS)
    do.stele.run("skip", "7", "a", codes=ANY)
    do.stele.run("run", do.write("lasting.yml", LASTING), codes=ANY)
    do.for_a_while("run", do.write("later.yml", LATER))
    do.stele.run("retry", "9", "a", "--stub", 'a={"v": 1}', codes=ANY)
    do.goes_on(["resolve", "2", "no_hotel", "skip"], {2: "failed"}, codes=ANY)
    do.goes_on(["resolve", "5", "a", "skip"], {5: "completed"})


REVIEW = """
name: review
variables: {amount: 10, note: ""}
steps:
  - {id: draft, type: script, optional: true, config: {script: 'echo draft {{variables.amount}}'}}
  - {id: gate, type: signal, depends_on: [draft], config: {name: go}}
  - {id: price, type: script, depends_on: [gate], optional: true, config: {script: 'echo sum={{variables.amount}} >> outputs'}}
  - {id: end, type: script, depends_on: [price], config: {script: 'echo {{variables.note}}'}}
"""
REVIEW_TWO = REVIEW.replace("id: end", "id: check, type: script, depends_on: [price], config: {script: 'echo ok'}}\n"
                            "  - {id: end").replace("depends_on: [price], config: {script: 'echo {{variables.note}}'",
                                                     "depends_on: [check], config: {script: 'echo {{variables.note}}'")


@scenario("operators")
def operators(do):
    """Pausing, single steps, variables, sending back, skipping, ending, migrating, signals."""
    path = do.write("review.yml", REVIEW)
    for number in range(1, 10):
        do.stele.run("run", path, "--var", f"amount={number}", "--business-key", f"R-{number}", "--tag",
                     "golden", "--priority", str(number), codes=WAITS)
    do.stele.run("pause", "1", "--reason", "look at it")
    do.stele.run("signal", "1", "go", "--payload", '{"kept": true}', codes=ANY)
    do.stele.run("step", "1", codes=ANY)
    do.stele.run("resume", "1", codes=ANY)
    do.stele.run("set", "2", "note=changed", "amount=99")
    do.stele.run("signal", "2", "go", codes=ANY)
    do.stele.run("rollback", "3", "draft", "--reason", "again", codes=ANY)
    do.stele.run("cancel", "4", "--reason", "not wanted", codes=ANY)
    do.stele.run("terminate", "5", "--reason", "at once", codes=ANY)
    do.stele.run("definitions", "register", do.write("review.yml", REVIEW_TWO))
    do.stele.run("migrate", "6", "7", "--to", "2", codes=ANY)
    do.stele.run("signal", "6", "go", codes=ANY)
    do.stele.run("pause", "8")
    do.stele.run("run", do.write("trip.yml", SAGA.replace("exit 3", "sleep 60").replace("test -e allowed", "true")),
                 "--paused", codes=ANY)
    do.stele.run("step", "10", codes=ANY)
    do.stele.run("step", "10", codes=ANY)
    do.stele.run("cancel", "10", "--compensate", codes=ANY)
    do.goes_on(["signal", "3", "go"], {3: "completed"})
    do.goes_on(["signal", "7", "go"], {7: "completed"})
    do.goes_on(["resume", "8"], {8: "waiting"}, codes=WAITS)
    do.goes_on(["migrate", "9", "--to", "2"], {9: "waiting"}, codes=ANY)
    do.goes_on(["signal", "9", "go"], {9: "completed"})


ASKS = """
name: expense
variables: {amount: 10, iban: ""}
steps:
  - id: agree
    type: approval
    config:
      assignees: [anna, ben, carla]
      groups: [finance]
      min_approvers: 2
      title: "Pay {{variables.amount}}?"
      deadline: 3650d
      reminders: {every: 1d, limit: 3}
      escalation: {after: 3000d, assignees: [dora]}
  - {id: fill, type: manual, depends_on: [agree], config: {assignees: [anna], form: {fields: [iban]}}}
  - {id: pay, type: script, depends_on: [fill], config: {script: 'echo {{variables.iban}}'}}
"""
LATE = """
name: late
steps:
  - {id: agree, type: approval, config: {assignees: anna, deadline: 20ms, on_deadline: approve, reminders: {every: 5ms, limit: 2},
     escalation: {after: 10ms, assignees: ben}}}
"""


@scenario("people")
def people(do):
    """Approvals with a quorum, claims, rejections, forms, deadlines that pass."""
    path = do.write("expense.yml", ASKS)
    for number in range(1, 6):
        do.stele.run("run", path, "--var", f"amount={number * 100}", codes=WAITS)
    do.stele.run("claim", "1", "agree", "--by", "anna", codes=ANY)
    do.stele.run("release", "1", "agree", "--by", "anna", codes=ANY)
    for number in ("1", "2", "3"):
        do.stele.run("approve", number, "agree", "--by", "anna", "--comment", "fine", codes=ANY)
    for number in ("1", "2"):
        do.stele.run("approve", number, "agree", "--by", "ben", codes=ANY)
    do.stele.run("complete", "1", "fill", "--by", "anna", "--var", "iban=DE00", codes=ANY)
    do.stele.run("reject", "4", "agree", "--by", "carla", "--comment", "too much", codes=ANY)
    do.stele.run("run", do.write("late.yml", LATE), codes=ANY)
    while do.stele.json("status", "6")["status"] == "waiting":
        do.stele.run("resume", codes=ANY)
    do.goes_on(["complete", "2", "fill", "--by", "anna", "--var", "iban=DE11"], {2: "completed"})
    do.goes_on(["approve", "3", "agree", "--by", "carla"], {3: "waiting"}, codes=WAITS)
    do.goes_on(["reject", "5", "agree", "--by", "anna"], {5: "failed"}, codes=FAILED)


LOOPS = """
name: loops
variables: {sum: 0, n: 0, from: 0}
steps:
  - id: each
    type: loop
    items: [[1, 2], [3], []]
    item: row
    steps:
      - id: inner
        type: loop
        items: "{{loop.item}}"
        max_concurrent: 2
        steps:
          - {id: add, type: script, config: {script: 'echo v={{loop.item}} >> outputs'}, output_mapping: {sum: variables.sum + 1}}
  - id: until
    type: loop
    depends_on: [each]
    until: variables.n >= 3
    steps:
      - {id: count, type: script, config: {script: 'true'}, output_mapping: {n: variables.n + 1}}
  - id: together
    type: parallel_for
    depends_on: [until]
    items: [a, b, c, d]
    break_on_error: false
    steps:
      - {id: maybe, type: script, config: {script: 'test {{loop.item}} != b'}}
  - id: part
    type: sub_process
    depends_on: [together]
    input_mapping: {from: "{{variables.sum}}"}
    steps:
      - {id: inside, type: script, config: {script: 'echo {{variables.from}}'}}
"""
MANY = """
name: many
steps:
  - id: each
    type: loop
    times: 1500
    steps:
      - {id: work, type: script, config: {script: 'true'}}
  - {id: gate, type: signal, depends_on: [each], config: {name: go}}
"""


@scenario("loops")
def loops(do):
    """Loops of every kind in each other, sub-processes; a history long enough for snapshots and blocks."""
    do.stele.run("run", do.write("loops.yml", LOOPS), codes=ANY)
    do.stele.run("run", do.write("many.yml", MANY), *stubs(["work"]), codes=WAITS)
    do.goes_on(["signal", "2", "go"], {2: "completed"})


SELLER = """
name: seller
variables: {order: A-1}
steps:
  - {id: offer, type: message, config: {action: publish, name: offer, key: "{{variables.order}}", id: "once-{{variables.order}}", payload: {price: 12}, ttl: 3650d}}
  - id: answer
    type: event_race
    depends_on: [offer]
    config:
      events:
        - {id: taken, message: accept, key: "{{variables.order}}", next: ship}
        - {id: stop, signal: stop, next: drop}
        - {id: late, after: 3600d, next: drop}
  - {id: ship, type: call, config: {workflow: parcel, input: {order: "{{variables.order}}"}}}
  - {id: drop, type: script, config: {script: 'echo dropped'}}
"""
PARCEL = """
name: parcel
concurrency: {limit: 1}
steps:
  - {id: label, type: script, config: {script: 'echo {{input.order}}'}}
  - {id: driver, type: signal, depends_on: [label], config: {name: driver}}
"""
BUYER = """
name: buyer
variables: {order: A-1}
steps:
  - {id: hear, type: message, config: {action: wait, name: offer, key: "{{variables.order}}"}, output_mapping: {price: response.price}}
  - {id: take, type: message, depends_on: [hear], config: {action: publish, name: accept, key: "{{variables.order}}"}}
"""


@scenario("messages")
def messages(do):
    """Messages that meet waits, now and later; signals, races, calls, children that are queued."""
    do.stele.run("definitions", "register", do.write("parcel.yml", PARCEL), do.write("seller.yml", SELLER),
                 do.write("buyer.yml", BUYER))
    for order in ("A-1", "A-2", "A-3"):
        do.for_a_while("start", "seller", "--var", "order=" + order, "--idempotency-key", order)
    do.for_a_while("start", "buyer", "--var", "order=A-1")
    do.for_a_while("start", "buyer", "--var", "order=A-2")
    do.for_a_while("signal", "3", "stop")
    do.for_a_while("start", "buyer", "--var", "order=B-1")
    do.for_a_while("start", "seller", "--var", "order=A-9")
    do.for_a_while("resume")
    do.stele.run("publish", "nobody", "--key", "x", "--payload", '{"kept": 1}', codes=ANY)
    do.goes_on_where_waits("driver", "parcel")
    do.goes_on(["publish", "offer", "--key", "B-1", "--payload", '{"price": 3}'], {}, codes=ANY)


KEPT = """
name: kept
retention: 3650d
variables: {secret: ""}
steps:
  - {id: say, type: script, config: {script: 'echo {{variables.secret}}'}}
  - {id: ask, type: manual, depends_on: [say], config: {assignees: [anna]}}
"""


def keep_some(do):
    path = do.write("kept.yml", KEPT)
    for number in range(1, 9):
        do.stele.run("run", path, "--var", f"secret=text-{number}", "--business-key", f"K-{number}",
                     "--tag", f"subject:S-{number % 3}", codes=WAITS)
        if number <= 6:
            do.stele.run("complete", str(number), "ask", "--by", "anna", "--var", f"answer=said-{number}")


@scenario("archive")
def archive(do):
    """Blocks in the archive, instances that were cut out of it, and a hot log behind."""
    keep_some(do)
    do.stele.run("archive")
    do.stele.run("retention", "--instance", "2", "--reason", "asked for")
    do.stele.run("retention", "--subject", "K-5", codes=ANY)
    do.stele.run("run", do.path("kept.yml"), "--var", "secret=later", codes=WAITS)
    do.goes_on(["complete", "7", "ask", "--by", "anna", "--var", "answer=now"], {7: "completed"})
    do.goes_on(["archive"], {})


@scenario("sealed")
def sealed(do):
    """A log that is encrypted, with keys that were destroyed and a part of it in the archive."""
    do.settings(encryption={"key_env": "STELE_GOLDEN_KEY"})
    keep_some(do)
    do.stele.run("erase", "--instance", "3", "--reason", "asked for")
    do.stele.run("archive")
    do.stele.run("erase", "--subject", "K-4", codes=ANY)
    do.stele.run("retention", "--instance", "1", codes=ANY)
    do.goes_on(["complete", "8", "ask", "--by", "anna", "--var", "answer=now"], {8: "completed"})


REPORT = """
name: report
input_schema: {type: object}
steps:
  - {id: write, type: script, config: {script: 'echo {{input}}'}}
triggers:
  - {type: manual, name: by-hand}
  - {type: webhook, name: hook, path: /in}
"""


@scenario("registry")
def registry(do):
    """Definitions in every state, templates of versions, triggers that fired, alerts, types, settings."""
    do.stele.run("definitions", "register", do.write("report.yml", REPORT))
    do.stele.run("definitions", "register", do.write("report.yml", REPORT.replace("echo {{input}}", "echo two")))
    do.stele.run("definitions", "pause", "report", "--version", "1", codes=ANY)
    do.stele.run("definitions", "register", do.write("other.yml", REVIEW.replace("name: review", "name: other")))
    do.stele.run("definitions", "retire", "other", codes=ANY)
    do.stele.run("triggers", "add", "report", "--kind", "schedule", "--config", '{"cron": "0 2 1 1 *"}')
    do.stele.run("triggers", "fire", "1", "--input", '{"day": "2026-05-01"}', codes=ANY)
    do.stele.run("triggers", "fire", "1", "--key", "once", codes=ANY)
    do.stele.run("triggers", "fire", "1", "--key", "once", codes=ANY)
    do.stele.run("triggers", "deliver", "--path", "/in", "--body", do.write("body.json", '{"order": 7}'), codes=(0, 1, 2, 3))
    do.stele.run("triggers", "list")
    for number in range(3, 9):
        do.stele.run("triggers", "pause", str(number), codes=(0, 1, 2))
    do.stele.run("alerts", "set", "high_failure_rate", "failure_rate > 0.1")
    do.stele.run("alerts", "set", "gone", "incidents > 0")
    do.stele.run("alerts", "remove", "gone")
    do.stele.run("types", "register", "label", "--schema", do.write("any.json", "{}"), "--worker")
    do.stele.run("types", "register", "old", "--schema", do.path("any.json"), "--worker")
    do.stele.run("types", "remove", "old", codes=ANY)
    do.goes_on(["definitions", "activate", "report", "--version", "1"], {})
    do.goes_on(["triggers", "fire", "1", "--key", "later"], {}, codes=ANY)


SLOW = """
name: slow
variables: {marker: ""}
steps:
  - {id: a, type: script, retry: {max_attempts: 3, initial_delay: 10ms},
     config: {script: 'touch {{variables.marker}}; test -e go || sleep 60'}}
  - {id: b, type: script, depends_on: [a], config: {script: 'true'}}
  - {id: wait, type: delay, depends_on: [b], duration: 10ms}
"""


@scenario("interrupted")
def interrupted(do):
    """An engine that was killed under way, one that was stopped in order, and starts that nobody followed."""
    path = do.write("slow.yml", SLOW)
    marker = do.path("marker")
    for name in ("SIGKILL", "SIGINT"):
        do.kill_under_way("run", path, "--var", "marker=" + marker, marker=marker, signal_name=name)
    do.stele.run("start", path, "--no-wait", codes=ANY)
    do.stele.run("start", path, "--paused", "--no-wait", codes=ANY)
    do.stele.run("list")
    do.goes_on(["resume", "--stub", 'a={"ok": true}'], {1: "completed", 2: "completed", 3: "completed"}, codes=ANY)
    do.goes_on(["resume", "4", "--stub", 'a={"ok": true}'], {4: "completed"}, codes=ANY)


@scenario("forks")
def forks(do):
    """Instances that begin as another one was: as it was, with other variables, in another version."""
    path = do.write("review.yml", REVIEW)
    do.stele.run("run", path, "--var", "amount=1", codes=WAITS)
    do.for_a_while("fork", "1", "--at", "2", "--live")
    do.for_a_while("fork", "1", "--at", "4", "--live", "--set", "amount=77", "--set", 'note="forked"')
    do.stele.run("definitions", "register", do.write("review.yml", REVIEW_TWO))
    do.for_a_while("fork", "1", "--at", "4", "--live", "--definition", "review@2")
    do.stele.run("signal", "2", "go", codes=ANY)
    do.for_a_while("fork", "2", "--at", "6", "--live", "--set", "amount=5")
    for number in (3, 4):
        do.goes_on(["signal", str(number), "go"], {number: "completed"})


@scenario("resets")
def resets(do):
    """Instances that were ended for others which go on from an event of theirs, once and again."""
    path = do.write("review.yml", REVIEW)
    for number in (1, 2, 3):
        do.stele.run("run", path, "--var", f"amount={number}", "--business-key", f"R-{number}", codes=WAITS)
    do.for_a_while("reset", "1", "--at", "4", "--set", "amount=70", "--reason", "a wrong amount", "--by", "olaf")
    do.stele.run("definitions", "register", do.write("review.yml", REVIEW_TWO))
    do.for_a_while("reset", "2", "--at", "4", "--definition", "review@2", "--reason", "the new way")
    do.for_a_while("reset", "4", "--at", "3", "--set", "amount=7", "--reason", "still wrong", "--by", "olaf")
    do.stele.run("reset", "1", "--at", "4", codes=WAITS)
    do.stele.run("signal", "3", "go", codes=ANY)
    for number in (5, 6, 7):
        do.goes_on(["signal", str(number), "go"], {number: "completed"})


@scenario("signed")
def signed(do):
    """Heads of the log that a key has signed: with every few records, and when a proof was asked for."""
    do.settings(audit={"key_env": "STELE_GOLDEN_AUDIT_KEY", "records": 3})
    path = do.write("review.yml", REVIEW)
    for number in (1, 2, 3):
        do.stele.run("run", path, "--var", f"amount={number}", codes=WAITS)
    do.stele.run("signal", "1", "go")
    do.stele.run("audit", "prove", "2")
    with do.serve() as server:
        admin = server.login("admin", server.password, "admins-own-words")
        server.ask("POST", "/instances/2/signals", {"name": "go"}, admin)
        server.ask("GET", "/instances/2?wait=30s", None, admin)
    do.stele.run("audit", "prove", "2")
    do.goes_on(["signal", "3", "go"], {3: "completed"})


@scenario("served")
def served(do):
    """A server's users, keys and tokens; what was done there, and what was denied to whom."""
    do.stele.run("run", do.write("review.yml", REVIEW), "--var", "amount=1", codes=WAITS)
    do.stele.run("run", do.path("review.yml"), "--var", "amount=2", codes=WAITS)
    with do.serve() as server:
        admin = server.login("admin", server.password, "admins-own-words")
        users = {}
        for name, role in (("vi", "viewer"), ("olaf", "operator")):
            made = server.ask("PUT", "/users/" + name, {"role": role}, admin, status=201)
            users[name] = server.login(name, made["password"], f"{name}s-own-words")
        server.ask("POST", "/instances/1/pause", {"reason": "look at it"}, users["olaf"])
        server.ask("POST", "/instances/1/pause", {"reason": "me, too"}, users["vi"], status=403)
        server.ask("GET", "/users", None, users["olaf"], status=403)
        server.ask("POST", "/auth/login", {"name": "vi", "password": "not-vis-own-words"}, status=401)
        server.ask("GET", "/instances/1", None, "no-token", status=401)
        server.ask("POST", "/auth/logout", None, users["vi"], status=204)
        server.ask("GET", "/instances/1", None, users["vi"], status=401)
    do.goes_on(["resume", "1"], {1: "waiting"}, codes=WAITS)
    do.goes_on(["signal", "2", "go"], {2: "completed"})
