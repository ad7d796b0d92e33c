"""The plugin in a real mosquitto: what devices, strangers and the engine live to see.

There is no waiting for nothing to happen: that a message did not come is seen by the next one.
"""

import json
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

from broker import (Broker, ENGINE_PASSWORD, PRODUCT, device_credentials, down, next_message,
                    next_presence)

REFUSED = 5
DENIED = 0x80

# Without what goes by the clock: a test may be fast.
FREE = "".join(f"plugin_opt_{limit} 0\n" for limit in (
    "stats_seconds", "connects_per_minute", "qos0_per_second", "qos1_per_second"))

DEVICE_PUBLISHES = {
    "/ota/device/inform/{pk}/{dn}": "inform",
    "/ota/device/progress/{pk}/{dn}": "progress",
    "/ota/device/request/{pk}/{dn}": "request",
    "/sys/{pk}/{dn}/thing/ota/firmware/get": "get",
    "/sys/{pk}/{dn}/thing/file/download": "download",
    "/sys/{pk}/{dn}/thing/config/get": "config",
}
DEVICE_HEARS = (
    "/ota/device/upgrade/{pk}/{dn}",
    "/ota/device/request/{pk}/{dn}",
    "/sys/{pk}/{dn}/thing/ota/firmware/get_reply",
    "/sys/{pk}/{dn}/thing/file/download_reply",
    "/sys/{pk}/{dn}/thing/config/push",
    "/sys/{pk}/{dn}/thing/config/get_reply",
)
# What the Node SDK subscribes to after each connect.
NODE_SUBSCRIBES = (
    "/sys/{pk}/{dn}/thing/event/property/post_reply",
    "/sys/{pk}/{dn}/thing/service/property/set",
    "/sys/{pk}/{dn}/thing/event/+/post_reply",
    "/sys/{pk}/{dn}/thing/deviceinfo/update_reply",
    "/sys/{pk}/{dn}/thing/deviceinfo/delete_reply",
    "/sys/{pk}/{dn}/thing/config/get_reply",
    "/shadow/get/{pk}/{dn}",
    "/sys/{pk}/{dn}/thing/config/push",
    "/sys/{pk}/{dn}/thing/config/push_reply",
    "/sys/{pk}/{dn}/thing/topo/add_reply",
    "/sys/{pk}/{dn}/thing/topo/delete_reply",
    "/sys/{pk}/{dn}/thing/topo/get_reply",
    "/ext/session/{pk}/{dn}/combine/login_reply",
    "/ext/session/{pk}/{dn}/combine/logout_reply",
    "/sys/{pk}/{dn}/thing/sub/register_reply",
    "/sys/{pk}/{dn}/rrpc/request/+",
)


def of(topic, name):
    return topic.format(pk=PRODUCT, dn=name)


class GateTest(unittest.TestCase):
    options = FREE

    def setUp(self):
        self.broker = Broker(self.options)
        self.addCleanup(self.broker.close)
        self.broker.add("a", "b")

    def connected(self, engine, name, **arguments):
        """A device whose presence the engine has read."""
        device = self.broker.device(name, **arguments)
        self.assertEqual(device.code, 0)
        self.assertEqual(next_presence(engine)[:2], (name, "online"))
        return device


