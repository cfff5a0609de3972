"""Right states after start, and unavailable or right again whatever is lost or restarted."""

import signal
import subprocess
import time
from datetime import datetime, timezone

import promised
from judging import insist, until
from promised import SETTABLE, Between
from world import settled


def appear(world):
    world.bridge.start()
    seconds = settled(world)
    return f"{len(world.expected())} entities in {seconds:.1f} s"


def ids_are_as_promised(world):
    bridge, registered, devices = world.bridge, world.hass.entities(), world.hass.devices()
    wanted = {f"{kind}.{bridge.client_id}_{key}": f"presence2mqtt_bridge_{bridge.client_id}_{key}"
              for key, kind in promised.BRIDGE.items()}
    for person, name in world.first_names.items():
        kinds = {**promised.PERSON, **promised.CONTROLS}
        wanted |= {f"{kind}.{name}_{key}": f"presence2mqtt_{person}_{key}" for key, kind in kinds.items()}
    insist({e: r["unique_id"] for e, r in registered.items()} == wanted, f"{sorted(registered)}, not {sorted(wanted)}")
    parent = devices[f"presence2mqtt_bridge_{bridge.client_id}"]["id"]
    for user in bridge.users:
        device = devices[f"presence2mqtt_{user['id']}"]
        insist(device["name"] == user["display_name"], f"{user['name']}'s device is called {device['name']}")
        insist(device["via_device_id"] == parent, f"{user['name']}'s device does not hang on the bridge's")
    options = {"select.alice_presence": list(SETTABLE), "sensor.alice_health": promised.HEALTH,
               f"sensor.{bridge.client_id}_graph": promised.GRAPH}
    states = world.hass.states()
    for entity, wanted in options.items():
        insist(states[entity]["attributes"]["options"] == wanted, f"options of {entity} are others")
    return f"{len(registered)} ids, {len(devices)} devices"


def change_arrives(world):
    changed = time.time() - 1
    world.change_somebody()
    seconds = settled(world)
    since = world.hass.state("sensor.alice_since")
    insist(since == Between(changed), f"since is {since}, and the change was at {changed}")
    return f"{seconds:.1f} s, read every 5 s"


def other_words(world):
    """What the simulated people never do by themselves: be away, and do what Microsoft has not thought of yet."""
    away = {"isOutOfOffice": True, "message": "Back in May"}
    world.wire.pretended = {
        world.person("bob"): {"outOfOfficeSettings": away, "availability": "Busy", "activity": "InACall"},
        world.person("carol"): {"availability": "Levitating", "activity": "Juggling"}}
    settled(world)
    world.wire.pretended = {}
    settled(world)


def broker_comes_back_empty(world):
    with world.log.tolerating_a_lost_broker():
        world.broker.end()
        connection = f"binary_sensor.{world.bridge.client_id}_connection"
        until(lambda: world.hass.state(connection) != "unavailable" and [f"{connection} is not unavailable"])
        world.change_somebody()
        world.broker.start()
        return f"after {settled(world):.1f} s, of which Home Assistant waits 10 before it connects again"


def home_assistant_comes_back(world):
    world.hass.rest("POST", "/api/states/sensor.verify_before_restart", {"state": "here"})
    world.change_somebody()
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(world.restart_home_assistant, shell=True, check=True, **silent)
    until(lambda: world.hass.state("sensor.verify_before_restart") and ["Home Assistant was not restarted"])
    return f"{settled(world):.1f} s after the restart command"


def bridge_comes_back(world):
    before = world.hass.state("sensor.bob_since")
    begun = time.monotonic()
    code = world.bridge.end()
    insist(code == 0, f"exit code {code}")
    settled(world, "lost")
    gone = time.monotonic() - begun
    world.change_somebody()
    world.bridge.start()
    back = settled(world)
    after = world.hass.state("sensor.bob_since")
    insist(before == after, f"since was {before} and is {after}")
    return f"unavailable {gone:.2f} s after the signal, right {back:.2f} s after the start"


def bridge_is_killed(world):
    old, begun = world.hass.state("sensor.alice_availability"), datetime.now(timezone.utc)
    world.bridge.end(signal.SIGKILL)
    settled(world, "lost")
    gone = (datetime.now(timezone.utc) - begun).total_seconds()
    world.change_somebody()
    world.bridge.start()
    back = settled(world)
    new = world.hass.state("sensor.alice_availability")
    story = lambda: world.hass.history("sensor.alice_availability", begun)
    until(lambda: [f"history is {story()}, not only {old}, unavailable, {new}"] * (story() != [old, "unavailable", new]), 20)
    return f"after {gone:.2f} s; right {back:.2f} s after the start, the old state never in between"


def graph_is_lost(world):
    world.wire.cut = True
    dark = settled(world, "unreachable")
    world.change_somebody()
    world.wire.cut = False
    return f"stale after {dark:.1f} s, and right {settled(world):.1f} s after Graph came back"


def sign_in_is_refused(world):
    world.bridge.secret = "wrong"
    world.bridge.restart()
    settled(world, "sign_in_required")
    world.bridge.reset()
    world.bridge.restart()
    settled(world)
