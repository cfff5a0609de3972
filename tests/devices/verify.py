#!/usr/bin/env python3
"""Judges what lights do with presence2mqtt's orders, by the devices' own code where it can be run; README.md beside this file says more.

Prints a table, what is wrong below it, and how many Tasmotas of 100 are told after a return; the exit code is 0 only if nothing is wrong.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import esphome
import gap
import scenario
import zigbee
from families import FAMILIES, stand_ins
from world import World

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "presence2mqtt-devices"
JSON_LIBRARY = "7.4.2"  # the version that ESPHome's components/json/__init__.py names
JSON_PACKAGE = "https://github.com/bblanchon/ArduinoJson"


def run(*command, **more):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **more)


def installed_zigbee(cache):
    """The folder with node_modules; npm installs there once."""
    node = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    if int(node.lstrip("v").split(".")[0]) < 20:
        raise OSError(f"Node.js is {node}, and has to be 20 or newer")
    folder = cache / f"zigbee2mqtt-{zigbee.PACKAGES['zigbee2mqtt']}"
    if not (folder / "node_modules" / "zigbee2mqtt").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text((zigbee.HERE / "package.json").read_text())
        # Without scripts and optional parts: nothing here speaks to a serial port.
        run("npm", "install", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
    return folder


def esphome_program(options):
    """ESPHome's source from PyPI, ArduinoJson from its repository, g++."""
    source = CACHE / f"esphome-{esphome.VERSION}"
    if not source.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        # Nothing of it is run here, so the version of Python that it wants does not matter.
        run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--python-version", "3.13",
            "--dest", str(CACHE), f"esphome=={esphome.VERSION}")
        with zipfile.ZipFile(CACHE / f"esphome-{esphome.VERSION}-py3-none-any.whl") as wheel:
            wheel.extractall(source)
    library = options.arduinojson
    if library is None:
        checkout = CACHE / f"ArduinoJson-{JSON_LIBRARY}"
        if not checkout.exists():
            run("git", "clone", "--quiet", "--depth", "1", "--branch", f"v{JSON_LIBRARY}", JSON_PACKAGE, str(checkout))
        library = checkout / "src"
    return esphome.build(source, library, CACHE)


def devices_of(options, wanted, folder):
    """The devices, and what has to be started and ended with them."""
    devices, skipped, nodes = stand_ins(wanted), [], None
    if "esphome" in wanted:
        try:
            esphome.Esphome.program = esphome_program(options)
            kinds = {"rgb": esphome.Esphome, "rgbw": esphome.EsphomeRgbw, "rgbww": esphome.EsphomeRgbww, "white": esphome.EsphomeWhite}
            devices += [kind(f"esphome-{name}") for name, kind in kinds.items()]
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            skipped.append(f"ESPHome's code is not available here: {error}")
    if "zigbee2mqtt" in wanted:
        try:
            installed = installed_zigbee(CACHE)
            lamps = [kind(name) for name, kind in zigbee.LAMPS.items()]
            nodes = zigbee.Zigbee2mqtt(lamps, installed, folder / "zigbee2mqtt")
            devices += lamps
        except (OSError, subprocess.CalledProcessError) as error:
            skipped.append(f"zigbee2mqtt's code is not available here: {error}")
    return devices, nodes, skipped


def show(table):
    cell = lambda wrong: "-" if wrong is None else "WRONG" if wrong else "ok"
    head = ["device", *scenario.COLUMNS, "judge"]
    rows = [[device.name, *(cell(row[column]) for column in scenario.COLUMNS), device.judge] for device, row in table.rows.items()]
    widths = [max(len(row[index]) for row in [head, *rows]) for index in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(word.ljust(width) for word, width in zip(row, widths)) + " |")
    wrong = [(device, column, words) for device, row in table.rows.items() for column, words in row.items() if words]
    print()
    for device, column, words in wrong:
        print(f"WRONG  {device.name}, {column}: {words}")
    return len(wrong)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bridge", required=True, type=pathlib.Path, help="the program presence2mqtt, built with its simulation")
    parser.add_argument("--only", action="append", choices=FAMILIES, help="this family; may be repeated (default: all)")
    parser.add_argument("--quick", action="store_true", help="without ESPHome, which has to be built, and with 20 returns instead of 100")
    parser.add_argument("--strict", action="store_true", help="a judge that is not available is a failure")
    parser.add_argument("--arduinojson", type=pathlib.Path, metavar="FOLDER", help="the folder with ArduinoJson.h, instead of fetching it")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER", help="where to keep logs")
    return parser.parse_args()


def judge(options, folder):
    wanted = set(options.only or FAMILIES)
    if options.quick:
        wanted.discard("esphome")
    devices, nodes, skipped = devices_of(options, wanted, folder)
    for words in skipped:
        print(f"Skipped: {words}")
    if not devices:
        sys.exit("nothing to judge")
    returning = gap.devices(gap.TOGETHER) if "tasmota" in wanted else []
    world = World(str(options.bridge.resolve()), folder, devices + returning)
    try:
        world.start()
        if nodes:
            nodes.start(world.port)
        wrong = show(scenario.play(world, devices))
        if world.unknown_keys:
            print(f"Left out, because this program does not have it for such a light: {', '.join(sorted(world.unknown_keys))}.")
        if returning:
            count = 20 if options.quick else 100
            right = gap.told(world, count)
            wrong += right < count
            print(f"Tasmota, 0 to 500 ms between Online and SUBSCRIBE: {right} of {count} returns are told their colour.")
    finally:
        for device in devices:
            if isinstance(device, esphome.Esphome):
                device.end()
        if nodes and hasattr(nodes, "process"):
            nodes.end()
        world.end()
    print(f"{wrong} wrong" if wrong else "nothing wrong")
    return wrong + (len(skipped) if options.strict else 0)


def main():
    options = arguments()
    if not options.bridge.is_file():
        sys.exit(f"there is no {options.bridge}; build it: cargo build")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        sys.exit(1 if judge(options, folder.resolve()) else 0)


if __name__ == "__main__":
    main()
