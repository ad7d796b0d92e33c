"""What becomes of a start, or of a running service, when something is wrong with its disk: as its
operator meets it. Each message names the file and the way out, each exit code is the one that
`updraft --help` tells, and no history is ever shorter than it was.
"""

import glob
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from updraft_e2e import BUILD, ROOT, UPDRAFT, Refused, Service, run_tests, wait_until

REFUSED, UNAVAILABLE, DAMAGED = 1, 3, 4
START_SECONDS = 60
# How long a held disk is looked at: nothing must leave, so longer finds no more.
HOLD_SECONDS = 1.5

FAULTY_DISK = BUILD / "tests" / "end_to_end" / "libfaulty_disk.so"
FORGE = BUILD / "tests" / "golden" / "forge"
GOLDEN = ROOT / "tests" / "golden"


class Faults:
    """A disk under one data directory that fails when told to; see faulty_disk.c."""

    def __init__(self, disk):
        self.dir = tempfile.mkdtemp(prefix="updraft-faults-")
        self.environment = {"LD_PRELOAD": str(FAULTY_DISK), "UPDRAFT_DISK": disk,
                            "UPDRAFT_FAULTS": self.dir}

    def begin(self, fault):
        pathlib.Path(self.dir, fault).touch()

    def end(self, fault):
        pathlib.Path(self.dir, fault).unlink()

    def close(self):
        shutil.rmtree(self.dir)


