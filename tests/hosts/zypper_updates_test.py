#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Updates of a SUSE system from the metadata that zypper itself fetched: zypper is the judge. Skipped where zypper,
createrepo_c or rpm's tools are not installed."""
import os
import subprocess
import sys
import unittest

import prepared as p
import rpm_root as r

INSTALLED = (("alpha", "1.0"), ("beta", "2.0"), ("gamma", "1.0~rc1"), ("delta", "1.0^git1"), ("vendored", "1.0"), ("vim", "9.0"), ("vim-data", "9.0"))
BASE = (("alpha", "1.1"), ("alpha", "1.2"), ("beta", "1.9"), ("gamma", "1.0"), ("delta", "1.0^git20"), ("vendored", "1.1"), ("vim", "9.1"), ("vim-data", "9.1"))
SITE = (("alpha", "1.0.5"), ("beta", "2.1"), ("vendored", "3.0", "1", None, "Other"))
ADVISORIES = (("SUSE-1", "security", "important", [("alpha", 0, "1.1", "1", "noarch"), ("vim", 0, "9.1", "1", "noarch")]),)


class ZypperUpdates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = p.Image()
        cls.addClassCleanup(cls.image.remove)
        cls.builder, cls.base, cls.site = r.with_repositories(cls.image, INSTALLED, (BASE, ADVISORIES), SITE)
        cls.image.file("/etc/os-release", 'NAME="openSUSE Leap"\nID="opensuse-leap"\nVERSION_ID="15.6"\n')

    def zypper(self, *arguments):
        done = subprocess.run(["zypper", "--root", self.image.path, "--non-interactive", "--no-gpg-checks", *arguments], capture_output=True,
                              text=True, env=self.builder.env, stdin=subprocess.DEVNULL, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def configure(self, site="", locks=""):
        for name, path, more in (("base", self.base, ""), ("site", self.site, site)):
            self.image.file(f"/etc/zypp/repos.d/{name}.repo", f"[{name}]\nname={name}\nbaseurl=file://{path}\nenabled=1\ngpgcheck=0\n"
                            f"autorefresh=0\ntype=rpm-md\n{more}")
        self.image.file("/etc/zypp/locks", locks)
        self.zypper("refresh", "--force")

    def agree(self):
        listed = {}
        for line in self.zypper("--no-refresh", "list-updates").splitlines():
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) == 6 and cells[0] == "v":
                listed[cells[2]] = cells[4]
        answer = p.collect("rpm_packages", self.image.path, ["rpm_updates", "withheld_rpm_updates", "rpm_metadata", "rpm_repositories"])
        self.assertEqual(answer.errors, {})
        self.assertEqual({row["name"]: row["candidate_version"] for row in answer.tables["rpm_updates"]}, listed)
        return answer

    def test_the_same_updates_as_zypper(self):
        self.configure()
        answer = self.agree()
        self.assertEqual({row["name"] for row in answer.tables["rpm_updates"] if row["security"]}, {"alpha", "vim"})
        self.assertEqual([(row["name"], row["reason"]) for row in answer.tables["withheld_rpm_updates"]], [("vendored", "vendor")])
        self.assertTrue(answer.row("rpm_metadata", id="base")["fetched"])

    def test_locks_and_priorities_are_heeded(self):
        self.configure(site="priority=50\n", locks="\ntype: package\nmatch_type: glob\ncase_sensitive: on\nsolvable_name: vim*\n\n")
        answer = self.agree()
        self.assertEqual({(row["name"], row["reason"]) for row in answer.tables["withheld_rpm_updates"]},
                         {("vim", "lock"), ("vim-data", "lock"), ("alpha", "priority"), ("vendored", "vendor")})


if __name__ == "__main__":
    try:
        r.require("rpm", "rpmbuild", "createrepo_c", "modifyrepo_c", "zypper")
    except p.Skip as why:
        print(f"skipped: {why}")
        sys.exit(77)
    unittest.main(verbosity=2)
