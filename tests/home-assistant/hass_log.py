"""What Home Assistant complains about."""

import contextlib
import re
import subprocess
import time

from judging import insist


class HassLog:
    """Follows Home Assistant's log from now on, over restarts of it."""

    # What it, and the MQTT library in it, say about a broker that went away.
    LOST = re.compile(r"Disconnected from MQTT server|Error returned from MQTT server: The connection was lost"
                      r"|Failed to connect to MQTT server due to exception"
                      r"|failed to receive on socket: .* Connection reset by peer")
    COMPLAINT = re.compile(r"(?:WARNING|ERROR|CRITICAL) \(.*?\) \[(\S+)\] (.*)")
    OURS = re.compile(r"mqtt|presence|verify|helpers\.template|components\.(automation|blueprint)", re.IGNORECASE)

    def __init__(self, file, copy):
        self.copy, self.lost_broker = copy, range(0)
        insist(file.exists(), f"there is no log at {file}")
        with open(copy, "wb") as out:
            command = ["tail", "-n", "0", "-F", str(file)]
            self.follower = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)

    def lines(self):
        time.sleep(2)  # until all is copied
        return self.copy.read_text(errors="replace").splitlines()

    @contextlib.contextmanager
    def tolerating_a_lost_broker(self):
        first = len(self.lines())
        try:
            yield
        finally:
            self.lost_broker = range(first, len(self.lines()))

    def check(self, world):
        # A topic that it refuses: a log in which that cannot be found would prove nothing.
        world.broker.publish("homeassistant/device/verify.provoked/config", "{}", retain=False)
        lines = self.lines()
        complaints = [number for number, line in enumerate(lines)
                      if (found := self.COMPLAINT.search(line)) and self.OURS.search(found[0])]
        tolerated = [n for n in complaints if n in self.lost_broker and self.LOST.search(lines[n])]
        provoked = [n for n in complaints if "verify.provoked" in lines[n]]
        insist(len(provoked) == 1, f"{len(provoked)} complaints about what it has to refuse: is this its log?")
        wrong = [lines[n] for n in complaints if n not in tolerated + provoked]
        insist(not wrong, f"{len(wrong)} complaints: " + " | ".join(wrong[:4]))
        return f"0, apart from {len(tolerated)} about the broker while it was ended here, and 1 that was provoked"

    def end(self):
        self.follower.terminate()
        self.follower.wait()
