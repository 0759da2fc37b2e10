#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Baselines, drift and registers through the built programs: approved with `vouch baseline approve`, judged,
sealed, delivered, and replayed from the store's directory alone."""
import os
import signal
import subprocess
import time
import unittest

import kill_test
import site_under_test as s

PACK = """pack: site.things
title: Things
controls:
  - id: things
    title: Things are as approved
    owner: it
    frequency_s: 3600
    checks:
      - id: things.drift
        title: Nothing drifts
        severity: high
        rationale: None is expected
        remediation: Approve it
        tables: [things, drift]
        sql: SELECT key, change, first_seen FROM drift WHERE EXISTS (SELECT count(*) FROM things)
      - id: things.baseline
        title: Nothing is beyond the baseline
        severity: high
        rationale: None is expected
        remediation: Approve it
        tables: [things, baseline_things]
        sql: SELECT name FROM things EXCEPT SELECT name FROM baseline_things
      - id: things.registered
        title: Everything is in the register, and the register is in date
        severity: high
        rationale: None is expected
        remediation: Register it
        tables: [things, register_things, registers]
        sql: |
          SELECT name FROM things WHERE name NOT IN (SELECT name FROM register_things)
          UNION SELECT name FROM registers WHERE valid_until <= :now
"""
REGISTER = """register: things
owner: it
as_of: 2024-01-01T00:00:00Z
key: [name]
columns: { name: text }
rows: [ { name: a } ]
"""


class Baseline(unittest.TestCase):
    def test_an_approval_makes_later_changes_drift_and_all_of_it_is_replayed(self):
        with s.Site() as site:
            site.store.start()
            program = site.script("tiny", kill_test.changing_collector())
            os.mkdir(site.dir + "/registers", 0o755)
            s.write(site.dir + "/registers/things.yaml", REGISTER, 0o644)
            s.write(site.dir + "/pack.yaml", PACK, 0o644)
            host = site.host(collectors=f"  tiny: {{ program: {program}, interval: 1h }}\n",
                             extra=f"registers: {site.dir}/registers\n")
            config = open(host.config).read()
            packs = next(line for line in config.split("\n") if line.startswith("packs:"))
            s.write(host.config, config.replace(packs, f"packs: [{site.dir}/pack.yaml]"))
            host.enrol(site.store.join_string())
            self.assertEqual(host.vouch("baseline", "approve", "things", "--reason", "x").code, 69)
            daemon = subprocess.Popen([s.program("vouchd"), "--config", host.config], stdin=subprocess.DEVNULL,
                                      stderr=open(host.dir + "/vouchd.log", "wb"))
            try:
                until = time.monotonic() + s.WAIT_S
                while host.vouch("status").code != 0 and time.monotonic() < until:
                    time.sleep(0.1)
                self.assertEqual(host.vouch("baseline", "approve", "things").code, 64)
                refused = host.vouch("baseline", "approve", "things", "--reason", "as installed")
                self.assertIn("collect it first", refused.err)
            finally:
                daemon.send_signal(signal.SIGTERM)
                daemon.wait(s.WAIT_S)
            self.assertEqual(host.once().code, 0)
            daemon = subprocess.Popen([s.program("vouchd"), "--config", host.config], stdin=subprocess.DEVNULL,
                                      stderr=open(host.dir + "/vouchd.log", "ab"))
            try:
                until = time.monotonic() + s.WAIT_S
                while host.vouch("status").code != 0 and time.monotonic() < until:
                    time.sleep(0.1)
                done = host.vouch("baseline", "approve", "things", "--reason", "as installed", "--ticket", "OPS-1")
                self.assertEqual(done.code, 0, done)
                self.assertIn("OPS-1", host.vouch("baseline", "list").out)
                self.assertEqual(host.vouch("key", "show").code, 0)
                rotated = host.vouch("key", "rotate")
                self.assertEqual(rotated.code, 0, rotated)
            finally:
                daemon.send_signal(signal.SIGTERM)
                daemon.wait(s.WAIT_S)
            for _ in range(2):
                self.assertEqual(host.once().code, 0)
            records = s.records_of(host)
            self.assertEqual([one["ticket"] for one in records if one["kind"] == "approval"], ["OPS-1"])
            self.assertEqual(len([one for one in records if one["kind"] == "key-rotate"]), 1)
            last = [one for one in records if one["kind"] == "observation"][-1]
            self.assertEqual({one["name"] for one in last["inputs"]} &
                             {"baseline_things", "drift", "register_things", "registers"},
                             {"baseline_things", "drift", "register_things", "registers"})
            self.assertEqual(host.ship().code, 0)
            verdict = site.verify("--replay")
            self.assertEqual(verdict.code, 0, verdict)
            self.assertNotIn("FAILED", verdict.out)
            self.assertNotIn("not replayable", verdict.out.replace("0 not replayable", ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
