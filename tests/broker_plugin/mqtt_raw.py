"""A small MQTT client on a plain socket, for tests: it sends what it is told and hides nothing.

Blocking; every wait has a deadline, and running into it is the test's failure.
"""

import collections
import socket
import ssl
import struct

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
PUBREC, PUBREL, PUBCOMP = 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14

DEADLINE_SECONDS = 10

Message = collections.namedtuple("Message", "topic payload qos retain dup")


class Closed(Exception):
    """The broker closed the connection."""


def _text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("!H", len(data)) + data


def _packet(kind, flags, body):
    length, size = b"", len(body)
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([kind << 4 | flags]) + length + body


class Client:
    """One connection. After connect() its `code` is the CONNACK's."""

    def __init__(self, port, client_id, user=None, password=None, clean=True, keepalive=60,
                 version=4, will=None, tls=None, acknowledge=True):
        self.acknowledge = acknowledge  # Of QoS 1 messages received.
        self.messages = collections.deque()
        self._received = bytearray()
        self._version = version
        self._next_id = 0
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        flags = 2 * clean
        payload = _text(client_id)
        if will is not None:
            flags |= 0x04
            payload += (b"\0" if version == 5 else b"") + _text(will[0]) + _text(will[1])
        if user is not None:
            flags |= 0x80
            payload += _text(user)
        if password is not None:
            flags |= 0x40
            payload += _text(password)
        head = _text("MQTT") + bytes([version, flags]) + struct.pack("!H", keepalive)
        if version == 5:
            head += b"\0"
        self.send(CONNECT, 0, head + payload)
        try:
            body = self._wait(CONNACK)
        except Closed:
            self.code = None
            return
        self.session_present, self.code = bool(body[0] & 1), body[1]

    def send(self, kind, flags, body):
        self.socket.sendall(_packet(kind, flags, body))

    def publish(self, topic, payload=b"", qos=0, retain=False, wait=True):
        """With QoS 1 the reason code of the PUBACK (0 before MQTT 5)."""
        body = _text(topic)
        if qos:
            packet_id = self._packet_id()
            body += packet_id
        if self._version == 5:
            body += b"\0"
        payload = payload.encode() if isinstance(payload, str) else payload
        self.send(PUBLISH, qos << 1 | retain, body + payload)
        if qos == 1 and wait:
            answer = self._wait(PUBACK)
            assert answer[:2] == packet_id, answer
            return answer[2] if len(answer) > 2 else 0
        if qos == 2 and wait:
            assert self._wait(PUBREC)[:2] == packet_id
            self.send(PUBREL, 2, packet_id)
            assert self._wait(PUBCOMP)[:2] == packet_id
        return None

    def subscribe(self, *filters, qos=1):
        """The return codes, one a filter."""
        body = self._packet_id() + (b"\0" if self._version == 5 else b"")
        for topic in filters:
            body += _text(topic) + bytes([qos])
        self.send(SUBSCRIBE, 2, body)
        return list(self._wait(SUBACK)[3 if self._version == 5 else 2:])

    def unsubscribe(self, topic):
        self.send(UNSUBSCRIBE, 2, self._packet_id() + _text(topic))
        self._wait(UNSUBACK)

    def receive(self):
        """The next message."""
        while not self.messages:
            self._handle(*self._read())
        return self.messages.popleft()

    def ping(self):
        """Comes back once the broker has handled all that was sent before."""
        self.send(PINGREQ, 0, b"")
        self._wait(PINGRESP)

    def wait_closed(self):
        try:
            while True:
                self._handle(*self._read())
        except (Closed, ConnectionResetError, ssl.SSLError):
            self.socket.close()

    def drop(self):
        """Ends the connection as a device does that loses power."""
        self.socket.close()

    def disconnect(self):
        """Ends the connection properly; comes back when the broker has seen it."""
        self.send(DISCONNECT, 0, b"")
        self.wait_closed()

    def _packet_id(self):
        self._next_id = self._next_id % 65535 + 1
        return struct.pack("!H", self._next_id)

    def _wait(self, kind):
        while True:
            got, flags, body = self._read()
            if got == kind:
                return body
            self._handle(got, flags, body)

    def _handle(self, kind, flags, body):
        if kind != PUBLISH:
            raise AssertionError(f"packet {kind} was not asked for")
        (length,) = struct.unpack_from("!H", body)
        topic, at, qos = body[2:2 + length].decode(), 2 + length, flags >> 1 & 3
        if qos:
            packet_id, at = body[at:at + 2], at + 2
            if self.acknowledge:
                self.send(PUBACK, 0, packet_id)
        if self._version == 5:
            assert body[at] == 0, "properties are not expected here"
            at += 1
        self.messages.append(
            Message(topic, body[at:], qos, bool(flags & 1), bool(flags & 8)))

    def _read(self):
        first = self._bytes(1)[0]
        length = shift = 0
        while True:
            digit = self._bytes(1)[0]
            length |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                return first >> 4, first & 15, self._bytes(length)

    def _bytes(self, count):
        while len(self._received) < count:
            data = self.socket.recv(65536)
            if not data:
                raise Closed
            self._received += data
        data = bytes(self._received[:count])
        del self._received[:count]
        return data
