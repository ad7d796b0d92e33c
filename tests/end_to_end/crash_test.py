"""The real program killed at random instants, again and again, under devices and consoles that do
not wait for it. Afterwards all that anybody was told is there, and all that devices said.

What is believed is only what came back over a socket: the API's answers, and the broker's PUBACK or
PINGRESP, after which the broker has the report. The broker lives on; with the gate it keeps reports
of QoS 0 as well as of QoS 1 for an engine that is away. So every report that it took must be in the
log in the end, in its order: one that the engine acknowledged and lost does not come again.

`SEED=N` repeats the choice of instants.
"""

import collections
import http.client
import json
import os
import random
import threading
import time
import unittest

from updraft_e2e import LONG, Refused, Service, mqtt_raw, run_tests, wait_until

ROUNDS = 200 if LONG else 10
DEVICES = 8 if LONG else 6
SEED = int(os.environ.get("SEED", time.time_ns() % 1_000_000))

# Versions that devices report in turn. A device may name only a few new ones a day, so that each
# brings its share; and many more than are ever under way, so that a lost one shows.
VERSIONS_PER_DEVICE = 16

# More of one device is never under way when the engine is killed; less than the versions there are.
UNDER_WAY = 80

# Below what the gate lets a device say, see its README.
QOS0_PAUSE_SECONDS = 0.05
QOS1_PAUSE_SECONDS = 0.125
CALL_PAUSE_SECONDS = 0.02

# The log has a digest every thousand commits or so.
CHECKPOINT_SECONDS = 60


def missing(said, logged):
    """The indices of what was said and is not found in `logged`, in this order.

    More may be logged than was said: what the broker sends again, at most UNDER_WAY at a time.
    """
    lost, at = [], 0
    for i, word in enumerate(said):
        try:
            at = logged.index(word, at, at + UNDER_WAY) + 1
        except ValueError:
            lost.append(i)
    return lost


class Talker(threading.Thread):
    """A device that reports one version after the other, whether the engine lives or not."""

    def __init__(self, client, product, name, qos, harness):
        super().__init__(daemon=True)
        self._client, self._harness, self._qos = client, harness, qos
        self._topic = f"/ota/device/inform/{product}/{name}"
        self.name = name
        self.said = []  # Versions that the broker has,
        self.rounds = []  # and in which round they were said.
        self.said_while_away = 0
        self.error = None

    def say(self, version):
        self._client.publish(self._topic, f'{{"id":1,"params":{{"version":"{version}"}}}}',
                             qos=self._qos)
        if self._qos == 0:
            self._client.ping()
        self.said.append(version)
        self.rounds.append(self._harness.round)

    def run(self):
        versions = self._harness.versions
        at = versions.index(self.said[-1])  # What is said again at once is not recorded again.
        try:
            while not self._harness.over.is_set():
                at = (at + 1) % len(versions)
                away = self._harness.away.is_set()
                self.say(versions[at])
                self.said_while_away += away
                time.sleep(QOS1_PAUSE_SECONDS if self._qos else QOS0_PAUSE_SECONDS)
        except (OSError, mqtt_raw.Closed, AssertionError) as error:
            self.error = error


class Caller(threading.Thread):
    """Makes calls until it is over. What came of one may remain unknown: the engine was killed."""

    def __init__(self, harness, step):
        super().__init__(daemon=True)
        self._harness, self._step = harness, step
        self.error = None

    def run(self):
        count = 0
        try:
            while not self._harness.over.is_set():
                count += 1
                self._step(count)
                time.sleep(CALL_PAUSE_SECONDS)
        except Exception as error:  # Told by the test, which looks at it.
            self.error = error


