"""`updraft watch` and `updraft follow` on the stream of events: what they show when connections
break and the service restarts, and what a reader that does not read costs."""

import json
import socket
import unittest
import urllib.parse

import updraft_e2e
from updraft_e2e import DEADLINE_SECONDS, Process, Service, wait_until


class WatchTest(unittest.TestCase):
    def setUp(self):
        self.service = Service().start()
        self.addCleanup(self.service.close)
        self.product = self.service.create_product()
        self.secrets = self.service.register(self.product, ["dev-1", "dev-2", "dev-3"])

    def connect(self):
        """The devices, that report 1.0.0."""
        self.devices = {}
        for name, secret in self.secrets.items():
            self.devices[name] = self.service.device(self.product, name, secret)
            self.addCleanup(self.devices[name].drop)
            self.report(name, "1.0.0")

    def report(self, name, version):
        self.devices[name].publish(f"/ota/device/inform/{self.product}/{name}",
                                   json.dumps({"id": 1, "params": {"version": version}}), qos=1)

    def start(self, *arguments):
        process = Process([updraft_e2e.UPDRAFT, *arguments, "--data", self.service.data])
        self.addCleanup(process.stop)
        return process

    def test_a_watch_sees_a_batch_to_its_end_over_a_restart_of_the_service(self):
        self.connect()
        package = self.service.create_package(self.product, b"firmware")
        job = self.service.create_batch(self.product, package)
        watch = self.start("watch", job, "--interval", "50")
        watch.wait_for_line("3 pushed")
        self.report("dev-1", "2.0.0")
        watch.wait_for_line("1 success")
        self.service.kill()
        self.service.start()
        self.connect()
        for name in self.devices:
            self.report(name, "2.0.0")
        watch.wait_for_line("3 of 3 done, 3 success [COMPLETED]")
        self.assertEqual(watch.wait(), 0)

    def test_followed_events_are_the_log_across_restarts(self):
        follow = self.start("follow")
        follow.wait_for_line('"seq":1')
        for round_number in range(3):
            for i in range(20):
                self.service.call("RegisterDevice", ProductKey=self.product,
                                  DeviceName=f"more-{round_number}-{i}")
            if round_number == 1:
                self.service.stop()
            else:
                self.service.kill()
            self.service.start()
        last = self.service.call("CreateProduct", ProductName="the_last", NodeType=0)["ProductKey"]
        follow.wait_for_line(last)
        lines = list(follow.lines)
        follow.stop()
        self.service.stop()
        log = self.service.run("log", "show").stdout.splitlines()
        self.assertEqual(lines, log[:len(lines)])
        self.assertGreater(len(lines), 60)

    def test_a_reader_that_does_not_read_costs_nobody_anything(self):
        # More history than buffers hold.
        for i in range(40):
            self.service.register(self.product, [f"many-{i}-{j}" for j in range(500)])
        lazy = self.follow_by_hand()
        before = self.service.metrics()["updraft_event_readers"]
        self.assertGreaterEqual(before, 0)
        for i in range(50):
            self.service.call("RegisterDevice", ProductKey=self.product, DeviceName=f"meanwhile-{i}")
        wait_until("it is dropped", lambda: self.service.metrics()[
            "updraft_event_readers_dropped_total"] == 1, seconds=2 * DEADLINE_SECONDS)
        text = b""
        while part := lazy.recv(1 << 20):
            text += part
        ids = [int(line[4:]) for line in text.decode().splitlines() if line.startswith("id: ")]
        self.assertIn("event: dropped", text.decode())
        # Without a gap up to where it is told that it stood.
        self.assertEqual(ids[:-1], list(range(1, ids[-1] + 1)))
        rest = self.service.run("follow", "--from", str(ids[-1] + 1), "--until",
                                str(ids[-1] + 10)).stdout.splitlines()
        self.assertEqual([json.loads(line)["seq"] for line in rest],
                         list(range(ids[-1] + 1, ids[-1] + 11)))

    def follow_by_hand(self):
        """A connection that has asked for all events and reads none."""
        parameters = self.service.signed("GET", "FollowEvents")
        host, port = self.service.http.rsplit(":", 1)
        connection = socket.socket()
        self.addCleanup(connection.close)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(DEADLINE_SECONDS)
        connection.connect((host, int(port)))
        connection.sendall(f"GET /events?{urllib.parse.urlencode(parameters)} HTTP/1.1\r\n"
                           f"Host: {self.service.http}\r\nConnection: close\r\n\r\n".encode())
        return connection


if __name__ == "__main__":
    updraft_e2e.run_tests()
