"""All that takes part in the checks, what is true in it, and how to wait for that to be shown."""

import random
import sys
import time

import promised
from hass import Hass
from hass_log import HassLog
from judging import Failed, until
from promised import SETTABLE, Between
from stage import Bridge, Broker, Listener, Tenant, listens
from wire import Wire


class World:
    """All that takes part, and what is true in it."""

    def __init__(self, options, folder):
        self.log = HassLog(options.log, folder / "home-assistant.log")
        seed = random.randrange(1_000_000)
        self.hass = Hass(options.url, options.token_file.read_text().strip())
        self.restart_home_assistant = options.restart
        self.begun = time.time() - 2
        self.broker = Broker(options.port, f"{folder}/broker.log")
        self.tenant = Tenant(options.bridge, seed, f"{folder}/tenant.log")
        self.tenant.start()
        self.wire = Wire(self.tenant)
        # A name of its own in each run: ids that Home Assistant remembers from an earlier one would prove nothing.
        self.bridge = Bridge(options.bridge, folder, f"verify{seed}", self.broker, self.wire, self.tenant)
        self.first_names = {user["id"]: user["name"] for user in self.bridge.users}

    def begin(self):
        """Home Assistant has found the broker when it says that it is there."""
        self.broker.start()
        birth = Listener(self.broker.port, "homeassistant/status")
        until(lambda: [] if birth.heard else ["Home Assistant does not connect to the broker"])
        birth.end()
        if left := self.hass.devices():
            sys.exit(f"Home Assistant knows devices of presence2mqtt from before; delete them there first: {[*left]}")

    def end(self):
        """Nothing is left in Home Assistant, whatever became of the checks, and nothing runs."""
        self.bridge.end()
        if self.broker.running and self.bridge.written:
            self.bridge.clean()
            time.sleep(2)
        self.tenant.end()
        self.broker.end()
        self.log.end()

    def announced(self):
        return [user for user in self.bridge.users if user["discovery"]] if self.bridge.discovery else []

    def person(self, name):
        return next(user["id"] for user in self.bridge.users if user["name"] == name)

    def truth(self):
        """What the tenant says about everybody."""
        everybody = self.tenant.presence(list(self.first_names))
        return {person: {**said, **self.wire.pretended.get(person, {})} for person, said in everybody.items()}

    def expected(self, trouble=None):
        """Every entity and its state. Entity ids stay what they were at first, whatever people are called later."""
        if self.bridge.prefix != "homeassistant" or not self.bridge.discovery:
            return {}
        truth, bridge = self.truth(), self.bridge
        states = promised.of_bridge(bridge.client_id, len(bridge.users), bridge.version, self.begun)
        for user in self.announced():
            name, said = self.first_names[user["id"]], truth[user["id"]]
            states |= promised.of_person(name, said, Between(self.begun), bridge.commands)
        return promised.in_trouble(states, trouble, bridge.client_id) if trouble else states

    def differences(self, trouble=None):
        """What Home Assistant shows and should not, or the other way round."""
        expected, states, registered = self.expected(trouble), self.hass.states(), self.hass.entities()
        wrong = [f"{entity} should not be there" for entity in registered.keys() - expected.keys()]
        for entity, state in expected.items():
            shown = states.get(entity, {}).get("state")
            if shown != state:
                wrong.append(f"{entity} is {shown!r}, not {state!r}")
        return wrong + ([] if trouble else self.wrong_attributes(states))

    def wrong_attributes(self, states):
        wrong, truth = [], self.truth()
        for user in self.announced() if self.expected() else []:
            entity = f"sensor.{self.first_names[user['id']]}_availability"
            shown = states.get(entity, {}).get("attributes", {})
            wanted = promised.attributes_of_person(truth[user["id"]], Between(self.begun), self.bridge.client_id)
            wrong += [f"{entity}:{key} is {shown.get(key, 'missing')!r}, not {value!r}"
                      for key, value in wanted.items() if shown.get(key, "missing") != value]
        return wrong

    def prefer(self, name, word):
        self.tenant.prefer(self.person(name), word, SETTABLE[word])

    def recover(self):
        """After a check that failed, so that the next one begins where it would have."""
        self.wire.cut, self.wire.pretended = False, {}
        if not listens(self.broker.port):
            self.broker.start()
        self.bridge.reset()
        self.bridge.restart()
        try:
            until(self.differences, 20)
        except Failed:
            pass

    def change_somebody(self):
        """Makes what Home Assistant showed before wrong, so that being right again means something."""
        now = self.truth()[self.person("alice")]["availability"]
        self.prefer("alice", "Away" if now == "Busy" else "Busy")


def settled(world, trouble=None):
    return until(lambda: world.differences(trouble))
