"""The blueprint for a busy light, from presence to a command on the wire."""

import json
import pathlib
import signal

from judging import until
from stage import Listener
from world import settled

BLUEPRINT = pathlib.Path(__file__).parents[2] / "deploy/home-assistant/blueprints/busy_light.yaml"
LIGHT = "verify/light/set"


def light_follows(world):
    """A light that Home Assistant discovers from us, and the blueprint that drives it."""
    world.prefer("alice", "Available")
    settled(world)
    config = {"schema": "json", "name": "Verify light", "unique_id": "verify_light", "object_id": "verify_light",
              "default_entity_id": "light.verify_light", "command_topic": LIGHT, "brightness": True,
              "supported_color_modes": ["rgb"]}
    listener = Listener(world.broker.port, LIGHT)
    world.broker.publish("homeassistant/light/verify/config", json.dumps(config))
    until(lambda: ["no light"] * (world.hass.state("light.verify_light") is None), 10)
    world.hass.ask("blueprint/save", domain="automation", path="verify/busy_light", yaml=BLUEPRINT.read_text(),
                   allow_override=True)
    inputs = {"availability": "sensor.alice_availability", "activity": "sensor.alice_activity",
              "lights": ["light.verify_light"], "unknown_after": 1}
    world.hass.rest("POST", "/api/config/automation/config/verify_light",
                    {"alias": "Verify light", "use_blueprint": {"path": "verify/busy_light.yaml", "input": inputs}})
    lit = lambda r, g, b: {"state": "ON", "brightness": 153, "color": {"r": r, "g": g, "b": b}, "transition": 1}
    dark = {"state": "OFF", "transition": 1}

    def shows(command):
        told = lambda: [json.loads(heard) for heard in listener.heard]
        until(lambda: [f"the light was told {told()}, not at last {command}"] * (told()[-1:] != [command]), 15)

    try:
        shows(lit(0, 255, 0))
        for word, command in [("Busy", lit(255, 0, 0)), ("Away", lit(255, 191, 0)), ("DoNotDisturb", lit(255, 0, 0)),
                              ("Offline", dark), ("Available", lit(0, 255, 0))]:
            world.hass.call("select.select_option", entity_id="select.alice_presence", option=word)
            shows(command)
        world.bridge.end(signal.SIGKILL)
        shows(dark)
        world.bridge.start()
        shows(lit(0, 255, 0))
    finally:
        listener.end()
        world.hass.rest("DELETE", "/api/config/automation/config/verify_light")
        world.broker.publish("homeassistant/light/verify/config", "")
        world.hass.ask("blueprint/delete", domain="automation", path="verify/busy_light.yaml")
    settled(world)
    return f"{len(listener.heard)} commands on the wire"
