"""What all devices have in common: they lose power and come back, hear orders, and shine."""

import threading
import time

from wire import Client

DARK = (0.0, 0.0, 0.0, 0.0)  # red, green, blue, and the brightest white, 0 to 255


class Fade:
    """Levels on their way, in a straight line."""

    def __init__(self, levels=DARK):
        self.start, self.end, self.begun, self.duration = levels, levels, 0.0, 0.0

    def now(self):
        passed = time.monotonic() - self.begun
        if passed >= self.duration:
            return self.end
        part = passed / self.duration
        return tuple(a + (b - a) * part for a, b in zip(self.start, self.end))

    def to(self, levels, seconds):
        self.start, self.end, self.begun, self.duration = self.now(), levels, time.monotonic(), seconds


class Device:
    """One device. A kind of device fills in what its firmware does; where that is written stands beside each rule."""

    judge = "stand-in"  # whose code decides
    family = ""
    keys = {}  # of [[lights]], beside those that all have
    has_white = False  # a white channel beside the colours
    only_white = False
    dims = True  # has a brightness of its own
    fades = True
    effects = "blink"  # what is asked of it; None where the device has none
    effects_end = False  # by themselves, after a second
    will = None

    def __init__(self, name):
        self.name, self.complaints, self.client, self.lock = name, [], None, threading.RLock()
        self.boot()

    # What a kind of device defines:

    def boot(self):
        """Its state when power comes, before anybody orders anything."""

    def arrive(self):
        """What it does once it is connected, in the firmware's order."""

    def heard(self, topic, payload):
        """An order."""

    def parts(self):
        """What each of its parts shines in now: (red, green, blue, white), 0 to 255."""
        raise NotImplementedError

    # What the judge does with it:

    def plug_in(self, port):
        self.boot()
        self.client = Client(port, self.name, self.receive, self.will)
        self.arrive()

    def pull_out(self):
        self.client.drop()
        self.client = None

    def receive(self, topic, payload):
        with self.lock:
            self.heard(topic, payload)

    def complain(self, words):
        self.complaints.append(words)

    def later(self, seconds, action):
        client = self.client

        def act():
            with self.lock:
                if self.client is client:  # not after it lost power
                    action()

        threading.Timer(seconds, act).start()


def byte_color(words):
    """#rrggbb as three numbers."""
    raw = words.lstrip("#")
    return tuple(int(raw[i:i + 2], 16) for i in (0, 2, 4))
