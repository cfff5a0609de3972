#!/usr/bin/env python3
"""Sets the bridge up in Chromium on the page of a first start, with scripts and without: from nothing to a presence on a Mosquitto. On the way it
answers wrongly, corrects it, and attacks the page as another website would.

Prints what is wrong; the exit code is 0 only if nothing is. `--pictures FOLDER` keeps what was seen, `--only` one way. It takes half a minute.
"""

import argparse
import pathlib
import sys
import tempfile
import time

from attacks import Evil, attack
from browser import Browser
from scenes import FirstStart

PAGE = "document.body.innerText.toLowerCase()"
PERSON = "document.querySelector('li a, button[name=person]')"
NOTHING = "00000000-0000-0000-0000-00000000000g"
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}


class Visitor:
    """Somebody with a browser, who keeps what they see."""

    def __init__(self, browser, pictures, name):
        self.browser, self.pictures, self.name, self.wrong = browser, pictures, name, []

    def sees(self, words, what=None):
        """Waits until the page shows this; looks at it in all sizes and themes where it has a name."""
        self.browser.until(f"document.readyState == 'complete' && {PAGE}.includes({words.lower()!r})", 30)
        for size, (width, height) in SIZES.items() if what else ():
            for theme in ("light", "dark"):
                self.browser.look_like(width, height, theme)
                if (seen := self.browser.value("document.documentElement.scrollWidth")) > width:
                    self.wrong.append(f"{self.name}: {what}: {seen} of {width} pixels wide")
                if self.pictures:
                    self.browser.picture(self.pictures / f"set-up-{what}-{size}-{theme}.png")

    def answers(self, act, leads_to, what=None, **fields):
        for field, value in fields.items():
            self.browser.value(f"document.querySelector('[name={field}]').value = {value!r}")
        self.browser.value(f"document.querySelector('button[value={act}]').click()")
        self.sees(leads_to, what)

    def is_refused(self, field, typed, says, act="go", **more):
        """What was typed stays, and what is wrong stands at its field."""
        self.answers(act, says, f"wrong-{field}", **{field: typed}, **more)
        found = self.browser.value(f"(field => [field.value, field.getAttribute('aria-invalid'), document.getElementById(field.getAttribute('aria-describedby')).innerText])"
                                   f"(document.querySelector('[name={field}]'))")
        if found[:2] != ["" if field == "landed" else typed, "true"] or says not in found[2].lower():
            self.wrong.append(f"{self.name}: {field} is {found} after {typed!r}")

    def signs_in(self, scene, way):
        if way == "code":
            self.answers("code", "enter this code", "code")
            page, code = self.browser.value("[document.querySelector('p a').href, document.querySelector('.code').innerText]")
            self.browser.go_to(page)
            self.browser.until("document.querySelector('input')")
            self.browser.value(f"document.querySelector('input').value = {code!r}; (document.querySelector('button') || document.querySelector('[type=submit]')).click()")
        else:
            self.browser.go_to(self.browser.value("document.querySelector('a[href*=authorize]').href"))
        self.browser.until(PERSON)
        self.browser.value(f"{PERSON}.click()")
        if way == "code":
            self.browser.until(f"document.readyState == 'complete' && !{PERSON}")
            self.browser.go_to(scene.page)


def set_up(visitor, scene, way):
    """Step by step, wrongly at first."""
    scene.broker.publish("wled/desk/status", "online")
    visitor.sees("Whose presence?", "address")
    visitor.is_refused("email", "alice@contoso", "must be an address")
    visitor.answers("go", "The app registration", "app", email="alice@contoso.example")
    visitor.is_refused("client_id", NOTHING, "must be")
    app = scene.tenant.config["graph"]["client_id"]
    if way == "code":
        visitor.answers("go", "The MQTT broker", "broker", client_id=app)
        visitor.is_refused("broker", "http://broker.example", "must begin with", username="bridge")
        visitor.answers("go", "Sign in", broker=f"127.0.0.1:{scene.port}", username="")
    else:
        visitor.answers("go", "Sign in", client_id=app)
    # On the bridge's own machine it begins with a browser.
    visitor.sees("With a code instead", "link")
    visitor.browser.go_to(scene.page + "?paste")
    visitor.sees("The address on which your browser ended", "paste")
    visitor.is_refused("landed", "http://localhost/?code=x", "copy all of it", act="landed")
    visitor.sees("With a code instead")
    visitor.browser.go_to(scene.page)
    visitor.sees("With a code instead")
    visitor.signs_in(scene, way)
    visitor.sees("Write and start", "light")
    visitor.browser.value("document.querySelector('[value=\"wled/desk\"]').checked = true")
    visitor.answers("write", "Microsoft Graph")
    visitor.sees("1 of 1 up to date", "done")
    # The page knows of it a moment before the broker does.
    if not scene.broker.first("presence/alice/availability"):
        visitor.wrong.append(f"{visitor.name}: no presence on the broker")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bridge", required=True, type=pathlib.Path, help="the program")
    options.add_argument("--pictures", type=pathlib.Path, help="a folder for what was seen")
    options.add_argument("--only", action="append", choices=("scripts", "no-scripts"), help="one way; may be repeated")
    options = options.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    evil, wrong = Evil.website(), []
    for name, way in (("scripts", "browser"), ("no-scripts", "code")):
        if name not in (options.only or (name,)):
            continue
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            scene = FirstStart(str(options.bridge.resolve()), folder, is_found=way == "browser")
            browser = Browser(folder / "profile", ["--host-resolver-rules=MAP evil.example 127.0.0.1"])
            visitor = Visitor(browser, options.pictures, name)
            try:
                if way == "code":
                    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
                scene.page = Evil.page = scene.start()
                wrong += [f"{name}: {what}" for what in attack(browser, scene.page, evil)]
                browser.go_to(scene.page)
                began = time.monotonic()
                set_up(visitor, scene, way)
                print(f"{name}: set up in {time.monotonic() - began:.1f} s", flush=True)
                # The simulated sign-in service has no icon.
                wrong += visitor.wrong + [f"{name}: {what}" for what in browser.complaints if "favicon.ico" not in what]
            finally:
                browser.end()
                scene.end()
    print("\n".join(["WRONG", *wrong] if wrong else ["nothing is wrong"]))
    sys.exit(bool(wrong))


main()
