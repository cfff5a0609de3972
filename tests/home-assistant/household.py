"""One bridge with two accounts: two people, each signed in to a tenant of their own."""

import os
import re
import subprocess
import time
from datetime import datetime, timezone

import promised
from judging import insist, until
from promised import Between
from stage import HERE, Graph, Process, Tenants
from wire import Wire

# The accounts' names are those of their people. Nobody else in Home Assistant is called like that.
ERIN, FRANK = "erin", "frank"


class Household:
    """Two tenants in one process, and a bridge that signs people in to both with a code."""

    def __init__(self, world):
        self.world, self.begun = world, time.time() - 2
        self.folder = os.path.join(os.path.dirname(world.bridge.file), "household")
        os.makedirs(self.folder)
        self.binary, self.client_id = world.bridge.binary, f"house{world.bridge.client_id}"
        # Another seed than that of the other tenant: nobody is in both.
        self.tenants = Tenants(self.binary, time.time_ns(), f"{self.folder}/tenants.log", ["--tenants", "2"])
        self.tenants.start()
        self.graphs, self.wires, self.people = {}, {}, {}
        for name, account in zip([ERIN, FRANK], self.tenants.config["accounts"]):
            self.graphs[name] = Graph()
            self.graphs[name].enter(account)
            self.wires[name] = Wire(self.graphs[name])
            theirs = [user["id"] for user in self.tenants.config["users"] if user["account"] == account["name"]]
            self.people[name] = theirs[1]
        self.file = os.path.join(self.folder, "presence2mqtt.toml")
        self.write()
        self.bridge = Process([self.binary, "-v", "--config", self.file], f"{self.folder}/bridge.log")

    def write(self):
        accounts = "".join(
            f"""
[[accounts]]
name = "{name}"
tenant_id = "{account['tenant_id']}"
client_id = "{account['client_id']}"
graph_url = "{self.wires[name].url}"
login_url = "{self.wires[name].url}"
""" for name, account in zip(self.graphs, self.tenants.config["accounts"]))
        with open(self.file, "w") as file:
            file.write(f"""\
[mqtt]
url = "mqtt://{HERE}:{self.world.broker.port}"
client_id = "{self.client_id}"
base_topic = "household"

[graph]
poll_interval = "2s"
stale_after = "12s"
state_dir = "{self.folder}/state"
auth = {{ method = "device-code", announce_sign_in = true }}

[home_assistant]
discovery = true
{accounts}""")

    def log_in(self, name):
        command = [self.binary, "--config", self.file, "login", "--account", name, "--yes"]
        login = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        said = iter(login.stdout.readline, "")
        code = next(found[1] for line in said if (found := re.search(r"enter the code (\S+)", line)))
        self.approve(name, code)
        login.stdout.read()
        insist(login.wait(30) == 0, f"login of {name} ends with {login.returncode}")

    def approve(self, name, code):
        self.graphs[name].post_form("/devicelogin", {"user_code": code, "person": self.people[name]})

    def prefer(self, name, word):
        self.graphs[name].prefer(self.people[name], word, promised.SETTABLE[word])

    def person(self, name):
        """Their entities, by what their own tenant says."""
        said = self.graphs[name].presence([self.people[name]])[self.people[name]]
        return promised.of_person(name, said, Between(self.begun), False)

    def expected(self, lost=None):
        """Every entity and its state, while the sign-in of one of them is lost."""
        states = promised.of_bridge(self.client_id, 2, self.world.bridge.version, self.begun)
        for name in self.people:
            theirs = self.person(name)
            graph, needed = f"sensor.{self.client_id}_graph", f"binary_sensor.{self.client_id}_sign_in_needed"
            theirs |= {f"{graph}_{name}": "ok", f"{needed}_{name}": "off"}
            if name == lost:
                word = "sign_in_required"
                theirs = {entity: state if entity.endswith("_since") else "unavailable" for entity, state in theirs.items()}
                theirs |= {f"sensor.{name}_health": word, f"{graph}_{name}": word, f"{needed}_{name}": "on"}
                states |= {graph: word, needed: "on"}
            states |= theirs
        return states

    def differences(self, lost=None):
        """What Home Assistant shows of the two and of everybody else, and should not."""
        everybody = self.world.expected() | self.expected(lost)
        states, registered = self.world.hass.states(), self.world.hass.entities()
        wrong = [f"{entity} should not be there" for entity in registered.keys() - everybody.keys()]
        shown = {entity: states.get(entity, {}).get("state") for entity in everybody}
        return wrong + [f"{entity} is {shown[entity]!r}, not {state!r}" for entity, state in everybody.items()
                        if shown[entity] != state]

    def end(self):
        self.bridge.end()
        subprocess.run([self.binary, "--config", self.file, "clean"], check=True, stdout=subprocess.DEVNULL)
        self.tenants.end()


def one_sign_in_is_lost(world):
    house = Household(world)
    try:
        house.log_in(ERIN)
        house.log_in(FRANK)
        house.prefer(ERIN, "Busy")
        house.prefer(FRANK, "Available")
        house.bridge.start()
        until(house.differences)
        lost = datetime.now(timezone.utc)
        house.wires[ERIN].signed_out = True
        dark = until(lambda: house.differences(ERIN))
        # Frank goes on as if nothing had happened.
        house.prefer(FRANK, "DoNotDisturb")
        until(lambda: house.differences(ERIN))
        availability = f"sensor.{FRANK}_availability"
        story, told = ["Available", "DoNotDisturb"], lambda: world.hass.history(availability, lost)
        until(lambda: [f"{FRANK}'s history is {told()}, not only {story}"] * (told() != story), 20)
        # The code is shown where it belongs, and whoever uses it is back.
        needed = f"binary_sensor.{house.client_id}_sign_in_needed_{ERIN}"
        code = lambda: world.hass.states()[needed]["attributes"].get("user_code")
        until(lambda: ["no code is shown"] * (not code()))
        house.approve(ERIN, code())
        back = until(house.differences)
    finally:
        house.end()
    until(world.differences)
    return f"after {dark:.1f} s, {back:.1f} s after the code was used; the other's history has no gap"
