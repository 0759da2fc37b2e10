#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at each durable step of sealing, accepting, shipping and ingest. Afterwards: nothing that was
acknowledged is lost, no sequence is forked, and the store verifies."""
import os
import shutil
import signal
import unittest

import site_under_test as s

STEPS = "fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,ftruncate"
STEPS_MAX = 200
# Leak detection cannot run under a tracer.
UNDER_STRACE = {"ASAN_OPTIONS": "detect_leaks=0"}


def changing_collector():
    """Different rows at each run, so that each run is sealed."""
    return s.tiny_collector().replace("read -r request\n", "read -r request\nnow=$(date +%s%N)\n").replace(
        "cat <<'END'\n{\"table\":\"things\"}", "cat <<END\n{\"table\":\"things\"}").replace(
        '{"row":{"name":"0"}}', '{"row":{"name":"t$now"}}')


def strace(step):
    """Kills the program on entering its step-th durable system call."""
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={STEPS}",
            "-e", f"inject={STEPS}:signal=SIGKILL:when={step}"]


@unittest.skipUnless(shutil.which("strace"), "skipped: strace is not installed")
class Kill(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        self.site.store.start()
        program = self.site.script("tiny", changing_collector())
        self.host = self.site.host(collectors=f"  tiny: {{ program: {program}, interval: 1s }}\n")
        self.host.enrol(self.site.store.join_string())

    def settle(self):
        """Lets everything come home, then checks the whole."""
        for _ in range(4):
            self.assertEqual(self.host.once().code, 0)
            self.assertEqual(self.host.ship().code, 0)
        done = self.host.once()
        self.assertEqual(done.code, 0, done)
        self.host.ship()
        verdict = self.site.verify("--replay")
        self.assertEqual(verdict.code, 0, verdict)
        self.assertNotIn("FAILED", verdict.out)
        bundles = os.path.join(self.site.store.dir, "bundles")
        (agent,) = os.listdir(bundles)
        numbers = sorted(int(name.split(".")[0]) for name in os.listdir(os.path.join(bundles, agent)))
        self.assertEqual(numbers, list(range(len(numbers))), "a hole or a repeat in the chain")
        self.assertFalse(os.path.isdir(os.path.join(self.site.store.dir, "forks")) and
                         os.listdir(os.path.join(self.site.store.dir, "forks")), "a fork")
        return numbers

    def test_the_daemon_is_killed_at_each_step_of_sealing_and_accepting(self):
        killed = 0
        for step in range(1, STEPS_MAX):
            done = self.host.once(env=UNDER_STRACE, prefix=strace(step))
            if done.code == 0:
                break
            killed += 1
            if step % 5 == 0:
                self.host.ship()  # So that receipts wait for the daemon, too.
        self.assertGreater(killed, 10, "the steps of sealing were not reached")
        self.assertLess(step, STEPS_MAX - 1, "the daemon never got through")
        self.settle()

    def test_the_shipper_is_killed_at_each_step(self):
        killed = 0
        for step in range(1, STEPS_MAX):
            self.assertEqual(self.host.once().code, 0)
            done = self.host.ship(env=UNDER_STRACE, prefix=strace(step))
            if done.code == 0:
                break
            killed += 1
        self.assertGreater(killed, 0)
        self.settle()

    def test_the_store_is_killed_at_each_step_of_ingest(self):
        acknowledged = set()
        for step in list(range(1, 30)) + list(range(30, 80, 7)):
            self.assertEqual(self.host.once().code, 0)
            self.site.store.stop()
            self.site.store.start(env=UNDER_STRACE, prefix=strace(step))
            self.host.ship()
            self.site.store.stop(signal.SIGKILL)
            self.site.store.start()
            acknowledged |= {name for name in self.host.kept()}
        numbers = self.settle()
        for name in acknowledged:
            self.assertIn(int(name.split(".")[0]), numbers, "an acknowledged bundle is lost")


if __name__ == "__main__":
    unittest.main(verbosity=2)
