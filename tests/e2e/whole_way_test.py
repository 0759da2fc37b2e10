#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The way of one piece of evidence, through the built programs, with a real store and TLS."""
import os
import subprocess
import time
import unittest

import site_under_test as s


class WholeWay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = s.Site().__enter__()
        cls.site.store.start()
        cls.host = cls.site.host()
        cls.host.enrol(cls.site.store.join_string())
        cls.first = cls.host.once()
        cls.shipped = cls.host.ship()

    @classmethod
    def tearDownClass(cls):
        cls.site.__exit__()

    def test_a_first_cycle_collects_judges_and_seals_on_a_real_host(self):
        self.assertEqual(self.first.code, 0, self.first)
        observed = [one for one in s.records_of(self.host) if one["kind"] == "observation"]
        names = sorted({one["collector"]["name"] for one in observed if "collector" in one})
        self.assertEqual(names, ["access_review", "backup_jobs", "config_drift", "patch_level"])
        outcomes = sum(one["outcomes"]["rows"] for one in observed if "outcomes" in one)
        self.assertGreaterEqual(outcomes, 30)

    def test_parcels_are_delivered_and_a_receipt_is_accepted_by_the_daemon(self):
        self.assertEqual(self.shipped.code, 0, self.shipped)
        done = self.host.once()
        self.assertEqual(done.code, 0, done)
        self.assertGreater(len(self.host.kept()), 0, self.host.listing("run", "receipts"))

    def test_the_store_verifies_and_every_verdict_is_replayed(self):
        done = self.site.verify("--replay")
        self.assertEqual(done.code, 0, done)
        self.assertIn("VERIFIED", done.out)
        self.assertNotIn("FAILED", done.out)

    def test_one_parcel_verifies_by_itself(self):
        folder = "kept" if self.host.kept() else "outbox"
        name = self.host.listing("state", folder)[0]
        done = s.run([s.program("vouch"), "verify", os.path.join(self.host.dir, "state", folder, name)])
        self.assertIn(done.code, (0, 1), done)
        self.assertNotIn("Traceback", done.err)

    def test_an_auditor_checks_with_tar_openssl_and_jq_alone(self):
        self.wait_for_directory()
        script = os.path.join(s.SOURCE, "tests", "auditor_check.sh")
        done = s.run([script, self.site.store.dir])
        self.assertEqual(done.code, 0, done)

    def tree_size(self):
        url = f"https://127.0.0.1:{self.site.store.port}/v1/checkpoint"
        return subprocess.run(["curl", "-sk", url], capture_output=True, text=True, check=True).stdout.split("\n")[1]

    def wait_for_directory(self):
        """The head in a store's directory follows what the store says, by less than a second where the disk is idle."""
        for _ in range(300):
            with open(self.site.store.dir + "/checkpoint", encoding="utf-8") as file:
                if file.read().split("\n")[1] == self.tree_size():
                    return
            time.sleep(0.1)
        self.fail("the checkpoint file does not follow")

    def test_a_known_parcel_is_answered_again_and_not_logged_twice(self):
        checkpoint = self.tree_size()
        parcel = os.path.join(self.host.dir, "state", "kept" if self.host.kept() else "outbox",
                              (self.host.kept() or self.host.parcels())[0])
        url = f"https://127.0.0.1:{self.site.store.port}/v1/parcels"
        answer = subprocess.run(["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary",
                                 "@" + parcel, "-H", "Content-Type: application/vnd.vouch.parcel+zstd", url],
                                capture_output=True, text=True, check=True).stdout
        self.assertEqual(answer, "200")
        self.assertEqual(self.tree_size(), checkpoint)

    def test_keys_and_state_are_private(self):
        for folder, _, files in os.walk(os.path.join(self.host.dir, "state", "keys")):
            for name in files:
                self.assertEqual(s.mode_of(os.path.join(folder, name)) & 0o077, 0, name)

    def test_the_secret_of_the_join_string_cannot_be_used_twice(self):
        join = self.site.store.join_string()
        self.site.host("host-b").enrol(join)
        again = self.site.host("host-c").vouch("enroll", stdin=join + "\n")
        self.assertNotEqual(again.code, 0)
        self.assertNotIn(join.split("#")[1][:43], again.err + again.out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
