"""What an operator sees: figures, readiness, and what the program says to mistakes."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import unittest

import updraft_e2e
from updraft_e2e import Refused, Service, wait_until


def run(*arguments, env=None):
    return subprocess.run([updraft_e2e.UPDRAFT, *arguments], capture_output=True, text=True,
                          timeout=updraft_e2e.DEADLINE_SECONDS, env=os.environ | (env or {}))


NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf'({NAME})(?:\{{((?:{NAME}="(?:[^"\\\n]|\\[\\"n])*",?)*)\}})? (\S+)')
SUFFIXES = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}


def parse_exposition(text):
    """{family: {(suffix, labels): value}} of Prometheus' text format 0.0.4, read strictly."""
    families, types, family = {}, {}, None
    assert text.endswith("\n"), "the last line ends"
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            family, help_text = line[7:].split(" ", 1)
            assert family not in families and help_text, f"one HELP a family, with words: {line}"
            families[family] = {}
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == family and name not in types and kind in SUFFIXES, line
            types[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, f"no sample: {line}"
            name, labels, value = match.groups()
            assert name.startswith(family), f"samples stand below their family: {line}"
            suffix = name[len(family):]
            assert suffix in SUFFIXES[types[family]], line
            assert (suffix, labels) not in families[family], f"twice: {line}"
            families[family][suffix, labels] = float(value)
    for name, kind in types.items():
        assert families[name], f"{name} has no sample"
        assert (kind == "counter") == name.endswith("_total"), f"{name} is a {kind}"
        if kind == "histogram":
            buckets = [v for (suffix, _), v in families[name].items() if suffix == "_bucket"]
            assert buckets == sorted(buckets), f"{name} is cumulative"
            assert buckets[-1] == families[name]["_count", None], f"{name} ends in all"
            assert ("_bucket", 'le="+Inf"') in families[name], f"{name} ends in +Inf"
    return families


class FiguresTest(unittest.TestCase):
    def setUp(self):
        self.service = Service().start()
        self.addCleanup(self.service.close)

    def metric(self, name):
        return self.service.metrics().get(name, 0)

    def test_each_figure_is_there_and_counts(self):
        service = self.service
        product = service.create_product()
        secret = service.register(product, ["dev-1", "dev-2"])["dev-1"]
        device = service.device(product, "dev-1", secret)
        self.addCleanup(device.drop)
        package = service.create_package(product, b"firmware")
        job = service.create_batch(product, package)
        wait_until("dev-1 is told", lambda: service.counts(job).get("NOTIFIED") == 1)
        # Tasks are looked at once a second.
        wait_until("tasks by batch and state", lambda: (
            self.metric(f'updraft_tasks{{job="{job}",state="NOTIFIED"}}'),
            self.metric(f'updraft_tasks{{job="{job}",state="QUEUED"}}')) == (1, 1))
        wait_until("pushes", lambda: self.metric("updraft_pushes_total") == 1)
        self.assertEqual(self.metric("updraft_mqtt_pushes_total"), 1)
        self.assertEqual(self.metric("updraft_mqtt_connected"), 1)
        self.assertEqual(self.metric("updraft_log_failed"), 0)
        self.assertEqual(self.metric("updraft_inbox_depth"), 0)
        self.assertGreaterEqual(self.metric("updraft_http_connections"), 1)

        commits = self.metric("updraft_commit_seconds_count")
        self.assertGreater(commits, 0)
        self.assertGreater(self.metric("updraft_commit_seconds_sum"), 0)
        # A write to the log has one fsync, which is part of the time that the commit takes.
        wait_until("all fsyncs are counted", lambda: self.metric(
            "updraft_fsync_seconds_count") >= self.metric("updraft_commit_seconds_count"))
        self.assertGreater(self.metric("updraft_fsync_seconds_sum"), 0)
        events = self.metric("updraft_commit_events_sum")
        size = self.metric("updraft_commit_bytes_sum")
        service.create_product("another")
        self.assertGreater(self.metric("updraft_commit_seconds_count"), commits)
        self.assertGreater(self.metric("updraft_commit_events_sum"), events)
        self.assertGreater(self.metric("updraft_commit_bytes_sum"), size)

        rejected = service.rejected()
        device.publish(f"/ota/device/progress/{product}/dev-1", "no JSON", qos=1)
        wait_until("the message is counted", lambda: service.rejected() == rejected + 1)

    def test_the_page_is_in_the_format_that_prometheus_reads(self):
        product = self.service.create_product("lamp")
        self.service.register(product, ["dev-1"])
        self.service.create_batch(product, self.service.create_package(product, b"firmware"))
        with self.assertRaises(Refused):
            self.service.call("QueryProduct", ProductKey='"\n\\')
        families = wait_until("tasks are there", lambda: (
            lambda page: "updraft_tasks" in page and page)(
                parse_exposition(self.service.request("GET", "/metrics")[1])))
        for name in ["updraft_tasks", "updraft_pushes_total", "updraft_commit_seconds",
                     "updraft_commit_events", "updraft_commit_bytes", "updraft_fsync_seconds",
                     "updraft_inbox_depth", "updraft_mqtt_connected", "updraft_log_failed",
                     "updraft_checkpoint_event", "updraft_checkpoint_seconds",
                     "updraft_http_answers_total"]:
            self.assertIn(name, families)

    def test_a_batch_with_open_tasks_is_shown_however_many_are_newer(self):
        product = self.service.create_product("old_lamps")
        self.service.register(product, ["old-1", "old-2"])
        package = self.service.create_package(product, b"firmware", name="old")
        over, waits, *newer = [
            self.service.create_batch(product, package, TargetSelection="SPECIFIC",
                                      TargetDeviceName=[device])
            for device in ["old-1", "old-2"] + 100 * ["old-1"]]
        self.service.call("CancelOTATaskByJob", JobId=over, CancelQueuedTask=True)
        newest = self.service.create_batch(product, package, TargetSelection="SPECIFIC",
                                           TargetDeviceName=["old-2"])

        def page():
            text = self.service.request("GET", "/metrics")[1]
            return f'job="{newest}"' in text and text
        shown = wait_until("the newest batch is shown", page)
        self.assertIn(f'job="{waits}"', shown)
        self.assertNotIn(f'job="{over}"', shown)
        self.assertIn(f'job="{newer[-1]}"', shown)

    def test_refusals_are_counted_by_code_and_by_status(self):
        with self.assertRaises(Refused):
            self.service.call("QueryProduct", ProductKey="none")
        with self.assertRaises(Refused):
            self.service.call("LaunchRocket")
        self.assertEqual(
            self.metric('updraft_api_refusals_total{code="iot.prod.NotExistedProduct"}'), 1)
        self.assertEqual(self.metric('updraft_api_refusals_total{code="InvalidAction.NotFound"}'),
                         1)
        self.assertEqual(self.metric('updraft_http_refusals_total{status="404"}'), 1)

    def test_the_page_does_not_grow_with_devices_products_and_wrong_names(self):
        def lines():
            return len(self.service.metrics())
        with self.assertRaises(Refused):
            self.service.call("Launch0")
        before = lines()
        for i in range(30):
            self.service.create_product(f"product_{i}")
            with self.assertRaises(Refused):
                self.service.call(f"Launch{i}")
        self.assertEqual(lines(), before)

    def test_readiness_follows_the_broker(self):
        self.assertEqual(self.service.request("GET", "/healthz")[0], 200)
        status, text = self.service.request("GET", "/readyz")
        self.assertEqual((status, json.loads(text)), (200, {"ready": True, "reasons": []}))
        os.kill(self.service.broker_pid(), signal.SIGKILL)
        wait_until("it is not ready", lambda: self.service.request("GET", "/readyz")[0] == 503)
        reasons = json.loads(self.service.request("GET", "/readyz")[1])["reasons"]
        self.assertIn("no connection to the broker", " ".join(reasons))
        self.assertEqual(self.service.request("GET", "/healthz")[0], 200)
        wait_until("it is ready again", lambda: self.service.request("GET", "/readyz")[0] == 200)
        self.assertEqual(self.metric("updraft_broker_restarts_total"), 1)


class BrokerTest(unittest.TestCase):
    def setUp(self):
        self.service = Service(new_session=True).start()
        self.addCleanup(self.service.close)
        self.pid_path = pathlib.Path(self.service.data, "broker", "mosquitto.pid")

    def broker_pid(self):
        return int(self.pid_path.read_text().split()[0])

    def test_a_broker_of_the_same_configuration_is_gone_on_with(self):
        pid = self.broker_pid()
        self.service.kill()
        self.service.start()
        self.assertEqual(self.broker_pid(), pid)

    def test_a_broker_of_another_configuration_is_started_again(self):
        pid = self.broker_pid()
        self.service.kill()
        config = pathlib.Path(self.service.data, "broker", "mosquitto.conf")
        config.write_text(config.read_text() + "# of another build\n")
        self.service.start()
        self.assertNotEqual(self.broker_pid(), pid)
        self.assertNotIn("another build", config.read_text())

    def test_a_broker_that_does_not_listen_is_replaced(self):
        pid = self.broker_pid()
        self.service.kill()
        os.kill(pid, signal.SIGKILL)
        # A process that looks like the broker and takes no connections.
        config = str(pathlib.Path(self.service.data, "broker", "mosquitto.conf"))
        false_one = subprocess.Popen(["python3", "-c", "import time; time.sleep(600)", config])
        self.addCleanup(false_one.wait)
        self.addCleanup(false_one.kill)
        self.pid_path.write_text(f"{false_one.pid} {self.service.mqtt_port}\n")
        self.service.start()
        self.assertNotEqual(self.broker_pid(), false_one.pid)


class MistakesTest(unittest.TestCase):
    """Each ends with its exit code, and with a sentence that names the way out."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service().start()

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def check(self, code, words, *arguments, env=None):
        done = run(*arguments, env=env)
        self.assertEqual(done.returncode, code, done)
        for word in words:
            self.assertIn(word, done.stderr + done.stdout)

    def call(self, code, words, *arguments):
        self.check(code, words, "call", *arguments, "--data", self.service.data)

    def test_helps_are_printed(self):
        for command in ("", "serve", "call", "watch", "follow", "explain", "replay", "log", "key",
                        "broker-config"):
            self.check(0, ["Usage:"], *command.split(), "--help")

    def test_wrong_places(self):
        self.check(3, ["no service runs on '/nowhere'", "updraft serve"], "call",
                   "ListAccessKeys", "--data", "/nowhere")
        self.check(2, ["--data DIR", "--endpoint"], "call", "ListAccessKeys")
        self.check(3, ["nobody answers at 127.0.0.1:1"], "call", "ListAccessKeys", "--endpoint",
                   "127.0.0.1:1", "--access-key-id", "a", "--access-key-secret", "b")
        self.check(1, ["in use by another engine"], "serve", "--data", self.service.data,
                   "--http", "127.0.0.1:0", "--with-broker", "127.0.0.1:0")

    def test_an_address_that_devices_cannot_use(self):
        for host in ("0.0.0.0", "*", "[::]"):
            self.check(2, ["--public-url http://HOST:8080"], "serve", "--data", "/nowhere",
                       "--http", f"{host}:8080", "--with-broker", "127.0.0.1:0")

    def test_too_few_files(self):
        serve = [updraft_e2e.UPDRAFT, "serve", "--data", "/nowhere", "--http", "127.0.0.1:0",
                 "--with-broker", "127.0.0.1:0"]
        done = subprocess.run(["sh", "-c", 'ulimit -n 300; exec "$@"', "sh", *serve], text=True,
                              capture_output=True, timeout=updraft_e2e.DEADLINE_SECONDS)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("raise the limit (ulimit -n", done.stderr)

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            other = os.path.join(self.service.dir, "other")
            self.check(3, [f"cannot listen on {address}: Address already in use\n"], "serve",
                       "--data", other, "--http", address, "--with-broker", "127.0.0.1:0")
            self.check(3, ["somebody listens on " + address], "serve", "--data", other,
                       "--http", "127.0.0.1:0", "--with-broker", address)

    def test_wrong_keys(self):
        endpoint = ["--endpoint", self.service.http]
        self.check(1, ["InvalidAccessKeyId.NotFound"], "call", "ListAccessKeys", *endpoint,
                   "--access-key-id", "nobody", "--access-key-secret", "x")
        self.check(1, ["SignatureDoesNotMatch"], "call", "ListAccessKeys", *endpoint,
                   env={"UPDRAFT_ACCESS_KEY_ID": self.service.key["AccessKeyId"],
                        "UPDRAFT_ACCESS_KEY_SECRET": "x"})
        self.check(0, ["AccessKeyId"], "call", "ListAccessKeys", *endpoint,
                   env={"UPDRAFT_ACCESS_KEY_ID": self.service.key["AccessKeyId"],
                        "UPDRAFT_ACCESS_KEY_SECRET": self.service.key["AccessKeySecret"]})

    def test_a_guest_may_not_follow(self):
        guest = json.loads(self.service.run("key", "create").stdout)
        env = {"UPDRAFT_ACCESS_KEY_ID": guest["AccessKeyId"],
               "UPDRAFT_ACCESS_KEY_SECRET": guest["AccessKeySecret"]}
        for command in ["follow --until 1", "watch none"]:
            self.check(1, ["iot.common.AuthActionPermissionDeny", "updraft key promote"],
                       *command.split(), "--endpoint", self.service.http, env=env)

    def test_wrong_commands(self):
        self.check(2, ["there is no command 'srve'", "serve, call, watch"], "srve")
        self.check(2, ["subcommand is required", "--help"])
        self.check(2, ["--data DIR", "--file FILE"], "log", "verify")
        for command in ["log verify", "log head", "broker-config"]:
            said = run(*command.split(), "--help").stdout
            self.assertNotIn("A first batch", said)

    def test_wrong_calls(self):
        self.call(1, ["InvalidAction.NotFound", "did you mean ListOTATaskByJob"],
                  "ListOTATasksByJob", "--JobId", "x")
        self.call(2, ["did you mean ProductName", "--describe"], "CreateProduct", "--ProductNam",
                  "thermostat", "--NodeType", "0")
        self.call(1, ["NodeType is missing"], "CreateProduct", "--ProductName", "thermostat")
        self.call(2, ["has no value"], "CreateProduct", "--ProductName")
        self.call(2, ["write --Name value"], "CreateProduct", "ProductName", "x")
        self.call(2, ["given twice", "--SrcVersion.1"], "CreateOTADynamicUpgradeJob",
                  "--SrcVersion", "1", "--SrcVersion", "2")
        self.check(0, ["TargetSelection", "updraft call CreateOTAStaticUpgradeJob"], "call",
                   "CreateOTAStaticUpgradeJob", "--describe")
        self.check(0, ["ListOTATaskByJob"], "call", "--list")

    def test_a_batch_that_is_none(self):
        self.check(1, ["iot.firmware.InvalidOTAJobId"], "watch", "nothing", "--data",
                   self.service.data)
        self.check(1, ["SignatureDoesNotMatch"], "follow", "--endpoint", self.service.http,
                   "--access-key-id", self.service.key["AccessKeyId"], "--access-key-secret", "x")
        self.check(1, ["PositionAhead", "another log"], "follow", "--from", "1000000", "--data",
                   self.service.data)


if __name__ == "__main__":
    updraft_e2e.run_tests()
