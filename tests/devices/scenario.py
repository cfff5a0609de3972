"""A day of Alice's in half a minute: what she is, and what each device has to show then."""

import time

from judging import BLUE, GREEN, RED, faded, moved, moved_once, settled, watch

COLUMNS = ["on with colour", "off", "transition", "effect", "back after power loss", "white channel", "its log and settings"]
LOOK = 3.2  # seconds; a slow blink takes 2.6


class Table:
    """A row for each device: column to what was wrong; an empty word is right, None has no meaning there."""

    def __init__(self, devices):
        self.rows = {device: dict.fromkeys(COLUMNS) for device in devices}

    def put(self, device, column, wrong):
        """The first thing that was wrong stays."""
        if not self.rows[device][column]:
            self.rows[device][column] = wrong or ""

    def white(self, device, seen):
        if not device.has_white:
            return
        whites = [part[3] for parts in seen.parts[-20:] for part in parts]
        self.put(device, "white channel", f"white is at {round(max(whites))} beside the colour" if max(whites) > 1 else "")


def play(world, devices):
    """`world.become(word)` makes Alice that, and returns when the bridge has published it."""
    table = Table(devices)
    colored = [device for device in devices if not device.only_white]
    white = [device for device in devices if device.only_white]

    for device in devices:
        device.plug_in(world.port)
    world.become("Available")
    world.start_bridge()
    green = watch(devices, LOOK)
    for device in colored:
        table.put(device, "on with colour", settled(device, green[device], GREEN))
        table.white(device, green[device])

    world.become("Busy")
    red = watch(devices, LOOK)
    for device in colored:
        if device.fades:
            table.put(device, "transition", faded(device, red[device], RED))
        table.put(device, "on with colour", settled(device, red[device], RED))
        table.white(device, red[device])
    for device in white:
        table.put(device, "on with colour", settled(device, red[device], RED))
        free, busy = (max(seen[device].parts[-1][0]) for seen in (green, red))
        if busy - free < 60:
            table.put(device, "on with colour", "Busy looks like Available")
        elif device.fades:
            table.put(device, "transition", faded(device, red[device], RED))

    world.become("DoNotDisturb")
    blue = watch(devices, LOOK)
    for device in devices:
        if device.effects is None:
            continue
        table.put(device, "effect", moved(device, blue[device], BLUE))
        if device.effects_end and not moved_once(device, blue[device]):
            table.put(device, "effect", "does not blink")
    for device in colored:
        if device.effects is None:
            table.put(device, "on with colour", settled(device, blue[device], BLUE))

    # On Zigbee lamps an effect that runs until it is stopped.
    world.become("BeRightBack")
    watch(devices, 2)
    for device in colored:
        if device.family == "zigbee2mqtt":
            turns = getattr(device, "looped", None)
            if not turns:
                table.put(device, "effect", "the colour loop does not run")
            elif turns > 0.3:
                table.put(device, "effect", f"the colour loop runs {turns:.1f} times a second")

    world.become("Busy")
    red = watch(devices, LOOK)
    for device in colored:
        wrong = settled(device, red[device], RED)
        if wrong and device.effects is not None:
            table.put(device, "effect", f"after it: {wrong}")
        else:
            table.put(device, "on with colour", wrong)

    # Off from an effect, and on again without it.
    world.become("BeRightBack")
    watch(devices, 1)
    world.become("Offline")
    dark = watch(devices, LOOK)
    for device in devices:
        table.put(device, "off", settled(device, dark[device], None))
    world.become("Available")
    green = watch(devices, LOOK)
    for device in colored:
        table.put(device, "on with colour", settled(device, green[device], GREEN))
        table.white(device, green[device])

    notices = {device: len(device.complaints) for device in devices}
    for device in devices:
        device.pull_out()
    time.sleep(0.5)
    world.become("Busy")
    time.sleep(1)
    away = {device: device.complaints[notices[device]:] for device in devices}
    for device in devices:
        device.plug_in(world.port)
    back = watch(devices, 6)
    for device in devices:
        wrong = settled(device, back[device], RED)
        table.put(device, "back after power loss", wrong)
        if not wrong:
            table.white(device, back[device])

    for device in devices:
        complaints = [words for words in device.complaints if words not in away[device]]
        table.put(device, "its log and settings", "; ".join(dict.fromkeys(complaints)))
    return table
