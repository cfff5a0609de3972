"""Tasmota, after its source: arendst/Tasmota, `tasmota/tasmota_xdrv_driver/xdrv_04_light.ino` ("light" below) at 04f3df8b,
`xdrv_02_9_mqtt.ino` ("mqtt") at 00c06394, and `tasmota/tasmota_support/support_command.ino` ("command")."""

import re

from device import Device, Fade, byte_color

BACKLOG_DELAY = 0.2  # SetOption34: what passes between two commands of a Backlog (command, CommandHandler: backlog_timer)


class Tasmota(Device):
    """A light of three or four channels, linked (SetOption37 below 128), behind as many relays as it has."""

    family = "tasmota"
    effects = None
    relays = 0
    channels = 3  # 1: a dimmer; 3: RGB; 4: RGBW
    gap = 0.15  # between `Online` and SUBSCRIBE; what a home network makes of it

    def __init__(self, name):
        self.topic = name
        self.will = (f"tele/{name}/LWT", "Offline")
        self.has_white = self.channels > 3
        self.keys = {"preset": "tasmota", "topic": name}
        if self.relays:
            self.keys["channel"] = self.relays + 1
        if self.only_white:
            self.keys["white"] = True
        super().__init__(name)

    def boot(self):
        # Settings survive: colour, dimmer, Fade 0, Speed 1. PowerOnState 1 is used here: it comes back on, in white.
        self.color, self.bri, self.white = (255, 255, 255), 255, 0
        if self.channels in (1, 4):
            self.color, self.bri, self.white = (0, 0, 0), 0, 255
        self.power = [True] * (self.relays + 1)
        self.fade, self.speed, self.once, self.update = False, 1, None, False
        self.last = self.target()
        self.light, self.queue, self.busy = Fade(self.last), [], False

    def arrive(self):
        # mqtt, MqttConnected: `Online` is published, then an empty cmnd/<topic>/POWER, then cmnd/<topic>/# is subscribed to; after
        # that INFO1 to INFO3, at the first connection after power on (mqtt: initial_connection_state).
        self.client.publish(f"tele/{self.topic}/LWT", "Online", retain=True)
        self.client.publish(f"cmnd/{self.topic}/POWER", "")

        def subscribe():
            self.client.subscribe(f"cmnd/{self.topic}/#")
            for number, words in enumerate(("Module", "WebServerMode", "RestartReason"), 1):
                self.client.publish(f"tele/{self.topic}/INFO{number}", f'{{"Info{number}":{{"{words}":"x"}}}}')

        self.later(self.gap, subscribe)

    def heard(self, topic, payload):
        self.run(topic.rsplit("/", 1)[1], payload.decode())

    def run(self, command, data):
        if (backlog := re.fullmatch(r"(?i)backlog(\d*)", command)) is not None:
            self.queue += [(part.strip(), backlog[1] == "0") for part in data.split(";") if part.strip()]
            if not self.busy:
                self.busy = True
                self.next()
            return
        name, index = re.fullmatch(r"([A-Za-z]+)(\d*)", command).groups()
        known = getattr(self, f"do_{name.lower()}", None)
        if known is None:
            self.complain(f"unknown command {command}")  # command, CommandHandler: stat/…/RESULT {"Command":"Unknown"}
            return
        known(int(index or 1), data.strip())
        self.animate()

    def next(self):
        if not self.queue:
            self.busy = False
            return
        words, at_once = self.queue.pop(0)
        name, _, data = words.partition(" ")
        if name.lower() == "nodelay":
            self.next()
            return
        self.run(name, data)
        self.later(0 if at_once else BACKLOG_DELAY, self.next)

    # Commands. Without a number the first is meant.

    def do_power(self, index, data):
        """command, CmndPower: Power<x> is output x; relays come before the light (light, LightModuleInit: Light.device)."""
        if not data:
            return
        if index > len(self.power):
            self.complain(f"there is no Power{index}")
            return
        self.power[index - 1] = {"ON": True, "1": True, "OFF": False, "0": False}.get(
            data.upper(), not self.power[index - 1])

    def do_color(self, index, data):
        """light, CmndSupportColor: Color1 sets colour and brightness, and white to 0; Color2 keeps the brightness."""
        if self.channels == 1:
            self.complain("Color is not for a dimmer")  # light, CmndColor: {"Command":"Error"}
            return
        if index > 2:
            return
        before = self.bri or self.white
        channels = byte_color(data) if data.startswith("#") or "," not in data else tuple(map(int, data.split(",")))[:3]
        self.set_rgb(channels)
        if index == 2:
            self.bri = before
        self.prepare_power()

    def do_hsbcolor(self, _, data):
        hue, saturation, brightness = (int(part) for part in data.split(","))
        rise = lambda n: (n + hue / 60) % 6
        part = lambda n: 255 * (1 - saturation / 100 * max(0, min(rise(n), 4 - rise(n), 1)))
        self.set_rgb(tuple(round(part(n)) for n in (5, 3, 1)))
        self.bri = round(brightness * 2.55)
        self.prepare_power()

    def do_dimmer(self, _, data):
        """light, CmndDimmer: changes whichever of colour and white is on, and has the light set anew (`Light.update = true`)."""
        level = round(int(data) * 2.55)
        if self.channels == 1 or self.white and not self.bri:
            self.white = level
        else:
            self.bri = level
        self.update = True
        self.prepare_power()

    def do_white(self, _, data):
        self.color, self.bri, self.white = (0, 0, 0), 0, round(int(data) * 2.55)
        self.prepare_power()

    def do_fade(self, _, data):
        self.fade = data.upper() in ("1", "ON")

    def do_speed(self, index, data):
        """light, CmndSpeed: Speed2 is a fade, or none, for the next change only; 0 to 40 halves of a second."""
        if index == 2:
            self.once = int(data)
        else:
            self.speed = int(data)

    # The light.

    def set_rgb(self, channels):
        """light, LightStateClass::setChannels: the colour is kept at full, the brightest channel becomes the brightness."""
        self.bri = max(channels)
        self.color = tuple(round(255 * part / self.bri) for part in channels) if self.bri else (255, 255, 255)
        self.white = 0

    def prepare_power(self):
        """light, LightPreparePower: with SetOption20 0, a colour turns the light on (and not the relay), no brightness off."""
        self.power[-1] = (self.bri or self.white) > 0

    def target(self):
        if not self.power[-1]:
            return (0.0,) * 4
        return tuple(part * self.bri / 255 for part in self.color) + (float(self.white),)

    def animate(self):
        """light, LightAnimate, which runs every 50 ms: a changed target is faded to if there is a fade, and `Speed2` is used up;
        without one it jumps there and a fade under way ends. LightApplyFade: the time is for a change of the full range, and
        shorter for a smaller one (SetOption117 0)."""
        target = self.target()
        if target == self.last and not self.update:
            return
        self.last, self.update = target, False
        fade, speed = (self.fade, self.speed) if self.once is None else (self.once > 0, self.once)
        self.once = None
        furthest = max(abs(a - b) for a, b in zip(self.light.now(), target))
        self.light.to(target, speed * 0.5 * furthest / 255 if fade else 0.0)

    def parts(self):
        return [self.light.now()]


class TasmotaWhite(Tasmota):
    """An RGBW lamp that was left in white."""

    channels = 4


class TasmotaRelays(Tasmota):
    """A light behind two relays, such as a lamp with two sockets: Power1 and Power2 are the relays."""

    relays = 2

    def do_power(self, index, data):
        before = self.power[:self.relays]
        super().do_power(index, data)
        if self.power[:self.relays] != before:
            self.complain("switches a relay")


class TasmotaDimmer(Tasmota):
    """A lamp without colours."""

    channels = 1
    only_white = True