class StartTest(unittest.TestCase):
    """Starts on what is left of a good data directory, which a killed service left behind."""

    @classmethod
    def setUpClass(cls):
        cls.template = tempfile.mkdtemp(prefix="updraft-disk-")
        cls.addClassCleanup(shutil.rmtree, cls.template)
        service = Service(data=cls.template + "/data")
        cls.addClassCleanup(service.close)
        service.start()
        broker = service.broker_pid()
        product = service.create_product()
        service.register(product, [f"device-{i}" for i in range(20)])
        service.kill()
        service.start()  # Writes tables of what was in write-ahead logs.
        for i in range(5):
            service.create_product(f"product_{i}")
        service.kill()
        os.kill(broker, signal.SIGKILL)
        cls.events = len(service.events())

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="updraft-disk-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.data = self.dir + "/data"
        shutil.copytree(self.template + "/data", self.data)
        pathlib.Path(self.data, "broker", "mosquitto.pid").unlink()

    def file(self, pattern):
        return sorted(glob.glob(f"{self.data}/{pattern}"))[-1]

    def flip(self, path, offset):
        with open(path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 0x10]))

    def serve(self, environment=(), **arguments):
        return subprocess.Popen(
            [UPDRAFT, "serve", "--data", self.data, "--http", "127.0.0.1:0", "--with-broker",
             "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | dict(environment), **arguments)

    def assert_refused(self, code, *words, environment=(), **arguments):
        """The start ends with this code and a message that has these words."""
        process = self.serve(environment=environment, **arguments)
        try:
            out, err = process.communicate(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()
            out, err = process.communicate(timeout=START_SECONDS)
            self.fail(f"it serves: {out}{err}")
        self.assertEqual(process.returncode, code, err)
        self.assertEqual(out, "")
        message = err.splitlines()[-1]
        self.assertTrue(message.startswith("updraft: "), err)
        for word in words:
            self.assertIn(word, message)

    def assert_starts(self, *words):
        """It serves, has said these words, and has all of the history."""
        process = self.serve()
        ready = process.stdout.readline()
        process.terminate()
        _, err = process.communicate(timeout=START_SECONDS)
        self.assertIn("ready ", ready, err)
        self.assertEqual(process.returncode, 0, err)
        for word in words:
            self.assertIn(word, err)
        return err

    def updraft(self, *arguments):
        return subprocess.run([UPDRAFT, *arguments], capture_output=True, text=True,
                              timeout=START_SECONDS)

    def count_events(self):
        shown = self.updraft("log", "show", "--data", self.data)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        return len(shown.stdout.splitlines())

    def test_a_whole_directory_starts(self):
        self.assert_starts()
        self.assertGreater(self.count_events(), self.events)

    def test_a_missing_file_of_the_log_is_named(self):
        for pattern in ("log/CURRENT", "log/MANIFEST-*", "log/*.log", "log/*.sst"):
            with self.subTest(pattern):
                path = self.file(pattern)
                os.rename(path, self.dir + "/away")
                name = "write-ahead log" if pattern.endswith(".log") else os.path.basename(path)
                self.assert_refused(DAMAGED, name, self.data + "/log", "restore the directory")
                os.rename(self.dir + "/away", path)
        self.assert_starts()

    def test_a_log_that_is_gone_is_not_begun_anew(self):
        shutil.rmtree(self.data + "/log")
        self.assert_refused(DAMAGED, self.data + "/sidecar.key", "no log", "restore")
        os.makedirs(self.data + "/log", exist_ok=True)
        self.assert_refused(DAMAGED, self.data + "/sidecar.key", "no log", "restore")

    def test_a_missing_or_spoilt_key_is_named(self):
        for name in ("sidecar.key", "installation.key"):
            with self.subTest(name):
                path = f"{self.data}/{name}"
                os.rename(path, self.dir + "/away")
                self.assert_refused(REFUSED, path, "is missing: restore it from its backup")
                with open(path, "w") as file:
                    file.write("some text\n")
                self.assert_refused(DAMAGED, path, "holds no key", "restore it from its backup")
                with open(path, "w") as file:
                    file.write("ab" * 32 + "\n")
                if name == "sidecar.key":
                    self.assert_refused(REFUSED, path, "is of another log")
                os.rename(self.dir + "/away", path)
        self.assert_starts()

    def test_the_note_of_the_head_may_be_missing_but_not_spoilt(self):
        path = self.file("log/HEAD")
        with open(path, "a") as file:
            file.write("x")
        self.assert_refused(DAMAGED, path, "remove it")
        os.unlink(path)
        self.assert_starts("HEAD was missing")

    def test_a_damaged_record_in_the_middle_is_refused(self):
        path = self.file("log/*.log")
        self.flip(path, os.path.getsize(path) // 2)
        self.assert_refused(DAMAGED, path, "is damaged at byte", "restore the directory")

    def test_a_damaged_table_is_refused_by_every_command(self):
        path = max(glob.glob(self.data + "/log/*.sst"), key=os.path.getsize)
        self.flip(path, os.path.getsize(path) // 4)
        self.assert_refused(DAMAGED, path, "restore the directory")
        for command in (("replay",), ("log", "export", self.dir + "/export")):
            with self.subTest(command):
                answer = self.updraft(*command, "--data", self.data)
                self.assertEqual(answer.returncode, DAMAGED, answer)
                self.assertIn(path, answer.stdout + answer.stderr)
        self.assertFalse(os.path.exists(self.dir + "/export"))

    def test_a_torn_tail_is_cut_and_said_so(self):
        path = self.file("log/*.log")
        os.truncate(path, os.path.getsize(path) - 3)
        said = self.assert_starts("bytes off the end of " + path, "writing was interrupted")
        self.assertIn("level=warn", said)

    def test_a_last_record_in_doubt_is_cut_only_when_an_operator_says_so(self):
        path = self.file("log/*.log")
        self.flip(path, os.path.getsize(path) - 3)
        self.assert_refused(DAMAGED, path, "the last record fails its checksum",
                            "updraft log cut-damaged-tail")
        cut = self.updraft("log", "cut-damaged-tail", "--data", self.data)
        self.assertEqual(cut.returncode, 0, cut.stderr)
        self.assertIn("bytes off the end of " + path, cut.stdout)
        self.assert_starts()

    def test_damage_in_the_middle_is_not_cut(self):
        path = self.file("log/*.log")
        self.flip(path, os.path.getsize(path) // 2)
        cut = self.updraft("log", "cut-damaged-tail", "--data", self.data)
        self.assertEqual(cut.returncode, DAMAGED, cut.stdout)
        self.assertIn(path, cut.stderr)

    def test_a_log_of_a_newer_build_is_refused_by_its_name(self):
        forged = self.forge("newer-schema")[1]
        for command in (("log", "verify"), ("replay",)):
            with self.subTest(command):
                answer = self.updraft(*command, "--data", self.data)
                self.assertEqual(answer.returncode, REFUSED, answer)
                self.assertRegex(answer.stderr, "newer build '99.1.0'.*run that build")
        answer = self.updraft("log", "verify", "--file", forged)
        self.assertEqual(answer.returncode, REFUSED, answer)
        self.assert_refused(REFUSED, "newer build '99.1.0'", "run that build")

    def test_a_build_that_folds_otherwise_names_the_first_commit_where_digests_differ(self):
        event, forged = self.forge("other-digest")
        for command in (("log", "verify", "--data", self.data), ("replay", "--data", self.data),
                        ("log", "verify", "--file", forged)):
            with self.subTest(command):
                answer = self.updraft(*command)
                self.assertEqual(answer.returncode, DAMAGED, answer)
                self.assert_names_the_commit(event, answer.stderr)
        verified = json.loads(self.updraft("log", "verify", "--json", "--file", forged).stdout)
        self.assertFalse(verified["ok"])
        self.assert_names_the_commit(event, verified["why"])
        self.assert_refused(DAMAGED, f"event {event} records the digest")

    def assert_names_the_commit(self, event, text):
        self.assertIn(f"event {event} records the digest", text)
        digests = re.findall(r"\b[0-9a-f]{32}\b", text)
        self.assertEqual(len(set(digests)), 2, text)
        self.assertEqual(digests[0][:-1], digests[1][:-1])  # The forger changed one bit.

    def forge(self, how):
        """Makes the data directory one of a forged log; what was changed, and the log's export."""
        shutil.rmtree(self.data)
        forged = self.dir + "/forged"
        event = subprocess.run([FORGE, how, GOLDEN / "schema-1.export", forged], check=True,
                               capture_output=True, text=True).stdout.strip()
        imported = self.updraft("log", "import", forged, "--data", self.data)
        self.assertEqual(imported.returncode, 0, imported.stderr)
        return event, forged

    @unittest.skipIf(os.geteuid() != 0, "only root may give files to others")
    def test_wrong_permissions_are_named(self):
        for pattern, doing in (("installation.key", "open"), ("sidecar.key", "open"),
                               ("log/*.sst", "open"), ("log/*.log", "open"), ("log", "directory")):
            with self.subTest(pattern):
                self.own(self.dir, 65534)
                path = self.file(pattern)
                os.chown(path, 0, 0)
                os.chmod(path, 0o700)
                self.assert_refused(REFUSED, path, doing, "Permission denied", "this",
                                    user=65534, group=65534, extra_groups=[])

    def own(self, path, user):
        os.chown(path, user, user)
        for directory, names, files in os.walk(path):
            for name in names + files:
                os.chown(os.path.join(directory, name), user, user)

    def test_a_full_disk_is_named(self):
        self.assert_fault("full", UNAVAILABLE, "No space left on device", "free space")

    def test_a_read_only_file_system_is_named(self):
        self.assert_fault("read-only", REFUSED, "Read-only file system", "mount")

    def test_a_disk_that_does_not_sync_is_named(self):
        self.assert_fault("sync-fails", DAMAGED, "Input/output error", "the disk fails")

    def assert_fault(self, fault, code, *words):
        faults = Faults(self.data)
        self.addCleanup(faults.close)
        faults.begin(fault)
        self.assert_refused(code, self.data, *words, environment=faults.environment)
        faults.end(fault)
        self.assert_starts()
        self.assertGreaterEqual(self.count_events(), self.events)


class Asker(threading.Thread):
    """Makes one call; `answer` is what came of it."""

    def __init__(self, service, action, **parameters):
        super().__init__(daemon=True)
        self._call = lambda: service.call(action, **parameters)
        self.answer = None
        self.start()

    def run(self):
        try:
            self.answer = self._call()
        except (Refused, OSError, http.client.HTTPException) as answer:
            self.answer = answer


class RunningTest(unittest.TestCase):
    """A disk that fails under a service that runs."""

    def setUp(self):
        self.service = Service()
        self.addCleanup(self.service.close)
        self.faults = Faults(self.service.data + "/log")
        self.addCleanup(self.faults.close)
        self.service.environment = self.faults.environment
        self.service.start()
        self.product = self.service.create_product("first")
        secret = self.service.register(self.product, ["device-1"])["device-1"]
        self.device = self.service.device(self.product, "device-1", secret)
        self.addCleanup(self.device.drop)
        self.report("1.0.0")

    def report(self, version):
        self.device.publish(f"/ota/device/inform/{self.product}/device-1",
                            f'{{"id":1,"params":{{"version":"{version}"}}}}', qos=1)

    def reported(self):
        return [event for event in self.service.events() if "versionReported" in event]

    def follow(self):
        """The numbers of the events that a stream has told of, as they come."""
        numbers, stream = [], self.service.follow()

        def read():
            for line in stream:
                if line.startswith(b"id: "):
                    numbers.append(int(line[4:]))
        threading.Thread(target=read, daemon=True).start()
        return numbers

    def test_while_the_disk_does_not_sync_nothing_leaves(self):
        wait_until("the report is in the log", self.reported)
        streamed = self.follow()
        wait_until("the stream is up to date",
                   lambda: len(streamed) == len(self.service.events()))
        before = len(streamed)
        self.faults.begin("sync-hangs")
        created = Asker(self.service, "CreateProduct", ProductName="second", NodeType=0)
        time.sleep(0.2)  # It is in the world by now, and what follows is answered out of that.
        refused = Asker(self.service, "CreateProduct", ProductName="first", NodeType=0)
        read = Asker(self.service, "QueryProductList", CurrentPage=1, PageSize=10)
        self.report("2.0.0")
        time.sleep(HOLD_SECONDS)
        self.assertEqual([created.answer, refused.answer, read.answer], [None, None, None])
        self.assertEqual(len(streamed), before)
        self.faults.end("sync-hangs")
        for asker in (created, refused, read):
            asker.join()
        self.assertTrue(created.answer["ProductKey"])
        self.assertIsInstance(refused.answer, Refused)
        self.assertEqual(read.answer["Data"]["Total"], 2)
        wait_until("the stream goes on", lambda: len(streamed) > before)
        wait_until("the report is in the log", lambda: len(self.reported()) == 2)

    def test_a_report_that_did_not_become_durable_comes_again(self):
        wait_until("the report is in the log", self.reported)
        self.faults.begin("sync-hangs")
        created = Asker(self.service, "CreateProduct", ProductName="second", NodeType=0)
        self.report("2.0.0")
        time.sleep(HOLD_SECONDS)
        self.assertIsNone(created.answer)
        self.service.kill()
        created.join()
        self.faults.end("sync-hangs")
        self.service.start()
        # Had the engine acknowledged it, the broker would have forgotten it.
        wait_until("the report is in the log", lambda: len(self.reported()) == 2, 30)

    def test_after_a_failed_write_all_is_refused_and_a_restart_has_what_was_told(self):
        for fault, words in (("full", "No space left on device"),
                             ("sync-fails", "Input/output error")):
            with self.subTest(fault):
                told = f"told_{fault[:4]}"
                self.service.create_product(told)
                self.faults.begin(fault)
                with self.assertRaises(Refused) as failed:
                    self.service.create_product("lost")
                self.assertIn(words, str(failed.exception))
                self.assertIn("start again", str(failed.exception))
                self.faults.end(fault)
                with self.assertRaises(Refused):
                    self.service.create_product("more")
                with self.assertRaises(Refused):
                    self.service.call("QueryProductList", CurrentPage=1, PageSize=10)
                status, why = self.service.request("GET", "/readyz")
                self.assertEqual(status, 503)
                self.assertIn(words, why)
                self.assertIn(words, self.service.log_tail())
                self.service.kill()
                self.service.start()
                answer = self.service.call("QueryProductList", CurrentPage=1, PageSize=50)
                names = [product["ProductName"] for product in
                         answer["Data"]["List"]["ProductInfo"]]
                self.assertIn(told, names)
                self.assertNotIn("more", names)
        verified = json.loads(self.service.run("log", "verify", "--json").stdout)
        self.assertTrue(verified["ok"])


if __name__ == "__main__":
    run_tests()