class Harness:
    """The service, who talks to it, and what they were told."""

    def __init__(self, service):
        self.service = service
        self.over = threading.Event()
        self.away = threading.Event()  # The engine was killed and does not serve yet.
        self.calls = collections.Counter()  # By what became of them.
        self.products, self.devices = set(), set()  # Names that an answer told to be there.
        self.wanted = collections.deque(maxlen=50)  # Device names that were asked for.
        self.batches = {}  # Job id: whether it was cancelled; None when that is unknown.
        self.events = []
        self.round = "set-up"

    def call(self, action, **parameters):
        """The answer; None when there was none, so that it may be done or not."""
        try:
            answer = self.service.call(action, **parameters)
        except Refused:
            raise
        except (OSError, http.client.HTTPException):
            self.calls["unknown"] += 1
            time.sleep(0.05)
            return None
        self.calls["answered"] += 1
        return answer

    def set_up(self):
        service = self.service
        self.product = service.create_product()
        self.package = service.create_package(self.product, b"firmware")
        names = [f"crash-{i}" for i in range(DEVICES)]
        # One by one, so that the log has them in this order.
        secrets = {name: service.call("RegisterDevice", ProductKey=self.product,
                                      DeviceName=name)["Data"]["DeviceSecret"] for name in names}
        self.versions = [f"1.{i}" for i in range(VERSIONS_PER_DEVICE * DEVICES)]
        self.talkers = []
        for i, name in enumerate(names):
            client = service.device(self.product, name, secrets[name])
            assert client.code == 0, (name, client.code)
            talker = Talker(client, self.product, name, i % 2, self)
            for version in self.versions[i::DEVICES]:
                talker.say(version)
                time.sleep(QOS1_PAUSE_SECONDS)
            self.talkers.append(talker)
        self.callers = [Caller(self, step)
                        for step in (self.register, self.operate, self.look, self.create_product)]
        for thread in self.talkers + self.callers:
            thread.start()

    # What the callers do.

    def register(self, count):
        name = f"more-{count:06}"
        self.wanted.append(name)
        if self.call("RegisterDevice", ProductKey=self.product, DeviceName=name):
            self.devices.add(name)

    def create_product(self, count):
        name = f"product_{count}"
        if self.call("CreateProduct", ProductName=name, NodeType=0):
            self.products.add(name)

    def operate(self, count):
        """A batch for one of the devices that are there, every other one cancelled."""
        name = f"more-{random.randint(1, 1 + len(self.devices)):06}"
        if name not in self.devices:
            return
        answer = self.call("CreateOTAStaticUpgradeJob", ProductKey=self.product,
                           FirmwareId=self.package, TargetSelection="SPECIFIC", OverwriteMode=2,
                           TargetDeviceName=[name])
        if answer is None:
            return
        job = answer["Data"]["JobId"]
        self.batches[job] = False
        if count % 2:
            self.batches[job] = None
            if self.call("CancelOTATaskByJob", JobId=job, CancelQueuedTask=True):
                self.batches[job] = True

    def look(self, count):
        """What a query shows is told as well: it stays."""
        if not self.wanted:
            return
        name = random.choice(list(self.wanted))
        try:
            if self.call("QueryDeviceDetail", ProductKey=self.product, DeviceName=name):
                self.devices.add(name)
        except Refused:
            self.calls["answered"] += 1  # Not there yet.

    # What the test looks at.

    def check_threads(self):
        for thread in self.talkers + self.callers:
            if thread.error:
                raise AssertionError(f"{thread.name} gave up: {thread.error!r}") from thread.error

    def read_events(self):
        """Those that the log has beyond the ones read before."""
        text = self.service.run("log", "show", "--from", str(len(self.events) + 1)).stdout
        self.events += [json.loads(line) for line in text.splitlines()]
        return self.events

    def reports_in_log(self):
        """The versions of each talker, in the log's order."""
        return reports_by_device(self.read_events(), [talker.name for talker in self.talkers])

    def lost_reports(self):
        logged = self.reports_in_log()
        lost = []
        for talker in self.talkers:
            for i in missing(talker.said, logged[talker.name]):
                lost.append((talker.name, i, talker.said[i], talker.rounds[i]))
        return lost

    def lost_answers(self):
        """What an answer told of and is not there."""
        service = self.service
        products = pages(service, "QueryProductList", 200,
                         lambda answer: answer["Data"]["List"]["ProductInfo"], Whole="Data")
        devices = pages(service, "QueryDevice", 50,
                        lambda answer: answer["Data"]["DeviceInfo"], ProductKey=self.product)
        batches = pages(service, "ListOTAJobByFirmware", 200,
                        lambda answer: answer["Data"]["SimpleOTAJobInfo"],
                        FirmwareId=self.package)
        status = {batch["JobId"]: batch["JobStatus"] for batch in batches}
        lost = sorted(self.products - {product["ProductName"] for product in products})
        lost += sorted(self.devices - {device["DeviceName"] for device in devices})
        lost += [job for job in self.batches if job not in status]
        lost += [f"cancelling of {job}" for job, cancelled in self.batches.items()
                 if cancelled and status.get(job) != "CANCELED"]
        return lost


def reports_by_device(events, names):
    """The versions that the log says each device reported; the devices are the first registered."""
    texts, registered, reports = {}, 0, {i + 1: [] for i in range(len(names))}
    for event in events:
        if "versionNamed" in event:
            texts[event["versionNamed"]["version"]] = event["versionNamed"]["text"]
        elif "versionReported" in event:
            report = event["versionReported"]
            if report["device"] in reports:
                reports[report["device"]].append(texts[report["version"]])
    return {name: reports[i + 1] for i, name in enumerate(names)}


def pages(service, action, size, items_of, Whole=None, **parameters):
    """All items of a paged list."""
    items, page = [], 1
    while True:
        answer = service.call(action, CurrentPage=page, PageSize=size, **parameters)
        items += items_of(answer)
        total = (answer[Whole] if Whole else answer)["Total"]
        if page * size >= total:
            return items
        page += 1


