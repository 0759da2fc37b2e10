#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From a change on disk to the alert's arrival, through the built programs: a check of the shipped
packs drifts, a webhook that checks the signature gets it, vouchd knows. Also with a store that is
away, a daemon that is killed, and a channel that is down."""
import hashlib
import hmac
import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

import alert_site as a
import site_under_test as s

SECRET = "whole-way-4711"
WAIT_S = 60


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        if not self.server.up or not hmac.compare_digest(good, self.headers["Vouch-Signature"]):
            self.send_response(503)
            self.end_headers()
            return
        self.server.alerts.append((time.time(), json.loads(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class AlertWholeWay(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.server.up, self.server.alerts = True, []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        things = self.site.dir + "/things"
        s.write(things, "")
        self.things = things
        # `things` are the lines of a file; the pack wants none that is called bad-….
        collector = s.tiny_collector(0).split("read -r request")[0] + f"""read -r request
echo '{{"table":"things"}}'
count=0
while read -r name; do echo "{{\\"row\\":{{\\"name\\":\\"$name\\"}}}}"; count=$((count + 1)); done < {things}
echo '{{"table":"gaps"}}'
echo "{{\\"end\\":{{\\"rows\\":{{\\"things\\":$count,\\"gaps\\":0}},\\"unchanged\\":0,\\"errors\\":0}}}}"
"""
        program = self.site.script("tiny", collector)
        s.write(self.site.dir + "/pack.yaml", PACK)
        rules = s.write(self.site.dir + "/alerts.yaml", f"""
channels:
  hook: {{ kind: webhook, url: 'http://127.0.0.1:{self.server.server_port}/', secret_file: {self.site.dir}/secret }}
rules: [{{ name: all, channels: [hook], group_interval: 0s }}]
""", 0o644)
        s.write(self.site.dir + "/secret", SECRET)
        self.host = self.site.host(collectors=f"  tiny: {{ program: {program}, interval: 1h }}\n",
                                   extra=f"alerts: {rules}\nheartbeat: 10s\n")
        with open(self.host.config, encoding="utf-8") as file:
            text = file.read()
        start = text.index("packs: [")
        s.write(self.host.config, text[:start] + f"packs: [{self.site.dir}/pack.yaml]" +
                text[text.index("]", start) + 1:])
        self.rules = rules
        self.processes = []
        self.addCleanup(self.stop_all)

    def start(self, *argv):
        with open(self.site.dir + "/log", "ab") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def daemon(self):
        process = self.start(s.program("vouchd"), "--config", self.host.config)
        a.wait_for(lambda: os.path.exists(self.host.dir + "/run/control.sock") and self.ask("status"), WAIT_S)
        return process

    def shipper(self):
        return self.start(s.program("vouch-ship"), "--state", self.host.dir + "/state", "--runtime",
                          self.host.dir + "/run", "--alerts", self.rules, "--stay")

    def stop_all(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait(WAIT_S)

    def ask(self, command, **more):
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(WAIT_S)
                client.connect(self.host.dir + "/run/control.sock")
                client.sendall(json.dumps({"command": command, **more}).encode() + b"\n")
                return json.loads(client.makefile().readline())
        except (OSError, ValueError):
            return None

    def collect(self):
        self.assertTrue(self.ask("collect", collector="tiny")["ok"])

    def arrived(self, count):
        return a.wait_for(lambda: self.server.alerts if len(self.server.alerts) >= count else None, WAIT_S)

    def test_a_change_on_disk_arrives_within_two_seconds_and_is_on_record(self):
        self.daemon()
        self.shipper()
        self.collect()
        changed = time.time()
        s.write(self.things, "bad-apple\nfine\n")
        self.collect()
        arrived, alert = self.arrived(1)[0]
        print(f"from the change on disk to the alert's arrival: {1000 * (arrived - changed):.0f} ms", flush=True)
        self.assertLess(arrived - changed, 2)
        told, = alert["conditions"]
        self.assertEqual(told["key"], "check/no-bad.things")
        self.assertEqual(told["findings"], ["{\"name\":\"bad-apple\"}"])
        self.assertEqual(told["remedy"], "Throw it away")
        self.assertEqual(told["severity"], "high")
        a.wait_for(lambda: self.host.listing("state", "outbox", "alerts") == [])
        listed = self.host.vouch("alert", "list", "--format", "json")
        self.assertEqual(listed.code, 0, listed)
        value = json.loads(listed.out)
        self.assertEqual([one["state"] for one in value["alerts"]], ["sent"])
        self.assertEqual([one["key"] for one in value["firing"]], ["check/no-bad.things"])
        s.write(self.things, "fine\n")
        self.collect()
        self.assertEqual(self.arrived(2)[1][1]["conditions"][0]["status"], "resolved")
        a.wait_for(lambda: self.host.listing("run", "receipts") == ["tmp"])

    def test_a_test_goes_the_whole_way_and_says_what_is_wrong(self):
        self.daemon()
        alone = self.host.vouch("alert", "test", "nobody")
        self.assertNotEqual(alone.code, 0, alone)
        self.assertIn("no channel nobody in ", alone.err)
        self.shipper()
        done = self.host.vouch("alert", "test", "hook")
        self.assertEqual(done.code, 0, done)
        self.assertIn("hook: delivered in ", done.out)
        self.assertEqual(self.arrived(1)[0][1]["type"], "test")
        self.server.up = False
        done = self.host.vouch("alert", "test", "hook")
        self.assertEqual(done.code, 1, done)
        self.assertIn("answered 503", done.err)
        self.assertNotIn(SECRET, done.out + done.err)

    def test_a_channel_that_is_down_gets_all_when_it_is_back_also_after_kills(self):
        self.server.up = False
        daemon = self.daemon()
        shipper = self.shipper()
        s.write(self.things, "bad-1\n")
        self.collect()
        a.wait_for(lambda: self.host.listing("run", "receipts") not in ([], ["tmp"]), WAIT_S)
        for process in (daemon, shipper):
            process.send_signal(signal.SIGKILL)
            process.wait(WAIT_S)
        self.assertEqual(self.server.alerts, [])
        self.server.up = True
        self.daemon()
        self.shipper()
        numbers = [alert["n"] for _, alert in self.arrived(1)]
        self.assertEqual(numbers[0], 1)
        a.wait_for(lambda: self.host.listing("state", "outbox", "alerts") == [], WAIT_S)
        with open(self.site.dir + "/log", encoding="utf-8", errors="replace") as file:
            self.assertNotIn(SECRET, file.read())

    def test_rules_that_are_wrong_stop_the_start_with_their_place(self):
        s.write(self.rules, "channels: {}\nrules: [{ name: x, channels: [ops] }]\n", 0o644)
        done = s.run([s.program("vouchd"), "--check", "--config", self.host.config])
        self.assertEqual(done.code, 78, done)
        self.assertIn(f"{self.rules}:2:30: channels: expected a list of channels of this file", done.err)
        checked = self.host.vouch("config", "check")
        self.assertEqual(checked.code, 78, checked)


PACK = """pack: test.things
title: Things
controls:
  - id: no-bad
    title: Nothing is bad
    owner: ops
    frequency_s: 86400
    checks:
      - id: no-bad.things
        title: No thing is bad
        severity: high
        rationale: Bad things spread
        remediation: Throw it away
        tables: [things]
        sql: SELECT name FROM things WHERE name LIKE 'bad-%'
"""


if __name__ == "__main__":
    unittest.main(verbosity=2)
