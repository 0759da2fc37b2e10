#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Updates of an RPM system from the metadata that dnf itself fetched: dnf is the judge of which there are, which are
security updates, and what excludes, locks, priorities and disabled repositories do to them. Skipped where dnf,
createrepo_c or rpm's tools are not installed."""
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

import prepared as p
import rpm_root as r

INSTALLED = (("alpha", "1.0", "1", None), ("beta", "2.0", "3.el10", 1), ("gamma", "1.0~rc1", "1", None), ("delta", "1.0^git1", "1", None),
             ("epsilon", "1.0", "1", None), ("zeta", "1.0", "1", None), ("eta", "1.0", "1", None), ("theta", "1.0", "1", None),
             ("kernel-core", "6.1", "1", None), ("kernel-core", "6.2", "1", None), ("iota", "5", "1", None), ("same", "1", "1", None), ("kappa", "1", "1", None))
BASE = (("alpha", "1.1", "1", None), ("alpha", "1.2", "1", None), ("beta", "9.9", "1", 0), ("beta", "2.0", "10.el10", 1), ("gamma", "1.0", "1", None),
        ("delta", "1.0", "9", None), ("delta", "1.0^git20", "1", None), ("epsilon", "1.1", "1", None), ("zeta", "1.1", "1", None),
        ("eta", "1.1", "1", None), ("theta", "1.1", "1", None), ("kernel-core", "6.1", "5", None), ("kernel-core", "6.3", "1", None),
        ("iota", "4", "1", 0), ("same", "1", "1", None), ("not-installed", "7", "1", None), ("kappa", "2", "1", None))
SITE = (("theta", "1.0.5", "1", None), ("eta", "1.3", "1", None), ("kappa", "1", "1", None))
ADVISORIES = (("EX-1", "security", "Moderate", [("alpha", 0, "1.1", "1", "noarch")]), ("EX-2", "security", "Critical", [("alpha", 0, "1.2", "1", "noarch")]),
              ("EX-3", "bugfix", "None", [("beta", 1, "2.0", "10.el10", "noarch")]), ("EX-4", "security", "Important", [("same", 0, "1", "1", "noarch")]),
              ("EX-5", "security", "Low", [("epsilon", 0, "1.1", "1", "noarch"), ("zeta", 0, "1.1", "1", "noarch")]))
PLUGIN = "/usr/lib/python3/dist-packages/dnf-plugins/versionlock.py"


