#!/usr/bin/env python3
"""Does in Chromium what the status page can do, with scripts and without; and attacks it as another website would: by a form, in a frame,
and under a name of its own that means this machine.

Prints what is wrong; the exit code is 0 only if nothing is. `--pictures FOLDER` keeps what was seen. It takes half a minute.
"""

import argparse
import pathlib
import sys
import tempfile

from attacks import Evil, attack
from browser import Browser
from scenes import LIGHTS, Scene

COMMANDS = "\n[commands]\nenabled = true\n"
TOLD = "document.getElementById('told').innerText"
PAGE = "document.body.innerText"


def press(browser, value, told):
    """Presses a button of the page and waits for what is said then."""
    browser.until(f"document.querySelector('button[value={value}]')")
    before = browser.value("location.href")
    browser.value(f"document.querySelector('button[value={value}]').click()")
    # Each act has an address of its own.
    browser.until(f"location.href != {before!r} && document.getElementById('told') && {TOLD}.includes({told!r})")


# Seconds. Without scripts a page with forms is loaded again after 30 s, and may have been made a moment too early.
RELOADED = 45


def sign_in(browser, person, told):
    press(browser, "browser", "Sign in as shown below.")
    browser.until("document.querySelector('.sign-in a[href*=authorize]')")
    browser.go_to(browser.value("document.querySelector('.sign-in a[href*=authorize]').href"))
    browser.until(f"document.querySelectorAll('li a')[{person}]")
    browser.value(f"document.querySelectorAll('li a')[{person}].click()")
    # The sign-in service leads back to the page.
    browser.until(f"document.getElementById('told') && {TOLD}.includes({told!r})")


def act(browser, page, pictures, name):
    def picture(what):
        for width, height in ((1280, 900), (390, 844)):
            browser.look_like(width, height, "light")
            if (seen := browser.value("document.documentElement.scrollWidth")) > width:
                yield f"{what}: {seen} of {width} pixels wide"
            if pictures:
                browser.picture(pictures / f"{name}-{what}-{width}.png")

    browser.go_to(page)
    browser.until("document.querySelector('.code')")
    yield from picture("sign-in")
    press(browser, "browser", "Sign in as shown below.")
    yield from picture("link")
    sign_in(browser, 0, "Signed in.")
    browser.until(f"{PAGE}.includes('1 of 1 up to date')", RELOADED)
    press(browser, "pause", "The light is paused.")
    press(browser, "follow", "shows presence again")
    press(browser, "test", "shows every state now")
    press(browser, "test", "The test is over.")
    browser.until("document.querySelector('select[name=presence]')")
    browser.value("document.querySelector('details').open = true; document.querySelector('select[name=presence]').value = 'DoNotDisturb'; document.querySelector('select[name=lasts]').value = '1h'")
    yield from picture("set")
    press(browser, "set", "The presence is set.")
    browser.until("document.querySelector('.people .DoNotDisturb')")
    sign_in(browser, 1, "Another account signed in")
    yield from picture("change")
    press(browser, "keep", "Nothing was changed.")
    sign_in(browser, 1, "Another account signed in")
    press(browser, "change", "Signed in.")
    press(browser, "sign_out", "The sign-in is deleted here.")
    browser.until("document.querySelector('.code')", RELOADED)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bridge", required=True, type=pathlib.Path, help="the program")
    options.add_argument("--pictures", type=pathlib.Path, help="a folder for what was seen")
    options = options.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    evil, wrong = Evil.website(), []
    for scripts in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            more = COMMANDS + LIGHTS.replace("{first}", "me")
            scene = Scene(str(options.bridge.resolve()), folder, ["--users", "3", "--read-write"], more, signs_in=True)
            browser = Browser(folder / "profile", ["--host-resolver-rules=MAP evil.example 127.0.0.1"])
            name = "scripts" if scripts else "no-scripts"
            try:
                if not scripts:
                    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
                page = scene.start()
                Evil.page = page
                wrong += [f"{name}: {what}" for what in act(browser, page, options.pictures, name)]
                # The simulated sign-in service has no icon.
                wrong += [f"{name}: {what}" for what in browser.complaints if "favicon.ico" not in what]
                wrong += [f"{name}: {what}" for what in attack(browser, page, evil)]
            finally:
                browser.end()
                scene.end()
        print(f"{name}: everything was done", flush=True)
    print("\n".join(["WRONG", *wrong] if wrong else ["nothing is wrong"]))
    sys.exit(bool(wrong))


main()
