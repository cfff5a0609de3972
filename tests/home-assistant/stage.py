"""The programs around Home Assistant: broker, simulated tenant, bridge."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
import tomllib
import urllib.parse

HERE = "127.0.0.1"


class Process:
    """A program that is started, ended and started again; its log survives it."""

    def __init__(self, command, log):
        self.command, self.log, self.running = command, log, None

    def start(self):
        with open(self.log, "ab") as log:
            self.running = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end(self, how=signal.SIGTERM):
        """Its exit code; None if it did not run."""
        if self.running is None:
            return None
        self.running.send_signal(how)
        try:
            code = self.running.wait(20)
        except subprocess.TimeoutExpired:
            self.running.kill()
            code = self.running.wait()
        self.running = None
        return code


def listens(port):
    try:
        socket.create_connection((HERE, port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_for_port(port):
    for _ in range(200):
        if listens(port):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


class Broker(Process):
    """A Mosquitto without a store: whatever it held is gone when it starts again."""

    def __init__(self, port, log):
        super().__init__(["mosquitto", "-p", str(port)], log)
        self.port = port

    def start(self):
        super().start()
        wait_for_port(self.port)

    def publish(self, topic, payload, retain=True):
        command = ["mosquitto_pub", "-p", str(self.port), "-q", "1", "-t", topic, "-m", payload]
        subprocess.run(command + ["-r"] * retain, check=True)

    def retained(self, topic_filter):
        """Topic and payload of everything retained that matches."""
        command = ["mosquitto_sub", "-p", str(self.port), "-t", topic_filter, "-v", "--retained-only", "-W", "1"]
        lines = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def first(self, topic):
        """The first message on a topic, retained or not, within ten seconds; empty if there is none."""
        command = ["mosquitto_sub", "-p", str(self.port), "-t", topic, "-C", "1", "-W", "10"]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()


class Listener:
    """Everything published on a topic from now on."""

    def __init__(self, port, topic):
        self.heard = []
        self.process = subprocess.Popen(["mosquitto_sub", "-p", str(port), "-t", topic], stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._listen, daemon=True).start()
        time.sleep(0.5)  # until it has subscribed

    def _listen(self):
        for line in self.process.stdout:
            self.heard.append(line.rstrip())

    def end(self):
        self.process.terminate()
        self.process.wait()


class Graph:
    """What a simulated tenant says, asked by the app itself."""

    token = None

    def enter(self, way):
        """By a configuration's `[graph]`, or one of its accounts."""
        self.port = urllib.parse.urlsplit(way["graph_url"]).port
        form = {"grant_type": "client_credentials", "client_id": way["client_id"],
                "client_secret": way["auth"]["client_secret"], "scope": way["graph_url"] + "/.default"}
        self.token = self.post_form(f"/{way['tenant_id']}/oauth2/v2.0/token", form)["access_token"]

    def post_form(self, path, form):
        """As a browser does; nothing comes of a page."""
        return self.ask("POST", path, urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})

    def ask(self, method, path, body=None, headers=None):
        headers = headers or {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(HERE, self.port, timeout=10)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {data.decode()}")
        return json.loads(data) if data and "json" in answer.getheader("Content-Type", "") else None

    def presence(self, ids):
        """What Graph says about these people."""
        answer = self.ask("POST", "/v1.0/communications/getPresencesByUserId", json.dumps({"ids": ids}))
        return {entity["id"]: entity for entity in answer["value"]}

    def prefer(self, person, availability, activity):
        body = json.dumps({"availability": availability, "activity": activity})
        self.ask("POST", f"/v1.0/users/{person}/presence/setUserPreferredPresence", body)


class Tenants(Process):
    """`presence2mqtt simulate`. Time stands still in it: people change when they are told to."""

    def __init__(self, binary, seed, log, options=()):
        command = [binary, "simulate", "--users", "3", "--speed", "0", "--seed", str(seed), "--read-write", *options]
        self.binary_command, self.port = [*command, "--listen"], 0
        super().__init__([], log)

    def start(self):
        self.command = [*self.binary_command, f"{HERE}:{self.port}"]
        with open(self.log, "ab") as log:
            self.running = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log, text=True)
        guide = "".join(iter(self.running.stdout.readline, "By hand:\n"))
        self.config = tomllib.loads(guide[guide.index("[mqtt]"):])


class Tenant(Tenants, Graph):
    """One of them alone."""

    def start(self):
        super().start()
        self.enter(self.config["graph"])


class Bridge(Process):
    """`presence2mqtt run`, with a configuration that can be changed under it."""

    def __init__(self, binary, folder, client_id, broker, wire, tenant):
        self.binary, self.file = binary, os.path.join(folder, "presence2mqtt.toml")
        super().__init__([binary, "-v", "--config", self.file], os.path.join(folder, "bridge.log"))
        self.version = subprocess.run([binary, "--version"], stdout=subprocess.PIPE, text=True).stdout.split()[-1]
        self.written = False
        self.client_id, self.broker, self.wire, self.tenant = client_id, broker, wire, tenant
        self.reset()

    def reset(self):
        """The configuration that every check begins with."""
        self.users = [{**user, "discovery": True} for user in self.tenant.config["users"]]
        self.discovery, self.prefix, self.commands, self.light = True, "homeassistant", True, None
        self.secret = self.tenant.config["graph"]["auth"]["client_secret"]

    def write(self):
        self.written = True
        graph, quoted = self.tenant.config["graph"], json.dumps
        users = "".join(f"\n[[users]]\nname = {quoted(u['name'])}\nid = {quoted(u['id'])}\n"
                        f"display_name = {quoted(u['display_name'])}\ndiscovery = {quoted(u['discovery'])}\n"
                        for u in self.users)
        light = (f"\n[[lights]]\nname = {quoted(self.light)}\nusers = [\"alice\"]\npreset = \"wled\"\n"
                 f"topic = \"verify/wled\"\n" if self.light else "")
        with open(self.file, "w") as file:
            file.write(f"""\
[mqtt]
url = "mqtt://{HERE}:{self.broker.port}"
client_id = "{self.client_id}"

[graph]
tenant_id = "{graph['tenant_id']}"
client_id = "{graph['client_id']}"
graph_url = "{self.wire.url}"
login_url = "{self.wire.url}"
poll_interval = "5s"
stale_after = "12s"
include_messages = true

[graph.auth]
method = "client-secret"
client_secret = "{self.secret}"

[home_assistant]
discovery = {quoted(self.discovery)}
discovery_prefix = "{self.prefix}"

[commands]
enabled = {quoted(self.commands)}
{users}{light}""")

    def start(self):
        self.write()
        super().start()

    def reload(self):
        self.write()
        self.running.send_signal(signal.SIGHUP)

    def restart(self):
        self.end()
        self.start()

    def clean(self):
        subprocess.run([self.binary, "--config", self.file, "clean"], check=True, stdout=subprocess.DEVNULL)
