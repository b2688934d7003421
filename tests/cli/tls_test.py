#!/usr/bin/env python3
"""Who must show a certificate to `stele serve`, over both its edges."""

import http.client
import re
import ssl
import subprocess
import unittest

from served import ServedTest

POLL = {"types": ["resize"]}


class Clients(ServedTest):
    def setUp(self):
        super().setUp()
        for authority in ("ca", "stranger"):
            self.certify(authority, "authority")
        self.certify("server", "localhost", "-CA", "ca.pem", "-CAkey", "ca.key")
        self.certify("anna", "anna", "-CA", "ca.pem", "-CAkey", "ca.key")
        self.certify("forged", "anna", "-CA", "stranger.pem", "-CAkey", "stranger.key")

    def certify(self, file, name, *issuer):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "1", "-subj", "/CN=" + name, "-addext",
                        "subjectAltName=DNS:" + name, "-keyout", file + ".key", "-out", file + ".pem",
                        *issuer], check=True, capture_output=True, cwd=self.directory)

    def serve_tls(self, *words):
        child = self.start("serve", "--dev", "--data", "data", "--http", "127.0.0.1:0", "--rpc",
                           "localhost:0", "--tls-certificate", "server.pem", "--tls-key", "server.key",
                           "--tls-ca", "ca.pem", *words)
        said = self.wait_for_line(child, "https://", "rpc at")
        self.port = int(re.search(r"https://127\.0\.0\.1:(\d+)", said)[1])
        self.rpc = "localhost:" + re.search(r"rpc at \S+:(\d+)", said)[1]
        return child

    def connect(self, certificate=None):
        trust = ssl.create_default_context(cafile=self.path("ca.pem"))
        trust.check_hostname = False
        if certificate:
            trust.load_cert_chain(self.path(certificate + ".pem"), self.path(certificate + ".key"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=trust)
        self.addCleanup(connection.close)
        return connection

    def poll(self, status, certificate=None, **more):
        return self.post("/workers/poll", {**POLL, **more}, status, connection=self.connect(certificate))

    def remote(self, certificate=None):
        words = ["--server", self.rpc, "--tls-ca", "ca.pem"]
        if certificate:
            words += ["--tls-certificate", certificate + ".pem", "--tls-key", certificate + ".key"]
        return words

    def refused(self, certificate=None):
        """No connection comes about; TLS 1.3 tells its client when that reads."""
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.ask("GET", "/instances", connection=self.connect(certificate))
        self.assertIn("STL0703", self.stele("list", *self.remote(certificate), code=2).stderr)

    def test_workers_alone(self):
        child = self.serve_tls("--tls-clients", "workers")
        self.assertEqual(self.get("/instances")["instances"], [])
        self.stele("list", *self.remote())
        refusal = self.poll(403)
        self.assertEqual(refusal["code"], "STL1002")
        self.assertIn("shows a certificate", refusal["detail"])
        self.assertIn('"anna", but found "bert"', self.poll(403, "anna", worker="bert")["detail"])
        self.assertEqual(self.poll(200, "anna", worker="anna"), {"tasks": []})
        self.refused("forged")
        # Its workers join over RPC.
        load = ["bench", "worker", "--count", "10"]
        self.assertIn("shows a certificate", self.stele(*load, *self.remote(), code=2).stderr)
        self.stele(*load, *self.remote("anna"))
        self.stop(child)

    def test_everybody_unless_told(self):
        child = self.serve_tls()
        self.refused()
        self.refused("forged")
        self.assertEqual(self.poll(200, "anna", worker="bert"), {"tasks": []})
        self.stele("list", *self.remote("anna"))
        self.stop(child)

    def test_who_likes_to(self):
        child = self.serve_tls("--tls-clients", "optional")
        self.refused("forged")
        for certificate in (None, "anna"):
            self.assertEqual(self.poll(200, certificate, worker="bert"), {"tasks": []})
            self.stele("list", *self.remote(certificate))
        self.stop(child)


class WithoutTls(ServedTest):
    def test_a_server_that_speaks_none_is_named_so(self):
        child = self.start("serve", "--dev", "--data", "data", "--rpc", "127.0.0.1:0")
        rpc = re.search(r"rpc at (\S+)", self.wait_for_line(child, "rpc at"))[1]
        for words in (("list",), ("bench", "start", "--count", "1")):
            refused = self.stele(*words, "--server", "tls:" + rpc, code=2).stderr
            self.assertRegex(refused, "STL0703: Expected a server that speaks TLS at .* speaks none: ")
            self.assertNotIn("OpenSSL", refused)
        self.stop(child)


if __name__ == "__main__":
    unittest.main()
