"""ESPHome's own light code, built for this machine, with one light on pins that can be seen."""

import hashlib
import pathlib
import shutil
import subprocess
import threading

from device import DARK, Device

HERE = pathlib.Path(__file__).parent
VERSION = "2026.6.5"
COMPONENTS = ["host", "json", "light", "monochromatic", "output", "rgb", "rgbw", "rgbww"]
SOURCES = [
    *(f"esphome/components/light/light_{name}.cpp" for name in ("json_schema", "call", "state", "output", "effect", "color_values")),
    "esphome/components/output/float_output.cpp",
    *(f"esphome/core/{name}.cpp" for name in ("helpers", "alloc_helpers")),
]


def build(source, json_library, cache):
    """The program, built once for each version of what it is built from. `source` is ESPHome's unpacked source distribution."""
    own = [HERE / name for name in ("main.cpp", "around.cpp", "defines.h")]
    key = hashlib.sha256(b"".join(file.read_bytes() for file in own) + str(source).encode()).hexdigest()[:16]
    program = cache / f"esphome-light-{key}"
    if program.exists():
        return program
    tree = cache / f"esphome-{key}"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(source / "esphome" / "core", tree / "esphome" / "core")
    for name in COMPONENTS:
        shutil.copytree(source / "esphome" / "components" / name, tree / "esphome" / "components" / name)
    shutil.copy(HERE / "defines.h", tree / "esphome" / "core" / "defines.h")
    command = ["g++", "-std=gnu++20", "-w", "-O1", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-I.",
               f"-I{json_library}", str(HERE / "main.cpp"), str(HERE / "around.cpp"), *SOURCES, "-o", str(program)]
    done = subprocess.run(command, cwd=tree, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"ESPHome's light code cannot be built:\n{done.stderr[-3000:]}")
    shutil.rmtree(tree)
    return program


class Esphome(Device):
    """A node. The Python around it does what esphome/components/mqtt does: mqtt_light.cpp subscribes to
    <prefix>/light/<object>/command and hands each order to LightJSONSchema::parse_json."""

    family = "esphome"
    judge = f"ESPHome {VERSION}"
    program = None
    kind = "rgb"

    def __init__(self, name):
        self.topic = name
        self.keys = {"preset": "esphome", "topic": name, "object": "strip"}
        self.has_white = self.kind in ("rgbw", "rgbww")
        self.only_white = self.kind == "white"
        if self.only_white:
            self.keys["white"] = True
        self.will = (f"{name}/status", "offline")
        self.process = None
        super().__init__(name)

    def boot(self):
        self.end()
        self.levels = DARK
        self.process = subprocess.Popen([self.program, self.kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, args=[self.process], daemon=True).start()

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def read(self, process):
        for line in process.stdout:
            if line.startswith("!"):
                self.complain(line[2:].strip())
            else:
                self.levels = tuple(map(float, line.split()))

    def arrive(self):
        # mqtt_client.cpp, check_connected: the subscriptions are sent first, then the birth message, retained.
        self.client.subscribe(f"{self.topic}/light/strip/command")
        self.client.publish(f"{self.topic}/status", "online", retain=True)

    def heard(self, topic, payload):
        self.process.stdin.write(payload.decode() + "\n")
        self.process.stdin.flush()

    def parts(self):
        return [self.levels]


class EsphomeRgbw(Esphome):
    kind = "rgbw"


class EsphomeRgbww(Esphome):
    kind = "rgbww"


class EsphomeWhite(Esphome):
    kind = "white"
