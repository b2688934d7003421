#!/usr/bin/env python3
"""The configuration of `stele serve`: where a setting may be said, which counts, what is refused."""

import os
import re
import unittest

from program import SOURCE, ProgramTest

ISSUERS = '[{"issuer": "https://id.example", "keys": "/keys.json"}]'


def sample(setting):
    """A value that is not the default, as a text, and as JSON shows it."""
    return {"DIR": ("/some/where", "/some/where"), "FILE": ("/a/file", "/a/file"),
            "ADDR": ("127.0.0.1:0", ["127.0.0.1:0"]), "": ("true", True), "DURATION": ("7s", "7s"),
            "N": ("7", 7), "ORIGIN": ("https://a.example", ["https://a.example"]),
            "NAME": ("X-A", ["X-A"] if setting["value"] == [] else "X-A"), "debug|info|warn|error": ("warn", "warn"),
            "required|workers|optional": ("workers", "workers"),
            "URL": ("http://a.example/", "http://a.example/"), "RATIO": ("0.5", "0.5"),
            "JSON": (ISSUERS, [{"issuer": "https://id.example", "keys": "/keys.json"}]),
            }[setting["takes"]]


class ConfigurationTest(ProgramTest):
    def settings(self, *words, code=0, **variables):
        """By name."""
        shown = self.json("config", "--json", *words, code=code, **variables)["settings"]
        return {setting["name"]: setting for setting in shown}

    def lines(self, settings):
        """A file with them: [(name, text)]."""
        tree = {}
        for name, text in settings:
            section, _, key = name.rpartition(".")
            tree.setdefault(section, []).append(f"{key}: {text}")
        top = tree.pop("", [])
        return "\n".join(top + [f"{section}:\n  " + "\n  ".join(keys)
                                for section, keys in tree.items()]) + "\n"

    def refusal(self, text, name="stele.yaml"):
        """What is said of a file."""
        return self.stele("config", "--config", self.write(name, text), code=2).stderr