class Connecting(GateTest):
    def test_only_who_proves_it_comes_in(self):
        self.assertEqual(self.broker.device("a").code, 0)
        self.assertEqual(self.broker.device("a", secret="other").code, REFUSED)
        self.assertEqual(self.broker.device("stranger").code, REFUSED)
        user, client_id, password = device_credentials("a")
        for arguments in ({}, {"user": user}, {"user": user, "password": ""},
                          {"user": "", "password": password},
                          {"user": "a&other", "password": password},
                          {"user": "updraft-engine", "password": password}):
            with self.subTest(arguments):
                self.assertEqual(self.broker.client(client_id, **arguments).code, REFUSED)

    def test_the_engine_has_its_own_password(self):
        self.assertEqual(self.broker.engine().code, 0)
        self.assertEqual(self.broker.engine(password="other").code, REFUSED)

    def test_a_device_registered_a_moment_ago_connects_at_once(self):
        self.assertEqual(self.broker.device("fresh").code, REFUSED)
        self.broker.add("fresh")
        self.assertEqual(self.broker.device("fresh").code, 0)

    def test_a_disabled_or_deleted_device_is_closed_and_stays_out(self):
        for state in ("disabled", "deleted"):
            with self.subTest(state):
                name = "to-be-" + state
                self.broker.add(name)
                device = self.broker.device(name)
                self.assertEqual(device.code, 0)
                self.broker.add(name, state=state)
                device.wait_closed()
                self.assertEqual(self.broker.device(name).code, REFUSED)
                self.broker.add(name)
                self.assertEqual(self.broker.device(name).code, 0)

    def test_with_its_product_a_device_is_closed(self):
        device = self.broker.device("a")
        self.broker.set_product("disabled")
        device.wait_closed()
        self.assertEqual(self.broker.device("a").code, REFUSED)

    def test_devices_that_share_a_client_id_do_not_close_each_other(self):
        for prefix in ("", "12345"):
            with self.subTest(prefix):
                a = self.broker.device("a", prefix=prefix)
                b = self.broker.device("b", prefix=prefix)
                self.assertEqual((a.code, b.code), (0, 0))
                a.ping()
                b.ping()

    def test_a_device_cannot_close_or_inherit_what_is_another_s(self):
        engine = self.broker.listening_engine(clean=False)
        a = self.connected(engine, "a", clean=False)
        b = self.connected(engine, "b", prefix=f"{PRODUCT}.a", clean=False)
        self.assertFalse(b.session_present)
        for name in ("engine", "engine|x|"):
            user, _, password = device_credentials("b")
            self.assertEqual(self.broker.client(name, user, password).code, REFUSED)
        a.ping()
        engine.ping()

    def test_mqtt_5_is_spoken_too(self):
        engine = self.broker.listening_engine()
        device = self.connected(engine, "a", version=5)
        self.assertIn(device.publish(of("/ota/device/inform/{pk}/{dn}", "a"), "v5", qos=1),
                      (0x00, 0x10))
        self.assertEqual(next_message(engine).payload, b"v5")
        self.assertEqual(device.publish(of("/ota/device/inform/{pk}/{dn}", "b"), "v5", qos=1), 0x87)
        engine.publish(down("a"), "push", qos=1)
        self.assertEqual(device.receive().payload, b"push")


