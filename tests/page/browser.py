"""Headless Chromium, told what to do over its DevTools protocol (`--remote-debugging-pipe`)."""

import base64
import json
import os
import subprocess
import time


class Browser:
    """One page. Its calls block."""

    def __init__(self, profile, more=()):
        order_in, self.orders = os.pipe()
        self.answers, answer_out = os.pipe()
        # The protocol is spoken on the descriptors 3 and 4.
        script = f'exec timeout -k 1 300 chromium "$@" 3<&{order_in} 4>&{answer_out}'
        options = ["--remote-debugging-pipe", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                   "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}", *more, "about:blank"]
        self.process = subprocess.Popen(["bash", "-c", script, "bash", *options], pass_fds=(order_in, answer_out),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(order_in)
        os.close(answer_out)
        self.number, self.session, self.left, self.complaints = 0, None, b"", []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Runtime", "Audits"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **parameters):
        self.number += 1
        order = {"id": self.number, "method": method, "params": parameters} | ({"sessionId": self.session} if self.session else {})
        os.write(self.orders, json.dumps(order).encode() + b"\0")
        while True:
            while b"\0" not in self.left:
                part = os.read(self.answers, 1 << 20)
                if not part:
                    raise RuntimeError("chromium has ended; is it installed?")
                self.left += part
            answer, self.left = self.left.split(b"\0", 1)
            answer = json.loads(answer)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            if answer.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Audits.issueAdded"):
                self.complaints.append(json.dumps(answer["params"])[:300])

    def look_like(self, width, height, theme):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])

    def go_to(self, url):
        self.ask("Page.navigate", url=url)

    def value(self, script):
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True, userGesture=True)["result"].get("value")

    def until(self, script, patience=15):
        """Waits until a script is true."""
        end = time.monotonic() + patience
        while not self.value(f"!!({script})"):
            if time.monotonic() > end:
                where, page = self.value("location.href"), self.value("document.body.innerHTML.split('<script>')[0]")
                raise RuntimeError(f"never true within {patience} s: {script}; {where} is\n{page}")
            time.sleep(0.1)

    def type(self, text):
        self.ask("Input.insertText", text=text)

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    def end(self):
        os.close(self.orders)
        self.process.terminate()
        self.process.wait(10)
