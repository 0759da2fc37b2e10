#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A network that loses every third packet, and one that is cut in the middle of a parcel. The kernel drops them
(nftables, in a network namespace of the test's own), so TCP, TLS and libcurl do what they do in life. Afterwards
nothing is lost, nothing is logged twice, and the store verifies. Needs root and nft; exit 77 without."""
import os
import shutil
import subprocess
import sys
import threading
import time
import unittest

import kill_test
import site_under_test as s

INSIDE = "VOUCH_TEST_NETWORK"
LOST_PERCENT = 30


def nft(text):
    done = s.run(["nft", "-f", "-"], stdin=text)
    if done.code != 0:
        raise AssertionError(f"nft: {text}{done}")


def drop(expression):
    """On loopback a packet comes in once, whichever way it goes."""
    nft(f"""table inet bad
delete table inet bad
table inet bad {{
  chain in {{
    type filter hook input priority 0
    meta l4proto tcp {expression} counter drop
  }}
}}
""")


def heal():
    nft("table inet bad\ndelete table inet bad\n")


def dropped():
    text = subprocess.run(["nft", "list", "table", "inet", "bad"], capture_output=True, text=True, check=True).stdout
    return int(text.split("packets ")[1].split()[0])


class BadNetwork(unittest.TestCase):
    def setUp(self):
        self.site = s.Site().__enter__()
        self.addCleanup(self.site.__exit__)
        self.addCleanup(heal)
        self.site.store.start()

    def host(self, rows=1):
        text = kill_test.changing_collector() if rows == 1 else s.tiny_collector(rows)
        host = self.site.host(collectors=f"  tiny: {{ program: {self.site.script('tiny', text)}, interval: 1s }}\n")
        host.enrol(self.site.store.join_string())
        return host

    def assert_all_there(self, host):
        verdict = self.site.verify("--replay")
        self.assertEqual(verdict.code, 0, verdict)
        bundles = os.path.join(self.site.store.dir, "bundles")
        (agent,) = os.listdir(bundles)
        numbers = sorted(int(name.split(".")[0]) for name in os.listdir(os.path.join(bundles, agent)))
        self.assertEqual(numbers, list(range(len(host.kept()) + len(host.parcels()))))
        self.assertFalse(os.path.isdir(os.path.join(self.site.store.dir, "forks")))

    def test_every_third_packet_is_lost(self):
        host = self.host()
        drop(f"numgen random mod 100 < {LOST_PERCENT}")
        sealed = 8
        for _ in range(sealed):
            self.assertEqual(host.once().code, 0)
            host.ship()
        lost = dropped()
        self.assertGreater(lost, 20, "the network was too good to show anything")
        until = time.monotonic() + 120
        while len(host.kept()) < sealed and time.monotonic() < until:
            host.ship()
            self.assertEqual(host.once().code, 0)
        print(f"{lost} packets lost while {sealed} bundles were sealed and sent")
        heal()
        host.ship()
        self.assertGreaterEqual(len(host.kept()), sealed)
        self.assert_all_there(host)

    def test_a_cut_in_the_middle_of_a_parcel_is_ended_and_the_parcel_sent_again(self):
        host = self.host(rows=100000)
        self.assertEqual(host.once().code, 0)
        size = os.path.getsize(os.path.join(host.dir, "state", "outbox", host.parcels()[0]))
        # What is large is on its way when the line is cut: TLS is done, and a part of the body.
        drop(f"tcp dport {self.site.store.port} meta length > 1000 quota over {size // 2} bytes")
        shipping = threading.Thread(target=host.ship, daemon=True)
        shipping.start()
        time.sleep(3)
        self.assertEqual(host.kept(), [])
        self.assertTrue(shipping.is_alive(), "it should be in the middle of a parcel")
        heal()
        shipping.join(s.WAIT_S)
        self.assertFalse(shipping.is_alive())
        host.ship()
        self.assertEqual(host.once().code, 0)
        self.assertGreaterEqual(len(host.kept()), 1)
        host.ship()
        self.assert_all_there(host)


def main():
    if os.environ.get(INSIDE):
        unittest.main(verbosity=2)
    if not s.is_root() or not shutil.which("nft") or not shutil.which("unshare"):
        print("skipped: needs root, nft and unshare")
        return 77
    works = subprocess.run(["unshare", "--net", "sh", "-c", "ip link set lo up && nft list tables"], capture_output=True)
    if works.returncode != 0:
        print("skipped: no network namespace can be made here")
        return 77
    return subprocess.run(["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable,
                           os.path.abspath(__file__), *sys.argv[1:]], env={**os.environ, INSIDE: "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
