#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts to a real receiver of webhooks, Debian's `webhook`, which checks the signature and speaks TLS."""
import json
import os
import unittest

import alert_site as a
import site_under_test as s

PROGRAM = a.need("webhook", "webhook")
SECRET = "hook-secret-4711"


class Webhook(unittest.TestCase):
    def setUp(self):
        self.shipper = a.Shipper()
        self.addCleanup(self.shipper.close)
        self.port = s.free_port()
        self.taken = self.shipper.dir + "/taken"
        script = s.write(self.shipper.dir + "/take.sh", f"#!/bin/sh\nprintf '%s\\n' \"$1\" >> {self.taken}\n", 0o755)
        rule = {"match": {"type": "payload-hmac-sha256", "secret": SECRET,
                          "parameter": {"source": "header", "name": "Vouch-Signature"}}}
        hook = {"id": "vouch", "execute-command": script, "trigger-rule": rule,
                "trigger-rule-mismatch-http-response-code": 403, "include-command-output-in-response": True,
                "pass-arguments-to-command": [{"source": "entire-payload"}]}
        s.write(self.shipper.dir + "/hooks.json", json.dumps([hook]))
        self.ca, cert, key = self.shipper.certificate()
        self.shipper.start([PROGRAM, "-hooks", self.shipper.dir + "/hooks.json", "-ip", "127.0.0.1", "-port",
                            str(self.port), "-secure", "-cert", cert, "-key", key, "-verbose"], self.port)

    def channel(self, secret=SECRET, ca=None, host="127.0.0.1"):
        path = self.shipper.secret("hook", secret)
        self.shipper.rules(f"  hook: {{ kind: webhook, url: 'https://{host}:{self.port}/hooks/vouch', "
                           f"secret_file: {path}, ca_file: {ca or self.ca}, timeout: 5s }}\n")

    def received(self):
        if not os.path.exists(self.taken):
            return []
        with open(self.taken, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_a_signed_alert_is_taken_by_a_receiver_that_checks(self):
        self.channel()
        self.shipper.put(1, "hook")
        done = self.shipper.ship()
        self.assertEqual(done.code, 0, done)
        alert, = a.wait_for(self.received)
        self.assertEqual(alert["n"], 1)
        self.assertEqual(alert["conditions"][0]["findings"], ["{\"username\":\"zoë\"}"])
        self.assertEqual(alert["sent"][:4], self.shipper.answer(1)["sent"][:4])
        # Delivered is delivered.
        self.assertEqual(self.shipper.ship().code, 0)
        self.assertEqual(len(self.received()), 1)

    def test_a_signature_by_another_secret_is_refused_and_the_alert_stays(self):
        self.channel(secret="another")
        self.shipper.put(1, "hook")
        done = self.shipper.ship()
        self.assertEqual(done.code, 75, done)
        self.assertRegex(self.shipper.answer(1)["message"], "^answered [45]")
        self.assertEqual(self.received(), [])
        self.channel()
        self.assertEqual(self.shipper.ship().code, 0)
        self.assertEqual(len(a.wait_for(self.received)), 1)

    def test_a_receiver_with_another_certificate_is_told_nothing(self):
        other, _, _ = self.shipper.certificate("other")
        self.channel(ca=other)
        self.shipper.put(1, "hook")
        self.assertEqual(self.shipper.ship().code, 75)
        self.assertIn("certificate", self.shipper.answer(1)["message"])
        self.assertEqual(self.received(), [])

    def test_a_credential_is_found_by_its_name(self):
        self.shipper.secret("ops-key", SECRET)
        self.shipper.rules(f"  hook: {{ kind: webhook, url: 'https://localhost:{self.port}/hooks/vouch', "
                           f"secret_file: ops-key, ca_file: {self.ca} }}\n")
        self.shipper.put(1, "hook")
        done = self.shipper.ship(CREDENTIALS_DIRECTORY=self.shipper.dir)
        self.assertEqual(done.code, 0, done)


if __name__ == "__main__":
    unittest.main(verbosity=2)
