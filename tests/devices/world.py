"""Broker, simulated tenant and bridge around the devices; the programs are those of tests/home-assistant."""

import json
import pathlib
import socket
import subprocess
import sys
import threading

sys.path.insert(1, str(pathlib.Path(__file__).parent.parent / "home-assistant"))

from stage import HERE, Broker, Process, Tenant  # noqa: E402
from wire import Client  # noqa: E402

ACTIVITIES = {"Available": "Available", "Busy": "Busy", "DoNotDisturb": "DoNotDisturb", "BeRightBack": "BeRightBack",
              "Offline": "OffWork"}


def free_port():
    with socket.socket() as listener:
        listener.bind((HERE, 0))
        return listener.getsockname()[1]


class World:
    def __init__(self, program, folder, devices):
        self.program, self.folder, self.devices = program, folder, devices
        self.port = free_port()
        self.broker = Broker(self.port, folder / "broker.log")
        self.tenant = Tenant(program, 1, folder / "tenant.log")
        self.config = folder / "presence2mqtt.toml"
        self.bridge = Process([program, "-v", "--config", str(self.config)], folder / "bridge.log")
        self.availability, self.changed = None, threading.Condition()
        self.unknown_keys = set()

    def start(self):
        self.broker.start()
        self.tenant.start()
        self.alice = self.tenant.config["users"][0]
        self.listener = Client(self.port, "judge", self.heard)
        self.listener.subscribe("presence/+/availability", wait=True)
        self.write()

    def heard(self, topic, payload):
        with self.changed:
            self.availability = payload.decode()
            self.changed.notify_all()

    def become(self, word):
        self.tenant.prefer(self.alice["id"], word, ACTIVITIES[word])
        if self.bridge.running:
            self.wait_for(word)
        self.word = word

    def wait_for(self, word):
        with self.changed:
            if not self.changed.wait_for(lambda: self.availability == word, 30):
                raise RuntimeError(f"the bridge did not publish {word} within 30 s; see {self.folder}/bridge.log")

    def start_bridge(self):
        self.bridge.start()
        self.wait_for(self.word)

    def known_keys(self):
        schema = json.loads(subprocess.run([self.program, "schema"], stdout=subprocess.PIPE, check=True).stdout)
        definitions = schema.get("$defs", {})
        return set(definitions["Light"]["properties"]) if "Light" in definitions else set(json.dumps(schema).split('"'))

    def write(self):
        """The keys that this program does not have yet are left out, so that an older one can be judged too."""
        graph, known = self.tenant.config["graph"], self.known_keys()
        lines = [f'[mqtt]\nurl = "mqtt://{HERE}:{self.port}"\n',
                 f'[graph]\ntenant_id = "{graph["tenant_id"]}"\nclient_id = "{graph["client_id"]}"',
                 f'graph_url = "{graph["graph_url"]}"\nlogin_url = "{graph["login_url"]}"\npoll_interval = "1s"\n',
                 f'[graph.auth]\nmethod = "client-secret"\nclient_secret = "{graph["auth"]["client_secret"]}"\n',
                 f'[[users]]\nname = "alice"\nid = "{self.alice["id"]}"\n']
        for device in self.devices:
            lines += ["[[lights]]", f'name = "{device.name}"', 'users = ["alice"]', "brightness = 60"]
            lines += ['transition = "1s"'] if device.fades else []
            for key, value in device.keys.items():
                if key in known and self.accepts(device, key):
                    lines.append(f"{key} = {json.dumps(value)}")
                else:
                    self.unknown_keys.add(key)
            loops = device.family == "zigbee2mqtt" and not device.only_white
            effects = {"DoNotDisturb": "blink", "BeRightBack": "colorloop" if loops else "blink"}
            lines += ["[lights.colors]", 'DoNotDisturb = "#0000ff"'] if not (device.only_white and "white" in known) else []
            lines += ["[lights.effects]", *(f"{word} = {json.dumps(effect)}" for word, effect in effects.items()), ""]
        self.config.write_text("\n".join(lines))
        self.config.chmod(0o600)
        done = subprocess.run([self.program, "check", "--config", str(self.config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError(f"the configuration is refused:\n{done.stdout}")

    def accepts(self, device, key):
        """`channel` was Shelly's alone."""
        if key != "channel" or device.family != "tasmota":
            return True
        words = f'[mqtt]\nurl = "mqtt://{HERE}"\n[graph]\ntenant_id = "contoso.example"\nclient_id = "11111111-2222-3333-4444-555555555555"\n' \
                '[graph.auth]\nmethod = "device-code"\n[[users]]\nname = "me"\nid = "me"\n' \
                '[[lights]]\nname = "a"\nusers = ["me"]\npreset = "tasmota"\ntopic = "a"\nchannel = 3\n'
        file = self.folder / "channel.toml"
        file.write_text(words)
        return subprocess.run([self.program, "check", "--config", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def end(self):
        for process in (self.bridge, self.tenant, self.broker):
            process.end()
