"""The native interface from Python: pycapnp, which knows nothing of Stele but the schemas."""

import asyncio
import json
import os
import re
import sys
import unittest

from peer import FETCHED, NOTHING, SCHEMAS, PeerTest, skip

sys.path[:0] = [os.path.join(FETCHED, "python")]
try:
    import capnp
except ImportError as absent:
    skip(f"pycapnp is not here ({absent})")

IMPORTS = ["/usr/include", SCHEMAS]
api = capnp.load(os.path.join(SCHEMAS, "api.capnp"), imports=IMPORTS)
workers = capnp.load(os.path.join(SCHEMAS, "workers.capnp"), imports=IMPORTS)

WAITING = """
name: waiting
steps:
  - {id: hold, type: message, config: {action: wait, name: go, key: "1"}}
"""
# Microseconds; nobody waits so long unless something is wrong.
PATIENCE = 50_000_000


def ask(capability, method, **parameters):
    """A call with parameters that pycapnp takes for its own, such as `name`."""
    request = getattr(capability, method + "_request")()
    for name, value in parameters.items():
        setattr(request, name, value)
    return request.send()


class Greeter(workers.Worker.Server):
    """Does what it is asked; or keeps the task, when it is told to."""

    def __init__(self, keeps=False):
        self.keeps = keeps
        self.tasks = asyncio.Queue()

    async def run(self, task, control, _context, **_):
        self.tasks.put_nowait({"key": task.key, "attempt": task.attempt, "input": task.input})
        if self.keeps:
            await asyncio.get_running_loop().create_future()
        await control.log(f"greeting for {task.key}\n")
        await control.heartbeat("half of it")
        result = _context.results.init("result")
        result.output = json.dumps({"greeting": "hello", "attempt": task.attempt})


class Receiver(api.EventReceiver.Server):
    def __init__(self):
        self.events = asyncio.Queue()
        self.ended = asyncio.get_running_loop().create_future()

    async def next(self, events, **_):
        for event in events:
            self.events.put_nowait((event.name, event.instance, event.position,
                                    json.loads(event.document)))

    async def end(self, code, message, **_):
        self.ended.set_result((code, message))


class PythonClient(PeerTest):
    async def gate(self):
        stream = await capnp.AsyncIoStream.create_connection("127.0.0.1", self.rpc)
        client = capnp.TwoPartyClient(stream)
        self.addCleanup(lambda kept: None, client)  # its calls end with it
        return stream, client.bootstrap().cast_as(api.Gate)

    async def session(self):
        stream, gate = await self.gate()
        return stream, (await gate.anonymous()).session

    def run_client(self, course):
        async def bounded():
            async with capnp.kj_loop():
                await asyncio.wait_for(course, 100)
        asyncio.run(bounded())

    def refused(self, code):
        return self.assertRaisesRegex(capnp.KjException, f"STL{code}")

    def test_starts_and_waits_in_one_round_trip(self):
        self.serve_both("--dev")
        self.register(NOTHING)

        async def course():
            _stream, session = await self.session()
            instances = session.instances().instances
            started = instances.start(definition="nothing", input='{"a": 1}', idempotencyKey="k")
            ended = await started.instance.wait(PATIENCE)
            self.assertEqual(ended.status.status, "completed")
            again = await instances.start(definition="nothing", input='{"a": 1}',
                                          idempotencyKey="k")
            self.assertTrue(again.started.known)
            self.assertEqual(again.started.id, ended.status.id)
            page = await again.instance.history(**{"from": 1, "limit": 0})
            names = [json.loads(event)["event"] for event in page.events]
            self.assertEqual((names[0], names[-1]), ("instance_started", "instance_completed"))
            with self.refused("0410"):
                await instances.start(definition="nothing", idempotencyKey="k")
            with self.refused("0407"):
                await instances.start(definition="nobody")
            with self.refused("0401"):
                await instances.get(4711).instance.status()
        self.run_client(course())

    def test_follows_what_happens(self):
        self.serve_both("--dev")
        self.register(WAITING)

        async def course():
            _stream, session = await self.session()
            receiver = Receiver()
            log = session.log().log
            subscription = (await log.follow(
                receiver=receiver, filter={"definition": "waiting"},
                **{"from": {"position": 1}})).subscription
            instances = session.instances().instances
            started = await instances.start(definition="waiting")
            seen = []
            while "step_activated" not in [name for name, *_ in seen]:
                seen.append(await receiver.events.get())
            published = await ask(instances, "publish", name="go", key="1",
                                  payload='{"x": 2}')
            while "instance_completed" not in [name for name, *_ in seen]:
                seen.append(await receiver.events.get())
            self.assertEqual({instance for _, instance, *_ in seen}, {started.started.id})
            positions = [position for _, _, position, _ in seen]
            self.assertEqual(positions, sorted(positions))
            self.assertGreater((await subscription.position()).position, published.position)
        self.run_client(course())

    def test_does_tasks_and_loses_them_with_its_connection(self):
        self.serve_greeting()

        async def course():
            lost, session = await self.session()
            keeper = Greeter(keeps=True)
            joined = await ask(session.workers().workers, "join", worker=keeper,
                               name="keeper", types=["greet"], slots=4)
            _other, other_session = await self.session()
            started = await other_session.instances().instances.start(definition="greeting")
            first = await keeper.tasks.get()
            greeter = Greeter()
            membership = await ask(other_session.workers().workers, "join",
                                   worker=greeter, name="greeter", types=["greet"],
                                   slots=4)
            lost.close()
            ended = await started.instance.wait(PATIENCE)
            again = await greeter.tasks.get()
            self.assertEqual(again["key"].split("-")[:2], first["key"].split("-")[:2])
            self.assertEqual(ended.status.status, "completed")
            logs = await started.instance.logs(step="greet")
            self.assertIn("greeting for", logs.page.attempts[-1].log)
            await membership.membership.leave()
            del joined
        self.run_client(course())

    def test_comes_in_as_what_it_is(self):
        child = self.serve_both()
        if "one-time" not in self.said:
            self.said += self.wait_for_line(child, "one-time password")
        password = re.search(r"one-time password: (\S+)", self.said)

        async def course():
            _stream, gate = await self.gate()
            with self.refused("1001"):
                await gate.anonymous()
            with self.refused("1001"):
                await ask(gate, "login", name="admin", password="wrong")
            entered = await ask(gate, "login", name="admin", password=password[1])
            caller = (await entered.session.whoAmI()).caller
            self.assertTrue(caller.mustChangePassword)
            changed = await entered.session.changePassword(before=password[1],
                                                           now="a-much-better-one-1")
            session = (await gate.withToken(token=changed.token)).session
            self.assertEqual((await session.whoAmI()).caller.role, "admin")
            viewer = (await session.narrow(role="viewer", groups=[])).session
            with self.refused("1002"):
                await viewer.instances().instances.start(definition="x")
            with self.refused("1003"):
                await gate.withToken(token=changed.token[:-3] + "abc")
            await session.logout()
            with self.refused("100[13]"):
                await session.whoAmI()
        self.run_client(course())


if __name__ == "__main__":
    unittest.main()
