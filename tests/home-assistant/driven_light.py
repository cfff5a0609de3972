"""A light that the bridge drives itself: what Home Assistant shows of it, and the switch that pauses it."""

from judging import insist, until
from stage import Listener
from world import settled

ORDERS = "verify/wled/api"


def shown_and_paused(world):
    bridge, switch = world.bridge, f"switch.{world.bridge.client_id}_follow_desk"
    world.prefer("alice", "Busy")
    settled(world)
    listener = Listener(world.broker.port, ORDERS)
    try:
        bridge.light, world.light_shows = "desk", ("#ff0000", True)
        bridge.reload()
        settled(world)
        insist("255,0,0" in listener.heard[-1], f"the light was told {listener.heard}")
        # Paused, it keeps its colour whatever happens, also after a restart.
        world.hass.call("switch.turn_off", entity_id=switch)
        world.light_shows = ("#ff0000", False)
        settled(world)
        told = len(listener.heard)
        world.prefer("alice", "Available")
        settled(world)
        bridge.restart()
        settled(world)
        insist(len(listener.heard) == told, f"a paused light was told {listener.heard[told:]}")
        world.hass.call("switch.turn_on", entity_id=switch)
        world.light_shows = ("#00ff00", True)
        settled(world)
        insist("0,255,0" in listener.heard[-1], f"the light was told {listener.heard}")
        insist(not world.broker.retained("verify/#"), "an order is retained")
    finally:
        listener.end()
        bridge.light = None
        bridge.reload()
    settled(world)
    until(lambda: list(world.broker.retained("presence/bridge/light/#")))
