"""Whole batches with the real program, its broker and its plugin."""

import json
import os
import signal
import unittest

from updraft_e2e import (DEADLINE_SECONDS, LONG, Fleet, Service, mqtt_raw, real_device,
                         run_tests, wait_until)

FIRMWARE = bytes(range(256)) * 200
SIMULATED = 5000 if LONG else 50
KILLS = 9 if LONG else 1


class BatchTest(unittest.TestCase):
    def setUp(self):
        self.service = Service()
        self.addCleanup(self.service.close)
        self.service.start()
        self.product = self.service.create_product()

    def device(self, name, secret):
        device = self.service.device(self.product, name, secret)
        self.addCleanup(device.drop)
        return device

    def fleet(self, count, *options):
        names = [f"sim-{i:04}" for i in range(count)]
        secrets = self.service.register(self.product, names)
        fleet = Fleet(self.service, self.product, secrets, *options, "--timeout-s",
                      str(DEADLINE_SECONDS))
        self.addCleanup(fleet.stop)
        return fleet

    def real_device(self, name, secret, *options):
        device = real_device(self.service, self.product, name, secret, *options)
        self.addCleanup(device.stop)
        return device

    def start_batch(self, **parameters):
        package = self.service.create_package(self.product, FIRMWARE)
        return self.service.create_batch(self.product, package, **parameters)

    def prove_log(self):
        """The log verifies, and its replay has the digest that verifying found."""
        self.assertEqual(self.service.stop(), 0, self.service.log_tail())
        verified = json.loads(self.service.run("log", "verify", "--json").stdout)
        replayed = json.loads(self.service.run("replay", "--json").stdout)
        self.assertTrue(verified["ok"])
        self.assertEqual(replayed["digest"], verified["digest"])

    def test_real_and_simulated_devices_come_to_their_ends(self):
        secrets = self.service.register(self.product, ["sdk-1", "sdk-2", "sdk-fails"])
        devices = [self.real_device(name, secret,
                                    *(["--fail=-4"] if name == "sdk-fails" else []))
                   for name, secret in secrets.items()]
        for device in devices:
            device.wait_for_line(" report ")
        fleet = self.fleet(
            SIMULATED, "--mix", "honest=5,slow=1,silent=1,failing=1,wrong_version=1,returning=1,"
            "rebooting=1,duplicating=1,twofold=1")
        job = self.start_batch()
        counts = self.service.wait_for_end(job)
        self.assertEqual(sum(counts.values()), SIMULATED + 3)

        for device in devices:
            self.assertEqual(device.wait(), 0, device.lines)
        for device in devices[:2]:
            for step in ("report", "notice", "download", "digest", "progress", "reboot"):
                self.assertTrue(any(f" {step} " in line for line in device.lines), device.lines)
            self.assertTrue(any("fits" in line for line in device.lines))
        result = fleet.result()
        self.assertEqual(result["unfinished"], 0, result)
        self.assertEqual(result["notices_unreadable"], 0)
        self.assertEqual(result["downloads_refused"], 0)

        tasks = self.service.tasks(job)
        state_of = {"upgraded": "SUCCEEDED", "failed": "FAILED", "wrong_version": "FAILED"}
        for name, (behaviour, end, _, _) in fleet.ends().items():
            self.assertEqual(tasks[name]["TaskStatus"], state_of[end], (name, behaviour))
        self.assertEqual(tasks["sdk-1"]["TaskStatus"], "SUCCEEDED")
        self.assertEqual(tasks["sdk-fails"]["TaskStatus"], "FAILED")
        self.assertIn("failed on purpose", tasks["sdk-fails"]["TaskDesc"])
        self.prove_log()

    def test_a_server_killed_in_the_middle_goes_on_and_every_device_ends_once(self):
        devices = 200 * KILLS
        fleet = self.fleet(devices, "--mix", "honest=8,failing=1,silent=1")
        job = self.start_batch()
        for kill in range(1, KILLS + 1):
            done = kill * devices // (KILLS + 1)
            wait_until(f"{done} are through",
                       lambda: self.service.counts(job).get("SUCCEEDED", 0) >= done * 0.8)
            self.service.kill()
            self.service.start()
        counts = self.service.wait_for_end(job)
        self.assertEqual(sum(counts.values()), devices)
        result = fleet.result()
        self.assertEqual(result["unfinished"], 0, result)

        tasks = self.service.tasks(job)
        for name, (behaviour, end, _, _) in fleet.ends().items():
            expected = "SUCCEEDED" if end == "upgraded" else "FAILED"
            self.assertEqual(tasks[name]["TaskStatus"], expected, (name, behaviour))
        self.assertEqual(self.service.stop(), 0, self.service.log_tail())

        # One first push each; what came on top was said again, for a device that came back or
        # for the window that the kill left in doubt.
        pushes = [event["taskPushed"] for event in self.service.events() if "taskPushed" in event]
        first = [push["task"] for push in pushes if push.get("kind", "first") == "first"]
        self.assertEqual(len(first), devices)
        self.assertEqual(len(set(first)), devices)

    def test_a_broker_killed_under_a_batch_costs_nobody_the_upgrade(self):
        fleet = self.fleet(100, "--mix", "honest=1")
        job = self.start_batch()
        wait_until("a quarter is through",
                   lambda: self.service.counts(job).get("SUCCEEDED", 0) >= 25)
        os.kill(self.service.broker_pid(), signal.SIGKILL)
        self.service.wait_for_counts(job, SUCCEEDED=100)
        result = fleet.result()
        self.assertEqual(result["unfinished"], 0, result)
        self.assertGreater(result["connections_lost"], 0)

    def test_a_client_that_subscribes_to_nothing_gets_one_copy(self):
        secrets = self.service.register(self.product, ["mute", "asking"])
        topics = {name: f"/ota/device/upgrade/{self.product}/{name}" for name in secrets}
        mute = self.device("mute", secrets["mute"])
        asking = self.device("asking", secrets["asking"])
        asking.subscribe(topics["asking"])
        for name, device in (("mute", mute), ("asking", asking)):
            device.publish(f"/ota/device/inform/{self.product}/{name}",
                           '{"id":1, "params":{"version":"1.0.0"}}')
        job = self.start_batch()
        self.service.wait_for_counts(job, NOTIFIED=2)
        for name, device in (("mute", mute), ("asking", asking)):
            message = device.receive()
            self.assertEqual(message.topic, topics[name])
            self.assertEqual(json.loads(message.payload)["data"]["version"], "2.0.0")
            device.ping()  # What was on its way has come.
            self.assertFalse(device.messages)

    def test_what_a_device_must_not_say_changes_nothing_and_is_counted(self):
        secrets = self.service.register(self.product, ["good-1", "bad-1"])
        good = self.device("good-1", secrets["good-1"])
        inform = f"/ota/device/inform/{self.product}"
        progress = f"/ota/device/progress/{self.product}"
        good.publish(f"{inform}/good-1", '{"id":1, "params":{"version":"1.0.0"}}', qos=1)
        job = self.start_batch(TargetSelection="SPECIFIC", TargetDeviceName=["good-1", "bad-1"])
        self.service.wait_for_counts(job, NOTIFIED=1, QUEUED=1)
        bad = self.device("bad-1", secrets["bad-1"])
        self.service.wait_for_counts(job, NOTIFIED=2)
        before = self.service.rejected()

        malformed = ["", "not JSON", "[]", '{"id":1', '{"params":7}', '{"params":{"version":7}}',
                     '{"params":{"version":"no blank"}}', '{"params":{}}', "\xff\xfe", "{" * 5000]
        for payload in malformed:
            bad.publish(f"{inform}/bad-1", payload.encode("latin-1"), qos=1)
        for step in ('"x"', '"101.5"', '"-5"', "[]", "{}", "null"):
            bad.publish(f"{progress}/bad-1", f'{{"id":1,"params":{{"step":{step}}}}}', qos=1)
        # What the engine gets to see is counted there; the rest ends at the gate.
        wait_until("the engine has counted them", lambda: self.service.rejected() > before)

        report = '{"id":1, "params":{"version":"2.0.0"}}'
        bad.publish(f"{inform}/good-1", report, qos=1)
        bad.publish(f"{inform}/unknown", report, qos=1)
        bad.publish("updraft/up/inform/x/y", report, qos=1)
        try:
            bad.publish(f"{inform}/bad-1", b"x" * 1_000_000, qos=1)
        except (mqtt_raw.Closed, OSError):
            pass  # The broker may hang up on it.
        self.assertNotEqual(self.device("unknown", "secret").code, 0)
        self.assertNotEqual(self.device("good-1", "wrong").code, 0)

        good.publish(f"{inform}/good-1", report, qos=1)
        self.service.wait_for_counts(job, SUCCEEDED=1, NOTIFIED=1)
        self.assertEqual(self.service.tasks(job)["bad-1"]["TaskStatus"], "NOTIFIED")


class EndTest(unittest.TestCase):
    def setUp(self):
        self.service = Service()
        self.addCleanup(self.service.close)
        self.service.start()

    def test_sigterm_ends_it_in_order_with_code_0(self):
        product = self.service.create_product()
        secrets = self.service.register(product, [f"dev-{i}" for i in range(20)])
        self.assertEqual(len(secrets), 20)
        broker = self.service.broker_pid()
        self.assertEqual(self.service.stop(), 0, self.service.log_tail())
        self.assertFalse(os.path.exists(f"/proc/{broker}"))
        self.service.start()
        answer = self.service.call("QueryDevice", ProductKey=product, PageSize=50)
        self.assertEqual(answer["Total"], 20)

    def test_a_second_engine_on_the_same_data_is_refused(self):
        other = Service(data=self.service.data)
        self.addCleanup(other.close)
        with self.assertRaisesRegex(AssertionError, "did not start"):
            other.start()
        self.assertIn(self.service.data, other.log_tail())
        self.service.create_product()


if __name__ == "__main__":
    run_tests()
