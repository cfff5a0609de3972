#!/usr/bin/env python3
"""Looks at the status page in Chromium: with one person, 60 and 1,000, at a first run, in trouble, with several accounts, and without its bridge;
at 390 and 1280 pixels, light and dark.

Prints what is wrong; the exit code is 0 only if nothing is. `--pictures FOLDER` keeps what was seen. It takes a minute.
"""

import argparse
import pathlib
import sys
import tempfile

from browser import Browser
from scenes import NOBODY, Scene

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
SCENES = {
    "one": ({"options": ["--users", "1"], "lights": True}, "document.querySelector('.lamp.good')"),
    "sixty": ({"options": ["--users", "60", "--groups"], "more": NOBODY, "lights": True}, "document.querySelectorAll('.people .trouble').length == 1 && !document.querySelector('.counts .waiting')"),
    "thousand": ({"options": ["--users", "1000", "--groups"]}, "document.querySelector('h1 + p').innerText.startsWith('Everything')"),
    "first": ({"options": ["--users", "1"], "signs_in": True}, "document.querySelector('.code')"),
    "trouble": ({"options": ["--users", "3", "--trouble", "all-403"], "has_broker": False}, "document.querySelectorAll('.notices li').length > 1"),
    "accounts": ({"options": ["--tenants", "3", "--users", "2"]}, "document.querySelectorAll('#accounts .good').length == 3"),
}
# What the broker held has been read back, and the lights show what they are told.
SETTLED = "document.querySelector('#broker.good') && !document.getElementById('lights').innerText.includes('waiting')"
FIRST_ROW = "document.querySelector('.people li').getBoundingClientRect().bottom"
WIDTH = "document.documentElement.scrollWidth"
SHOWN = "[...document.querySelectorAll('.people b')].map(one => one.innerText).join()"


def look(browser, name, pictures):
    """Whatever is wrong with what is seen."""
    for size, (width, height) in SIZES.items():
        for theme in ("light", "dark"):
            browser.look_like(width, height, theme)
            if (seen := browser.value(WIDTH)) > width:
                yield f"{name}, {size}: {seen} pixels wide"
            if name in ("one", "sixty", "thousand") and (seen := browser.value(FIRST_ROW)) > height * 2 / 3:
                yield f"{name}, {size}: the first person is not in the upper two thirds but at {seen:.0f} of {height}"
            if pictures:
                browser.picture(pictures / f"{name}-{size}-{theme}.png")


def search(browser):
    """Somebody types, and the page goes on meanwhile."""
    browser.value("document.querySelector('[type=search]').focus()")
    before = browser.value("document.querySelector('.counts b').innerText")
    browser.type("le")
    browser.until(f"{SHOWN}.length && {SHOWN}.split(',').every(name => name.toLowerCase().includes('le'))")
    browser.type("ft")
    browser.until("document.querySelector('.counts .all').getAttribute('href') == '?q=left'")
    found = browser.value(f"[location.search, document.activeElement.value, document.querySelector('.counts b').innerText, {SHOWN}].join()")
    if found != "?q=left,left,1,Somebody who left" or before != "61":
        yield f"search: {found} of {before}"
    browser.value("document.activeElement.blur(); document.querySelector('.counts .trouble').click()")
    browser.until("location.search == '?q=left&state=trouble' && document.querySelector('[aria-current]').innerText.startsWith('Trouble')")


def pages(browser):
    """Every page by its link."""
    seen = set()
    for _ in range(10):
        browser.until("document.readyState == 'complete' && document.querySelectorAll('.people li').length == 100")
        seen.update(browser.value("[...document.querySelectorAll('.people li')].map(one => one.id)"))
        at = browser.value("location.search")
        browser.value("document.querySelector('[rel=next]')?.click()")
        if len(seen) < 1000:
            browser.until(f"location.search != '{at}'")
    if len(seen) != 1000:
        yield f"pages: {len(seen)} of 1000 people were on one"


def gone(browser, scene, pictures):
    scene.bridge.end()
    browser.until("!document.getElementById('lost').hidden")
    title, has_icon = browser.value("document.title"), browser.value("(icon => icon.getAttribute('href') == icon.dataset.gone)(document.querySelector('[rel=icon]'))")
    if "does not answer" not in title or not has_icon:
        yield f"gone: the title is {title!r}; its icon is {'' if has_icon else 'not '}that of a bridge that is gone"
    yield from look(browser, "gone", pictures)
    # A browser says on its console that nobody answered; that is what this is about.
    browser.complaints.clear()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bridge", required=True, type=pathlib.Path, help="the program")
    options.add_argument("--pictures", type=pathlib.Path, help="a folder for what was seen")
    options.add_argument("--only", action="append", choices=SCENES, help="one scene; may be repeated")
    options = options.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    wrong = []
    for name in options.only or SCENES:
        arguments, is_there = SCENES[name]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            scene = Scene(str(options.bridge.resolve()), folder, **arguments)
            browser = Browser(folder / "profile")
            try:
                browser.go_to(scene.start())
                browser.until(f"{is_there} && ({SETTLED if scene.broker else 'true'})", 30)
                wrong += look(browser, name, options.pictures)
                if name == "sixty":
                    wrong += search(browser)
                if name == "thousand":
                    wrong += pages(browser)
                if name == "one":
                    wrong += gone(browser, scene, options.pictures)
                wrong += [f"{name}: {what}" for what in browser.complaints]
            finally:
                browser.end()
                scene.end()
        print(f"{name} was looked at", flush=True)
    print("\n".join(["WRONG", *wrong] if wrong else ["nothing is wrong"]))
    sys.exit(bool(wrong))


main()
