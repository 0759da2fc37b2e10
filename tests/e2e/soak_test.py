#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments of vouchd, vouch-ship and vouch-store while they work together, as often as
VOUCH_SOAK_KILLS says (CTest: 12). Afterwards: nothing that was acknowledged is lost, no sequence has a hole or a
fork, and the store verifies. By hand:

    VOUCH_BIN_DIR=build/release/bin VOUCH_SOURCE_DIR=. VOUCH_SOAK_KILLS=500 python3 tests/e2e/soak_test.py
"""
import os
import random
import signal
import subprocess
import time
import unittest

import kill_test
import site_under_test as s

KILLS = int(os.environ.get("VOUCH_SOAK_KILLS", "12"))
SEED = int(os.environ.get("VOUCH_SOAK_SEED", str(time.time_ns() % 1_000_000)))
QUIET_S = float(os.environ.get("VOUCH_SOAK_QUIET_S", "1.5"))  # At most so long between two kills.


class Worker:
    """A program that is started again whenever it was killed."""

    def __init__(self, argv, log):
        self.argv, self.log, self.process = argv, log, None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)

    def ensure(self):
        if self.process is None or self.process.poll() is not None:
            self.start()

    def end(self, how):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(s.WAIT_S)


class Soak(unittest.TestCase):
    def test_kills_at_random_moments_lose_nothing_that_was_acknowledged(self):
        chance = random.Random(SEED)
        with s.Site() as site:
            site.store.start()
            program = site.script("tiny", kill_test.changing_collector())
            host = site.host(collectors=f"  tiny: {{ program: {program}, interval: 1s }}\n",
                             extra="heartbeat: 10s\nrotate_bundles: 7\n")
            host.enrol(site.store.join_string())
            workers = {
                "vouchd": Worker([s.program("vouchd"), "--config", host.config], host.dir + "/vouchd.log"),
                "vouch-ship": Worker([s.program("vouch-ship"), "--state", host.dir + "/state", "--runtime",
                                      host.dir + "/run", "--stay"], host.dir + "/ship.log"),
                "vouch-store": Worker([s.program("vouch-store"), "serve", "--dir", site.store.dir],
                                      host.dir + "/store.log"),
            }
            site.store.stop()
            killed = {name: 0 for name in workers}
            acknowledged = set()
            try:
                for _ in range(KILLS):
                    for worker in workers.values():
                        worker.ensure()
                    time.sleep(chance.random() * QUIET_S)
                    name = chance.choice(list(workers))
                    workers[name].end(signal.SIGKILL)
                    killed[name] += 1
                    acknowledged |= set(host.kept())
            finally:
                for worker in workers.values():
                    worker.end(signal.SIGKILL)
            site.store.start()
            numbers = self.settle(site, host)
            print(f"seed {SEED}: killed {killed}; {len(numbers)} bundles, {len(acknowledged)} acknowledged meanwhile")
            for name in acknowledged:
                self.assertIn(int(name.split(".")[0]), numbers, f"seed {SEED}: an acknowledged bundle is lost")

    def settle(self, site, host):
        for _ in range(5):
            done = host.once()
            self.assertEqual(done.code, 0, done)
            host.ship()
        done = host.once()
        self.assertEqual(done.code, 0, done)
        verdict = site.verify("--replay")
        self.assertEqual(verdict.code, 0, f"seed {SEED}: {verdict}")
        self.assertNotIn("FAILED", verdict.out)
        bundles = os.path.join(site.store.dir, "bundles")
        (agent,) = os.listdir(bundles)
        numbers = sorted(int(name.split(".")[0]) for name in os.listdir(os.path.join(bundles, agent)))
        self.assertEqual(numbers, list(range(len(numbers))), f"seed {SEED}: a hole or a repeat in the chain")
        forks = os.path.join(site.store.dir, "forks")
        self.assertFalse(os.path.isdir(forks) and os.listdir(forks), f"seed {SEED}: a fork")
        return numbers


if __name__ == "__main__":
    unittest.main(verbosity=2)
