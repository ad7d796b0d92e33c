"""`updraft log` and `updraft replay` on the log of a real service: what an export tells and what it
does not, what a kept head proves, what stays of a deleted device, and any moment of the past."""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from updraft_e2e import BUILD, DEADLINE_SECONDS, ROOT, UPDRAFT, Service, run_tests

REFUSED, DAMAGED = 1, 4
FORGE = BUILD / "tests" / "golden" / "forge"
GOLDEN = ROOT / "tests" / "golden" / "schema-1.export"

DEVICE, NICKNAME, WORDS = "kitchen-window", "behind the curtain", "the battery of Bob is worn out"


def updraft(*arguments):
    return subprocess.run([UPDRAFT, *map(str, arguments)], capture_output=True, text=True,
                          timeout=DEADLINE_SECONDS)


class LogCase(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="updraft-log-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def ok(self, *arguments):
        """What the command printed; it must succeed."""
        done = updraft(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def verify(self, data):
        return json.loads(self.ok("log", "verify", "--data", data, "--json"))

    def digest(self, data, *options):
        return json.loads(self.ok("replay", "--data", data, "--json", *options))["digest"]


class HistoryTest(LogCase):
    """The log of a service that had a device with a name, a nickname, a secret, and words."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.addClassCleanup(cls.service.close)
        service = cls.service.start()
        cls.product = service.create_product("plant")
        told = service.call("RegisterDevice", ProductKey=cls.product, DeviceName=DEVICE,
                            Nickname=NICKNAME)["Data"]
        other = service.call("RegisterDevice", ProductKey=cls.product,
                             DeviceName="cellar-door")["Data"]
        product_secret = service.call("QueryProduct",
                                      ProductKey=cls.product)["Data"]["ProductSecret"]
        cls.secrets = [DEVICE, NICKNAME, WORDS, told["DeviceSecret"], other["DeviceSecret"],
                       product_secret, service.key["AccessKeySecret"]]
        device = service.device(cls.product, DEVICE, told["DeviceSecret"])
        device.publish(f"/ota/device/inform/{cls.product}/{DEVICE}",
                       '{"id":1,"params":{"version":"1.0.0"}}', qos=1)
        package = service.create_package(cls.product, b"firmware")
        cls.job = service.create_batch(cls.product, package)
        service.wait_for_counts(cls.job, NOTIFIED=1, QUEUED=1)
        cls.notified = len(service.events())
        device.publish(f"/ota/device/progress/{cls.product}/{DEVICE}",
                       f'{{"id":2,"params":{{"step":"-1","desc":"{WORDS}"}}}}', qos=1)
        service.wait_for_counts(cls.job, FAILED=1, QUEUED=1)
        assert WORDS in service.tasks(cls.job)[DEVICE]["TaskDesc"]
        device.drop()
        assert service.stop() == 0, service.log_tail()
        cls.data = service.data

    def assert_tells_no_secret(self, path):
        content = pathlib.Path(path).read_bytes()
        for secret in self.secrets:
            for form in (secret.encode(), secret.encode().hex().encode(),
                         base64.b64encode(secret.encode()).rstrip(b"=")[:-1]):
                self.assertNotIn(form, content, (path, secret))

    def test_an_export_without_names_tells_no_name_and_no_secret(self):
        end = len(self.service.events())
        for name, options in (("all", ()), ("excerpt", ("--from", 3, "--to", end - 2)),
                              ("begin", ("--to", end - 2))):
            path = self.dir / name
            self.ok("log", "export", path, "--data", self.data, "--without-names", *options)
            self.assert_tells_no_secret(path)
            self.ok("log", "verify", "--file", path)
        laptop = self.dir / "laptop"
        self.ok("log", "import", self.dir / "all", "--data", laptop)
        self.assertEqual(self.digest(laptop), self.digest(self.data))
        self.assertIn("version 1.0.0", self.ok("replay", "--data", laptop, "device", "#1"))

    def test_an_export_with_names_opens_with_the_key_only(self):
        path = self.dir / "export"
        self.ok("log", "export", path, "--data", self.data)
        self.assert_tells_no_secret(path)
        refused = updraft("log", "import", path, "--data", self.dir / "laptop")
        self.assertEqual(refused.returncode, REFUSED)
        self.assertIn("name the key file", refused.stderr)
        shutil.rmtree(self.dir / "laptop")
        self.ok("log", "import", path, "--data", self.dir / "laptop", "--names-key",
                self.data + "/sidecar.key")
        shown = self.ok("replay", "--data", self.dir / "laptop", "explain",
                        f"{self.product}/{DEVICE}")
        self.assertIn(WORDS, shown)
        self.assertEqual(self.verify(self.dir / "laptop"), self.verify(self.data))

    def test_the_files_of_the_log_tell_no_secret(self):
        for path in pathlib.Path(self.data, "log").iterdir():
            self.assert_tells_no_secret(path)

    def test_any_moment_is_asked_as_of_then(self):
        to = ("replay", "--data", self.data, "--to", self.notified)
        device = f"{self.product}/{DEVICE}"
        self.assertRegex(self.ok(*to, "batch", self.job), "QUEUED 1, NOTIFIED 1")
        self.assertRegex(self.ok(*to, "tasks", self.job), f"{DEVICE} +NOTIFIED")
        self.assertIn("upgrade to 2.0.0: NOTIFIED", self.ok(*to, "device", device))
        self.assertNotIn(WORDS, self.ok(*to, "explain", device))
        now = ("replay", "--data", self.data)
        self.assertRegex(self.ok(*now, "batch", self.job), "QUEUED 1, FAILED 1")
        self.assertIn("upgrade to 2.0.0: FAILED", self.ok(*now, "device", device))
        self.assertIn(WORDS, self.ok(*now, "explain", device))

        pushed = next(event for event in self.service.events() if "taskPushed" in event)
        at = json.loads(self.ok(*to[:3], "--to", pushed["seq"], "--json"))
        by_time = json.loads(self.ok("replay", "--data", self.data, "--at", at["time"], "--json"))
        self.assertGreaterEqual(by_time["events"], pushed["seq"])
        self.assertEqual(by_time["time"], at["time"])
        too_early = updraft(*to[:3], "--to", 1, "batch", self.job)
        self.assertNotEqual(too_early.returncode, 0)
        self.assertIn("at that moment", too_early.stderr)

    def test_what_changed_between_two_moments_is_told(self):
        changed = self.ok("replay", "--data", self.data, "--diff", self.notified,
                          len(self.service.events()))
        self.assertIn(f"task of {DEVICE} in batch 1: NOTIFIED -> FAILED", changed)
        self.assertNotIn("cellar-door", changed)
        self.assertEqual(self.ok("replay", "--data", self.data, "--diff", 5, 5), "")

    def test_a_replay_tells_how_fast_it_was(self):
        self.assertRegex(self.ok("replay", "--data", self.data),
                         r"replayed (\d+) of \1 events, to .*Z, in [\d.]+ s \(\d+ events/s\)\n"
                         r"digest [0-9a-f]{32}\n")


class DeletionTest(LogCase):
    def test_a_deleted_device_leaves_no_name_and_the_log_stays_good(self):
        service = Service()
        self.addCleanup(service.close)
        service.start()
        product = service.create_product()
        for name in (DEVICE, "cellar-door"):
            service.call("RegisterDevice", ProductKey=product, DeviceName=name)
        before = self.verify(service.data)
        service.call("DeleteDevice", ProductKey=product, DeviceName=DEVICE)
        after = self.verify(service.data)
        self.assertTrue(after["ok"])
        self.assertEqual(after["names"], before["names"] - 1)
        self.assertEqual(service.stop(), 0)
        self.assertEqual(self.digest(service.data), self.verify(service.data)["digest"])
        gone = updraft("replay", "--data", service.data, "device", f"{product}/{DEVICE}")
        self.assertIn("a deleted one has no name any more", gone.stderr)
        # Not even at a moment when it was there.
        gone = updraft("replay", "--data", service.data, "--to", before["events"], "device",
                       f"{product}/{DEVICE}")
        self.assertIn("a deleted one has no name any more", gone.stderr)


class NamesTest(LogCase):
    """What verifying says of names and secrets, which are beside the chain."""

    def setUp(self):
        super().setUp()
        self.data = self.dir / "data"
        self.ok("log", "import", GOLDEN, "--data", self.data, "--names-key",
                GOLDEN.with_suffix(".key"))
        self.key = self.data / "sidecar.key"

    def test_all_that_can_be_read_are_counted(self):
        self.assertRegex(self.ok("log", "verify", "--data", self.data),
                         r"names and secrets: \d+, all readable\n")
        self.assertGreater(self.verify(self.data)["names"], 0)

    def test_without_their_key_all_else_is_verified(self):
        whole = self.verify(self.data)
        self.key.unlink()
        self.assertIn("names and secrets were not looked at: their key is not there\n",
                      self.ok("log", "verify", "--data", self.data))
        without = self.verify(self.data)
        self.assertNotIn("names", without)
        self.assertEqual(without["digest"], whole["digest"])

    def test_another_key_is_refused(self):
        self.key.write_text("00" * 32 + "\n")
        answer = updraft("log", "verify", "--data", self.data)
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("sidecar.key", answer.stderr)


class HeadTest(LogCase):
    """A signed head, kept elsewhere, and what it is compared with."""

    def setUp(self):
        super().setUp()
        self.imported("whole", GOLDEN)
        self.head = self.dir / "head.txt"
        self.head.write_text(self.ok("log", "head", "--data", self.dir / "whole"))

    def imported(self, name, path):
        self.ok("log", "import", path, "--data", self.dir / name, "--names-key",
                GOLDEN.with_suffix(".key"))
        return self.dir / name

    def compare(self, data):
        return updraft("log", "compare", self.head, "--data", data)

    def test_the_same_log_is_the_same_and_a_longer_one_goes_on(self):
        self.assertIn("is the same", self.compare(self.dir / "whole").stdout)
        events = self.verify(self.dir / "whole")["events"]
        begin = self.dir / "begin.export"
        self.ok("log", "export", begin, "--data", self.dir / "whole", "--to", events - 5,
                "--without-names")
        shorter = self.imported("shorter", begin)
        self.head.write_text(self.ok("log", "head", "--data", shorter))
        answer = self.compare(self.dir / "whole")
        self.assertEqual(answer.returncode, 0)
        self.assertIn("goes on", answer.stdout)

    def test_a_log_that_was_cut_is_noticed(self):
        events = self.verify(self.dir / "whole")["events"]
        begin = self.dir / "begin.export"
        self.ok("log", "export", begin, "--data", self.dir / "whole", "--to", events - 5,
                "--without-names")
        answer = self.compare(self.imported("shorter", begin))
        self.assertEqual(answer.returncode, DAMAGED)
        self.assertIn("was cut off", answer.stdout)

    def test_a_log_that_was_rewritten_is_noticed(self):
        forged = self.dir / "forged"
        subprocess.run([FORGE, "other-digest", GOLDEN, forged], check=True, capture_output=True)
        answer = self.compare(self.imported("rewritten", forged))
        self.assertEqual(answer.returncode, DAMAGED)
        self.assertIn("was rewritten", answer.stdout)

    def test_a_head_that_was_changed_is_none(self):
        text = self.head.read_text()
        self.assertRegex(text, r"^updraft log head 1\nengine=1\nevent=\d+\nhash=[0-9a-f]{64}\n")
        event = int(re.search(r"event=(\d+)", text)[1])
        self.head.write_text(text.replace(f"event={event}", f"event={event - 1}"))
        answer = self.compare(self.dir / "whole")
        self.assertEqual(answer.returncode, DAMAGED)
        self.assertIn("changed after it was signed", answer.stderr)


if __name__ == "__main__":
    run_tests()
