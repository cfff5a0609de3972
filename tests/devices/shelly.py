"""Shelly, whose firmware is closed, after its pages: shelly-api-docs.shelly.cloud/gen1 ("gen1": MQTT, Shelly RGBW2, Shelly Bulb, Shelly
Duo RGBW) and shelly-api-docs.shelly.cloud/gen2 ("gen2": Mqtt, RPC Protocol, RGBW, RGB, RGBCCT, Light). What no page says is marked."""

import json

from device import Device, Fade


class Gen1(Device):
    """An RGBW2 in its colour mode."""

    family = "shelly-gen1"
    model = "shellyrgbw2"
    has_white = True
    effects = None  # which number is which effect differs between models
    has_modes = False  # an RGBW2 has its mode in its settings
    kind = "color"  # the part of its topics

    def __init__(self, name):
        self.topic = f"shellies/{self.model}-{name}"
        self.keys = {"preset": "shelly-gen1", "topic": self.topic}
        if self.only_white:
            self.keys["white"] = True
        self.will = (f"{self.topic}/online", "false")
        super().__init__(name)

    def boot(self):
        self.on, self.rgb, self.white, self.gain, self.effect = True, (255, 255, 255), 255, 100, 0
        self.mode, self.brightness = "white" if self.has_modes or self.only_white else "color", 100
        self.light = Fade(self.target())

    def arrive(self):
        # No page says in which order; gen1, MQTT: online is true, and false by the will.
        self.client.subscribe(f"{self.topic}/{self.kind}/0/command", f"{self.topic}/{self.kind}/0/set")
        self.client.publish(f"{self.topic}/online", "true", retain=True)

    def heard(self, topic, payload):
        """gen1, RGBW2 and Bulb, MQTT, …/color/0/set: what is not said stays; `transition` in milliseconds, 0 to 5000."""
        if topic.endswith("/command"):
            self.on = payload == b"on"
            self.light.to(self.target(), 0.5)
            return
        try:
            order = json.loads(payload)
        except ValueError:
            self.complain("not JSON")
            return
        if not 0 <= order.get("transition", 0) <= 5000:
            self.complain("a transition out of range")
        if self.has_modes:
            self.mode = order.get("mode", self.mode)
        elif "mode" in order:
            self.complain("is sent a mode, which its page does not have in orders")
        self.on = {"on": True, "off": False}.get(order.get("turn"), self.on)
        self.rgb = tuple(order.get(key, value) for key, value in zip(("red", "green", "blue"), self.rgb))
        self.white = order.get("white", self.white)
        self.gain = order.get("gain", self.gain)
        self.brightness = order.get("brightness", self.brightness)
        self.effect = order.get("effect", self.effect)
        self.light.to(self.target(), order.get("transition", 500) / 1000)

    def target(self):
        if not self.on:
            return (0.0,) * 4
        if self.mode == "white":  # gen1, Bulb: in this mode brightness and temp count, red, green, blue and gain do not
            return (0.0, 0.0, 0.0, 2.55 * self.brightness)
        return tuple(part * self.gain / 100 for part in self.rgb) + (float(self.white),)

    def parts(self):
        return [self.light.now()]


class Gen1Bulb(Gen1):
    """A bulb, which was left in its white mode."""

    model = "shellycolorbulb"
    has_modes = True


class Gen1Duo(Gen1):
    """A lamp without colours (gen1, Shelly Duo: …/light/0/set, with brightness)."""

    model = "ShellyBulbDuo"
    kind = "light"
    only_white = True
    has_white = False


class Gen2(Device):
    """A Plus RGBW PM in its profile `rgbw`."""

    family = "shelly-gen2"
    profile = "rgbw"
    has_white = True
    effects = None

    def __init__(self, name):
        self.topic = name
        self.keys = {"preset": "shelly-gen2", "topic": name}
        if self.only_white:
            self.keys["white"] = True
        elif self.profile != "rgbw":
            self.keys["profile"] = self.profile
        self.has_white = self.profile in ("rgbw", "rgbcct")
        self.will = (f"{name}/online", "false")
        super().__init__(name)

    def boot(self):
        self.on, self.rgb, self.white, self.brightness, self.mode = True, (255, 255, 255), 255, 100, "rgb"
        if self.profile in ("rgbcct", "light"):
            self.mode = "cct"
        self.light = Fade(self.target())

    def arrive(self):
        # No page says in which order; gen2, Mqtt: <topic_prefix>/online is true, and false by the will.
        self.client.subscribe(f"{self.topic}/rpc", f"{self.topic}/command")
        self.client.publish(f"{self.topic}/online", "true", retain=True)

    def heard(self, topic, payload):
        """gen2, RPC Protocol: a request frame has id, src and method; the answer goes to <src>/rpc."""
        frame = json.loads(payload)
        answer = {"id": frame.get("id"), "src": self.topic, "dst": frame.get("src")}
        try:
            self.set(frame["method"], frame.get("params", {}))
            answer["result"] = None
        except ValueError as error:
            code, message = error.args
            answer["error"] = {"code": code, "message": message}
            self.complain(f"{code} {message}")
        if frame.get("src"):
            self.client.publish(f"{frame['src']}/rpc", json.dumps(answer))

    def set(self, method, params):
        """gen2, RGBW.Set, RGB.Set, RGBCCT.Set: each profile has its component only."""
        component = "Light" if self.only_white else self.profile.upper()
        if method != f"{component}.Set":
            raise ValueError(404, f"No handler for {method}")
        # gen2, RPC Protocol, common errors: -103 is an argument that is not valid.
        known = {"id", "on", "brightness", "transition_duration", "toggle_after"}
        known |= {"rgbw": {"rgb", "white"}, "rgb": {"rgb"}, "rgbcct": {"rgb", "ct", "mode"}, "light": set()}[self.profile]
        if unknown := params.keys() - known:
            raise ValueError(-103, f"Argument '{min(unknown)}' is not known")
        if not 0 <= params.get("brightness", 1) <= 100:
            raise ValueError(-103, "Argument 'brightness' is out of range")
        if params.get("transition_duration", 1) < 0.5:  # gen2, RGBW.Set: at least 0.5 s
            raise ValueError(-103, "Argument 'transition_duration' is out of range")
        self.on = params.get("on", self.on)
        self.rgb = tuple(params.get("rgb", self.rgb))
        self.white = params.get("white", self.white)
        self.brightness = params.get("brightness", self.brightness)
        if self.profile == "rgbcct":
            self.mode = params.get("mode", self.mode)  # no page says that a colour changes it
        self.light.to(self.target(), params.get("transition_duration", 0.5))

    def target(self):
        if not self.on:
            return (0.0,) * 4
        level = self.brightness / 100
        if self.mode == "cct":
            return (0.0, 0.0, 0.0, 255 * level)
        return tuple(part * level for part in self.rgb) + (float(self.white) if self.profile == "rgbw" else 0.0,)

    def parts(self):
        return [self.light.now()]


class Gen2Rgb(Gen2):
    """The same in its profile `rgb`."""

    profile = "rgb"


class Gen3Bulb(Gen2):
    """A bulb of the third generation, profile `rgbcct`, which was left in white."""

    profile = "rgbcct"


class Gen2Dimmer(Gen2):
    """A lamp without colours (gen2, Light.Set)."""

    profile = "light"
    only_white = True
