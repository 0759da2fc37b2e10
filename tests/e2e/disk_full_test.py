#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The disk is full while the daemon seals, and while the store takes a parcel: nothing is lost, and it goes on
by itself once there is room."""
import os
import subprocess
import unittest

import kill_test
import site_under_test as s


def small_file_system(path, size):
    os.makedirs(path, exist_ok=True)
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True).returncode == 0


class DiskFull(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        self.small = os.path.join(self.site.dir, "small")
        if not s.is_root() or not small_file_system(self.small, "64m"):
            self.skipTest("skipped: a small file system needs root and mount")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", self.small], check=False))

    def fill(self):
        path = os.path.join(self.small, "filler")
        filler = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            for size in (65536, 4096, 1):  # To the last byte.
                try:
                    while True:
                        os.write(filler, b"x" * size)
                except OSError:
                    pass
        finally:
            os.close(filler)
        return path

    def test_a_full_disk_at_sealing_stops_nothing_that_was_sealed(self):
        self.site.store.start()
        program = self.site.script("tiny", kill_test.changing_collector())
        host = s.Host(os.path.join(self.small, "host"), collectors=f"  tiny: {{ program: {program}, interval: 1s }}\n",
                      extra="spool_max: 16MiB\n")
        host.enrol(self.site.store.join_string())
        self.assertEqual(host.once().code, 0)
        before = host.parcels()
        filler = self.fill()
        reserve = os.path.join(host.dir, "state", "reserve")
        self.assertTrue(os.path.exists(reserve))
        full = host.once()
        self.assertNotIn("AddressSanitizer", full.err)
        self.assertEqual(full.code, 0, full)  # By the reserve: what happens on a full disk is sealed, too.
        self.assertFalse(os.path.exists(reserve))
        self.assertGreater(len(host.parcels()), len(before))
        self.assertTrue(set(before) <= set(host.parcels()), "a sealed parcel is gone")
        os.unlink(filler)
        done = host.once()
        self.assertEqual(done.code, 0, done)
        self.assertTrue(os.path.exists(reserve))
        self.assertEqual(host.ship().code, 0)
        verdict = self.site.verify("--replay")
        self.assertEqual(verdict.code, 0, verdict)

    def test_a_full_disk_of_the_store_acknowledges_nothing(self):
        store = s.Store(os.path.join(self.small, "store"))
        self.site.store.stop()
        self.site.store = store
        store.start()
        program = self.site.script("tiny", kill_test.changing_collector())
        host = self.site.host(collectors=f"  tiny: {{ program: {program}, interval: 1s }}\n")
        host.enrol(store.join_string())
        self.assertEqual(host.once().code, 0)
        filler = self.fill()
        host.ship()
        host.once()
        self.assertEqual(host.kept(), [], "a parcel that the store could not keep was acknowledged")
        os.unlink(filler)
        # The shipper waits before it tries again; a new process may try at once.
        for _ in range(3):
            host.ship()
        self.assertEqual(host.once().code, 0)
        self.assertGreater(len(host.kept()), 0)
        verdict = self.site.verify()
        self.assertEqual(verdict.code, 0, verdict)


if __name__ == "__main__":
    unittest.main(verbosity=2)