class Sources(ConfigurationTest):
    # These may not stand by themselves: what fits together is told behind the table.
    ALONE = {"tls.certificate": 2, "tls.key": 2, "tls.ca": 2, "tls.clients": 2,
             "tracing.headers_file": 2}

    def test_each_setting_may_be_said_in_each_way(self):
        for name, setting in self.settings().items():
            text, value = sample(setting)
            code = self.ALONE.get(name, 0)
            words = [setting["flag"]] + ([text] if setting["takes"] else [])
            file = self.write("one.yaml", self.lines([(name, text)]))
            for origin, said in [
                (f"flag {setting['flag']}", self.settings(*words, code=code)),
                (f"environment {setting['variable']}",
                 self.settings(code=code, **{setting["variable"]: text})),
                (r"file .*/one\.yaml:[12]", self.settings("--config", file, code=code)),
            ]:
                self.assertRegex(said[name]["origin"], f"^{origin}$")
                self.assertEqual(said[name]["value"], value, (name, origin))

    def test_nothing_said_is_the_default(self):
        for name, setting in self.settings().items():
            self.assertEqual(setting["origin"], "default", name)
            shown = setting["value"]
            if setting["default"].isdigit():
                self.assertEqual(shown, int(setting["default"]))
            elif setting["takes"] != "DURATION":
                self.assertIn(shown, (setting["default"] or None, False, []), name)

    def test_a_flag_counts_before_a_variable_before_the_file(self):
        file = self.write("stele.yaml", "log: {level: debug}\nhttp: {listen: [a:1, b:2]}\n")
        level = lambda *words, **more: self.settings(*words, **more)["log.level"]
        self.assertEqual(level("--config", file)["value"], "debug")
        self.assertEqual(level("--config", file, STELE_LOG_LEVEL="warn")["value"], "warn")
        last = level("--config", file, "--log-level", "error", STELE_LOG_LEVEL="warn")
        self.assertEqual((last["value"], last["origin"]), ("error", "flag --log-level"))
        # A list is not added to: it is another one.
        http = self.settings("--config", file, "--http", "c:3", "--http", "d:4")["http.listen"]
        self.assertEqual(http["value"], ["c:3", "d:4"])
        for listed in ("e:5,f:6", "e:5, f:6", " e:5\t,  f:6 "):
            http = self.settings("--config", file, STELE_HTTP_LISTEN=listed)["http.listen"]
            self.assertEqual(http["value"], ["e:5", "f:6"])

    def test_a_variable_names_the_file_unless_a_flag_does(self):
        one = self.write("one.yaml", "data: one\n")
        two = self.write("two.yaml", "data: two\n")
        self.assertEqual(self.settings(STELE_CONFIG=one)["data"]["value"], self.path("one"))
        said = self.settings("--config", two, STELE_CONFIG=one)
        self.assertEqual(said["data"]["value"], self.path("two"))

    def test_paths_of_a_file_are_found_from_it(self):
        os.mkdir(self.path("etc"))
        self.write("etc/stele.yaml", "data: ../here\nlog: {file: '-'}\n"
                   "auth: {issuers: [{issuer: a, keys: keys.json}]}\n")
        said = self.settings("--config", "etc/stele.yaml")
        self.assertEqual(said["data"]["value"], "here")
        self.assertEqual(said["log.file"]["value"], "-")
        self.assertEqual(said["auth.issuers"]["value"][0]["keys"], "etc/keys.json")

    def test_dev_has_addresses_of_its_own(self):
        self.assertEqual(self.settings("--dev")["http.listen"]["value"], ["127.0.0.1:7420"])
        self.assertEqual(self.settings("--dev", "--rpc", ":1", code=2)["http.listen"]["value"], [])

    def test_a_variable_may_say_no(self):
        file = self.write("stele.yaml", "dev: true\n")
        self.assertFalse(self.settings("--config", file, STELE_DEV="false")["dev"]["value"])

    def test_the_table_says_where_each_was_said(self):
        file = self.write("stele.yaml", "# ours\nhttp:\n  listen: :7420\n")
        shown = self.stele("config", "--config", file, "--open-metrics", STELE_LOG_LEVEL="warn").stdout
        self.assertRegex(shown, r"(?m)^http\.listen +:7420 +file .*/stele\.yaml:3$")
        self.assertRegex(shown, r"(?m)^metrics\.open +true +flag --open-metrics$")
        self.assertRegex(shown, r"(?m)^log\.level +warn +environment STELE_LOG_LEVEL$")
        self.assertRegex(shown, r"(?m)^tls\.key +- +default$")

    def test_json_is_a_file_too(self):
        file = self.write("stele.json", '{"log": {"level": "warn"}}')
        self.assertEqual(self.settings("--config", file)["log.level"]["value"], "warn")


