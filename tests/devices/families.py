"""Every device that is judged."""

from awtrix import Awtrix, AwtrixMoodlight
from openhasp import Openhasp
from shelly import Gen1, Gen1Bulb, Gen1Duo, Gen2, Gen2Dimmer, Gen2Rgb, Gen3Bulb
from tasmota import Tasmota, TasmotaDimmer, TasmotaRelays, TasmotaWhite
from wled import Wled, WledFrozen, WledSegments

STAND_INS = {
    "tasmota-rgb": Tasmota,
    "tasmota-rgbw": TasmotaWhite,
    "tasmota-relays": TasmotaRelays,
    "tasmota-dimmer": TasmotaDimmer,
    "wled-strip": Wled,
    "wled-segments": WledSegments,
    "wled-frozen": WledFrozen,
    "shelly1-rgbw2": Gen1,
    "shelly1-bulb": Gen1Bulb,
    "shelly1-duo": Gen1Duo,
    "shelly2-rgbw": Gen2,
    "shelly2-rgb": Gen2Rgb,
    "shelly2-dimmer": Gen2Dimmer,
    "shelly3-bulb": Gen3Bulb,
    "awtrix-indicator": Awtrix,
    "awtrix-moodlight": AwtrixMoodlight,
    "openhasp-plate": Openhasp,
}
FAMILIES = ["tasmota", "wled", "shelly-gen1", "shelly-gen2", "awtrix", "openhasp", "esphome", "zigbee2mqtt"]


def stand_ins(wanted):
    return [kind(name) for name, kind in STAND_INS.items() if kind.family in wanted]
