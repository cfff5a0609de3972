"""Presence set from Home Assistant."""

import json
import time

from judging import insist, until
from promised import SETTABLE
from world import settled


def select_sets_presence(world):
    """For each word: the request that Graph gets, and how long until Home Assistant shows what is read back."""
    alice, slowest = world.person("alice"), 0
    shown = world.hass.state("select.alice_presence")
    for word in sorted(SETTABLE, key=lambda word: word == shown):
        begun = time.time()
        world.hass.call("select.select_option", entity_id="select.alice_presence", option=word)
        until(lambda: [f"select is not {word}"] * (world.hass.state("select.alice_presence") != word), 10, 0.01)
        until(lambda: [f"sensor is not {word}"] * (world.hass.state("sensor.alice_availability") != word), 10, 0.01)
        seconds = time.time() - begun
        requests = world.wire.sent("setUserPreferredPresence", begun)
        insist(len(requests) == 1, f"{len(requests)} requests for {word}")
        _, path, body = requests[0]
        insist(path == f"/v1.0/users/{alice}/presence/setUserPreferredPresence", f"asked for {path}")
        insist(json.loads(body) == {"availability": word, "activity": SETTABLE[word]}, f"asked with {body}")
        insist(seconds < 1, f"{word} took {seconds:.2f} s")
        slowest = max(slowest, seconds)
    settled(world)
    return f"{len(SETTABLE)} words, the slowest back after {slowest * 1000:.0f} ms"


def button_and_text(world):
    begun = time.time()
    world.hass.call("button.press", entity_id="button.alice_clear_presence")
    until(lambda: [] if world.wire.sent("clearUserPreferredPresence", begun) else ["no request to clear"], 5)
    sent = time.monotonic()
    world.hass.call("text.set_value", entity_id="text.alice_status_message", value="in the workshop")
    until(lambda: [] if world.wire.sent("setStatusMessage", begun) else ["no request to set a message"], 5)
    body = json.loads(world.wire.sent("setStatusMessage", begun)[0][2])
    content = {"statusMessage": {"message": {"content": "in the workshop", "contentType": "text"}}}
    insist(body == content, f"asked with {body}")
    until(lambda: ["no message"] * (world.hass.state("text.alice_status_message") != "in the workshop"), 10, 0.01)
    seconds = time.monotonic() - sent
    insist(seconds < 1, f"the message took {seconds:.2f} s")
    settled(world)
    return f"message back after {seconds * 1000:.0f} ms"


def refresh(world):
    reads = lambda since: world.wire.sent("getPresencesByUserId", since)
    begun = time.time()
    until(lambda: [] if reads(begun) else ["no read"], 10, 0.05)
    time.sleep(1)  # the next would come four seconds later by itself
    begun = time.time()
    world.hass.call("button.press", entity_id=f"button.{world.bridge.client_id}_refresh")
    until(lambda: [] if reads(begun) else ["no read"], 2)
    return f"read after {(reads(begun)[0][0] - begun) * 1000:.0f} ms"


def controls_can_be_absent(world):
    world.bridge.commands = False
    world.bridge.reload()
    settled(world)
    left = len(world.expected())
    world.bridge.commands = True
    world.bridge.reload()
    settled(world)
    return f"{left} entities without, {len(world.expected())} with"