class Faults(ConfigurationTest):
    def test_each_has_its_place(self):
        for text, place, sentence in [
            ("http:\n  lisen: :1\n", "2:3", 'http: Expected "listen" perhaps but found "lisen"'),
            ("htpt: {listen: :1}\n", "1:1", 'Expected "http" perhaps but found "htpt"'),
            ("http.listen: :1\n", "1:1", 'Expected "listen" under a key "http:"'),
            ("quite_another: 1\n", "1:1", 'Expected one of "data", "http", "rpc", "dev"'),
            ("http: :7420\n", "1:7", 'Expected a mapping of "listen", "header_timeout"'),
            ("http:\n  listen: {a: 1}\n", "2:11", "http.listen: Expected a text or a list of texts"),
            ("http:\n  listen:\n", "2:3", "http.listen: Expected a text but found nothing"),
            ("http: {listen: [':1', [x]]}\n", "1:23", "http.listen: Expected a text but found a list"),
            ("dev: yes\n", "1:6", 'dev: Expected true or false but found "yes"'),
            ("data: ''\n", "1:7", 'data: Expected a text but found ""'),
            ("http: {max_requests: many}\n", "1:22",
             'http.max_requests: Expected a whole number from 1 to 1000000 but found "many"'),
            ("http: {max_requests: 0}\n", "1:22", "found 0"),
            ("http: {max_requests: 1.5}\n", "1:22", "found 1.5"),
            ("http: {idle_timeout: soon}\n", "1:22", "http.idle_timeout: Expected a duration from"),
            ("http: {idle_timeout: 2d}\n", "1:22", 'found "2d"'),
            ("log: {level: loud}\n", "1:14",
             'log.level: Expected one of "debug", "info", "warn" and "error" but found "loud"'),
            ("dev: true\ndev: false\n", "2:1", 'Expected each key once in a mapping but found "dev"'),
            ("- dev\n", "1:1", "Expected a mapping of"),
            ("dev: *a\n", "1:", "Expected YAML but found a fault"),
            ("dev: [\n", "", "Expected YAML but found a fault"),
            ("", "1:1", "Expected a YAML document but found nothing"),
            ("# nothing yet\n", "1:1", "Expected a YAML document but found nothing"),
            ("dev: true\n---\ndev: true\n", "1:1", "Expected one YAML document"),
            ("auth: {issuers: {a: 1}}\n", "1:17", "auth.issuers: Expected a list of issuers"),
            ("auth: {issuers: [{keys: k}]}\n", "1:18", "Expected `issuer` in an issuer"),
            ("auth: {issuers: [{issuer: a}]}\n", "1:18", "Expected `keys` in an issuer"),
            ("auth: {issuers: [{issuer: '', keys: k}]}\n", "1:27", "Expected a text as `issuer`"),
            ("auth: {issuers: [{issuer: a, keys: k, roleclaim: r}]}\n", "1:39",
             'Expected "role_claim" as a key of an issuer'),
            ("auth: {issuers: [{issuer: a, keys: k, default_role: boss}]}\n", "1:53",
             'Expected one of "admin", "operator"'),
        ]:
            said = self.refusal(text)
            self.assertIn(f"stele.yaml:{place}", said, text)
            self.assertIn("STL0702", said, text)
            self.assertIn(sentence, said, text)

    def test_all_of_them_are_told_at_once(self):
        file = self.write("stele.yaml", "dev: 1\nhttp: {lisen: a}\nlog: {level: loud}\n")
        said = self.stele("config", "--config", file, "--http-max-requests", "x",
                          code=2, STELE_LOG_LEVEL="silent").stderr.splitlines()
        self.assertEqual(len(said), 5, said)
        self.assertTrue(said[0].startswith("stele: STL0701: --http-max-requests: Expected"), said)
        self.assertTrue(said[1].startswith("stele: STL0702: STELE_LOG_LEVEL: Expected"), said)
        served = self.stele("serve", "--config", file, code=2).stderr.splitlines()
        self.assertEqual(len(served), 3, served)
        self.assertFalse(os.path.exists(self.path("stele-data")))

    def test_a_flag_that_was_probably_meant(self):
        self.assertIn('Expected --http perhaps but found "--htp"',
                      self.stele("serve", "--htp", ":1", code=2).stderr)
        self.assertIn("Expected one of --data, --http, ", self.stele("config", "--quite-another", code=2).stderr)

    def test_a_file_that_cannot_be_read(self):
        self.assertIn("found none at", self.stele("config", "--config", "no.yaml", code=2).stderr)
        self.assertIn("found a directory at", self.stele("config", "--config", "/", code=2).stderr)
        os.mkfifo(self.path("pipe"))
        self.assertIn("found a pipe at", self.stele("config", "--config", "pipe", code=2).stderr)
        self.assertIn("STL0702", self.stele("config", code=2, STELE_CONFIG="no.yaml").stderr)
        self.assertIn("UTF-8", self.latin())

    def latin(self):
        with open(self.path("latin.yaml"), "wb") as file:
            file.write(b"data: caf\xe9\n")
        return self.stele("config", "--config", "latin.yaml", code=2).stderr

    @unittest.skipIf(os.geteuid() == 0, "root may read every file")
    def test_a_file_that_is_closed(self):
        os.chmod(self.write("closed.yaml", "dev: true\n"), 0)
        self.assertIn("one that is closed to us",
                      self.stele("config", "--config", "closed.yaml", code=2).stderr)

    def test_variables_that_were_probably_meant(self):
        for variable in ("STELE_HTTP_LISTN", "STELE_TLS_CERT", "STELE_LOGLEVEL"):
            said = self.stele("config", code=2, **{variable: "x"}).stderr
            self.assertIn("STL0702", said)
            self.assertIn(variable, said)

    def test_variables_of_others_are_left_alone(self):
        # Kubernetes tells of a service "stele-http" so.
        self.settings(STELE_SECRETS_KEY="k", STELE_TOKEN="t", STELE_SERVER="s",
                      STELE_HTTP_SERVICE_HOST="10.0.0.1", STELE_HTTP_PORT="tcp://10.0.0.1:7420",
                      STELE_HTTP_PORT_7420_TCP_ADDR="10.0.0.1", STELE_PORT="tcp://10.0.0.1:1")

    def test_an_empty_variable_says_nothing(self):
        self.assertEqual(self.settings(STELE_LOG_LEVEL="")["log.level"]["origin"], "default")

    def test_what_does_not_fit_together_is_told(self):
        for words, sentence in [
            (["--tls-ca", "ca.pem"], "a certificate and its key"),
            (["--tls-certificate", "a.pem", "--tls-key", "a.key", "--tls-clients", "workers"],
             "Expected a CA"),
            (["--dev", "--http", ":1"], "--dev"),
            (["--cors-origin", "*", "--cors-credentials"], "without credentials"),
            (["--backups", "stele-data/kept"], "outside the data directory but found \"stele-data/kept\""),
            (["--backups", "data", "--data", "other/../data"], "backups (flag --backups): Expected"),
            (["--backups", "data/a", "--data", self.path("data")], "outside the data directory"),
            (["--trace-headers-file", "none"], "tracing.headers_file (flag --trace-headers-file)"),
            (["--trace-ratio", "2"], "Expected a number from 0 to 1"),
            (["--trace-endpoint", "http://me:secret@a.example/"], "without a name and a password"),
            (["--cors-origin", "console"], "Expected an origin as https://host:port"),
        ]:
            self.assertIn(sentence, self.stele("config", *words, code=2).stderr)


