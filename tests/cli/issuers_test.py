#!/usr/bin/env python3
"""Tokens of an identity provider: who signs them, what they say, and keys that change."""

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import time
import unittest

from program import SOURCE, environment
from served import ServedTest

WORKER = os.environ["STELE_EXAMPLE_WORKER"]
ISSUER = "https://id.example"
FAR = 4102444800  # 2100
SECRET = b"thirty-two bytes that two share."


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header, claims, sign):
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return text + "." + base64url(sign(text.encode()))


class KeyFile:
    """A private key of openssl's in the directory of a test."""

    def __init__(self, path, *algorithm):
        self.path = path
        self.openssl("genpkey", "-algorithm", *algorithm, "-out", path)

    def openssl(self, *words, given=b""):
        done = subprocess.run(["openssl", *words], input=given, capture_output=True, check=True)
        return done.stdout

    def public(self, form):
        return self.openssl("pkey", "-in", self.path, "-pubout", "-outform", form)

    def sign(self, text):
        with open(self.path + ".text", "wb") as file:
            file.write(text)
        return self.openssl("pkeyutl", "-sign", "-inkey", self.path, "-rawin", "-in", file.name)


class Ed25519(KeyFile):
    def __init__(self, path, kid):
        super().__init__(path, "ED25519")
        self.kid = kid

    def jwk(self):
        # The point is what ends its DER form.
        return {"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": base64url(self.public("DER")[-32:])}

    def token(self, **claims):
        return signed({"alg": "EdDSA", "kid": self.kid}, token_claims(claims), self.sign)


def token_claims(claims):
    claims = {"iss": ISSUER, "sub": "kim", "aud": "stele", "exp": FAR} | claims
    return {name: value for name, value in claims.items() if value is not None}


def of_secret(secret=SECRET, kid=None, **claims):
    return signed({"alg": "HS256"} | ({"kid": kid} if kid else {}), token_claims(claims),
                  lambda text: hmac.digest(secret, text, hashlib.sha256))


class Issuers(ServedTest):
    def setUp(self):
        super().setUp()
        self.key = Ed25519(self.path("one.pem"), "one")
        self.trust(self.key)

    def trust(self, *keys):
        self.replace("keys.json", json.dumps({"keys": [key.jwk() for key in keys]}))

    def replace(self, name, text):
        """As a program should that others read after: at once."""
        os.rename(self.write(name + ".new", text), self.path(name))

    def serve_issuer(self, *words, keys="keys.json", **rules):
        issuer = {"issuer": ISSUER, "keys": keys, "audience": "stele"} | rules
        self.write("stele.yaml", json.dumps({"auth": {"issuers": [issuer]}}))
        return self.serve("--config", "stele.yaml", "--log", "-", *words)

    def me(self, token, status=200):
        return self.get("/auth/me", status, token=token)

    def refused(self, token, sentence):
        answer = self.me(token, 401)
        self.assertEqual(answer["code"], "STL1003")
        self.assertIn(sentence, answer["detail"])

    def reload(self, child, end="reloaded"):
        """What it says until it has read its files anew, or could not."""
        child.send_signal(1)
        said = ""
        while f'"message":"{end}"' not in said:
            line = child.stderr.readline()
            self.assertTrue(line, said)
            said += line
        return said


