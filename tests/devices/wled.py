"""WLED, after its source: wled/WLED at 6d16dc22, `wled00/mqtt.cpp`, `wled00/json.cpp` and `wled00/FX.cpp`."""

import json
import time

from device import Device, Fade

RAINBOW = (255.0, 160.0, 0.0, 0.0)  # somewhere in a palette that is not made of the segment's own colours
SOLID, BLINK, BREATHE = 0, 1, 2


class Segment:
    """As its owner has left it: with a second colour and a palette, which `blink` and `breathe` use."""

    def __init__(self):
        self.color, self.second, self.palette, self.effect = (255, 160, 0, 0), (255, 255, 255, 0), 6, SOLID
        self.on, self.frozen, self.brightness = True, False, 255
        self.light = Fade(tuple(map(float, self.color)))

    def freeze(self):
        if not self.frozen:
            self.frozen, self.still = True, self.light.now()

    def shown(self):
        if self.frozen:  # FX_fcn.cpp:1332: a frozen segment is not drawn anew
            return self.still
        first = self.light.now()
        palette = first if self.palette == 0 else RAINBOW
        second = tuple(map(float, self.second))
        if self.effect == SOLID:
            return first
        if self.effect == BLINK:
            # FX.cpp, mode_blink: a cycle of (255 - speed) * 20 ms, with 128 for the speed; on is the palette's, off the second colour.
            return palette if time.monotonic() % 2.6 < 1.3 else second
        if self.effect == BREATHE:
            # FX.cpp, mode_breath: between the second colour and the palette's.
            part = 0.12 + 0.88 * abs((time.monotonic() / 2) % 1 * 2 - 1)
            return tuple(a + (b - a) * part for a, b in zip(second, palette))
        return RAINBOW


class Wled(Device):
    """A strip of RGBW LEDs, cut into as many segments as it has."""

    family = "wled"
    has_white = True
    segments = 1

    def __init__(self, name):
        self.topic = f"wled/{name}"
        self.keys = {"preset": "wled", "topic": self.topic}
        self.will = (f"{self.topic}/status", "offline")
        super().__init__(name)

    def boot(self):
        # Comes up as the boot preset or the default has it: orange.
        self.on, self.bri, self.delay = True, 128, 700  # 0.7 s is WLED's default transition
        self.strip = [Segment() for _ in range(self.segments)]
        self.level = Fade((128.0,))

    def arrive(self):
        # mqtt.cpp, onMqttConnect: subscribes to its topic, /col and /api, and says online after that.
        self.client.subscribe(self.topic, f"{self.topic}/col", f"{self.topic}/api")
        self.say()

    def say(self):
        self.client.publish(f"{self.topic}/g", str(self.bri if self.on else 0))
        self.client.publish(f"{self.topic}/status", "online", retain=True)  # mqtt.cpp, publishMqtt: with every change

    def heard(self, topic, payload):
        if topic == f"{self.topic}/api" and payload.startswith(b"{"):
            try:
                self.state(json.loads(payload))
            except ValueError:
                self.complain("not JSON")  # deserializeJson's error is not looked at: nothing happens
        else:
            self.complain(f"an order at {topic} that is not JSON")
        self.say()

    def state(self, root):
        """json.cpp, deserializeState."""
        was_on = self.on and self.bri > 0
        self.bri = root.get("bri", self.bri)
        self.on = root.get("on", self.on)
        if self.on and not was_on:
            for segment in self.strip:  # json.cpp: "unfreeze all segments when turning on"
                segment.frozen = False
        seconds = self.delay / 1000
        if "transition" in root:  # strip.setTransition and transitionDelay: until the next start
            if root["transition"] * 100 != self.delay:
                self.complain(f"the owner's transition of {self.delay / 1000:g} s is overwritten")
            self.delay = root["transition"] * 100
            seconds = self.delay / 1000
        if "tt" in root:  # jsonTransitionOnce
            seconds = root["tt"] / 10
        self.level.to((float(self.bri if self.on else 0),), seconds)
        segments = root.get("seg", [])
        if isinstance(segments, dict):
            # Not an array and without an id: every segment that is selected; new ones are.
            chosen = [segments["id"]] if "id" in segments else range(len(self.strip))
            for index in chosen:
                self.segment(self.strip[index], segments, seconds)
        else:
            for index, element in enumerate(segments):
                index = element.get("id", index)
                if index < len(self.strip):  # one that does not exist is not made without "stop"
                    self.segment(self.strip[index], element, seconds)

    def segment(self, segment, element, seconds):
        """json.cpp, deserializeSegment: what is not there stays as it is."""
        segment.on = element.get("on", segment.on)
        if element.get("frz", segment.frozen):
            segment.freeze()
        else:
            segment.frozen = False
        colors = element.get("col", [])
        if colors:
            segment.light.to(tuple(map(float, (colors[0] + [0])[:4])), seconds)  # no white: 0
        if len(colors) > 1:
            segment.second = tuple((colors[1] + [0])[:4])
        segment.effect = element.get("fx", segment.effect)
        segment.palette = element.get("pal", segment.palette)

    def parts(self):
        level = self.level.now()[0] / 255
        return [tuple(part * level * segment.on for part in segment.shown()) for segment in self.strip]


class WledSegments(Wled):
    """The same strip, cut in two."""

    segments = 2


class WledFrozen(Wled):
    """A strip whose owner has frozen it, as the switch beside the segment does."""

    def boot(self):
        super().boot()
        self.strip[0].freeze()
