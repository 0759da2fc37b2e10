#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Agent and store of neighbouring versions: each with the other's counterpart, and each on what the other's left
behind. The neighbour's programs are in VOUCH_NEIGHBOUR_BIN (`./dev test neighbour REVISION` builds them); exit 77
without. The packs are this version's, as after an upgrade of the command line."""
import os
import sys
import unittest

import kill_test
import site_under_test as s

NEIGHBOUR = os.environ.get("VOUCH_NEIGHBOUR_BIN")
OURS = s.BIN
AGENT = ("vouchd", "vouch-ship", "vouch", "vouch-collect")


class Versions:
    """Whose programs are run from now on."""

    def __init__(self):
        self.agent, self.store = OURS, OURS

    def program(self, name):
        return os.path.join(self.store if name == "vouch-store" else self.agent, name)


class Neighbour(unittest.TestCase):
    def setUp(self):
        self.versions = Versions()
        s.program, before = self.versions.program, s.program
        self.addCleanup(setattr, s, "program", before)

    def site(self, agent, store):
        self.versions.agent, self.versions.store = agent, store
        site = s.Site().__enter__()
        self.addCleanup(site.__exit__)
        site.store.start()
        program = site.script("tiny", kill_test.changing_collector())
        host = site.host(collectors=f"  tiny: {{ program: {program}, interval: 1s }}\n  access_review: {{ interval: 1h }}\n")
        host.enrol(site.store.join_string())
        return site, host

    def cycle(self, host, times=3):
        for _ in range(times):
            done = host.once()
            self.assertEqual(done.code, 0, done)
            done = host.ship()
            self.assertEqual(done.code, 0, done)

    def assert_good(self, site, host):
        self.assertGreaterEqual(len(host.kept()), 2)
        self.assertLessEqual(len(host.parcels()), 1)
        self.assertNotIn("refused", [record["kind"] for record in s.records_of(host)])
        verifier = self.versions.agent
        for one in (OURS, NEIGHBOUR):
            self.versions.agent = one
            verdict = site.verify()
            self.assertEqual(verdict.code, 0, f"verified by {one}: {verdict}")
        self.versions.agent = verifier

    def test_our_agent_with_the_neighbours_store(self):
        site, host = self.site(OURS, NEIGHBOUR)
        self.cycle(host)
        self.assert_good(site, host)

    def test_the_neighbours_agent_with_our_store(self):
        site, host = self.site(NEIGHBOUR, OURS)
        self.cycle(host)
        self.assert_good(site, host)

    def upgraded(self, first, then):
        """The store first, then the agent, each on the other's files."""
        site, host = self.site(first, first)
        self.cycle(host)
        site.store.stop()
        self.versions.store = then
        site.store.start()
        self.cycle(host)
        self.versions.agent = then
        self.cycle(host)
        self.assert_good(site, host)

    def test_an_upgrade_goes_on_where_the_neighbour_ended(self):
        self.upgraded(NEIGHBOUR, OURS)

    def test_and_so_does_the_way_back(self):
        self.upgraded(OURS, NEIGHBOUR)


if __name__ == "__main__":
    if not NEIGHBOUR:
        print("skipped: no neighbouring version (./dev test neighbour REVISION)")
        sys.exit(77)
    unittest.main(verbosity=2)
