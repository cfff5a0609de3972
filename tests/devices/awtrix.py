"""AWTRIX 3, after its source: Blueforcer/awtrix3 at 723e8c7a, `src/MQTTManager.cpp`, `src/DisplayManager.cpp`, `src/MatrixDisplayUi.cpp`."""

import json
import time

from device import DARK, Device, byte_color

BRIGHTNESS = 255  # what the owner has set for the matrix


class Awtrix(Device):
    """A clock, of which an indicator is the light."""

    family = "awtrix"
    dims = False  # an indicator is as bright as the matrix
    fades = False
    target = "indicator1"

    def __init__(self, name):
        self.topic = name
        self.keys = {"preset": "awtrix", "topic": name, "target": self.target}
        super().__init__(name)

    def boot(self):
        self.color, self.blink, self.fade, self.on = (255, 255, 255), 0, 0, False
        self.matrix, self.mood = BRIGHTNESS, None

    def arrive(self):
        # MQTTManager.cpp, onMqttConnected: subscribes to everything, 30 ms apart, waits 200 ms, and then says stats/effects.
        self.client.subscribe(*(f"{self.topic}/{level}" for level in ("indicator1", "indicator2", "indicator3", "moodlight")))
        self.later(0.2, lambda: self.client.publish(f"{self.topic}/stats/effects", '["Fade","Radar"]'))

    def heard(self, topic, payload):
        if topic == f"{self.topic}/moodlight":
            self.moodlight(payload)
        elif topic == f"{self.topic}/{self.target}":
            self.indicator(payload)

    def indicator(self, payload):
        """DisplayManager.cpp, indicatorParser: empty is off; a colour of 0 is off; blink and fade end where they are not said."""
        order = self.parsed(payload) if payload not in (b"", b"{}") else {"color": "0"}
        if "color" in order:
            color = int(str(order["color"]).lstrip("#"), 16)
            self.on = color > 0
            if self.on:
                self.color = byte_color(f"{color:06x}")
        self.blink, self.fade = order.get("blink", 0), order.get("fade", 0)

    def moodlight(self, payload):
        """DisplayManager.cpp, moodlight: empty gives the matrix back; the brightness is the matrix's own, and stays."""
        if payload == b"":
            self.mood = None
            if self.matrix != BRIGHTNESS:
                self.complain("the clock stays as bright as the mood light was")
            return
        order = self.parsed(payload)
        self.matrix = order.get("brightness", BRIGHTNESS)
        if "color" in order:
            self.mood = byte_color(order["color"])

    def parsed(self, payload):
        try:
            return json.loads(payload)
        except ValueError:
            self.complain("not JSON")
            return {}

    def parts(self):
        """MatrixDisplayUi.cpp, drawIndicators."""
        if not self.on:
            return [DARK]
        now = time.monotonic() * 1000
        part = 1.0
        if self.blink:
            part = float(now % (2 * self.blink) < self.blink)
        elif self.fade:
            part = abs(now % self.fade / self.fade * 2 - 1)
        return [tuple(value * part for value in self.color) + (0.0,)]


class AwtrixMoodlight(Awtrix):
    """The whole matrix."""

    target = "moodlight"
    dims = True
    effects = None

    def parts(self):
        # A full matrix as its owner has it counts as full.
        level = self.matrix / BRIGHTNESS
        return [tuple(value * level for value in self.mood) + (0.0,) if self.mood else DARK]