class ComingIn(Issuers):
    def test_a_token_gives_the_role_that_it_names(self):
        child = self.serve_issuer(role_claim="realm_access.roles", groups_claim="teams")
        token = self.key.token(realm_access={"roles": ["something", "viewer"]}, teams=["sales"])
        me = self.me(token)
        self.assertEqual((me["name"], me["role"], me["groups"]), ("kim", "viewer", ["sales"]))
        self.get("/instances", token=token)
        refused = self.post("/instances", {"definition": "nothing"}, 403, token=token)
        self.assertEqual(refused["code"], "STL1002")
        self.stop(child)

    def test_what_is_wrong_with_a_token_is_told(self):
        child = self.serve_issuer()
        good = {"role": "admin"}
        self.assertEqual(self.me(self.key.token(**good))["role"], "admin")
        other = Ed25519(self.path("other.pem"), "other")
        forged = Ed25519(self.path("forged.pem"), "one")
        for token, sentence in [
            (self.key.token(exp=1, **good), "has not expired"),
            (self.key.token(exp=None, **good), "`exp`"),
            (self.key.token(nbf=FAR - 1, **good), "`nbf`"),
            (self.key.token(iss="https://other.example", **good), "of the issuer " + ISSUER),
            (self.key.token(aud="billing", **good), "for the audience stele"),
            (self.key.token(aud=None, **good), "for the audience stele"),
            (self.key.token(sub=None, **good), "`sub`"),
            (self.key.token(), "a role of this server"),
            (self.key.token(role="boss"), "a role of this server"),
            (other.token(**good), "another `kid`"),
            (forged.token(**good), "a signature that fits"),
            (of_secret(kid="one", **good), "the algorithm of the token's key"),
            (signed({"alg": "none"}, token_claims(good), lambda text: b""), "another `alg`"),
        ]:
            self.refused(token, sentence)
        self.stop(child)

    def test_a_role_for_those_that_name_none(self):
        child = self.serve_issuer(default_role="viewer", name_claim="email")
        me = self.me(self.key.token(email="kim@example.org"))
        self.assertEqual((me["name"], me["role"]), ("kim@example.org", "viewer"))
        self.stop(child)

    def test_keys_of_other_kinds(self):
        rsa = KeyFile(self.path("rsa.pem"), "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        self.write("rsa.pub", rsa.public("PEM").decode())
        sign = lambda text: rsa.openssl("dgst", "-sha256", "-sign", rsa.path, given=text)
        child = self.serve_issuer(keys="rsa.pub")
        token = signed({"alg": "RS256", "kid": "any"}, token_claims({"role": "operator"}), sign)
        self.assertEqual(self.me(token)["role"], "operator")
        self.stop(child)

        self.write("secret.json", json.dumps({"keys": [{"kty": "oct", "k": base64url(SECRET)}]}))
        os.chmod(self.path("secret.json"), 0o644)
        child = self.serve_issuer(keys="secret.json")
        self.assertEqual(self.me(of_secret(role="operator"))["role"], "operator")
        self.refused(of_secret(b"x" * 32, role="operator"), "a signature that fits")
        self.stop(child)
        self.assertIn("every user of this machine may read it", child.stderr.read())

    def test_a_user_of_this_server_keeps_the_role_given_here(self):
        child = self.serve_issuer()
        admin = self.key.token(sub="boss", role="admin")
        self.assertEqual(self.ask("PUT", "/users/kim", {"role": "viewer"}, admin).status, 201)
        old = self.key.token(role="admin", iat=1)
        self.refused(old, "since the user's tokens were last called in")
        # Behind the moment at which the user was made, by less than clocks may differ.
        token = self.key.token(role="admin", iat=int(time.time()) + 30)
        self.assertEqual(self.me(token)["role"], "viewer")
        self.ask("PUT", "/users/kim", {"disabled": True}, admin)
        self.refused(token, "a user that is enabled")
        self.stop(child)

    def test_a_native_client_comes_in_too(self):
        child = self.serve_issuer("--rpc", "unix:" + self.path("rpc.sock"))
        admin = self.key.token(role="admin")
        with open(os.path.join(SOURCE, "examples/worker-schema.json"), encoding="utf-8") as schema:
            made = self.ask("PUT", "/types/count_words",
                            {"schema": json.load(schema), "worker": True}, admin)
        self.assertIn(made.status, (200, 201), made.body)
        with open(os.path.join(SOURCE, "examples/workers/words.yml"), encoding="utf-8") as file:
            self.register(file.read(), token=admin)
        other = Ed25519(self.path("other.pem"), "other")
        refused = self.work(other.token(role="worker"))
        self.assertEqual(refused.wait(timeout=60), 1)
        self.assertIn("another `kid`", refused.stderr.read())
        self.work(self.key.token(role="worker"))
        ended = self.post("/instances?wait=60s", {"definition": "words"}, 201, token=admin)["result"]
        self.assertEqual((ended["status"], ended["output"]), ("completed", {"words": 9}))
        self.stop(child)

    def work(self, token):
        child = subprocess.Popen([WORKER, "unix:" + self.path("rpc.sock")], text=True,
                                 env=environment(STELE_TOKEN=token), stderr=subprocess.PIPE)
        for step in (child.stderr.close, child.wait, child.kill):
            self.addCleanup(step)
        return child


class Keys(Issuers):
    def test_keys_are_read_anew_when_told(self):
        child = self.serve_issuer()
        two = Ed25519(self.path("two.pem"), "two")
        self.refused(two.token(role="viewer"), "another `kid`")
        self.trust(two)
        self.me(self.key.token(role="viewer"))
        self.reload(child)
        self.me(two.token(role="viewer"))
        self.refused(self.key.token(role="viewer"), "another `kid`")
        self.stop(child)

    def test_a_file_that_is_broken_leaves_the_keys_as_they_were(self):
        child = self.serve_issuer()
        for text, sentence in [("{", "keys.json"), ('{"keys": []}', "Expected a key")]:
            self.replace("keys.json", text)
            said = self.reload(child, "not all reloaded")
            self.assertIn("STL0702", said)
            self.assertNotIn('"reloaded"', said)
            self.assertIn(sentence, said)
            self.me(self.key.token(role="viewer"))
        os.remove(self.path("keys.json"))
        self.assertIn("No such file", self.reload(child, "not all reloaded"))
        self.me(self.key.token(role="viewer"))
        self.trust(self.key)
        self.assertNotIn("STL", self.reload(child))
        self.stop(child)

    def test_nothing_starts_without_its_keys(self):
        for text, code, sentence in [(None, "STL0003", "No such file"), ("[]", "STL0702", "`keys`"),
                                     ("x" * 300_000, "STL0702", "bytes but found more")]:
            if text is None:
                os.remove(self.path("keys.json"))
            else:
                self.write("keys.json", text)
            issuers = json.dumps([{"issuer": ISSUER, "keys": self.path("keys.json")}])
            said = self.stele("serve", "--http", "127.0.0.1:0", "--auth-issuers", issuers, code=2).stderr
            self.assertIn(code, said)
            self.assertIn(sentence, said)

    def test_a_list_that_is_no_json_is_refused_with_its_place(self):
        for text, column in (("{", 2), ('[{"issuer": "a" "keys"}]', 17)):
            said = self.stele("serve", "--http", "127.0.0.1:0", "--auth-issuers", text, code=2).stderr
            self.assertIn(f"--auth-issuers: Expected JSON but found a fault at line 1, column {column}: ", said)

    def test_a_token_counts_for_as_long_as_was_said(self):
        child = self.serve("--auth-token-lifetime", "90s")
        password = re.search(r"password: (\S+)", self.wait_for_line(child, "password: "))[1]
        login = self.post("/auth/login", {"name": "admin", "password": password})
        middle = login["token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        self.assertLessEqual(claims["exp"] - claims["iat"], 90)
        self.assertGreaterEqual(claims["exp"] - claims["iat"], 89)
        self.stop(child)


if __name__ == "__main__":
    unittest.main()