class Publishing(GateTest):
    def test_what_a_device_says_reaches_the_engine_at_qos_1(self):
        engine = self.broker.listening_engine()
        device = self.connected(engine, "a")
        for topic, kind in DEVICE_PUBLISHES.items():
            for qos in (0, 1, 2):
                with self.subTest(topic, qos=qos):
                    payload = f"{kind} {qos}".encode() + bytes(range(256))
                    device.publish(of(topic, "a"), payload, qos, retain=True)
                    message = next_message(engine)
                    self.assertEqual(message.topic, f"updraft/up/{kind}/{PRODUCT}/a")
                    self.assertEqual(message.payload, payload)
                    self.assertEqual((message.qos, message.retain), (1, False))

    def test_the_original_goes_nowhere(self):
        engine = self.broker.engine()
        engine.subscribe("#")
        device = self.broker.device("a")
        device.subscribe(of("/ota/device/request/{pk}/{dn}", "a"))
        device.publish(of("/ota/device/request/{pk}/{dn}", "a"), "ask", retain=True)
        device.publish(of("/{pk}/{dn}/user/x", "a"), "mine", retain=True)
        topics = []
        while not topics or not topics[-1].endswith("/user/x"):
            topics.append(next_message(engine).topic)
        self.assertNotIn(of("/ota/device/request/{pk}/{dn}", "a"), topics)
        device.ping()
        self.assertEqual(list(device.messages), [])
        # Nothing a device says is retained.
        late = self.broker.engine("late")
        late.subscribe("#")
        late.publish("end", "")
        while (message := next_message(late)).topic != "end":
            self.assertFalse(message.topic.startswith("/"), message)

    def test_nothing_is_published_to_what_is_not_the_device_s_own(self):
        engine = self.broker.listening_engine()
        device = self.connected(engine, "a")
        others = [of(topic, "b") for topic in DEVICE_PUBLISHES]
        downwards = [of(topic, "a") for topic in DEVICE_HEARS if "request" not in topic]
        gate = ["updraft/roster/get", "updraft/up/inform/pk/b", "updraft/presence/pk/b",
                down("b"), "updraft/broker"]
        strange = ["$SYS/broker/uptime", "$CONTROL/x", "x", "/", "/ota/device/inform/pk",
                   "/ota/device/inform/pk/a/", "ota/device/inform/pk/a", "/ota/device/inform//a"]
        for topic in others + downwards + gate + strange:
            for qos in (0, 1, 2):
                with self.subTest(topic, qos=qos):
                    device.publish(topic, "forged", qos)
        device.publish(of("/ota/device/inform/{pk}/{dn}", "a"), "honest")
        self.assertEqual(next_message(engine).payload, b"honest")
        refused = [line for line in self.broker.lines if "reason=publish_topic" in line]
        self.assertIn('denied: publish device=pk/a topic="/ota/device/inform/pk/b"', refused[0])

    def test_a_will_does_not_speak_for_the_device(self):
        engine = self.broker.listening_engine()
        for topic in (of("/ota/device/inform/{pk}/{dn}", "a"),
                      of("/ota/device/inform/{pk}/{dn}", "b"), "updraft/up/inform/pk/b"):
            with self.subTest(topic):
                self.connected(engine, "a", will=(topic, "will")).drop()
                self.assertEqual(next_presence(engine)[:2], ("a", "offline"))

    def test_what_a_device_says_waits_for_an_engine_that_is_away(self):
        engine = self.broker.listening_engine(clean=False)
        device = self.connected(engine, "a")
        engine.drop()
        for i in range(20):
            device.publish(of("/ota/device/inform/{pk}/{dn}", "a"), str(i), qos=0)
        device.ping()
        device.disconnect()
        engine = self.broker.engine(clean=False)
        self.assertTrue(engine.session_present)
        self.assertEqual([next_message(engine).payload for _ in range(20)],
                         [str(i).encode() for i in range(20)])
        self.assertEqual(next_presence(engine)[:2], ("a", "offline"))

    def test_what_waits_outlives_a_restart_of_the_broker(self):
        engine = self.broker.listening_engine(clean=False)
        device = self.connected(engine, "a")
        engine.drop()
        device.publish(of("/ota/device/inform/{pk}/{dn}", "a"), "kept", qos=1)
        device.ping()
        self.broker.stop()
        self.broker.start()
        engine = self.broker.engine(clean=False)
        self.assertTrue(engine.session_present)
        self.assertEqual(next_message(engine).payload, b"kept")
        self.assertEqual(next_message(engine).topic, "updraft/broker")


class Subscribing(GateTest):
    def test_the_node_sdk_gets_what_it_asks_for(self):
        device = self.broker.device("a", clean=False)
        for topic in NODE_SUBSCRIBES:
            with self.subTest(topic):
                self.assertEqual(device.subscribe(of(topic, "a")), [1])

    def test_a_device_subscribes_to_its_own_and_nothing_else(self):
        device = self.broker.device("a")
        for topic in DEVICE_HEARS:
            self.assertEqual(device.subscribe(of(topic, "a")), [1])
            self.assertEqual(device.subscribe(of(topic, "b")), [DENIED])
        for topic in ("#", "+", "/#", "/ota/#", "/sys/+/+/#", "/ota/device/upgrade/+/+",
                      "/ota/device/+/pk/b", "/ota/device/upgrade/pk/+", "/+/+/user/#",
                      "updraft/#", "updraft/up/inform/pk/a", "$SYS/#", "$share/g/#",
                      "$share/g//ota/device/upgrade/pk/a"):
            with self.subTest(topic):
                self.assertEqual(device.subscribe(topic), [DENIED])
        self.assertEqual(device.subscribe("#", of(DEVICE_HEARS[0], "a")), [DENIED, 1])
        device.unsubscribe("#")
        device.ping()


