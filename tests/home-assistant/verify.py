#!/usr/bin/env python3
"""Shows on a real Home Assistant that presence2mqtt is at home there; README.md beside this file says what it needs.

Prints one line for each check, with a figure where there is one; the exit code is 0 only if all pass.
"""

import argparse
import pathlib
import sys
import tempfile

import busy_light
import coming_and_going
import driven_light
import household
import setting
import staying_true
from judging import Failed
from stage import listens
from world import World

CHECKS = [
    ("all entities appear, with right states and attributes", staying_true.appear),
    ("entity ids, unique ids, devices and options are as documented", staying_true.ids_are_as_promised),
    ("a change in Teams arrives, and since when", staying_true.change_arrives),
    ("out of office, and words that are new", staying_true.other_words),
    ("right again after the broker came back empty", staying_true.broker_comes_back_empty),
    ("right again after a restart of Home Assistant", staying_true.home_assistant_comes_back),
    ("right again after a restart of the bridge, since kept", staying_true.bridge_comes_back),
    ("unavailable when the bridge is killed", staying_true.bridge_is_killed),
    ("unavailable when Graph is lost", staying_true.graph_is_lost),
    ("unavailable when the sign-in is refused, and a sign-in needed", staying_true.sign_in_is_refused),
    ("a select sets presence by the right request, within a second", setting.select_sets_presence),
    ("a button gives presence back, a text sets the message", setting.button_and_text),
    ("a button refreshes", setting.refresh),
    ("controls only if commands are enabled", setting.controls_can_be_absent),
    ("a new name keeps entities and history", coming_and_going.rename),
    ("who is removed disappears, and comes back", coming_and_going.removed),
    ("discovery off for one person, and on", coming_and_going.discovery_of_one),
    ("discovery off removes all, on brings all back", coming_and_going.discovery_off_and_on),
    ("another prefix leaves nothing behind", coming_and_going.another_prefix),
    ("the busy light follows, by commands on the wire", busy_light.light_follows),
    ("a light of the bridge shows its colour, and its switch pauses it", driven_light.shown_and_paused),
    ("of a household only the person whose sign-in is lost is unavailable", household.one_sign_in_is_lost),
    ("clean leaves nothing, nowhere", coming_and_going.cleaned),
]


def passes(title, check, world):
    try:
        figure = check(world)
    except (Failed, OSError, RuntimeError, LookupError) as error:
        print(f"FAIL  {title}: {error if isinstance(error, Failed) else repr(error)}", flush=True)
        return False
    print(f"ok    {title}{': ' + figure if figure else ''}", flush=True)
    return True


def run(world):
    """How many checks failed. Each begins where it would if the one before had passed."""
    failed, disturbed = 0, False
    for title, check in CHECKS:
        if disturbed:
            world.recover()
        disturbed = not passes(title, check, world)
        failed += disturbed
    return failed + (not passes("no warning of Home Assistant about MQTT", world.log.check, world))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bridge", required=True, help="the program presence2mqtt, built with its simulation")
    parser.add_argument("--url", default="http://127.0.0.1:8123", help="of Home Assistant (%(default)s)")
    parser.add_argument("--token-file", required=True, type=pathlib.Path, help="a file with a long-lived access token")
    parser.add_argument("--log", required=True, type=pathlib.Path, help="Home Assistant's log file")
    parser.add_argument("--restart", required=True, help="the shell command that restarts Home Assistant and waits for it")
    parser.add_argument("--port", type=int, default=1883, help="where Home Assistant expects the broker (%(default)s)")
    parser.add_argument("--keep", metavar="FOLDER", type=pathlib.Path, help="where to keep logs")
    return parser.parse_args()


def main():
    options = arguments()
    if listens(options.port):
        sys.exit(f"something listens on port {options.port} already; end it: the broker is started and ended here")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        world = World(options, folder)
        try:
            world.begin()
            version = world.hass.rest("GET", "/api/config")["version"]
            print(f"Home Assistant {version}, presence2mqtt {world.bridge.version}", flush=True)
            failed = run(world)
        finally:
            world.end()
    print(f"{failed} failed" if failed else "all passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
