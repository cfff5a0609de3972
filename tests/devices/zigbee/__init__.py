"""Zigbee lamps behind zigbee2mqtt's own code: its `publish` and the converters decide, the lamps here obey the Zigbee commands."""

import json
import pathlib
import subprocess
import threading
import time

from device import DARK, Device, Fade
from wire import Client

HERE = pathlib.Path(__file__).parent
PACKAGES = json.loads((HERE / "package.json").read_text())["dependencies"]


def linear_rgb(x, y):
    """The full colour of a point of the CIE diagram, as near as red, green and blue come to it."""
    y = y or 1e-6
    big_x, big_z = x / y, (1 - x - y) / y
    rgb = (3.2406 * big_x - 1.5372 - 0.4986 * big_z, -0.9689 * big_x + 1.8758 + 0.0415 * big_z, 0.0557 * big_x - 0.2040 + 1.0570 * big_z)
    brightest = max(rgb)
    linear = [max(0.0, part / brightest) for part in rgb]
    return tuple(255 * (12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055) for part in linear)


class Lamp(Device):
    """After the Zigbee Cluster Library, revision 8: On/Off 3.8, Level 3.10, Color 5.2, Identify 3.5."""

    family = "zigbee2mqtt"
    judge = f"zigbee2mqtt {PACKAGES['zigbee2mqtt']}, converters {PACKAGES['zigbee-herdsman-converters']}"
    model = maker = ""
    effects_end = True  # a Zigbee lamp blinks once

    def __init__(self, name):
        self.keys = {"preset": "zigbee2mqtt", "topic": f"zigbee2mqtt/{name}"}
        if self.only_white:
            self.keys["white"] = True
        self.bridge = None
        super().__init__(name)

    def boot(self):
        # Power is back: on, white, full.
        self.on, self.level, self.color = True, Fade((254.0,)), Fade((255.0, 225.0, 180.0))
        self.looping = self.looped = None
        self.blinks_until, self.powered = 0.0, True
        self.effect_began_at = None

    def plug_in(self, port):
        self.boot()
        self.client = self.bridge.client
        self.bridge.availability(self.name, True)

    def pull_out(self):
        self.powered = False
        self.bridge.availability(self.name, False)

    def command(self, cluster, command, payload):
        if not self.powered:
            return
        seconds = payload.get("transtime", 0) / 10
        match cluster, command:
            case "genOnOff", "on" | "off":
                self.on = command == "on"
            case "genOnOff", "offWithEffect":
                self.on = False
            case "genLevelCtrl", "moveToLevel" | "moveToLevelWithOnOff":
                if payload["level"] and not self.on:
                    self.on, self.level = True, Fade((0.0,))
                self.level.to((float(payload["level"]),), seconds)
            case "genLevelCtrl", "stop":
                pass
            case "lightingColorCtrl", "moveToColor":
                self.to_color(linear_rgb(payload["colorx"] / 65535, payload["colory"] / 65535), seconds)
            case "lightingColorCtrl", "moveToHueAndSaturation" | "enhancedMoveToHueAndSaturation":
                full = 65536 if command.startswith("enhanced") else 254
                hue = 360 * payload.get("enhancehue", payload.get("hue", 0)) / full
                pale = 1 - payload["saturation"] / 254
                rise = lambda n: (n + hue / 60) % 6
                part = lambda n: 1 - (1 - pale) * max(0, min(rise(n), 4 - rise(n), 1))
                self.to_color(tuple(255 * part(n) for n in (5, 3, 1)), seconds)
            case "lightingColorCtrl", "moveHue":
                self.looping = payload["rate"] / 254 if payload["movemode"] else None  # turns of the colour wheel a second
                self.looped = self.looping or self.looped
            case "lightingColorCtrl", "colorLoopSet":
                self.looping = 1 / payload["time"] if payload.get("action") else None
                self.looped = self.looping or self.looped
            case "lightingColorCtrl", "moveToColorTemp":
                self.to_color((255.0, 225.0, 180.0), seconds)
            case "genIdentify", "triggerEffect":
                # 0 blink: once; 1 breathe: 15 s; 2 okay: 1 s; 0xfe and 0xff end it. Afterwards the lamp is as before.
                lasts = {0: 1.0, 1: 15.0, 2: 1.0}.get(payload["effectid"], 0.0)
                self.blinks_until = time.monotonic() + lasts
            case "manuSpecificPhilips2", "multiColor":
                self.hue_effect(bytes(payload["data"]["data"]))
            case "lightingColorCtrl" | "genLevelCtrl" | "genOnOff", "read" | "write":
                pass
            case _:
                self.complain(f"a command that this judge does not know: {cluster} {command} {payload}")

    def to_color(self, rgb, seconds):
        if self.effect_began_at is None:
            self.looping = None
        self.color.to(rgb, seconds)

    def hue_effect(self, data):
        """converters, lib/philips.js: bit 5 of the first word is an effect, whose number follows; 0 ends it. What a Hue does with a colour
        that comes while an effect runs is not known; it may go back to the one before when the effect ends, so it does here."""
        if data[0] & 0x20:
            if data[2] == 0:
                if self.effect_began_at is not None:
                    self.color.to(self.effect_began_at, 0.0)
                self.effect_began_at, self.looping = None, None
            else:
                self.effect_began_at = self.color.end
                self.looping = self.looped = 0.05

    def parts(self):
        level = self.level.now()[0]
        # ZCL 3.10.2.3.2: WithOnOff at the lowest level turns off; zigbee2mqtt uses it for a transition to off.
        if not self.powered or not self.on or level <= 0:
            return [DARK]
        if time.monotonic() < self.blinks_until and time.monotonic() % 0.5 < 0.25:
            level = level * 0.1
        if self.only_white:
            return [(0.0, 0.0, 0.0, 255 * level / 254)]
        color = self.color.now()
        if self.looping:
            hue = (time.monotonic() * self.looping) % 1 * 6
            color = tuple(255 * (1 - max(0, min((n + hue) % 6, 4 - (n + hue) % 6, 1))) for n in (5, 3, 1))
        return [tuple(part * level / 254 for part in color) + (0.0,)]