class Delivering(GateTest):
    def test_each_topic_reaches_a_device_that_never_subscribes(self):
        engine = self.broker.engine()
        device = self.broker.device("a")
        for topic in DEVICE_HEARS:
            for qos in (0, 1):
                with self.subTest(topic, qos=qos):
                    payload = bytes(range(256)) * 512
                    engine.publish(down("a", topic), payload, qos)
                    message = device.receive()
                    self.assertEqual(message.topic, of(topic, "a"))
                    self.assertEqual(message.payload, payload)
                    self.assertEqual((message.qos, message.retain), (qos, False))

    def test_one_copy_whatever_the_device_subscribed_to(self):
        engine = self.broker.engine()
        device = self.broker.device("a")
        for topic in DEVICE_HEARS + ("/sys/{pk}/{dn}/#", "/sys/{pk}/{dn}/thing/config/+"):
            self.assertEqual(device.subscribe(of(topic, "a")), [1])
        for topic in DEVICE_HEARS:
            with self.subTest(topic):
                engine.publish(down("a", topic), "once", qos=1)
                engine.publish(down("a"), "mark", qos=1)
                self.assertEqual([device.receive().payload for _ in range(2)], [b"once", b"mark"])

    def test_nobody_else_hears_it(self):
        engine = self.broker.engine()
        a, b = self.broker.device("a"), self.broker.device("b")
        engine.publish(down("a"), "for a", qos=1)
        engine.publish(down("b"), "for b", qos=1)
        self.assertEqual(a.receive().payload, b"for a")
        self.assertEqual(b.receive().payload, b"for b")

    def test_nothing_waits_for_a_device_that_is_offline(self):
        engine = self.broker.listening_engine()
        device = self.connected(engine, "a", clean=False)
        device.subscribe(of("/ota/device/upgrade/{pk}/{dn}", "a"))
        device.disconnect()
        self.assertEqual(next_presence(engine)[:2], ("a", "offline"))
        engine.publish(down("a"), "too late", qos=1)
        device = self.connected(engine, "a", clean=False)
        self.assertTrue(device.session_present)
        engine.publish(down("a"), "in time", qos=1)
        self.assertEqual(device.receive().payload, b"in time")

    def test_what_an_earlier_connection_left_unacknowledged_is_not_sent_again(self):
        engine = self.broker.listening_engine()
        device = self.connected(engine, "a", clean=False, acknowledge=False)
        engine.publish(down("a"), "first", qos=1)
        self.assertEqual(device.receive().payload, b"first")
        device.drop()
        self.assertEqual(next_presence(engine)[:2], ("a", "offline"))
        device = self.connected(engine, "a", clean=False)
        engine.publish(down("a"), "second", qos=1)
        self.assertEqual(device.receive().payload, b"second")

    def test_a_notice_sent_at_the_sight_of_online_arrives(self):
        engine = self.broker.listening_engine()
        for i in range(20):
            device = self.broker.device("a", prefix=str(i))
            self.assertEqual(next_presence(engine)[:2], ("a", "online"))
            engine.publish(down("a"), str(i), qos=1)
            self.assertEqual(device.receive().payload, str(i).encode())


class Presence(GateTest):
    def test_a_device_that_comes_and_goes_is_told_once_each(self):
        engine = self.broker.listening_engine()
        self.connected(engine, "a").disconnect()
        self.assertEqual(next_presence(engine)[:3], ("a", "offline", 1))
        self.connected(engine, "a").drop()
        self.assertEqual(next_presence(engine)[:3], ("a", "offline", 2))

    def test_a_takeover_closes_the_older_and_is_online_only(self):
        engine = self.broker.listening_engine()
        for clean in (True, False):
            for prefix in (None, "another"):
                with self.subTest(clean=clean, prefix=prefix):
                    older = self.connected(engine, "a", clean=clean)
                    newer = self.connected(engine, "a", clean=clean, prefix=prefix)
                    older.wait_closed()
                    newer.ping()
                    newer.drop()
                    self.assertEqual(next_presence(engine)[:2], ("a", "offline"))

    def test_who_is_refused_is_nobody_s_presence(self):
        engine = self.broker.listening_engine()
        self.broker.device("a", secret="other")
        self.broker.device("stranger")
        self.connected(engine, "b")

    def test_presence_waits_for_an_engine_that_is_away_and_stays_in_order(self):
        engine = self.broker.listening_engine(clean=False)
        engine.drop()
        self.broker.device("a").disconnect()
        older = self.broker.device("a")
        newer = self.broker.device("a", prefix="another")
        older.wait_closed()
        newer.ping()
        engine = self.broker.engine(clean=False)
        told = [next_presence(engine) for _ in range(4)]
        self.assertEqual([state for _, state, _, _ in told],
                         ["online", "offline", "online", "online"])
        self.assertEqual([generation for _, _, generation, _ in told], [1, 1, 2, 3])

    def test_a_roster_names_who_is_online_now(self):
        self.broker.add(*(f"d{i}" for i in range(1200)))
        devices = [self.broker.device(f"d{i}") for i in range(1200)]
        self.assertEqual({device.code for device in devices}, {0})
        devices.pop(7).disconnect()
        engine = self.broker.listening_engine()
        engine.publish("updraft/roster/get", "run-2", qos=1)
        online = set()
        while (message := next_message(engine)).topic != "updraft/roster":
            presence = json.loads(message.payload)
            if presence["state"] == "online":
                online.add(message.topic.rsplit("/", 1)[1])
        self.assertEqual(online, {f"d{i}" for i in range(1200) if i != 7})
        answer = json.loads(message.payload)
        self.assertEqual((answer["request"], answer["count"]), ("run-2", 1199))
        for device in devices:
            device.drop()

    def test_each_run_of_the_broker_has_a_later_epoch(self):
        engine = self.broker.listening_engine()
        self.broker.device("a")
        first = next_presence(engine)[3]
        self.broker.stop()
        self.broker.start()
        engine = self.broker.listening_engine()
        self.broker.device("a")
        _, _, generation, second = next_presence(engine)
        self.assertEqual(generation, 1)
        self.assertGreater(second, first)

    def test_a_clock_that_steps_back_makes_no_run_an_old_one(self):
        self.broker.stop()
        far_ahead = 4_000_000_000_000
        pathlib.Path(self.broker.credential_dir, "broker-epoch").write_text(f"{far_ahead}\n")
        self.broker.start()
        engine = self.broker.listening_engine()
        self.broker.device("a")
        self.assertEqual(next_presence(engine)[3], far_ahead + 1)