class RpmUpdates(unittest.TestCase):
    options = ("--compress-type=gz",)
    options_of_dnf = ("--noplugins",)

    @classmethod
    def setUpClass(cls):
        cls.image = p.Image()
        cls.addClassCleanup(cls.image.remove)
        cls.builder, cls.base, cls.site = r.with_repositories(cls.image, INSTALLED, (BASE, ADVISORIES), SITE, cls.options)
        cls.image.file("/etc/os-release", 'NAME="Red Hat Enterprise Linux"\nID="rhel"\nVERSION_ID="10.0"\n')

    def configure(self, main="", site="", base=""):
        self.image.file("/etc/dnf/dnf.conf", f"[main]\ngpgcheck=1\n{main}")
        self.image.file("/etc/yum.repos.d/all.repo", f"[base]\nname=Base\nbaseurl=file://{self.base}\ngpgcheck=0\n{base}\n"
                        f"[site]\nname=Site\nbaseurl=file://{self.site}\n{site}")
        shutil.rmtree(self.image.at("/var/cache/dnf"), ignore_errors=True)
        self.dnf("makecache")

    def dnf(self, *arguments):
        done = subprocess.run(["dnf", "-q", "--installroot", self.image.path, "--releasever", "10", *self.options_of_dnf, *arguments],
                              capture_output=True, text=True, env=self.builder.env, stdin=subprocess.DEVNULL, timeout=120)
        self.assertIn(done.returncode, (0, 100), done.stderr)
        return done.stdout

    def judged(self, *options):
        """{(name, arch): version}, as dnf says it."""
        listed = self.dnf("-C", "check-update", *options).split("Obsoleting")[0]
        return {(name, arch): version for name, arch, version in re.findall(r"(?m)^(\S+)\.(\S+)\s+(\S+)\s+\S+$", listed)}

    def collected(self, *tables):
        return p.collect("rpm_packages", self.image.path, tables)

    def agree(self):
        answer = self.collected("rpm_updates", "withheld_rpm_updates")
        self.assertEqual(answer.errors, {})
        rows = answer.tables["rpm_updates"]
        said = {(row["name"], row["arch"]): row["candidate_version"] for row in rows}
        self.assertEqual(said, self.judged())
        security = {(row["name"], row["arch"]) for row in rows if row["security"]}
        self.assertEqual(security, set(self.judged("--security")))
        return answer

    def test_the_same_updates_as_dnf(self):
        self.configure()
        answer = self.agree()
        self.assertEqual(len(answer.tables["rpm_updates"]), 10)
        self.assertEqual(answer.tables["withheld_rpm_updates"], [])
        alpha = answer.row("rpm_updates", name="alpha")
        self.assertEqual((alpha["installed_version"], alpha["candidate_version"], alpha["advisories"], alpha["severity"], alpha["repository"]),
                         ("1.0-1", "1.2-1", "EX-1,EX-2", "Critical", "base"))
        self.assertEqual(answer.row("rpm_updates", name="beta")["installed_version"], "1:2.0-3.el10")

    def test_excludes_and_includes_are_heeded_and_told(self):
        self.configure(main="excludepkgs=alpha-1.2* zeta, epsil?n\n", site="includepkgs=theta\n")
        answer = self.agree()
        self.assertEqual({(row["name"], row["reason"]) for row in answer.tables["withheld_rpm_updates"]},
                         {("alpha", "excludepkgs"), ("zeta", "excludepkgs"), ("epsilon", "excludepkgs"), ("eta", "includepkgs")})
        self.assertTrue(answer.row("withheld_rpm_updates", name="zeta")["security"])

    def test_version_locks_are_those_of_its_plugin(self):
        if not os.path.exists(PLUGIN):
            self.skipTest("dnf-plugins-core is not installed")
        self.configure(main="plugins=1\n")
        locks = "/etc/dnf/plugins/versionlock.list"
        self.image.file(locks, "# Added\nalpha-0:1.1-1.*\n!theta-0:1.1-1.*\ndelta-0:1.0^git1-1.*\n")
        self.image.file("/etc/dnf/plugins/versionlock.conf", f"[main]\nenabled = 1\nlocklist = {locks}\n")
        conf = os.path.join(self.image.dir, "plugins")
        os.makedirs(conf, exist_ok=True)
        with open(conf + "/versionlock.conf", "w", encoding="ascii") as file:
            file.write(f"[main]\nenabled = 1\nlocklist = {self.image.path}{locks}\n")
        self.options_of_dnf = ("--enableplugin=versionlock", f"--setopt=pluginconfpath={conf}")
        answer = self.agree()
        self.image.file("/etc/dnf/plugins/versionlock.conf", "[main]\nenabled = 0\n")
        self.assertEqual(answer.row("rpm_updates", name="alpha")["candidate_version"], "1.1-1")
        self.assertEqual({(row["name"], row["reason"]) for row in answer.tables["withheld_rpm_updates"]},
                         {("alpha", "versionlock"), ("theta", "versionlock"), ("delta", "versionlock")})

    def test_a_better_priority_hides_what_is_newer(self):
        self.configure(site="priority=10\n")
        answer = self.agree()
        self.assertEqual(answer.row("rpm_updates", name="theta")["candidate_version"], "1.0.5-1")
        self.assertEqual({(row["name"], row["reason"]) for row in answer.tables["withheld_rpm_updates"]},
                         {("theta", "priority"), ("kappa", "priority")})

    def test_a_disabled_repository_has_nothing(self):
        self.configure(site="enabled=0\n")
        answer = self.agree()
        self.assertEqual(answer.row("rpm_updates", name="eta")["candidate_version"], "1.1-1")
        enabled = {row["id"]: row["enabled"] for row in self.collected("rpm_repositories").tables["rpm_repositories"]}
        self.assertEqual(enabled, {"base": True, "site": False})

    def test_repositories_settings_and_the_age_of_what_is_known(self):
        self.configure(main="best=True\nproxy_password=hidden-word\n", site="gpgkey=file:///etc/a https://u:hidden-word@b/c\npriority=7\nsslverify=0\n")
        answer = self.collected()
        base, site = answer.row("rpm_repositories", id="base"), answer.row("rpm_repositories", id="site")
        self.assertEqual((base["gpgcheck"], base["sslverify"], base["priority"]), (False, True, 99))
        self.assertEqual((site["gpgcheck"], site["sslverify"], site["priority"]), (True, False, 7))
        self.assertEqual(answer.row("dnf_settings", name="best")["value"], "True")
        self.assertNotIn("hidden-word", str(answer.value))
        age = answer.row("rpm_metadata", id="base")
        self.assertTrue(age["made"] and age["fetched"].startswith(time.strftime("%Y-", time.gmtime())), age)

    def test_what_was_never_fetched_is_no_host_without_updates(self):
        self.configure()
        shutil.rmtree(self.image.at("/var/cache/dnf"))
        answer = self.collected("rpm_updates", "rpm_metadata")
        self.assertTrue(answer.errors["rpm_updates"].startswith("not-found"), answer.errors)
        self.assertIsNone(answer.row("rpm_metadata", id="base")["fetched"])
        # One of two: a gap.
        self.configure()
        for name in os.listdir(self.image.at("/var/cache/dnf")):
            if name.startswith(b"site-") and not name.endswith(b".solvx"):
                shutil.rmtree(self.image.at("/var/cache/dnf") + b"/" + name)
        answer = self.collected("rpm_updates")
        self.assertTrue(answer.gap("rpm_updates", "site"), answer.gaps)
        self.assertTrue(answer.tables["rpm_updates"])

    def test_since_when_an_update_waits_is_remembered(self):
        self.configure(site="enabled=0\n")
        cache = os.path.join(self.image.dir, "cache")
        os.makedirs(cache)
        self.addCleanup(shutil.rmtree, cache)
        ask = lambda: p.ask("rpm_packages", ["rpm_update_ages", "applied_rpm_updates"], self.image.path, cache)  # noqa: E731
        first = ask()
        self.assertEqual(first["errors"], {})
        self.assertEqual({row["name"] for row in first["rpm_update_ages"]}, {name for name, _ in self.judged()})
        self.assertEqual({row["name"] for row in first["rpm_update_ages"] if row.get("security_since")}, {name for name, _ in self.judged("--security")})
        time.sleep(1.1)
        self.assertEqual(ask()["rpm_update_ages"], first["rpm_update_ages"])
        # One is installed.
        self.builder.install(self.image.path, self.builder.package("zeta", "1.1"))
        self.builder.remove(self.image.path, "zeta-1.0")
        self.addCleanup(self.builder.install, self.image.path, self.builder.package("zeta", "1.0"))
        self.addCleanup(self.builder.remove, self.image.path, "zeta-1.1")
        then = ask()
        applied, = then["applied_rpm_updates"]
        self.assertEqual((applied["name"], applied["old_version"], applied["new_version"]), ("zeta", "1.0-1", "1.1-1"))
        self.assertEqual(applied["pending_since"], [row for row in first["rpm_update_ages"] if row["name"] == "zeta"][0]["pending_since"])
        self.assertNotIn("zeta", {row["name"] for row in then["rpm_update_ages"]})

    def test_metadata_that_was_cut_off_is_a_gap(self):
        self.configure()
        for directory, _, names in os.walk(self.image.at("/var/cache/dnf")):
            for name in names:
                if b"primary.xml" in name and b"/base-" in directory:
                    path = os.path.join(directory, name)
                    os.truncate(path, os.path.getsize(path) // 2)
        answer = self.collected("rpm_updates")
        self.assertTrue(answer.gap("rpm_updates", "base"), answer.gaps)


# Zstandard, which newer releases use, is a unit test's: Debian's createrepo_c does not make it.
class Xz(RpmUpdates):
    options = ("--general-compress-type=xz",)


if __name__ == "__main__":
    try:
        r.require("rpm", "rpmbuild", "createrepo_c", "modifyrepo_c", "dnf")
    except p.Skip as why:
        print(f"skipped: {why}")
        sys.exit(77)
    unittest.main(verbosity=2)
