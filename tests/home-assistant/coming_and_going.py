"""Names, people and announcements that change under Home Assistant, and nothing left behind."""

import itertools
from datetime import datetime, timezone

from judging import insist, until
from promised import SETTABLE
from stage import Bridge
from world import settled

# How a changed configuration takes effect: the bridge knows what it announced, or has to read it back.
WAYS = [Bridge.reload, Bridge.restart]


def rename(world):
    before, user = world.hass.entities()["sensor.alice_availability"], world.bridge.users[0]
    for way, old, new, word in zip(WAYS, ["alice", "alicia"], ["alicia", "alice"], ["DoNotDisturb", "Away"]):
        insist(len(world.broker.retained(f"presence/{old}/#")) == 4, f"{old} has not four topics")
        user["name"] = new
        way(world.bridge)
        settled(world)
        nothing_at(world, f"presence/{old}/#")
        world.prefer(new, word)
        settled(world)
        after = world.hass.entities()["sensor.alice_availability"]
        insist((before["id"], before["unique_id"]) == (after["id"], after["unique_id"]), "it is another entity")
    whole = lambda: world.hass.history("sensor.alice_availability", datetime.fromtimestamp(world.begun, timezone.utc))
    until(lambda: [f"history is {whole()}"] * (len(set(whole()) & set(SETTABLE)) < len(SETTABLE)), 20)
    return f"{len(whole())} states in its history"


def removed(world):
    for way, other_way in itertools.product(WAYS, WAYS):
        carol = world.bridge.users.pop()
        insist(world.broker.retained("presence/carol/#"), "nothing to remove")
        way(world.bridge)
        settled(world)
        insist(f"presence2mqtt_{carol['id']}" not in world.hass.devices(), "the device is still there")
        nothing_at(world, "presence/carol/#")
        world.bridge.users.append(carol)
        other_way(world.bridge)
        settled(world)


def discovery_of_one(world):
    bob = world.bridge.users[1]
    for way, other_way in itertools.product(WAYS, WAYS):
        bob["discovery"] = False
        way(world.bridge)
        settled(world)
        insist(world.broker.retained("presence/bob/health") == {"presence/bob/health": "ok"}, "bob's topics are gone")
        bob["discovery"] = True
        other_way(world.bridge)
        settled(world)


def discovery_off_and_on(world):
    gone, back = [], []
    for way, other_way in itertools.product(WAYS, WAYS):
        world.bridge.discovery = False
        way(world.bridge)
        gone.append(settled(world))
        insist(not world.hass.devices(), f"devices are left: {list(world.hass.devices())}")
        nothing_at(world, "homeassistant/#")
        world.bridge.discovery = True
        other_way(world.bridge)
        back.append(settled(world))
    return f"gone after {max(gone):.1f} s, back after {max(back):.1f} s"


def another_prefix(world):
    for way, old, new in zip(WAYS, ["homeassistant", "elsewhere"], ["elsewhere", "homeassistant"]):
        world.bridge.prefix = new
        way(world.bridge)
        settled(world)
        nothing_at(world, f"{old}/#")
        there = len(world.broker.retained(f"{new}/#"))
        insist(there == 4, f"{there} announcements under {new}, not 4")
        insist(len(world.hass.devices()) == (4 if new == "homeassistant" else 0), f"devices: {list(world.hass.devices())}")


def cleaned(world):
    world.bridge.end()
    held = len(world.broker.retained("#"))
    world.bridge.clean()
    insist(not world.broker.retained("#"), f"left on the broker: {list(world.broker.retained('#'))}")
    until(lambda: list(world.hass.entities()) + list(world.hass.devices()), 20)
    return f"{held} topics emptied"


def nothing_at(world, topics):
    until(lambda: [f"{topic} is still there" for topic in world.broker.retained(topics)], 20)