class Limits(GateTest):
    options = "plugin_opt_stats_seconds 1\nplugin_opt_failures_per_minute 3\n"

    def test_the_sixth_connect_within_a_minute_is_refused(self):
        codes = [self.broker.device("a").code for _ in range(6)]
        self.assertEqual(codes, [0, 0, 0, 0, 0, REFUSED])
        self.assertEqual(self.broker.device("b").code, 0)

    def test_who_fails_too_often_is_not_looked_at(self):
        for _ in range(3):
            self.assertEqual(self.broker.device("a", secret="other").code, REFUSED)
        self.assertEqual(self.broker.device("a").code, REFUSED)
        self.assertEqual(self.broker.device("b").code, 0)
        self.assertTrue(self.broker.says("reason=blocked"))

    def test_subscriptions_over_the_bound_are_denied(self):
        device = self.broker.device("a")
        codes = [device.subscribe(of("/{pk}/{dn}/user/", "a") + str(i))[0] for i in range(102)]
        self.assertEqual(codes, [1] * 100 + [DENIED] * 2)

    def test_a_payload_over_the_bound_is_dropped_and_the_device_stays(self):
        engine = self.broker.listening_engine()
        device = self.connected(engine, "a")
        topic = of("/ota/device/inform/{pk}/{dn}", "a")
        device.publish(topic, b"x" * 16385, qos=1)
        device.publish(topic, b"x" * 16384, qos=1)
        self.assertEqual(len(next_message(engine).payload), 16384)

    def test_messages_over_the_rate_are_dropped_and_the_device_stays(self):
        engine = self.broker.listening_engine()
        device = self.connected(engine, "a")
        topic = of("/ota/device/progress/{pk}/{dn}", "a")
        for _ in range(200):
            device.publish(topic, "flood")
        device.ping()
        engine.publish("updraft/end", "")
        received = 0
        while next_message(engine).topic != "updraft/end":
            received += 1
        # More than one second's worth, should the flood lie across the end of one.
        self.assertGreaterEqual(received, 30)
        self.assertLess(received, 200)
        self.assertTrue(self.broker.says("reason=message_rate"))

    def test_what_was_refused_and_denied_is_told_in_numbers(self):
        self.broker.device("a").publish("x", "denied", qos=1)
        self.broker.device("stranger")
        engine = self.broker.engine()
        engine.subscribe("updraft/broker/stats")
        stats = json.loads(engine.receive().payload)
        self.assertEqual((stats["accepted"], stats["online"]), (1, 1))
        self.assertEqual(stats["refused"], {"unknown_device": 1})
        self.assertEqual(stats["denied"], {"publish_topic": 1})
        self.assertEqual(stats["credentials"], {"generation": 1, "position": 3, "damaged": 0})

    def test_a_keepalive_out_of_bounds_is_refused(self):
        self.assertEqual(self.broker.device("a", keepalive=29).code, REFUSED)
        self.assertEqual(self.broker.device("a", keepalive=30).code, 0)


