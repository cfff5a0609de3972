"""Another website: what it can make a browser do with the page."""

import http.server
import threading

HERE = "127.0.0.1"
TEXT = "document.body.innerText"
PAGES = {
    "form": "<form method=post action='{page}'><input name=act value=sign_out><input name=account><button id=go>x</button></form>",
    "frame": "<iframe src='{page}' width=800 height=600></iframe>",
}


class Evil(http.server.BaseHTTPRequestHandler):
    page = ""

    @classmethod
    def website(cls):
        """Serves it; returns its address."""
        server = http.server.ThreadingHTTPServer((HERE, 0), cls)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://{HERE}:{server.server_port}"

    def do_GET(self):
        text = PAGES.get(self.path.strip("/"), "").replace("{page}", self.page).encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def attack(browser, page, evil):
    """By a form, in a frame, and under a name of the website's own that means this machine. Yields what it could do."""
    for name, seen in (("form", "this did not come from this page"), ("frame", None)):
        browser.go_to(f"{evil}/{name}")
        browser.until("document.readyState == 'complete' && document.body.children.length")
        if name == "form":
            browser.value("document.getElementById('go').click()")
            browser.until(f"{TEXT}.includes({seen!r})")
        # Chromium shows a page of its own in a frame that may not be.
        elif not any("frame-ancestors" in complaint for complaint in browser.complaints):
            yield "the page was shown in a frame of another website"
    browser.go_to(page.replace(HERE, "evil.example"))
    browser.until(f"{TEXT}.includes('so that no website can read it')")
    browser.complaints.clear()
