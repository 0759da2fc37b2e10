#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""last_logins of a host that keeps no wtmp: from a real journal, made by systemd-journal-remote, read by
journalctl. In a mount name space of its own, so this host's logs stay as they are. Skipped without root or
systemd-journal-remote."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import site_under_test as s

MAKER = "/usr/lib/systemd/systemd-journal-remote"
SESSION = "8d45620c1a4348dbb17410da57c60c66"
# $1 has system.journal, $2 is the collector, $3 the directory of the journal: journalctl reads this machine's alone.
SCRIPT = """mount -t tmpfs none /var/log
[ ! -d /run/log ] || mount -t tmpfs none /run/log
mkdir -p "/var/log/journal/$3"
[ ! -e "$1/system.journal" ] || cp "$1/system.journal" "/var/log/journal/$3/"
exec "$2" --tables last_logins
"""


def entry(number, seconds, **fields):
    out = {"__CURSOR": f"s=1;i={number}", "__REALTIME_TIMESTAMP": seconds * 1000000 + 999999,
           "__MONOTONIC_TIMESTAMP": number * 1000, "_BOOT_ID": "1" * 32, "_MACHINE_ID": "2" * 32,
           "_UID": 0, **fields}
    return "".join(f"{name}={value}\n" for name, value in out.items()) + "\n"


def session(number, seconds, user, message=None, unit="systemd-logind.service"):
    return entry(number, seconds, MESSAGE_ID=SESSION, USER_ID=user, SESSION_ID=number, _SYSTEMD_UNIT=unit,
                 MESSAGE=message or f"New session {number} of user {user}.")


class JournalLogins(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="vouch-e2e-")
        self.addCleanup(shutil.rmtree, self.dir)

    def collect(self, entries, directory=None):
        with open("/etc/machine-id", encoding="utf-8") as file:
            directory = directory or file.read().strip()
        if entries:
            s.write(self.dir + "/in.export", entries)
            s.must([MAKER, "-o", self.dir + "/system.journal", self.dir + "/in.export"])
        done = s.must(["unshare", "--mount", "sh", "-c", SCRIPT, "sh", self.dir, s.program("access_review"),
                       directory])
        lines = [json.loads(line) for line in done.out.splitlines()]
        rows = {line["row"]["username"]: line["row"] for line in lines if "username" in line.get("row", {})}
        return rows, [line["error"] for line in lines if "error" in line]

    def test_the_newest_session_that_logind_noted_is_the_last_login(self):
        now = int(time.time())
        rows, errors = self.collect(
            session(1, now - 5000, "root") + session(2, now - 4000, "root") +
            session(3, now - 3000, "daemon", "New session '3' of user 'daemon' with class 'manager' and type 'x'.") +
            session(4, now - 2000, "bin", unit="evil.service") +
            entry(5, now - 1000, MESSAGE="hello", _SYSTEMD_UNIT="systemd-logind.service"))
        self.assertEqual(errors, [])
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 4000))
        self.assertEqual((rows["root"]["last_login"], rows["root"]["source"]), (when, "journal"))
        # The service manager is no login, and no other unit can speak for logind.
        self.assertNotIn("last_login", rows["daemon"])
        self.assertNotIn("last_login", rows["bin"])

    def test_the_journal_of_another_machine_is_none(self):
        rows, errors = self.collect(session(1, int(time.time()) - 5000, "root"), "2" * 32)
        self.assertEqual((rows, [error["code"] for error in errors]), ({}, ["not-found"]))

    def test_a_host_without_any_record_is_an_error_and_no_empty_table(self):
        rows, errors = self.collect("")
        self.assertEqual(rows, {})
        self.assertEqual([error["code"] for error in errors], ["not-found"])


if __name__ == "__main__":
    if os.geteuid() != 0 or not os.path.exists(MAKER) or not os.path.exists("/etc/machine-id") or not shutil.which("unshare") or \
            subprocess.run(["unshare", "--mount", "true"]).returncode != 0:
        print("skipped: not root, or systemd-journal-remote is not installed")
        sys.exit(77)
    unittest.main(verbosity=2)