class Trouble(GateTest):
    def test_sighup_changes_nobody_s_presence(self):
        engine = self.broker.listening_engine(clean=False)
        device = self.connected(engine, "a", clean=False)
        away = self.connected(engine, "b", clean=False)
        away.disconnect()
        self.assertEqual(next_presence(engine)[:2], ("b", "offline"))
        for _ in range(3):
            self.broker.reload()
        device.publish(of("/ota/device/inform/{pk}/{dn}", "a"), "still here", qos=1)
        self.assertEqual(next_message(engine).payload, b"still here")
        self.connected(engine, "b", clean=False)
        self.assertEqual(self.broker.device("a", secret="other").code, REFUSED)

    def test_sighup_after_a_restart_with_sessions_kept(self):
        engine = self.broker.listening_engine(clean=False)
        self.connected(engine, "a", clean=False).disconnect()
        self.broker.stop()
        self.broker.start()
        self.broker.reload()
        engine = self.broker.listening_engine(client_id="other")
        self.connected(engine, "a", clean=False)

    def test_sighup_takes_over_a_new_engine_password(self):
        self.broker.write_engine_password("new-password")
        self.broker.reload()
        self.assertEqual(self.broker.engine(password="new-password").code, 0)
        self.assertEqual(self.broker.engine(password=ENGINE_PASSWORD).code, REFUSED)

    def test_damaged_credentials_let_nobody_new_in_and_nobody_out(self):
        device = self.broker.device("a")
        current = os.path.join(self.broker.credential_dir, "CURRENT")
        for text in ("", "99\n", "\0" * 4096, "noise"):
            with self.subTest(text):
                with open(current, "w") as file:
                    file.write(text)
                self.assertEqual(self.broker.device("stranger").code, REFUSED)
                self.assertEqual(self.broker.device("b").code, 0)
                device.ping()
        self.broker.new_generation([f"product {PRODUCT} enabled",
                                    f"device {PRODUCT} c enabled secret-c"])
        self.assertEqual(self.broker.device("c").code, 0)
        device.wait_closed()

    def test_a_damaged_record_hides_its_device_only(self):
        base = os.path.join(self.broker.credential_dir, "delta-1")
        with open(base, "r+b") as file:
            file.seek(48 + 30)  # Into the first record's secret: device a.
            file.write(b"\xff")
        self.broker.stop()
        self.broker.start()
        self.assertEqual(self.broker.device("a").code, REFUSED)
        self.assertEqual(self.broker.device("b").code, 0)
        self.assertTrue(self.broker.says("record 0 of"))
        self.assertTrue(self.broker.says("is damaged"))

    def test_without_credentials_nobody_but_the_engine_comes_in(self):
        self.broker.stop()
        for name in os.listdir(self.broker.credential_dir):
            os.remove(os.path.join(self.broker.credential_dir, name))
        self.broker.start()
        self.assertEqual(self.broker.device("a").code, REFUSED)
        self.assertEqual(self.broker.engine().code, 0)

    def test_malformed_packets_end_their_connection_only(self):
        bystander = self.broker.device("b")
        _, client_id, password = device_credentials("a")
        for user in (b"a\0&pk", b"a&pk\xff", b"a/../b&pk", b"&", b"+&#", b"a&pk" * 5000):
            with self.subTest(user):
                self.assertNotEqual(self.broker.client(client_id, user, password).code, 0)
        device = self.broker.device("a")
        device.send(3, 0, struct.pack("!H", 60000) + b"short")
        device.wait_closed()
        bystander.ping()


class Tls(unittest.TestCase):
    def test_a_device_connects_with_securemode_2(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        certificate, key = directory + "/certificate.pem", directory + "/key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
            check=True, capture_output=True)
        broker = Broker(FREE, (certificate, key))
        self.addCleanup(broker.close)
        broker.add("a")
        self.assertEqual(broker.device("a", secret="other").code, REFUSED)
        device = broker.device("a")
        self.assertEqual(device.code, 0)
        engine = broker.engine()
        engine.publish(down("a"), "push", qos=1)
        self.assertEqual(device.receive().payload, b"push")


if __name__ == "__main__":
    unittest.main()
