"""A running Home Assistant, asked over its REST and WebSocket interfaces as its own frontend does; standard library only."""

import base64
import json
import os
import socket
import struct
import urllib.error
import urllib.parse
import urllib.request

# What people's proxies are set to is none of a loopback address.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Hass:
    def __init__(self, url, token):
        self.url, self.token = url.rstrip("/"), token

    def rest(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with OPENER.open(request, timeout=30) as answer:
            return json.load(answer)

    def call(self, action, **data):
        return self.rest("POST", f"/api/services/{action.replace('.', '/')}", data)

    def states(self):
        return {state["entity_id"]: state for state in self.rest("GET", "/api/states")}

    def state(self, entity):
        """The state of one entity, None if there is no such entity."""
        try:
            return self.rest("GET", f"/api/states/{entity}")["state"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def history(self, entity, since):
        """The states that an entity had since a moment (UTC, aware), the one at that moment first."""
        query = urllib.parse.urlencode({"filter_entity_id": entity, "end_time": "2100-01-01T00:00:00+00:00"})
        path = f"/api/history/period/{urllib.parse.quote(since.isoformat())}?{query}"
        return [state["state"] for entities in self.rest("GET", path) for state in entities]

    def entities(self):
        """The registry's entries that MQTT made for us, by entity id."""
        entries = self.ask("config/entity_registry/list")
        ours = [e for e in entries if e["platform"] == "mqtt" and e["unique_id"].startswith("presence2mqtt_")]
        return {entry["entity_id"]: entry for entry in ours}

    def devices(self):
        """The registry's devices that MQTT made for us, by our identifier."""
        ids = lambda device: [i[1] for i in device["identifiers"] if i[0] == "mqtt" and i[1].startswith("presence2mqtt_")]
        return {ours: device for device in self.ask("config/device_registry/list") for ours in ids(device)}

    def ask(self, command, **fields):
        """One WebSocket command, on a connection of its own."""
        with WebSocket(self.url) as ws:
            ws.receive()
            ws.send({"type": "auth", "access_token": self.token})
            if (reply := ws.receive())["type"] != "auth_ok":
                raise RuntimeError(f"Home Assistant refuses the token: {reply}")
            ws.send({"id": 1, "type": command, **fields})
            reply = ws.receive()
            if not reply.get("success"):
                raise RuntimeError(f"{command}: {reply.get('error')}")
            return reply["result"]


class WebSocket:
    """As much of RFC 6455 as one question and its answer need."""

    def __init__(self, url):
        where = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((where.hostname, where.port or 80), timeout=30)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /api/websocket HTTP/1.1\r\nHost: {where.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        if b" 101 " not in self.stream.readline():
            raise ConnectionError("no WebSocket here")
        while self.stream.readline().strip():
            pass

    def send(self, message):
        data, mask = json.dumps(message).encode(), os.urandom(4)
        size = struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else struct.pack("!BH", 0xFE, len(data))
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        self.socket.sendall(b"\x81" + size + mask + masked)

    def receive(self):
        whole = b""
        while True:
            first, size = self.take(2)
            if size > 125:
                size = int.from_bytes(self.take(2 if size == 126 else 8))
            data = self.take(size)
            if first & 0x0F == 8:
                raise ConnectionError("Home Assistant closed the WebSocket")
            if first & 0x0F < 3:
                whole += data
                if first & 0x80:
                    return json.loads(whole)

    def take(self, size):
        data = self.stream.read(size)
        if len(data) < size:
            raise ConnectionError("Home Assistant hung up")
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()
