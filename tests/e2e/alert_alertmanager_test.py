#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts to a real Alertmanager."""
import datetime
import json
import unittest
import urllib.request

import alert_site as a
import site_under_test as s

PROGRAM = a.need("prometheus-alertmanager", "prometheus-alertmanager")


def instant(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Alertmanager(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shipper = a.Shipper()
        cls.addClassCleanup(cls.shipper.close)
        cls.port = s.free_port()
        s.write(cls.shipper.dir + "/am.yml", "route: { receiver: none }\nreceivers: [{ name: none }]\n")
        cls.shipper.start([PROGRAM, f"--config.file={cls.shipper.dir}/am.yml", f"--storage.path={cls.shipper.dir}/am",
                           f"--web.listen-address=127.0.0.1:{cls.port}", "--cluster.listen-address="], cls.port)
        cls.shipper.rules(f"  am: {{ kind: alertmanager, url: 'http://127.0.0.1:{cls.port}/' }}\n")

    def alerts(self, name):
        url = f"http://127.0.0.1:{self.port}/api/v2/alerts"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return [one for one in json.load(answer) if one["labels"]["alertname"] == name]

    def send(self, n, **more):
        self.shipper.put(n, "am", **more)
        done = self.shipper.ship()
        self.assertEqual(done.code, 0, done)
        self.assertIn("sent", self.shipper.answer(n))

    def test_an_alert_fires_with_its_labels_and_ends_when_it_is_over(self):
        began = instant(-60)
        self.send(1, conditions=[a.condition(since=began, holds_until=instant(3600))])
        alert, = a.wait_for(lambda: self.alerts("control-drift"))
        self.assertEqual(alert["labels"]["severity"], "high")
        self.assertEqual(alert["labels"]["host"], "web-01")
        self.assertEqual(alert["labels"]["check"], "dormant-accounts.login")
        self.assertEqual(alert["annotations"]["summary"], "No login account unused for 90 days")
        self.assertIn("zoë", alert["annotations"]["description"])
        self.assertEqual(alert["status"]["state"], "active")
        self.assertGreater(alert["endsAt"], instant(3000))
        # The same again, as a repeat, is the same alert.
        self.send(2, repeat=True, conditions=[a.condition(since=began, holds_until=instant(7200))])
        alert, = self.alerts("control-drift")
        self.assertGreater(alert["endsAt"], instant(6000))
        self.send(3, conditions=[a.condition("resolved", since=began, ended=instant(-1))])
        a.wait_for(lambda: not self.alerts("control-drift"))

    def test_a_digest_and_a_test_are_alerts_for_an_hour(self):
        self.send(10, type="test", conditions=[], made=instant(0))
        self.assertEqual(len(a.wait_for(lambda: self.alerts("vouch-test"))), 1)
        held = {"since": instant(-60), "firing": 3, "resolved": 1, "severities": {"high": 4}, "titles": ["firing: X"]}
        self.send(11, type="held", conditions=[], held=held, made=instant(0))
        alert, = a.wait_for(lambda: self.alerts("alerts-held-back"))
        self.assertIn("3 firing, 1 resolved (4 high)", alert["annotations"]["description"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
