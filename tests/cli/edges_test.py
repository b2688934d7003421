#!/usr/bin/env python3
"""The edges of `stele serve` from outside: who may come in, what survives, how it ends."""

import json
import os
import re
import stat
import threading
import unittest
from http.client import HTTPException

from program import example
from served import ServedTest

NOTHING = """
name: "nothing"
steps:
  - {id: "act", type: "start"}
"""
WAITS = """
name: "waits"
steps:
  - {id: "ask", type: "approval", config: {assignees: ["mo"]}}
"""
GOOD = "quite-a-good-one-7"


class Starting(ServedTest):
    def test_dev_is_for_this_machine_alone(self):
        refused = self.stele("serve", "--dev", "--http", "0.0.0.0:0", code=2).stderr
        self.assertIn("STL0701", refused)
        self.assertIn("0.0.0.0:0", refused)
        for flag in ("--http", "--rpc"):
            self.assertIn("STL0701", self.stele("serve", "--dev", flag, "127.name.example:0", code=2).stderr)

    def test_dev_does_not_act_for_a_page_that_took_its_name(self):
        child = self.serve_dev()
        for host in ("evil.example", "127.evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7420",
                     "128.0.0.1", "0.0.0.0", "[::2]"):
            refused = self.get("/instances", 403, Host=host)
            self.assertEqual(refused["code"], "STL1002", host)
        for host in ("localhost", "localhost:7420", "127.0.0.1", "127.9.8.7:1", "[::1]:7420"):
            self.get("/instances", Host=host)
        self.stop(child)

    def test_a_part_of_tls_is_refused(self):
        for words in (["--tls-ca", "ca.pem"], ["--tls-certificate", "a.pem"], ["--tls-key", "a.key"]):
            refused = self.stele("serve", "--http", "127.0.0.1:0", *words, code=2).stderr
            self.assertIn("STL0701", refused)

    def test_the_directory_is_its_owners_alone(self):
        self.stop(self.serve_dev())
        self.assertEqual(stat.S_IMODE(os.stat(self.path("data")).st_mode), 0o700)

    def test_an_address_that_somebody_has_is_refused(self):
        child = self.serve_dev()
        refused = self.stele("serve", "--dev", "--data", "other", "--http",
                             f"127.0.0.1:{self.port}", code=2).stderr
        self.assertIn("STL1011", refused)
        self.stop(child)

    def test_without_an_address_nothing_is_open(self):
        child = self.start("serve")
        self.wait_for_line(child, "stele serves")
        self.stop(child)
        self.assertEqual(child.stdout.read(), "")

    def test_runs_an_example_from_its_file_to_its_end(self):
        child = self.serve_dev()
        with open(example("order-saga.yml"), encoding="utf-8") as file:
            self.register(file.read())
        ended = self.post("/instances?wait=30s", {"definition": "order-saga"}, 201)["result"]
        self.assertEqual((ended["status"], ended["output"]), ("completed", {"tracking": "T-A-1001"}))
        self.stop(child)
        self.assertEqual(self.json("status", "1", "--data", "data", "--json")["status"], "completed")


