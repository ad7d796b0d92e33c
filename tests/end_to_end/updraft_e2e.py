"""The real `updraft` program with its private broker, and those who talk to it: the console's API,
simulated and real devices. For the end-to-end tests and the demo; standard library only.

Everything runs on loopback, in a directory of its own, and ends with the object that started it.
"""

import base64
import contextlib
import datetime
import fcntl
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import uuid

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "broker_plugin"))

import mqtt_raw  # noqa: E402

SKIPPED = 77  # What meson takes for a test that could not be run.
LONG = bool(os.environ.get("UPDRAFT_LONG"))
DEADLINE_SECONDS = 1200 if LONG else 300

BUILD = pathlib.Path(os.environ.get("UPDRAFT_BUILD", ROOT / "build"))
UPDRAFT = BUILD / "updraft"
FLEET = BUILD / "tests" / "fleet" / "updraft_fleet"

FINAL = ("SUCCEEDED", "FAILED", "CANCELED")


class Refused(Exception):
    """The service said no; `code` says by which rule."""

    def __init__(self, answer):
        super().__init__(f"{answer.get('Code')}: {answer.get('ErrorMessage', answer.get('Message'))}")
        self.code = answer.get("Code")


def wait_until(what, condition, seconds=DEADLINE_SECONDS):
    """Asks `condition` until it gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"in {seconds} s it did not come to this: {what}")
        time.sleep(0.05)


class Process:
    """A child whose lines can be waited for. All of its output is kept in `lines`."""

    def __init__(self, command, **arguments):
        self.lines = []
        self._changed = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **arguments)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self.process.stdout as stream:
            for line in stream:
                with self._changed:
                    self.lines.append(line.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for_line(self, text, seconds=DEADLINE_SECONDS):
        """The first line that has `text` in it; without one the child is ended."""
        def found():
            return next((line for line in self.lines if text in line), None)
        with self._changed:
            self._changed.wait_for(lambda: found() or self._ended, seconds)
            line = found()
        if line is None:
            self.stop(signal.SIGKILL)
            raise AssertionError(f"no line with '{text}', but {self.lines[-5:]}")
        return line

    def wait(self, seconds=DEADLINE_SECONDS):
        """The exit code, when all of its output was read."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code

    def stop(self, signal_number=signal.SIGTERM, seconds=DEADLINE_SECONDS):
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.wait(seconds)


