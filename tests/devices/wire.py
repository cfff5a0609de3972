"""A client of MQTT 3.1.1 (OASIS standard, sections 2 and 3) that does what a device tells it to, in that order and no earlier."""

import socket
import struct
import threading

HERE = "127.0.0.1"


def text(words):
    raw = words.encode() if isinstance(words, str) else words
    return struct.pack("!H", len(raw)) + raw


def packet(kind, body):
    length, left = b"", len(body)
    while True:
        left, part = divmod(left, 128)
        length += bytes([part | (128 if left else 0)])
        if not left:
            return bytes([kind]) + length + body


class Client:
    """A session. `heard(topic, payload)` is called for each message, in a thread of its own."""

    def __init__(self, port, name, heard, will=None):
        self.heard, self.number = heard, 0
        self.acknowledged = threading.Event()
        self.socket = socket.create_connection((HERE, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(None)
        flags, last = 0x02, b""
        if will:
            flags, last = flags | 0x04 | 0x20, text(will[0]) + text(will[1])  # a retained will
        self.socket.sendall(packet(0x10, text("MQTT") + bytes([4, flags, 0, 0]) + text(name) + last))
        self.stream = self.socket.makefile("rb")
        kind, body = self.read()
        if kind != 0x20 or body[1] != 0:
            raise ConnectionError(f"the broker refuses {name}: {body!r}")
        threading.Thread(target=self.listen, daemon=True).start()

    def read(self):
        first = self.stream.read(1)
        if not first:
            raise ConnectionError("closed")
        length, shift = 0, 0
        while True:
            byte = self.stream.read(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        return first[0], self.stream.read(length)

    def listen(self):
        try:
            while True:
                kind, body = self.read()
                if kind & 0xF0 == 0x30:
                    end = 2 + struct.unpack("!H", body[:2])[0]
                    start = end + (2 if kind & 0x06 else 0)
                    if kind & 0x06:
                        self.socket.sendall(packet(0x40, body[end:start]))
                    self.heard(body[2:end].decode(), body[start:])
                elif kind == 0x90:
                    self.acknowledged.set()
        except (OSError, ConnectionError, IndexError, ValueError):
            return

    def publish(self, topic, payload, retain=False):
        body = text(topic) + (payload.encode() if isinstance(payload, str) else payload)
        self.socket.sendall(packet(0x30 | retain, body))

    def subscribe(self, *filters, wait=False):
        """Without waiting for the broker's answer, as most devices do."""
        self.acknowledged.clear()
        for name in filters:
            self.number += 1
            self.socket.sendall(packet(0x82, struct.pack("!H", self.number) + text(name) + b"\0"))
        if wait:
            self.acknowledged.wait(10)

    def drop(self):
        """As a plug that is pulled: without a word."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
