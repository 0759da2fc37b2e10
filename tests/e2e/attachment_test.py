#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A document is attached to a running agent, comes to the store with its bytes, and is verified there."""
import hashlib
import json
import os
import unittest

import site_under_test as s
from running_agent import RunningAgent, wait_until

POLICY = "# Access\nAccess is granted by need, and reviewed every quarter.\n"


class Attachment(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        self.site.store.start()
        self.host = self.site.host(
            collectors=f"  tiny: {{ program: {self.site.script('tiny', s.tiny_collector())}, interval: 1h }}\n")
        self.host.enrol(self.site.store.join_string())
        self.file = s.write(os.path.join(self.site.dir, "policy.md"), POLICY)
        self.agent = RunningAgent(self.host).start()
        self.addCleanup(self.agent.stop)

    def add(self, *options, file=None):
        return self.host.vouch("attachment", "add", file or self.file, *options)

    def test_a_document_comes_to_the_store_and_is_verified(self):
        empty = self.host.vouch("attachment", "list")
        self.assertEqual((empty.code, "no document is attached" in empty.out), (0, True), empty)
        done = self.add("--control", "access-policy", "--title", "Access control policy", "--every", "90")
        self.assertEqual(done.code, 0, done)
        self.assertIn("policy.md (", done.out)
        self.assertIn("due again at ", done.out)
        listed = json.loads(self.host.vouch("attachment", "list", "--format", "json").out)
        self.assertEqual([(one["file"], one["title"], one["controls"], one["media_type"], one["cadence_days"])
                          for one in listed],
                         [("policy.md", "Access control policy", ["access-policy"], "text/markdown", 90)])
        self.assertEqual(os.listdir(os.path.join(self.host.dir, "state", "incoming")), [])
        wait_until("it is sealed", lambda: self.agent.records("attachment"))
        self.agent.stop()
        self.assertEqual(self.host.ship().code, 0)
        verdict = self.site.verify("--replay")
        self.assertEqual(verdict.code, 0, verdict)
        digest = hashlib.sha256(POLICY.encode()).hexdigest()
        (blob,) = [os.path.join(at, name) for at, _, names in os.walk(self.site.store.dir + "/blobs") for name in names
                   if name.startswith(digest)]
        stored = s.must(["zstd", "-dcq", blob]).out if blob.endswith(".zst") else open(blob, encoding="utf-8").read()
        self.assertEqual(stored, POLICY)

    def test_what_cannot_be_attached_is_said(self):
        self.assertEqual(self.add().code, 64)
        self.assertIn("--control ID", self.add().err)
        self.assertEqual(self.add("--control", "access-policy", file="/nonexistent").code, 66)
        for option, value, said in (("--expires", "soon", "expires: expected 2026-11-27"),
                                    ("--expires", "2020-01-01", "expires: not after"),
                                    ("--every", "x", "a number of days"),
                                    ("--effective", "2099-01-01", "effective: lies ahead"),
                                    ("--name", "../up", "no file name")):
            done = self.add("--control", "access-policy", option, value)
            self.assertNotEqual(done.code, 0, (option, value, done))
            self.assertIn(said, done.err)
        self.assertIn("controls", self.add("--control", "Not An Id").err)
        large = os.path.join(self.site.dir, "large")
        with open(large, "wb") as file:
            file.truncate((16 << 20) + 1)
        done = self.add("--control", "access-policy", file=large)
        self.assertNotEqual(done.code, 0)
        self.assertIn("large", done.err)
        self.assertEqual(json.loads(self.host.vouch("attachment", "list", "--format", "json").out), [])
        self.assertEqual(os.listdir(os.path.join(self.host.dir, "state", "incoming")), [])
        self.agent.stop()
        done = self.add("--control", "access-policy")
        self.assertEqual(done.code, 69, done)


if __name__ == "__main__":
    unittest.main(verbosity=2)
