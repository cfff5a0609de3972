"""How a check waits, and how it fails."""

import time

PATIENCE = 60  # seconds until a check gives up


class Failed(Exception):
    """What was expected, and what was there."""


def until(found, patience=PATIENCE, every=0.2):
    """Waits until nothing wrong is found; how long that took, in seconds."""
    begun = time.monotonic()
    while True:
        try:
            wrong = found()
        except (OSError, RuntimeError) as error:  # Home Assistant is restarting
            wrong = [repr(error)]
        if not wrong:
            return time.monotonic() - begun
        if time.monotonic() - begun > patience:
            raise Failed(f"{len(wrong)} wrong: " + "; ".join(wrong[:4]))
        time.sleep(every)


def insist(holds, otherwise):
    if not holds:
        raise Failed(otherwise)
