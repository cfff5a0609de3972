"""The way between the bridge and the simulated tenant."""

import http.client
import http.server
import json
import threading
import time

HERE = "127.0.0.1"


class Wire(http.server.ThreadingHTTPServer):
    """Passes the bridge's requests on to the tenant and notes them. It can put other words into the answers, and it can be
    cut: a tenant that is ended instead would begin with its sequence numbers anew, which the bridge doubts at first."""

    daemon_threads = True

    def __init__(self, tenant):
        super().__init__((HERE, 0), Passing)
        self.tenant, self.requests, self.pretended, self.cut = tenant, [], {}, False
        self.signed_out = False  # until somebody signs in again
        self.url = f"http://{HERE}:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def sent(self, action, since):
        """The requests to one action since a moment: when, path, body."""
        return [r for r in list(self.requests) if r[0] >= since and r[1].endswith(f"/{action}")]

    def altered(self, data):
        if not self.pretended or b'"availability"' not in data:
            return data
        answer = json.loads(data)
        for entity in answer["value"]:
            entity.update(self.pretended.get(entity["id"], {}))
        return json.dumps(answer).encode()


class Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.cut:
            self.close_connection = True
            return
        self.server.requests.append((time.time(), self.path, body))
        if self.server.signed_out and self.refused(body):
            return
        upstream = http.client.HTTPConnection(HERE, self.server.tenant.port, timeout=10)
        upstream.request(self.command, self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        if answer.status == 200 and self.path.endswith("/token"):
            self.server.signed_out = False
        data = self.server.altered(answer.read())
        upstream.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refused(self, body):
        """As a tenant does in which an administrator has revoked somebody's sign-ins."""
        if self.path.startswith("/v1.0/"):
            self.answer(401, {"error": {"code": "InvalidAuthenticationToken", "message": "Access token has been revoked."}})
        elif b"grant_type=refresh_token" in body:
            self.answer(400, {"error": "invalid_grant", "error_codes": [50173],
                              "error_description": "AADSTS50173: The provided grant has expired due to it being revoked."})
        else:
            return False
        return True

    def answer(self, status, said):
        data = json.dumps(said).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = pass_on

    def log_message(self, *_):
        pass
