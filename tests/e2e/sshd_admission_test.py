#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sshd_connections against sshd itself: a real sshd on loopback says whom its lists refuse from which address, and
the collector says the same of its configuration. Skipped without root, sshd or ssh."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import site_under_test as s

SSHD, SSH, KEYGEN = "/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen"
USERS = ["root", "daemon", "mail", "nobody"]
ADDRESSES = ["127.0.0.1", "127.0.5.1", "127.9.0.1"]
CONFIGS = [
    "",
    "DenyUsers mail@127.0.5.0/24 nobody\n",
    "AllowUsers root daemon@127.0.0.* m*l@127.9.0.0/16,!127.9.0.1\n",
    "DenyGroups mail !x nogroup\nAllowGroups root da?mon\n",
    "AllowUsers root\nMatch Address 127.0.5.0/24\nAllowUsers daemon mail\nMatch User mail\nAllowUsers nobody\n",
    "DenyUsers root\nMatch Group root Address 127.9.0.0/16\nDenyUsers daemon\n",
    "AllowUsers daemon@127.9.0.1\nMatch all\nDenyUsers mail\n",
]


class Admission(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="vouch-e2e-")
        self.addCleanup(shutil.rmtree, self.dir)
        s.must([KEYGEN, "-q", "-t", "ed25519", "-N", "", "-f", self.dir + "/key"])

    def ask_sshd(self, config):
        """{(user, address): True if no list refuses}, from the log of an sshd with this configuration."""
        port = s.free_port()
        common = f"Port {port}\nListenAddress 127.0.0.1\n" + "".join(
            f"ListenAddress {one}\n" for one in ADDRESSES[1:]) + "UsePAM no\nMaxAuthTries 1\nLogLevel VERBOSE\n"
        s.write(self.dir + "/config", common + config)
        answers = {}
        with open(self.dir + "/log", "w+", encoding="utf-8", errors="replace") as log:
            sshd = subprocess.Popen([SSHD, "-D", "-e", "-f", self.dir + "/config", "-h", self.dir + "/key"],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                time.sleep(0.5)
                for user in USERS:
                    for address in ADDRESSES:
                        log.seek(0, os.SEEK_END)
                        start = log.tell()
                        subprocess.run([SSH, "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
                                        "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentityAgent=none", "-i",
                                        self.dir + "/key", "-b", address, "-p", str(port), f"{user}@127.0.0.1", "true"],
                                       stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
                        answers[user, address] = self.said(log, start, user)
            finally:
                sshd.terminate()
                sshd.wait(30)
        return answers

    def said(self, log, start, user):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            log.seek(start)
            text = log.read()
            if re.search(rf"User {user} from \S+ not allowed because .*(DenyUsers|AllowUsers|DenyGroups|AllowGroups)", text):
                return False
            if re.search(rf"(Connection (closed|reset) by|Failed publickey for|Disconnected from)( authenticating)?( user)? {user} ", text):
                return True
            time.sleep(0.02)
        raise AssertionError(f"sshd says nothing of {user}: {text}")

    def ask_vouch(self, config):
        root = self.dir + "/root"
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root + "/etc/ssh")
        for name in ("passwd", "group"):
            shutil.copy("/etc/" + name, root + "/etc/" + name)
        s.write(root + "/etc/ssh/sshd_config", config)
        done = s.must([s.program("access_review"), "--tables", "sshd_connections", "--root", root])
        lines = [json.loads(line) for line in done.out.splitlines()]
        self.assertEqual([line for line in lines if "error" in line], [])
        return [line["row"] for line in lines if line.get("row", {}).get("username") in USERS]

    def test_whom_the_lists_refuse(self):
        for config in CONFIGS:
            with self.subTest(config):
                rows, said = self.ask_vouch(config), self.ask_sshd(config)
                for user in USERS:
                    own = [row for row in rows if row["username"] == user]
                    answers = {said[user, address] for address in ADDRESSES}
                    kinds = {row["admitted"] for row in own}
                    # What sshd was seen to do must be among what the rows say can happen.
                    if True in answers:
                        self.assertTrue(kinds & {"always", "sometimes"}, (user, own, said))
                    if False in answers:
                        self.assertTrue(kinds & {"never", "sometimes"}, (user, own, said))
                    for row in own:
                        if row["address"] in ADDRESSES:
                            self.assertEqual(said[user, row["address"]], row["admitted"] != "never", (row, said))
                    # Lists without a host, and no Match: one answer for all.
                    if "@" not in config and "Match" not in config:
                        self.assertEqual(answers, {kinds == {"always"}}, (user, own, said))


if __name__ == "__main__":
    missing = [one for one in (SSHD, SSH, KEYGEN) if not os.path.exists(one)]
    if os.geteuid() != 0 or missing or not os.path.isdir("/run/sshd"):
        print("skipped: not root, or missing:", missing or "/run/sshd")
        sys.exit(77)
    unittest.main(verbosity=2)