class CrashTest(unittest.TestCase):
    def setUp(self):
        # A checkpoint with every digest in the log.
        self.service = Service(options=("--rate-factor", "0", "--checkpoint-events", "1"))
        self.addCleanup(self.service.close)
        self.service.start()
        self.harness = Harness(self.service)
        self.addCleanup(self.harness.over.set)

    def kill_and_verify(self):
        self.service.kill()
        self.harness.away.set()
        self.verify()

    def verify(self):
        """The log is good and adds up to the digests that it holds."""
        verified = json.loads(self.service.run("log", "verify", "--json").stdout)
        self.assertTrue(verified["ok"], verified)
        return verified

    def play_round(self, kind, choice, start_seconds):
        """Ends the engine in one of the ways and starts it again; how long that took."""
        if kind == "starting":
            self.kill_and_verify()
            self.service.launch()
            time.sleep(choice.uniform(0, start_seconds))
        elif kind == "checkpointing":
            self.await_checkpoint()
        else:
            time.sleep(choice.uniform(0, 0.03 if kind == "after start" else 0.8))
        self.kill_and_verify()
        time.sleep(choice.choice((0, 0.2)))
        start_seconds = self.start()
        self.harness.check_threads()
        return start_seconds

    def await_checkpoint(self):
        """Until one is being written, or was a moment ago."""
        directory = os.path.join(self.service.data, "checkpoints")

        def files():
            try:
                return sorted(os.listdir(directory))
            except FileNotFoundError:
                return []
        before, end = files(), time.monotonic() + CHECKPOINT_SECONDS
        while files() == before:
            self.assertLess(time.monotonic(), end, "no checkpoint is made")
            time.sleep(0.0005)

    def start(self):
        began = time.monotonic()
        self.service.start()
        self.harness.away.clear()
        return time.monotonic() - began

    def test_nothing_that_was_acknowledged_is_lost(self):
        choice = random.Random(SEED)
        harness, how = self.harness, collections.Counter()
        harness.set_up()
        start_seconds = 0.5
        for round_number in range(1, ROUNDS + 1):
            kind = choice.choices(("running", "starting", "after start", "checkpointing"),
                                  (12, 4, 2, 2))[0]
            if round_number == ROUNDS // 2:
                kind = "checkpointing"  # One at least.
            how[kind] += 1
            harness.round = f"{round_number} {kind}"
            try:
                start_seconds = self.play_round(kind, choice, start_seconds)
            except BaseException:
                print(f"in round {round_number}, {kind}, seed={SEED}")
                raise

        harness.over.set()
        for thread in harness.talkers + harness.callers:
            thread.join()
        harness.check_threads()
        try:
            wait_until("the log has all reports", lambda: not harness.lost_reports(), 60)
        except AssertionError:
            pass  # Said below, with the rest.
        lost = harness.lost_reports() + harness.lost_answers()
        self.assertEqual(self.service.stop(), 0, self.service.log_tail())  # Writes its digest.
        verified = self.verify()
        replayed = json.loads(self.service.run("replay", "--json").stdout)
        by_qos = [sum(len(talker.said) for talker in harness.talkers[qos::2]) for qos in (0, 1)]
        away = sum(talker.said_while_away for talker in harness.talkers)
        print(f"seed={SEED} rounds={ROUNDS} ({', '.join(f'{n} {k}' for k, n in how.items())}) "
              f"reports={sum(by_qos)} (QoS 0 {by_qos[0]}, QoS 1 {by_qos[1]}; {away} while the "
              f"engine was away) calls={sum(harness.calls.values())} "
              f"(answered {harness.calls['answered']}, unknown {harness.calls['unknown']}) "
              f"events={verified['events']} losses={len(lost)}", flush=True)
        self.assertEqual(lost, [])
        self.assertEqual(replayed["digest"], verified["digest"])
        self.assertGreater(min(by_qos), 0)
        self.assertGreater(away, 0)
        self.assertGreater(len(harness.products), 0)
        self.assertGreater(len(harness.batches), 0)


class CheckerTest(unittest.TestCase):
    """The harness can fail: whichever one item is taken away, it says so."""

    def test_a_report_that_is_not_in_the_log_is_noticed(self):
        versions = 2 * UNDER_WAY
        numbers = list(range(500))
        said = [str(i % versions) for i in numbers]
        again = numbers[:60] + numbers[25:300] + numbers[278:]  # As after two crashes.
        for logged in (numbers, again):
            self.assertEqual(missing(said, [said[n] for n in logged]), [])
            for lost in numbers:
                self.assertIn(lost, missing(said, [said[n] for n in logged if n != lost]))

    def test_the_log_is_read_as_it_is_written(self):
        events = [{"seq": 1, "versionNamed": {"version": 1, "text": "1.0"}},
                  {"seq": 2, "versionReported": {"device": 2, "module": 1, "version": 1}},
                  {"seq": 3, "versionReported": {"device": 9, "module": 1, "version": 1}}]
        self.assertEqual(reports_by_device(events, ["a", "b"]), {"a": [], "b": ["1.0"]})


if __name__ == "__main__":
    run_tests()