class Service:
    """`updraft serve` with a private broker. Started again it takes the same ports.

    In a session of its own it does not get the terminal's Ctrl-C and outlives this program.
    """

    def __init__(self, data=None, options=("--rate-factor", "0"), new_session=False):
        self.dir = tempfile.mkdtemp(prefix="updraft-e2e-")
        self.data = data or os.path.join(self.dir, "data")
        self.log_path = os.path.join(self.dir, "log")
        self._options = options
        self._new_session = new_session
        self.environment = {}  # Beyond this program's.
        self.http = self.mqtt = "127.0.0.1:0"
        self._process = None

    def start(self):
        self.launch()
        return self.await_ready()

    def launch(self):
        """Only begins to start it."""
        with open(self.log_path, "a") as log:
            self._process = Process(
                [UPDRAFT, "serve", "--data", self.data, "--http", self.http,
                 "--with-broker", self.mqtt, *self._options], stderr=log,
                start_new_session=self._new_session, env=os.environ | self.environment)

    def await_ready(self):
        try:
            ready = self._process.wait_for_line("ready ")
        except AssertionError:
            raise AssertionError(f"updraft did not start:\n{self.log_tail()}") from None
        words = dict(word.split("=") for word in ready.split()[1:])
        self.http, self.mqtt = words["http"], words["mqtt"]
        with open(os.path.join(self.data, "access-key.json")) as file:
            self.key = json.load(file)
        wait_until("it is ready", lambda: self.request("GET", "/readyz")[0] == 200)
        return self

    @property
    def pid(self):
        return self._process.process.pid

    @property
    def mqtt_port(self):
        return int(self.mqtt.rsplit(":", 1)[1])

    def broker_pid(self):
        """Of the mosquitto that the service started."""
        tasks = pathlib.Path(f"/proc/{self.pid}/task").iterdir()
        children = {child for task in tasks for child in (task / "children").read_text().split()}
        for child in children:
            if "mosquitto" in pathlib.Path(f"/proc/{child}/comm").read_text():
                return int(child)
        raise AssertionError("the service has no broker")

    def kill(self):
        """As a power cut does."""
        self._process.stop(signal.SIGKILL)

    def stop(self):
        """As an operator does; the exit code."""
        return self._process.stop()

    def close(self):
        if self._process and self._process.process.poll() is None:
            self.stop()
        if not os.environ.get("UPDRAFT_KEEP"):  # To look at it.
            shutil.rmtree(self.dir, ignore_errors=True)

    def log_tail(self, lines=30):
        with open(self.log_path) as log:
            return "".join(log.readlines()[-lines:])

    def run(self, *arguments, check=True):
        """Another command of the program, on this service's data."""
        return subprocess.run([UPDRAFT, *arguments, "--data", self.data], check=check,
                              capture_output=True, text=True, timeout=DEADLINE_SECONDS)

    # The console's API.

    def call(self, action, **parameters):
        """The answer; lists become Name.1, Name.2. Signed as older RPC clients do."""
        flat = self.signed("POST", action, **parameters)
        status, text = self.request("POST", "/", urllib.parse.urlencode(flat),
                                     {"Content-Type": "application/x-www-form-urlencoded"})
        try:
            answer = json.loads(text)
        except ValueError:
            raise AssertionError(f"HTTP {status}, not JSON: {text[:200]}") from None
        if not answer.get("Success"):
            raise Refused(answer)
        return answer

    def signed(self, method, action, **parameters):
        """All parameters of the call, with its signature."""
        flat = {}
        for name, value in parameters.items():
            if isinstance(value, (list, tuple)):
                flat |= {f"{name}.{i}": str(item) for i, item in enumerate(value, 1)}
            elif isinstance(value, bool):
                flat[name] = str(value).lower()
            else:
                flat[name] = str(value)
        flat |= {
            "Action": action, "Version": "2018-01-20", "Format": "JSON",
            "AccessKeyId": self.key["AccessKeyId"], "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0", "SignatureNonce": uuid.uuid4().hex,
            "Timestamp": datetime.datetime.now(datetime.timezone.utc).strftime(
                "%Y-%m-%dT%H:%M:%SZ"),
        }
        return flat | {"Signature": sign_v1(method, flat, self.key["AccessKeySecret"])}

    def follow(self):
        """An open stream of the committed events, from the first on."""
        query = urllib.parse.urlencode(self.signed("GET", "FollowEvents", From=1))
        connection = http.client.HTTPConnection(self.http, timeout=DEADLINE_SECONDS)
        connection.request("GET", f"/events?{query}")
        response = connection.getresponse()
        assert response.status == 200, response.read()
        return response

    def request(self, method, path, body=None, headers=()):
        connection = http.client.HTTPConnection(self.http, timeout=DEADLINE_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read().decode()

    def metrics(self):
        """All samples of /metrics, as {'name{label="x"}': value}."""
        _, text = self.request("GET", "/metrics")
        samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def rejected(self):
        """Messages that changed nothing, of all reasons."""
        return sum(value for name, value in self.metrics().items()
                   if name.startswith("updraft_messages_rejected_total"))

    # What a batch needs.

    def create_product(self, name="thermostat"):
        return self.call("CreateProduct", ProductName=name, NodeType=0)["ProductKey"]

    def register(self, product, names):
        """The devices' secrets by name."""
        at_once, page_size, secrets = 500, 50, {}
        for first in range(0, len(names), at_once):
            part = names[first:first + at_once]
            apply_id = self.call("BatchCheckDeviceNames", ProductKey=product,
                                 DeviceName=part)["Data"]["ApplyId"]
            self.call("BatchRegisterDeviceWithApplyId", ProductKey=product, ApplyId=apply_id)
            for page in range(1, -(-len(part) // page_size) + 1):
                answer = self.call("QueryPageByApplyId", ApplyId=apply_id, CurrentPage=page,
                                   PageSize=page_size)
                secrets |= {device["DeviceName"]: device["DeviceSecret"]
                            for device in answer["ApplyDeviceList"]["ApplyDeviceInfo"]}
        return secrets

    def upload(self, content, suffix="bin"):
        """The URL under which the file can be made a package."""
        offer = self.call("GenerateOTAUploadURL", FileSuffix=suffix)["Data"]
        self.post_file(offer, content)
        return offer["FirmwareUrl"]

    def post_file(self, offer, content):
        """Where an answer of GenerateOTAUploadURL or GenerateDeviceNameListURL says."""
        key_id = "OSSAccessKeyId" if "OSSAccessKeyId" in offer else "AccessKeyId"
        body, content_type = multipart(
            {"key": offer["Key"], key_id: offer[key_id], "policy": offer["Policy"],
             "Signature": offer["Signature"], "success_action_status": "200"}, content)
        url = urllib.parse.urlsplit(offer["Host"])
        status, answer = self.request("POST", url.path, body, {"Content-Type": content_type})
        assert status == 200, (status, answer)

    def create_package(self, product, content, version="2.0.0", name="package", **parameters):
        parameters.setdefault("NeedToVerify", False)
        return self.call("CreateOTAFirmware", ProductKey=product, FirmwareName=name,
                         DestVersion=version, FirmwareUrl=self.upload(content),
                         **parameters)["Data"]["FirmwareId"]

    def create_batch(self, product, package, **parameters):
        parameters.setdefault("TargetSelection", "ALL")
        parameters.setdefault("MaximumPerMinute", 1000)
        return self.call("CreateOTAStaticUpgradeJob", ProductKey=product, FirmwareId=package,
                         **parameters)["Data"]["JobId"]

    def counts(self, job):
        """Targets by state; states that nobody is in are left out."""
        counts = self.call("QueryOTATaskCounts", JobId=job)["Data"]["Counts"]
        return {state: count for state, count in counts.items() if count}

    def tasks(self, job, **parameters):
        """All of the batch's tasks, by device name."""
        tasks, page = {}, 1
        while True:
            answer = self.call("ListOTATaskByJob", JobId=job, CurrentPage=page, PageSize=100,
                               **parameters)
            tasks |= {task["DeviceName"]: task for task in answer["Data"]["SimpleOTATaskInfo"]}
            if page * 100 >= answer["Total"]:
                return tasks
            page += 1

    def wait_for_counts(self, job, seconds=DEADLINE_SECONDS, **expected):
        try:
            wait_until(f"{expected}", lambda: self.counts(job) == expected, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}, but to {self.counts(job)}\n{self.log_tail()}") from None

    def wait_for_end(self, job, seconds=DEADLINE_SECONDS):
        """Until every task is in a final state; the counts."""
        def over():
            counts = self.counts(job)
            return counts if counts and not counts.keys() - FINAL else None
        try:
            return wait_until("every task is in a final state", over, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}, but to {self.counts(job)}\n{self.log_tail()}") from None

    def events(self):
        """All events of the log, as JSON. The service must not run."""
        return [json.loads(line) for line in self.run("log", "show").stdout.splitlines()]

    def device(self, product, name, secret):
        """A hand-made connection of that device; its `code` says whether it was accepted.

        The gate may learn of a new device a moment after the API has answered.
        """
        user, client_id, password = device_login(product, name, secret)
        for _ in range(6):
            client = mqtt_raw.Client(self.mqtt_port, client_id, user, password)
            if client.code == 0:
                break
            client.drop()
            time.sleep(0.3)
        return client


def sign_v1(method, parameters, secret):
    def encode(text):
        return urllib.parse.quote(text, safe="-_.~")
    canonical = "&".join(f"{encode(name)}={encode(parameters[name])}"
                         for name in sorted(parameters))
    text = f"{method}&%2F&{encode(canonical)}"
    digest = hmac.new((secret + "&").encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def multipart(fields, content):
    """A form with a file at its end: its body and content type."""
    boundary = uuid.uuid4().hex
    head = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
                   f"{value}\r\n" for name, value in fields.items())
    head += (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n'
             "Content-Type: application/octet-stream\r\n\r\n")
    return (head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
            f"multipart/form-data; boundary={boundary}")


def device_login(product, name, secret):
    prefix = f"{product}.{name}"
    text = f"clientId{prefix}deviceName{name}productKey{product}timestamp2524608000000"
    password = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()
    client_id = (f"{prefix}|timestamp=2524608000000,_ss=1,_v=sdk-c-4.1.0,securemode=3,"
                 "signmethod=hmacsha256,ext=3,_conn=tcp_0|")
    return f"{name}&{product}", client_id, password


class Fleet(Process):
    """Simulated devices; see tests/fleet. Ready when all have reported their first version."""

    def __init__(self, service, product, secrets, *options):
        devices = tempfile.NamedTemporaryFile("w", dir=service.dir, suffix=".csv", delete=False)
        with devices:
            devices.writelines(f"{product},{name},{secret}\n" for name, secret in secrets.items())
        self.ends_path = devices.name + ".ends"
        super().__init__([FLEET, "--devices", devices.name, "--broker", service.mqtt,
                          "--ends", self.ends_path, *options])
        self.wait_for_line('"ready"')

    def result(self):
        """Its counts, when it has ended."""
        self.wait()
        return json.loads(self.lines[-1])

    def ends(self):
        """{name: (behaviour, end, version, notices)}, when it has ended."""
        self.wait()
        with open(self.ends_path) as file:
            rows = [line.rstrip("\n").split(",") for line in file]
        return {name: (behaviour, end, version, int(notices))
                for name, behaviour, end, version, notices in rows}


def real_device(service, product, name, secret, *options):
    """A process of devices/device.js; it says ` report ` when it has reported its version."""
    return Process(["node", HERE / "devices" / "device.js", "--broker", f"mqtt://{service.mqtt}",
                    "--product", product, "--name", name, "--secret", secret, *options],
                   env=os.environ | {"NODE_PATH": node_modules()})


def node_modules():
    """The folder of the vendors' SDKs, installed once a build. Skips the test where npm is not."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise unittest.SkipTest("npm is not installed, so the vendors' SDKs cannot be tried")
    folder = BUILD / "tests" / "end_to_end" / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    files = ["package.json", "package-lock.json", ".npmrc"]
    wanted = "".join((HERE / "devices" / name).read_text() for name in files)
    done = folder / "installed"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != wanted:
            for name in files:
                shutil.copy(HERE / "devices" / name, folder)
            subprocess.run(["npm", "ci", "--ignore-scripts", "--loglevel=error"], cwd=folder,
                           check=True, stdout=subprocess.DEVNULL)
            done.write_text(wanted)
    return str(folder / "node_modules")


def run_tests():
    """Of the program that calls it. One test that was skipped makes the program count as skipped."""
    result = unittest.main(module="__main__", exit=False).result
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}")
    sys.exit(1 if not result.wasSuccessful() else SKIPPED if result.skipped else 0)
