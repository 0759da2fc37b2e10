#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What can happen to a store over the years, agents and store together: it is succeeded, its key is lost, it is
restored from an older copy, it is away for weeks, a host is restored from a snapshot, evidence is lost on a host's
disk, parcels go by hand. Each time the chain goes on or ends with proof, and an auditor is told."""
import os
import shutil
import time
import unittest

import kill_test
import site_under_test as s
from running_agent import RunningAgent, wait_until

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
DAY_S = 86400


def later(seconds):
    """The environment of a program whose clock is ahead."""
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": f"+{seconds}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}


@unittest.skipUnless(os.path.exists(FAKETIME), "skipped: faketime is not installed")
class StoreLife(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        self.site.store.start()
        self.program = self.site.script("tiny", kill_test.changing_collector())
        self.host = self.new_host("host-a")
        self.host.enrol(self.site.store.join_string())

    def new_host(self, name, extra=""):
        return self.site.host(name, collectors=f"  tiny: {{ program: {self.program}, interval: 1s }}\n", extra=extra)

    def cycle(self, times=1, host=None, env=None):
        """Something is sealed, and goes to the store if there is one."""
        host = host or self.host
        for _ in range(times):
            done = host.once(env=env)
            self.assertEqual(done.code, 0, done)
            host.ship(env=env)
        return done

    def assert_delivered(self):
        """The store has all that was sealed; the receipt of the last bundle may be on its way."""
        until = time.monotonic() + s.WAIT_S  # The files of a store that serves come a little later.
        while self.in_store() != self.sealed() and time.monotonic() < until:
            time.sleep(0.2)
        self.assertEqual(self.in_store(), self.sealed())
        self.assertLessEqual(len(self.host.parcels()), 1)

    def in_store(self):
        bundles = os.path.join(self.site.store.dir, "bundles")
        return sum(len(os.listdir(os.path.join(bundles, agent))) for agent in os.listdir(bundles))

    def sealed(self, host=None):
        """Of the whole chain: what was delivered more than a week ago is no longer kept."""
        host = host or self.host
        return 1 + max(int(name.split(".")[0]) for name in host.kept() + host.parcels())

    def kinds(self, host=None):
        return [record["kind"] for record in s.records_of(host or self.host)]

    def verified(self, *options):
        verdict = self.site.verify("--replay", *options)
        self.assertEqual(verdict.code, 0, verdict)
        self.assertIn("VERIFIED", verdict.out)
        return verdict.out

    def store(self, *words):
        return s.must([s.program("vouch-store"), words[0], "--dir", self.site.store.dir, *words[1:]])

    def test_a_log_that_is_succeeded_is_followed_without_being_told(self):
        self.cycle(2)
        self.site.store.stop()
        self.cycle()  # Sealed under the old log, delivered to the new one.
        before = self.site.store.policy()
        self.store("succeed", "--origin", "store.test/log2", "--reason", "yearly")
        self.site.store.start()
        self.cycle(4)
        self.assert_delivered()
        self.assertEqual(self.kinds().count("log-succession"), 1)
        self.assertNotIn("store-rollback", self.kinds())
        self.verified()
        # Whoever was given the old key alone follows the note as well.
        self.site.store.stop()
        old = s.run([s.program("vouch"), "verify", self.site.store.dir, "--policy", before, "--replay"])
        self.assertEqual(old.code, 0, old)

    def test_a_log_whose_key_is_lost_is_replaced_by_an_operator_alone(self):
        self.cycle(2)
        self.site.store.stop()
        self.store("succeed", "--origin", "store.test/log2", "--key-lost", "--reason", "disk-broke")
        self.site.store.start()
        self.cycle(2)
        waiting = len(self.host.parcels())
        self.assertEqual(waiting, 2, "nothing unsigned is obeyed")
        self.assertIn("refused", self.kinds())
        self.assertNotIn("log-succession", self.kinds())
        done = self.host.vouch("enroll", "--repin", "--reason", "log key lost",
                               stdin=self.site.store.join_string() + "\n")
        self.assertEqual(done.code, 0, done)
        self.cycle(3)
        self.assert_delivered()
        self.assertEqual(self.kinds().count("log-repin"), 1)
        self.verified()

    def test_a_store_restored_from_an_older_copy_is_refilled(self):
        self.cycle(2)
        self.site.store.stop()
        shutil.copytree(self.site.store.dir, self.site.dir + "/copy", symlinks=True)
        self.site.store.start()
        self.cycle(3)
        self.assertGreaterEqual(len(self.host.kept()), 4)
        self.site.store.stop()
        shutil.rmtree(self.site.store.dir)
        shutil.copytree(self.site.dir + "/copy", self.site.store.dir, symlinks=True)
        # The same log, two histories: what an agent has seen convicts it, so the log must end.
        self.store("succeed", "--origin", "store.test/log2", "--reason", "restored")
        self.site.store.start()
        self.cycle(5)
        self.assert_delivered()
        self.assertIn("log-succession", self.kinds())
        self.assertIn("store-rollback", self.kinds())
        self.verified()

    def test_a_copy_that_goes_on_as_if_nothing_had_happened_is_convicted(self):
        self.cycle(2)
        self.site.store.stop()
        shutil.copytree(self.site.store.dir, self.site.dir + "/copy", symlinks=True)
        self.site.store.start()
        self.cycle(2)
        self.site.store.stop()
        shutil.rmtree(self.site.store.dir)
        shutil.copytree(self.site.dir + "/copy", self.site.store.dir, symlinks=True)
        self.site.store.start()
        other = self.new_host("host-b")  # Leaves of its own, where those of host-a were.
        other.enrol(self.site.store.join_string())
        self.cycle(2, other)
        self.cycle(2)
        last = self.cycle(2)
        self.assertIn("log-alarm", self.kinds())
        kept = self.host.kept()
        self.cycle(2)
        self.assertEqual(self.host.kept(), kept, "nothing more counts as delivered")
        self.assertGreater(len(self.host.parcels()), 0, last)

    def test_a_snapshot_of_a_host_that_is_restored_forks_and_stops_on_proof(self):
        self.cycle(2)
        shutil.copytree(self.host.dir + "/state", self.site.dir + "/snapshot", symlinks=True)
        self.cycle(2)
        shutil.rmtree(self.host.dir + "/state")
        shutil.copytree(self.site.dir + "/snapshot", self.host.dir + "/state", symlinks=True)
        self.cycle()  # Another bundle of a number that the log has.
        stopped = [self.host.once() for _ in range(2)][-1]
        self.assertNotEqual(stopped.code, 0, stopped)
        self.assertIn("forked", stopped.err)
        sealed = self.sealed()
        self.host.once()
        self.assertEqual(self.sealed(), sealed, "a forked agent seals nothing more")
        hosts = self.store("hosts", "--format", "json").out
        self.assertIn('"forked"', hosts)
        # The way out is a new agent, that names the old one.
        again = self.host.enrol(self.site.store.join_string())
        self.assertIn("predecessor", again.out)
        self.cycle(2)
        self.assertLessEqual(len(self.host.parcels()), 1)
        self.assertNotEqual(self.site.verify().code, 0, "a fork is never passed over")

    def test_a_blob_that_is_lost_on_the_host_is_a_signed_drop(self):
        self.cycle(1)
        self.site.store.stop()
        self.cycle(2)
        lost = os.path.join(self.host.dir, "state", "outbox", self.host.parcels()[0])
        blob = [name for name in s.blobs_of(lost)][-1].split("/")[-1].split(".")[0]
        removed = 0
        for at, _, names in os.walk(self.host.dir + "/state/blobs"):
            for name in names:
                if blob in name or blob in at.replace("/", ""):
                    os.unlink(os.path.join(at, name))
                    removed += 1
        self.assertEqual(removed, 1, blob)
        for name in self.host.parcels():  # And each parcel that has it.
            path = os.path.join(self.host.dir, "state", "outbox", name)
            if any(blob in one for one in s.blobs_of(path)):
                os.unlink(path)
        self.site.store.start()
        self.cycle(3)
        self.assertIn("refused", self.kinds())  # For an hour it may come back.
        for ahead_s in (4000, 8000, 8001, 8002):
            self.cycle(env=later(ahead_s))
        self.assertIn("spool-drop", self.kinds())
        self.assert_delivered()
        verdict = self.site.verify("--replay")
        self.assertIn("drop", verdict.out + verdict.err)
        self.assertNotIn("FAILED", verdict.out)

    def test_parcels_that_are_carried_by_hand_come_home_with_receipts(self):
        self.site.store.stop()
        self.cycle(3)
        stick = self.site.dir + "/stick"
        os.mkdir(stick)
        done = self.host.vouch("parcel", "export", stick)
        self.assertEqual(done.code, 0, done)
        s.must([s.program("vouch-store"), "import", stick, "--dir", self.site.store.dir])
        agent = RunningAgent(self.host).start()
        try:
            done = self.host.vouch("parcel", "import", stick)
            self.assertEqual(done.code, 0, done)
            wait_until("the receipts are accepted", lambda: len(self.host.kept()) >= 3)
        finally:
            agent.stop()
        self.site.store.start()
        self.cycle(2)
        self.verified()

    def test_a_store_that_is_away_for_three_weeks_gets_it_all_and_says_late(self):
        self.cycle(1)
        self.site.store.stop()
        for day in range(1, 22):
            done = self.host.once(env=later(day * DAY_S))
            self.assertEqual(done.code, 0, done)
        self.assertGreaterEqual(len(self.host.parcels()), 21)
        self.site.store.start(env=later(21 * DAY_S))
        self.cycle(3, env=later(21 * DAY_S))
        self.assert_delivered()
        missed = [record for record in s.records_of(self.host) if record["kind"] == "run-missed"]
        self.assertGreaterEqual(len(missed), 20, "each day's absence is on record")
        self.site.store.stop()
        verdict = s.run([s.program("vouch"), "verify", self.site.store.dir, "--policy", self.site.store.policy(),
                         "--replay"], env=later(21 * DAY_S))
        self.assertEqual(verdict.code, 0, verdict)
        self.assertIn("late", verdict.out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
