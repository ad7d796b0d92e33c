"""A real mosquitto with the plugin, on a free port and in a directory of its own."""

import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import mqtt_raw

SKIPPED = 77  # What meson takes for a test that could not be run.

MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
ENGINE_PASSWORD = "engine-password"
PRODUCT = "pk"


def programs():
    """The plugin and gate_tool, as the build gives them; ends the test where there is no broker."""
    if MOSQUITTO is None:
        print("mosquitto is not installed")
        sys.exit(SKIPPED)
    return os.environ["UPDRAFT_PLUGIN"], os.environ["UPDRAFT_GATE_TOOL"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """Has product `pk` and, after add(), its devices. The secret of a device is `secret-` + name.

    With `certificate`, the paths of one and of its key, it speaks TLS.
    """

    def __init__(self, options="", certificate=()):
        self.plugin, self.tool = programs()
        self._tls = ssl.create_default_context(cafile=certificate[0]) if certificate else None
        self.dir = tempfile.mkdtemp(prefix="updraft-broker-")
        self.credential_dir = os.path.join(self.dir, "credentials")
        os.mkdir(self.credential_dir)
        self.write_engine_password(ENGINE_PASSWORD)
        self.port = free_port()
        config = subprocess.run(
            [self.tool, "config", self.plugin, self.dir, str(self.port), *certificate],
            check=True, capture_output=True, text=True).stdout
        # The plugin's options follow the plugin, and belong before the listeners.
        head, plugin, tail = config.partition(f"plugin {self.plugin}\n")
        with open(os.path.join(self.dir, "mosquitto.conf"), "w") as file:
            file.write(head + plugin + options + tail)
        self._credentials = subprocess.Popen(
            [self.tool, "credentials", self.credential_dir], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self._clients = []
        self.generation = 0
        self.new_generation([f"product {PRODUCT} enabled"])
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        self.lines = []
        self._running = threading.Event()
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", os.path.join(self.dir, "mosquitto.conf")],
            stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read_log, args=(self.process.stderr,))
        self._reader.start()
        assert self._running.wait(10) and self.process.poll() is None, self.lines
        # A signal between that line and the broker's first turn would be lost.
        self.engine("start-probe").disconnect()

    def _read_log(self, stream):
        with stream:
            for line in stream:
                self.lines.append(line.rstrip())
                if line.rstrip().endswith(" running"):
                    self._running.set()
        self._running.set()  # It ended, perhaps before it ran.

    def stop(self):
        """As the operator does; what is queued is written to disk."""
        self.process.terminate()
        code = self.process.wait(10)
        self._reader.join()
        assert code == 0, self.lines

    def close(self):
        for client in self._clients:
            client.socket.close()
        if self.process.poll() is None:
            self.stop()
        self._credentials.stdin.close()
        self._credentials.wait(10)
        self._credentials.stdout.close()
        shutil.rmtree(self.dir)

    def reload(self):
        """SIGHUP; comes back when it is done."""
        probe = self.engine("reload-probe")
        self.process.send_signal(signal.SIGHUP)
        # The signal is seen in the turn that serves the first ping, and that turn ends with the
        # reload; the second ping is served in a later one.
        probe.ping()
        probe.ping()
        probe.disconnect()

    def write_engine_password(self, password):
        with open(os.path.join(self.dir, "engine_password"), "w") as file:
            file.write(password + "\n")

    # The credentials, as the engine writes them.

    def new_generation(self, records):
        self.generation += 1
        self._tell([f"base {self.generation}", *records, "end"])

    def add(self, *names, state="enabled"):
        for name in names:
            self._tell([f"device {PRODUCT} {name} {state} secret-{name}"])

    def set_product(self, state):
        self._tell([f"product {PRODUCT} {state}"])

    def says(self, words, seconds=10):
        """Whether a line of the broker's holds these words, by then: lines come a little later."""
        end = time.monotonic() + seconds
        while not any(words in line for line in self.lines):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def _tell(self, lines):
        self._credentials.stdin.write("\n".join(lines) + "\n")
        self._credentials.stdin.flush()
        answer = self._credentials.stdout.readline()
        assert answer.startswith("ok "), answer

    # Who connects; all are closed with the broker at the latest.

    def client(self, client_id, user=None, password=None, **arguments):
        client = mqtt_raw.Client(self.port, client_id, user, password, tls=self._tls, **arguments)
        self._clients.append(client)
        return client

    def engine(self, client_id="engine", password=ENGINE_PASSWORD, **arguments):
        return self.client(client_id, "updraft-engine", password, **arguments)

    def listening_engine(self, **arguments):
        """An engine that has subscribed and has read what a new subscriber is told first."""
        engine = self.engine(**arguments)
        assert engine.code == 0
        assert engine.subscribe("updraft/#") == [1]
        assert next_message(engine).topic == "updraft/broker"
        return engine

    def device(self, name, secret=None, prefix=None, **arguments):
        user, client_id, password = device_credentials(name, secret, prefix)
        return self.client(client_id, user, password, **arguments)


def device_credentials(name, secret=None, prefix=None):
    prefix = f"{PRODUCT}.{name}" if prefix is None else prefix
    text = f"clientId{prefix}deviceName{name}productKey{PRODUCT}timestamp2524608000000"
    secret = f"secret-{name}" if secret is None else secret
    password = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()
    client_id = f"{prefix}|timestamp=2524608000000,_ss=1,securemode=3,signmethod=hmacsha256,|"
    return f"{name}&{PRODUCT}", client_id, password


ON_A_CLOCK = ("updraft/broker/stats", "updraft/credentials")


def next_message(engine):
    """The next message that something gave rise to."""
    while True:
        message = engine.receive()
        if message.topic not in ON_A_CLOCK:
            return message


def next_presence(engine):
    """(device name, state, generation, epoch) of the next message, which must be presence."""
    message = next_message(engine)
    assert message.topic.startswith(f"updraft/presence/{PRODUCT}/"), message
    assert message.qos == 1 and not message.retain, message
    presence = json.loads(message.payload)
    return (message.topic.rsplit("/", 1)[1], presence["state"], presence["generation"],
            presence["epoch"])


def down(name, topic="/ota/device/upgrade/{pk}/{dn}"):
    """Where the engine publishes for the device to hear `topic`."""
    return f"updraft/down/{PRODUCT}/{name}" + topic.format(pk=PRODUCT, dn=name)
