#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Roots of RPM systems with a database that rpm itself made (SQLite: the only form that Debian's rpm can write).
rpm is the judge. Skipped where rpm and rpmbuild are not installed."""
import os
import sys
import unittest

import prepared as p
import rpm_root as r

RELEASES = {
    "rhel": 'NAME="Red Hat Enterprise Linux"\nID="rhel"\nVERSION_ID="10.0"\nVERSION="10.0 (Coughlan)"\n',
    "fedora": 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=42\nSUPPORT_END=2026-05-13\nVERSION="42 (Server Edition)"\n',
}
KERNEL = "6.12.0-55.9.1.el10_0"


class RpmHost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = p.Image()
        cls.addClassCleanup(cls.image.remove)
        cls.builder = r.Builder(cls.image.dir)
        packages = [cls.builder.package("bash", "5.2.26", "6.el10"), cls.builder.package("bind-libs", "9.18.33", "3.el10", epoch=32),
                    cls.builder.package("odd", "1.0~rc1^git5", "1"), cls.builder.package("kernel-core", "6.12.0", "55.9.1.el10_0", arch="x86_64")]
        cls.builder.install(cls.image.path, *packages)
        for release in ("6.12.0-9.el10_0", KERNEL):
            cls.image.file(f"/lib/modules/{release}.x86_64/modules.dep")

    def test_the_packages_are_those_that_rpm_lists(self):
        rows = p.collect("rpm_packages", self.image.path, ["rpm_packages"]).tables["rpm_packages"]
        said = {f"{row['name']}-{row['version']}-{row['release']}.{row['arch']}" for row in rows}
        self.assertEqual(said, self.builder.listed(self.image.path))
        self.assertEqual({row["epoch"] for row in rows if row["name"] == "bind-libs"}, {32})

    def test_the_release_is_known_with_its_end(self):
        for release, text in RELEASES.items():
            self.image.file("/etc/os-release", text)
            row = p.collect("patch_level", self.image.path, ["os_version"]).row("os_version")
            self.assertEqual(row["id"], release)
            self.assertIsNotNone(row["support_end"], row)

    def test_tables_of_another_family_say_that_they_are_not_for_this_host(self):
        answer = p.collect("patch_level", self.image.path, ["deb_packages", "package_updates", "kernel"])
        self.assertTrue(answer.errors["deb_packages"].startswith("not-"), answer.errors)
        self.assertEqual(answer.row("kernel")["newest_installed"], f"{KERNEL}.x86_64")

    def test_on_a_running_host_what_waits_for_a_reboot_is_told(self):
        place = "/var/lib/rpm"
        if not os.path.isdir(place) or os.path.exists("/usr/lib/sysimage/rpm/rpmdb.sqlite"):
            self.skipTest(f"no {place} to put a database on")
        script = f'mount --make-rprivate / && mount --bind "$0" {place} && exec "$@"'
        prefix = ["unshare", "--mount", "sh", "-c", script, self.image.path + r.DATABASE]
        answer = p.ask("rpm_packages", ["rpm_packages", "rpm_reboot_reasons"], prefix=prefix)
        error = answer["errors"].get("rpm_reboot_reasons")
        if error:
            self.assertEqual(error["code"], "not-supported", error)  # In a container.
            return
        self.assertEqual([row["name"] for row in answer["rpm_reboot_reasons"]], ["kernel-core"])
        image = p.ask("rpm_packages", ["rpm_reboot_reasons"], self.image.path)
        self.assertEqual(image["errors"]["rpm_reboot_reasons"]["code"], "not-supported")

    def test_a_database_that_was_cut_off_is_an_error(self):
        path = self.image.at(r.DATABASE + "/rpmdb.sqlite")
        with open(path, "rb") as file:
            whole = file.read()
        self.addCleanup(lambda: self.image.file(r.DATABASE + "/rpmdb.sqlite", whole))
        for size in (0, 100, 4096, len(whole) // 2):
            self.image.file(r.DATABASE + "/rpmdb.sqlite", whole[:size])
            # By itself: librpm leaks what it could not open, which a sanitizer would take for a failure.
            code, out, error, _ = p.run_limited([p.program("rpm_packages"), "--root", self.image.path])
            self.assertEqual(code, 0, error)
            self.assertIn(b'{"error":{"code":"parse-error"', out)


if __name__ == "__main__":
    try:
        r.require("rpm", "rpmbuild")
    except p.Skip as why:
        print(f"skipped: {why}")
        sys.exit(77)
    unittest.main(verbosity=2)
