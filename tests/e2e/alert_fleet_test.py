#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts of the fleet, through the built programs: what a host's sealed evidence says is told by the
store, by way of vouch-ship and a webhook, until it is over; and so is a host that goes quiet."""
import http.server
import json
import threading
import unittest

import alert_site as a
import site_under_test as s

WAIT_S = 60


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.conditions += json.loads(body)["conditions"]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class AlertFleet(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.server.conditions = []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.rules = s.write(self.site.dir + "/store-alerts.yaml", f"""
channels:
  hook: {{ kind: webhook, url: 'http://127.0.0.1:{self.server.server_port}/' }}
rules: [{{ name: all, channels: [hook], group_interval: 0s, group_by: [host, check] }}]
rate_limit: {{ alerts: 1000, per: 1h }}
mappings: [{s.SOURCE}/policies/mappings]
""", 0o644)
        self.store = self.site.store
        self.store.start(options=("--alerts", self.rules))

    def deliver(self):
        place = self.store.dir + "/alerts"
        return s.run([s.program("vouch-ship"), "--state", place, "--runtime", place, "--alerts", self.rules, "--once"])

    def told(self, key, status):
        def look():
            self.deliver()
            for one in self.server.conditions:
                if one["key"] == key and one["status"] == status:
                    return one
            return None
        return a.wait_for(look, WAIT_S)

    def test_what_a_host_sealed_is_told_with_its_criteria_until_it_is_over(self):
        host = self.site.host()
        host.enrol(self.store.join_string())
        with open(host.dir + "/state/identity.json", encoding="utf-8") as file:
            agent = json.load(file)["agent"]
        pack = s.write(self.site.dir + "/pack.yaml", PACK)
        program = self.site.script("tiny", s.tiny_collector(1))
        with open(host.config, encoding="utf-8") as file:
            text = file.read()
        text = text[:text.index("packs: [")] + f"packs: [{pack}]\nsplay: 0s\ncollectors:\n  tiny: {{ program: {program}, interval: 1h }}\n"
        s.write(host.config, text)
        self.assertEqual(host.once().code, 0)
        self.assertEqual(host.ship().code, 0)
        one = self.told(f"{agent}/check/dormant-accounts.things", "firing")
        self.assertEqual(one["labels"]["host"], host.name)
        self.assertEqual(one["labels"]["agent"], agent)
        self.assertEqual(one["title"], "There is no thing")
        self.assertEqual(one["remedy"], "Throw it away")
        self.assertIn("soc2-2017 CC6.1", one["criterion"])
        self.assertEqual(one["findings_total"], 1)

        listed = s.must([s.program("vouch-store"), "alert", "list", "--dir", self.store.dir, "--alerts", self.rules,
                         "--format", "json"])
        self.assertIn(f"{agent}/check/dormant-accounts.things", [one["key"] for one in json.loads(listed.out)["firing"]])
        table = s.must([s.program("vouch-store"), "alert", "list", "--dir", self.store.dir, "--alerts", self.rules])
        self.assertIn("There is no thing", table.out)

        self.site.script("tiny", s.tiny_collector(0))
        self.assertEqual(host.once().code, 0)
        self.assertEqual(host.ship().code, 0)
        self.told(f"{agent}/check/dormant-accounts.things", "resolved")
        # The alert never keeps evidence away, and is no part of it.
        verified = self.site.verify("--replay")
        self.assertEqual(verified.code, 0, verified)

    def test_a_test_goes_the_whole_way(self):
        done = s.run([s.program("vouch-store"), "alert", "test", "nobody", "--dir", self.store.dir, "--alerts", self.rules])
        self.assertEqual(done.code, 1, done)
        done = s.must([s.program("vouch-store"), "alert", "test", "hook", "--dir", self.store.dir, "--alerts", self.rules])
        self.assertIn("is queued", done.out)
        self.assertEqual(self.deliver().code, 0)
        a.wait_for(lambda: "sent" in s.must([s.program("vouch-store"), "alert", "list", "--dir", self.store.dir,
                                            "--alerts", self.rules]).out, WAIT_S)


PACK = """pack: test.things
controls:
  - id: dormant-accounts
    title: There is nothing
    owner: ops
    frequency_s: 86400
    checks:
      - id: dormant-accounts.things
        title: There is no thing
        severity: high
        rationale: Things spread
        remediation: Throw it away
        tables: [things]
        sql: SELECT name FROM things
"""


if __name__ == "__main__":
    unittest.main(verbosity=2)
