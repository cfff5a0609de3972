"""What the bridge behind the page lives through: a simulated tenant, a broker, a configuration."""

import json
import pathlib
import re
import socket
import sys
import time

sys.path.insert(1, str(pathlib.Path(__file__).parent.parent / "home-assistant"))

from stage import HERE, Broker, Process, Tenants  # noqa: E402

LIGHTS = "".join(f'\n[[lights]]\nname = "{name}"\nusers = ["{{first}}"]\npreset = "wled"\ntopic = "wled/{name}"\n' for name in ("desk", "office-door"))
NOBODY = '\n[[users]]\nname = "left"\nid = "99999999-9999-4999-8999-999999999999"\ndisplay_name = "Somebody who left"\n'


def free_port():
    with socket.socket() as listener:
        listener.bind((HERE, 0))
        return listener.getsockname()[1]


class Scene:
    """`options` are the tenant's; `more` is added to the configuration; `lights` follow the first person."""

    def __init__(self, program, folder, options=(), more="", lights=False, signs_in=False, has_broker=True):
        self.port = free_port()
        self.broker = Broker(self.port, folder / "broker.log") if has_broker else None
        self.tenant = Tenants(program, 1, folder / "tenant.log")
        self.tenant.binary_command = [program, "simulate", "--speed", "0", "--seed", "1", *options, "--listen"]
        self.config, self.log = folder / "presence2mqtt.toml", folder / "bridge.log"
        self.folder, self.more, self.lights, self.signs_in = folder, more, lights, signs_in
        self.bridge = Process([program, "--config", str(self.config)], self.log)

    def start(self):
        """The page's address."""
        if self.broker:
            self.broker.start()
        self.tenant.start()
        self.prepare()
        self.log.write_bytes(b"")
        self.bridge.start()
        for _ in range(200):
            if found := re.search(r"http://127\.0\.0\.1:\d+/", self.log.read_text()):
                return found[0]
            time.sleep(0.05)
        raise RuntimeError(f"no page: {self.log.read_text()}")

    def prepare(self):
        self.config.write_text(self.written())
        self.config.chmod(0o600)

    def written(self):
        tenant = self.tenant.config
        text = f'[mqtt]\nurl = "mqtt://{HERE}:{self.port}"\n\n[http]\nlisten = "{HERE}:0"\n'
        if self.signs_in:
            graph = {key: value for key, value in tenant["graph"].items() if key != "auth"} | {"state_dir": str(self.folder / "state")}
            return text + table("graph", graph) + self.more
        if graph := dict(tenant.get("graph", {})):
            auth = graph.pop("auth")
            text += table("graph", graph) + table("graph.auth", auth)
        for account in tenant.get("accounts", []):
            account = dict(account)
            auth = account.pop("auth")
            text += table("accounts", account, "[[", "]]") + table("accounts.auth", auth)
        for kind in ("users", "groups"):
            text += "".join(table(kind, one, "[[", "]]") for one in tenant.get(kind, []))
        first = tenant["users"][0]["name"] if tenant.get("users") else "alice"
        return text + self.more + (LIGHTS.replace("{first}", first) if self.lights else "")

    def end(self):
        for process in filter(None, (self.bridge, self.tenant, self.broker)):
            process.end()


class FirstStart(Scene):
    """Nothing is configured but where the tenant is, so the page asks; the broker is found, or not."""

    def __init__(self, program, folder, is_found=True, more=(), **options):
        super().__init__(program, folder, **options)
        self.program, self.is_found, self.variables = program, is_found, dict(more)

    def prepare(self):
        tenant = self.tenant.config["graph"]["graph_url"]
        variables = {
            "HTTP__LISTEN": f"{HERE}:0", "GRAPH__GRAPH_URL": tenant, "GRAPH__LOGIN_URL": tenant, "GRAPH__POLL_INTERVAL": "1s",
        }
        variables = {f"PRESENCE2MQTT__{key}": value for key, value in variables.items()} | {
            "HOME": self.folder, "PRESENCE2MQTT_CONFIG": self.config, "STATE_DIRECTORY": self.folder / "state",
            "PRESENCE2MQTT_SETUP_BROKERS": f"{HERE}:{self.port}" if self.is_found else "",
        } | self.variables
        self.bridge.command = ["env", *(f"{key}={value}" for key, value in variables.items()), self.program, "run"]


def table(name, values, before="[", behind="]"):
    return f"\n{before}{name}{behind}\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
