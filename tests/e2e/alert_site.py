# SPDX-License-Identifier: Apache-2.0
"""What the tests of alerts share: a rule file, an alert in an outbox, vouch-ship, certificates, and
real servers as processes. A test whose server is not installed ends with 77: skipped, visibly."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import site_under_test as s

SKIPPED = 77
AGENT = "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77"


def need(program, package):
    path = shutil.which(program) or shutil.which("/usr/sbin/" + program)
    if not path:
        print(f"skipped: {program} is not installed ({package}; ./dev deps)")
        sys.exit(SKIPPED)
    return path


def need_module(module, package):
    """A Python that has the module: Debian's, perhaps, beside the one that runs the tests."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import " + module], capture_output=True, check=False).returncode == 0:
            return python
    print(f"skipped: no python3 has {module} ({package}; ./dev deps)")
    sys.exit(SKIPPED)


def condition(status="firing", **more):
    out = {"key": "check/dormant-accounts.login", "status": status, "kind": "control-drift", "severity": "high",
           "title": "No login account unused for 90 days", "value": "1 row violates it",
           "labels": {"check": "dormant-accounts.login", "control": "dormant-accounts", "host": "web-01"},
           "expected": "max_days = 90", "criterion": "soc2-2017 CC6.1", "remedy": "Disable it, naïvely: “usermod”",
           "findings": ["{\"username\":\"zoë\"}"], "findings_total": 1, "since": "2026-11-21T19:30:02.118Z"}
    out.update(more)
    return out


class Shipper:
    """vouch-ship with an outbox of its own. `channels` is YAML below `channels:`."""

    def __init__(self, channels=""):
        self.dir = tempfile.mkdtemp(prefix="vouch-alerts-")
        os.makedirs(self.dir + "/state/outbox/alerts")
        self.processes = []
        self.rules(channels)

    def rules(self, channels):
        s.write(self.dir + "/alerts.yaml", f"channels:\n{channels}\nrules: []\n", 0o644)

    def secret(self, name, text, mode=0o600):
        return s.write(f"{self.dir}/{name}", text + "\n", mode)

    def put(self, n, channel, conditions=None, **more):
        alert = {"v": 1, "n": n, "channel": channel, "rule": "all", "sender": {"id": AGENT, "name": "web-01"},
                 "made": "2026-11-21T19:30:02.118Z", "type": "conditions", "repeat": False,
                 "group": {"kind": "control-drift"}, "conditions": [condition()] if conditions is None else conditions}
        alert.update(more)
        s.write(f"{self.dir}/state/outbox/alerts/{n:010}.json", json.dumps(alert), 0o644)

    def ship(self, **env):
        return s.run([s.program("vouch-ship"), "--state", self.dir + "/state", "--runtime", self.dir + "/run",
                      "--alerts", self.dir + "/alerts.yaml", "--once"], env=env)

    def answer(self, n):
        try:
            with open(f"{self.dir}/run/receipts/{n:010}.alert.json", encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def start(self, argv, port=None, wait_s=30, **options):
        """A server; waits until it listens on the port, or on a unix socket's path."""
        with open(self.dir + "/server.log", "ab") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                       **options)
        self.processes.append(process)
        until = time.monotonic() + wait_s
        while port is not None and time.monotonic() < until:
            if process.poll() is not None:
                raise AssertionError(f"{argv[0]} ended: " + open(self.dir + "/server.log", errors="replace").read()[-2000:])
            try:
                if isinstance(port, str):
                    if os.path.exists(port):
                        return process
                    raise OSError
                socket.create_connection(("127.0.0.1", port), 1).close()
                return process
            except OSError:
                time.sleep(0.05)
        if port is not None:
            raise AssertionError(f"{argv[0]} does not listen")
        return process

    def stop(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)

    def certificate(self, name="server", alt="IP:127.0.0.1,DNS:localhost"):
        """(ca.pem, cert.pem, key.pem) for the loopback."""
        base = f"{self.dir}/{name}"
        s.must(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                "2", "-subj", f"/CN={name} CA", "-keyout", base + "-ca.key", "-out", base + "-ca.pem"])
        s.must(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={name}", "-keyout", base + ".key", "-out", base + ".csr"])
        s.write(base + ".ext", f"subjectAltName={alt}\n")
        s.must(["openssl", "x509", "-req", "-in", base + ".csr", "-CA", base + "-ca.pem", "-CAkey", base + "-ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", base + ".ext", "-out", base + ".pem"])
        return base + "-ca.pem", base + ".pem", base + ".key"

    def close(self):
        for process in self.processes:
            self.stop(process)
        shutil.rmtree(self.dir, ignore_errors=True)


def wait_for(what, wait_s=30):
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        value = what()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")