class ComingIn(ServedTest):
    def admit(self):
        """A server with an admin who has a password of their own: the server, and the token."""
        child = self.serve()
        said = self.wait_for_line(child, "password: ")
        first = re.search(r'user "admin" was made; one-time password: (\S+)', said)[1]
        token = self.post("/auth/login", {"name": "admin", "password": first})["token"]
        refused = self.get("/instances", 403, token=token)
        self.assertEqual(refused["code"], "STL1002")
        changed = self.post("/auth/password", {"old_password": first, "new_password": GOOD},
                            token=token)
        # The old one went with the old password.
        self.get("/auth/me", 401, token=token)
        return child, changed["token"]

    def test_nobody_comes_in_without_a_name(self):
        child, token = self.admit()
        self.assertEqual(self.get("/instances", 401)["code"], "STL1001")
        self.assertEqual(self.get("/instances", 401, token=token[:-2] + "xx")["code"], "STL1003")
        self.assertEqual(self.get("/instances", token=token)["instances"], [])
        wrong = self.post("/auth/login", {"name": "admin", "password": "wrong-wrong-wrong"}, 401)
        unknown = self.post("/auth/login", {"name": "nobody", "password": "wrong-wrong-wrong"}, 401)
        self.assertEqual(wrong["detail"], unknown["detail"])
        self.stop(child)

    def test_tokens_users_and_keys_outlive_the_server(self):
        child, token = self.admit()
        made = self.ask("PUT", "/users/bo", {"role": "viewer"}, token)
        self.assertEqual(made.status, 201)
        password = made.json()["password"]
        key = self.post("/keys", {"name": "ci", "role": "developer"}, 201, token=token)["key"]
        self.stop(child)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("data/token.key")).st_mode), 0o600)

        child = self.serve()
        self.assertEqual(self.get("/auth/me", token=token)["role"], "admin")
        self.register(NOTHING, X_API_Key=key)
        viewer = self.post("/auth/login", {"name": "bo", "password": password})["token"]
        viewer = self.post("/auth/password", {"old_password": password, "new_password": GOOD},
                           token=viewer)["token"]
        self.get("/instances", token=viewer)
        refused = self.post("/instances", {"definition": "nothing"}, 403, token=viewer)
        self.assertEqual(refused["code"], "STL1002")
        self.assertEqual(self.ask("DELETE", "/users/bo", token=token).status, 204)
        self.get("/instances", 401, token=viewer)
        self.stop(child)
        child = self.serve_dev()
        denied = self.event_where(lambda event: event["event"] == "access_denied" and
                                  event["name"] == "start")
        self.assertEqual(denied["actor"], "bo")
        said = json.loads(denied["document"])
        self.assertEqual(denied["source"], "rest 127.0.0.1")
        self.assertEqual((said["role"], said["times"]), ("viewer", 1))
        # Nobody is shown what a password is checked by.
        user = self.event_where(lambda event: event.get("name") == "user:bo")
        self.assertNotIn("document", user)
        self.stop(child)

    def event_where(self, fits):
        """The first event of the log that does."""
        connection = self.connect()
        connection.request("GET", "/api/v1/events?from=1", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        while True:
            line = answer.readline().decode()
            self.assertTrue(line, "the stream ended")
            if line.startswith("data: ") and fits(json.loads(line[6:])):
                connection.close()
                return json.loads(line[6:])

    def test_figures_are_for_who_may_read_them_and_health_for_anybody(self):
        child, token = self.admit()

        def status(path, **headers):
            connection = self.connect()
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

        self.assertEqual(status("/metrics")[0], 401)
        code, figures = status("/metrics", Authorization="Bearer " + token)
        self.assertEqual(code, 200)
        self.assertIn("stele_live_instances 0", figures)
        self.assertEqual(status("/health/ready")[0], 200)
        self.assertEqual(json.loads(status("/health")[1])["status"], "healthy")
        self.stop(child)
        child = self.serve("--open-metrics", "--log", "requests.log")
        self.assertEqual(status("/metrics")[0], 200)
        self.get("/auth/me", token=token)
        self.stop(child)
        with open(self.path("requests.log"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual([line["status"] for line in lines if line.get("route") == "/api/v1/auth/me"],
                         [200])
        self.assertNotIn(token, json.dumps(lines))

    def test_logging_out_ends_a_token_for_good(self):
        child, token = self.admit()
        self.assertEqual(self.ask("POST", "/auth/logout", token=token).status, 204)
        self.get("/auth/me", 401, token=token)
        child.kill()
        child.wait()
        child = self.serve()
        self.get("/auth/me", 401, token=token)
        self.stop(child)


class Ending(ServedTest):
    def test_who_waits_is_answered_when_the_server_stops(self):
        child = self.serve_dev()
        self.register(WAITS)
        self.post("/instances", {"definition": "waits"}, 201)
        connection = self.connect()
        connection.request("GET", "/api/v1/instances/1?wait=60s")
        # It waits when another request, behind it, has been answered.
        self.get("/instances/1")
        self.stop(child)
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertIn(b'"status":"waiting"', answer.read())

    def test_every_start_that_was_acknowledged_survives_a_kill(self):
        child = self.serve_dev()
        self.register(NOTHING)
        acknowledged = []

        def start_many(worker):
            connection = self.connect()
            number = 0
            while True:
                number += 1
                key = f"{worker}-{number}"
                try:
                    answer = self.ask("POST", "/instances",
                                      {"definition": "nothing", "idempotency_key": key},
                                      connection=connection)
                except (OSError, HTTPException):
                    return
                if answer.status == 201:
                    acknowledged.append((key, answer.json()["id"]))
                    if len(acknowledged) == 300:
                        child.kill()

        threads = [threading.Thread(target=start_many, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        child.wait()
        self.assertGreaterEqual(len(acknowledged), 300)
        child = self.serve_dev()
        connection = self.connect()
        for key, instance in acknowledged:
            again = self.ask("POST", "/instances", {"definition": "nothing", "idempotency_key": key},
                             connection=connection)
            self.assertEqual((again.status, again.json()["id"]), (200, instance))
        self.stop(child)
        self.assertIn("verified:", self.stele("verify", "--data", "data").stdout)


class Following(ServedTest):
    def events(self, path, count, **headers):
        """The ids and names of so many events of a stream."""
        connection = self.connect()
        connection.request("GET", "/api/v1" + path, headers={"Accept": "text/event-stream",
                                                             **headers})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        found, event = [], {}
        while len(found) < count:
            line = answer.readline().decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif "data" in event:
                found.append((event["id"], json.loads(event["data"])["event"]))
                event = {}
        connection.close()
        return found

    def test_a_stream_goes_on_behind_the_last_event_that_was_seen(self):
        child = self.serve_dev()
        self.register(NOTHING)
        self.post("/instances?wait=30s", {"definition": "nothing"}, 201)
        seen = self.events("/events?instance=1&from=1", 2)
        self.assertEqual(seen[0][1], "instance_started")
        rest = self.events("/events?instance=1", 1, **{"Last-Event-ID": seen[0][0]})
        self.assertEqual(rest[0], seen[1])
        self.stop(child)


if __name__ == "__main__":
    unittest.main()
