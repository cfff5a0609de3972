"""A Tasmota that says `Online` and subscribes a moment later: is it told its colour?"""

import time

from judging import RED, settled, watch
from tasmota import Tasmota

TOGETHER = 20  # devices that come back at once
PATIENCE = 5  # seconds


def devices(count):
    return [Tasmota(f"gap-{index}") for index in range(count)]


def told(world, count, most=0.5):
    """How many of `count` returns, with gaps of 0 to `most` seconds evenly spread, end in the right colour."""
    lamps, right = devices_of(world), 0
    for first in range(0, count, len(lamps)):
        for index, lamp in enumerate(lamps):
            lamp.gap = most * (first + index) / max(count - 1, 1)
            lamp.plug_in(world.port)
        seen = watch(lamps, PATIENCE)
        right += sum(settled(lamp, seen[lamp], RED) is None for lamp in lamps)
        for lamp in lamps:
            lamp.pull_out()
        time.sleep(0.3)
    return right


def devices_of(world):
    return [device for device in world.devices if device.name.startswith("gap-")]