class Pages(ConfigurationTest):
    def test_the_page_has_the_table(self):
        with open(os.path.join(SOURCE, "docs", "configuration.md"), encoding="utf-8") as page:
            rows = re.findall(r"^\| `([a-z_.]+)` \| (.*?) \| (.*?) \| (.*?) \|$", page.read(), re.M)
        shown = {name: rest for name, *rest in rows}
        for name, setting in self.settings().items():
            takes = setting["takes"].replace("|", r"\|")
            flag = f"`{setting['flag']}`" + (f" {takes}" if takes else "")
            default = f"`{setting['default']}`" if setting["default"] else "–"
            self.assertEqual(shown.pop(name, None), [flag, default, setting["description"]], name)
        self.assertEqual(list(shown), [])

    def test_the_page_shows_what_is_printed(self):
        with open(os.path.join(SOURCE, "docs", "configuration.md"), encoding="utf-8") as page:
            text = page.read()
        self.write("stele.yaml", re.search(r"```yaml\n(# stele\.yaml\n.*?)```", text, re.S)[1])
        variables, command, shown = re.search(r"```console\n\$ ((?:\w+=\S+ )+)stele (config .*?)\n(.*?)```",
                                              text, re.S).groups()
        printed = self.stele(*command.split(), **dict(pair.split("=") for pair in variables.split()))
        self.assertGreater(len(shown.splitlines()), 5)
        # A line "…" stands for any lines.
        self.assertRegex(printed.stdout, "^" + re.escape(shown).replace("…\\\n", "(?:.*\n)*") + "$")

    def test_what_the_page_writes_is_taken(self):
        with open(os.path.join(SOURCE, "docs", "configuration.md"), encoding="utf-8") as page:
            files = re.findall(r"```yaml\n(.*?)```", page.read(), re.S)
        self.assertGreater(len(files), 1)
        for text in files:
            self.settings("--config", self.write("stele.yaml", text))

    def test_the_page_says_how_variables_are_called(self):
        for name, setting in self.settings().items():
            self.assertEqual(setting["variable"], "STELE_" + name.replace(".", "_").upper())

    def test_the_example_says_what_the_page_says_of_it(self):
        file = os.path.join(SOURCE, "deploy", "stele.yaml")
        said = self.settings("--config", file)
        named = {name for name, setting in said.items() if setting["origin"] != "default"}
        self.assertLessEqual({"data", "http.listen", "rpc.listen", "log.file"}, named)
        # What is commented out there is right, too.
        with open(file, encoding="utf-8") as text:
            whole = re.sub(r"^( *)#(?=\S)", r"\1", text.read(), flags=re.M)
        told = self.settings("--config", self.write("whole.yaml", whole))
        self.assertLess(named, {name for name, setting in told.items() if setting["origin"] != "default"})

    def test_help_has_every_flag(self):
        helped = self.stele("help", "serve").stdout
        for setting in self.settings().values():
            self.assertIn(f"  {setting['flag']} ", helped)


if __name__ == "__main__":
    unittest.main()