def lamp(model_, maker_, white=False):
    class Known(Lamp):
        model, maker, only_white = model_, maker_, white

    return Known


LAMPS = {
    "ikea-color": lamp("TRADFRI bulb E27 CWS opal 600lm", "IKEA of Sweden"),
    "hue-color": lamp("LCA001", "Signify Netherlands B.V."),
    "innr-rgbw": lamp("RB 285 C", "innr"),
    "tuya-rgbcct": lamp("TS0505B", "_TZ3000_kdpxju99"),
    "osram-rgbw": lamp("CLA60 RGBW OSRAM", "OSRAM"),
    "ledvance-rgbw": lamp("A60 RGBW T", "LEDVANCE"),
    "hue-white": lamp("LWA001", "Signify Netherlands B.V.", white=True),
    "ikea-white": lamp("TRADFRI bulb E27 W opal 1000lm", "IKEA of Sweden", white=True),
}


class Zigbee2mqtt:
    """The bridge between them and the broker: one client, one process with its code."""

    def __init__(self, lamps, installed, folder):
        self.lamps, self.installed, self.folder = {lamp.name: lamp for lamp in lamps}, installed, folder
        for one in lamps:
            one.bridge = self

    def start(self, port):
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [f"{lamp.name}={lamp.model}={lamp.maker}" for lamp in self.lamps.values()]
        self.process = subprocess.Popen(["node", HERE / "lamps.js", self.installed, self.folder, *words],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while "ready" not in (said := json.loads(self.process.stdout.readline() or '{"error": "it ended"}')):
            raise RuntimeError(f"zigbee2mqtt's code does not start: {said}")
        threading.Thread(target=self.read, daemon=True).start()
        self.client = Client(port, "zigbee2mqtt", self.heard)
        self.client.subscribe("zigbee2mqtt/+/set", wait=True)

    def heard(self, topic, payload):
        self.process.stdin.write(json.dumps({"topic": topic, "message": payload.decode()}) + "\n")
        self.process.stdin.flush()

    def read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            for level in ("error", "warning"):
                if level in said:
                    for name in [name for name in self.lamps if name in said[level]] or list(self.lamps):
                        self.lamps[name].complain(f"{level}: {said[level]}")
            if "command" in said:
                lamp = self.lamps[said["lamp"]]
                with lamp.lock:
                    lamp.command(said["cluster"], said["command"], said.get("payload") or {})

    def availability(self, name, there):
        # zigbee2mqtt, lib/extension/availability.ts: retained, JSON.
        self.client.publish(f"zigbee2mqtt/{name}/availability", json.dumps({"state": "online" if there else "offline"}), retain=True)

    def end(self):
        self.process.kill()
        self.process.wait()
