"""What is right to see on a device. Never looks at an order: only at what shines, over time."""

import time

BRIGHTNESS = 60  # per cent, of every light
NEAR = 6  # of 255: rounding, and what a converter of colours loses
TRANSITION = 1.0

GREEN, RED, BLUE = (0, 255, 0), (255, 0, 0), (0, 0, 255)


class Seen:
    """What a device showed from a moment on: times, and its parts at each."""

    def __init__(self):
        self.times, self.parts = [], []


def watch(devices, seconds, begun=None):
    """Looks at all devices, 50 times a second."""
    seen = {device: Seen() for device in devices}
    begun = begun or time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        for device, one in seen.items():
            one.times.append(passed)
            one.parts.append(device.parts())
        time.sleep(0.02)
    return seen


def words(levels):
    red, green, blue, white = (round(part) for part in levels)
    if not any((red, green, blue, white)):
        return "dark"
    return f"#{red:02x}{green:02x}{blue:02x}" + (f" and white {white}" if white else "")


def expected(device, color):
    level = BRIGHTNESS / 100 if device.dims else 1.0
    if device.only_white:
        return (0.0, 0.0, 0.0, 255 * level)
    return tuple(part * level for part in color) + (0.0,)


def near(levels, wanted, most=NEAR):
    # Colours of Zigbee lamps come back from a point in a diagram; what matters is that red is red and how bright it is.
    return all(abs(a - b) <= most for a, b in zip(levels, wanted))


def near_enough(device, levels, wanted):
    return near(levels, wanted, 20 if device.family == "zigbee2mqtt" else NEAR)


def settled(device, seen, color):
    """Whether all of it ends in this colour (None: dark); what it is instead."""
    wanted = (0.0,) * 4 if color is None else expected(device, color)
    for part in seen.parts[-1]:
        if not near_enough(device, part, wanted):
            return f"{words(part)}, not {words(wanted)}"
    return None


def faded(device, seen, color):
    """Whether it went to this colour in about a second, without a jump."""
    if wrong := settled(device, seen, color):
        return wrong
    wanted = expected(device, color)
    for index in range(len(seen.parts[0])):
        course = [parts[index] for parts in seen.parts]
        # Only between looks that were close together: on a busy machine a look may come late.
        steps = zip(seen.times, seen.times[1:], course, course[1:])
        jump = max((max(abs(a - b) for a, b in zip(one, other)) for earlier, later, one, other in steps if later - earlier < 0.15), default=0)
        moving = [when for when, levels in zip(seen.times, course)
                  if not near(levels, course[0]) and not near_enough(device, levels, wanted)]
        whole = max(abs(a - b) for a, b in zip(course[0], wanted))
        if whole <= NEAR:
            return "nothing changed"
        if jump > whole / 2:
            return "jumps there"
        took = moving[-1] - moving[0] if moving else 0
        # Tasmota's time is for a full change, so 60 % take 0.6 s.
        if not 0.4 <= took <= 2.0:
            return f"takes {took:.1f} s"
    return None


def moved(device, seen, color):
    """Whether it moves, in this colour only: every moment is that colour, brighter or darker."""
    wanted = expected(device, color)
    for index in range(len(seen.parts[0])):
        # The first moments belong to the change.
        course = [parts[index] for when, parts in zip(seen.times, seen.parts) if when > TRANSITION + 0.3]
        if device.effects_end:  # it may be over by now
            course = [parts[index] for parts in seen.parts]
        widest = max(max(values) - min(values) for values in zip(*course))
        if widest < 60 and not device.effects_end:
            return f"does not move: {words(course[-1])}"
        for part in course if not device.effects_end else course[-1:]:
            brightest = max(wanted) or 1
            scale = max(part) / brightest
            if not near(part, tuple(value * scale for value in wanted), 20 if device.family == "zigbee2mqtt" else NEAR + 4):
                return f"moves, but to {words(part)}"
    return None


def moved_once(device, seen):
    """A blink that ends by itself."""
    levels = [max(parts[0]) for when, parts in zip(seen.times, seen.parts)]
    return any(a - b > 60 for a, b in zip(levels, levels[1:]))
