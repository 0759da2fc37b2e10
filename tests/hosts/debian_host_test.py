#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A whole Debian 12 with planted facts, examined by `vouch collect` and `vouch query`. Where the root has the
real tool (apt, sudo, sshd), that is the judge. Skipped where debootstrap cannot make one."""
import os
import re
import subprocess
import sys
import unittest

import plants
import prepared as p

SECURITY = plants.SECURITY


def installed(image, name):
    return image.run_inside(["dpkg-query", "-W", "-f", "${Version}", name])


def plant_updates(image):
    """tar: a security update; gzip: one behind a pin; sed: one of a held package; and a kernel to boot."""
    text = ""
    for name in ("tar", "gzip", "sed"):
        text += (f"Package: {name}\nArchitecture: amd64\nVersion: {installed(image, name)}+deb12u9\nMaintainer: x\n"
                 f"Description: x\nFilename: pool/{name}.deb\nSize: 1\nSHA256: {'0' * 64}\n\n")
    image.file(f"/var/lib/apt/lists/{SECURITY}_main_binary-amd64_Packages", text)
    image.file(f"/var/lib/apt/lists/{SECURITY}_Release",
               "Origin: Debian\nLabel: Debian-Security\nSuite: oldstable-security\nCodename: bookworm-security\n"
               "Date: Mon, 01 Jun 2026 00:00:00 UTC\nArchitectures: amd64\nComponents: main\n")
    image.file("/etc/apt/sources.list.d/security.list", "deb [trusted=yes] http://security.example/debian-security bookworm-security main\n")
    image.file("/etc/apt/preferences.d/gzip", f"Package: gzip\nPin: version {installed(image, 'gzip')}\nPin-Priority: 1001\n")
    image.run_inside(["apt-mark", "hold", "sed"])
    for release in ("6.1.0-9-amd64", "6.1.0-37-amd64"):
        image.append("/var/lib/dpkg/status", f"\nPackage: linux-image-{release}\nStatus: install ok installed\nMaintainer: x\n"
                     f"Architecture: amd64\nSource: linux\nVersion: 6.1.1-1\nDescription: x\n")
        image.file(f"/boot/vmlinuz-{release}")
        os.makedirs(image.at(f"/lib/modules/{release}"), exist_ok=True)
    image.file("/run/reboot-required", "*** System restart required ***\n")
    image.file("/run/reboot-required.pkgs", "linux-image-6.1.0-37-amd64\n")


class DebianHost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = p.Image(p.debian())
        cls.addClassCleanup(cls.image.remove)
        for plant in (plants.plant_accounts, plants.plant_access, plants.plant_system, plant_updates):
            plant(cls.image)
        cls.answers = {}

    def answer(self, collector):
        if collector not in self.answers:
            self.answers[collector] = p.collect(collector, self.image.path)
        return self.answers[collector]

    def check(self, collector, table, where, **expected):
        row = self.answer(collector).row(table, **where)
        self.assertEqual({name: row[name] for name in expected}, expected, (table, row))

    def test_a_second_superuser_is_found_wherever_it_stands(self):
        self.check("access_review", "users", {"username": "toor"}, uid=0, can_login=True, source="files")
        rows = p.query("SELECT username FROM users WHERE uid = 0 AND username <> 'root'", self.image.path)
        self.assertIn("toor", str(rows))
        self.check("access_review", "shadow", {"username": "toor"}, password_status="empty")
        self.check("access_review", "shadow", {"username": "ann"}, password_status="active", hash_alg="yescrypt")
        self.assertNotIn("planted", str(self.answer("access_review").value))
        self.assertEqual(self.answer("access_review").rows("users", username="bob smith\\xff")[0]["uid"], 1001)

    def test_what_sshd_would_do_is_told_with_the_include_and_the_match(self):
        self.image.run_inside(["ssh-keygen", "-A"])
        os.makedirs(self.image.at("/run/sshd"), exist_ok=True)
        judge = dict(line.split(" ", 1) for line in self.image.run_inside(["sshd", "-T"]).splitlines() if " " in line)
        self.assertEqual(judge["permitrootlogin"], "yes")
        self.check("config_drift", "sshd_effective_config", {"setting": "permitrootlogin"}, value=judge["permitrootlogin"])
        texts = [row["value"] for row in self.answer("config_drift").tables["sshd_effective_config"]]
        self.assertTrue([one for one in texts if "10.0.0.0/8" in one and "permitrootlogin" in one], texts)
        self.check("access_review", "authorized_keys", {"username": "ann"}, key_file="/etc/ssh/keys/ann", algorithm="ssh-ed25519")

    def test_an_unreadable_home_is_a_gap_for_who_may_not_read_it(self):
        os.chmod(self.image.dir, 0o755)
        os.chmod(self.image.at("/home/ann"), 0o700)
        nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        self.assertTrue(p.collect("access_review", self.image.path, ["user_dot_files"], prefix=nobody).errors["user_dot_files"].startswith("permission-denied"))
        answer = p.ask("access_review", ["users", "user_dot_files", "authorized_keys", "shadow"], self.image.path, prefix=nobody)
        self.assertTrue([gap for gap in answer["gaps"] if (gap["table_name"], gap["object"]) == ("user_dot_files", "/home/ann")], answer["gaps"])
        self.assertEqual(answer["errors"]["shadow"]["code"], "permission-denied")
        self.assertEqual(len([row for row in answer["users"] if row["uid"] == 0]), 2)

    def test_sudo_without_a_password_is_told_as_sudo_tells_it(self):
        judge = self.image.run_inside(["sudo", "-l", "-U", "ann"])
        said = set(re.findall(r"NOPASSWD: (.*)", judge)[0].split(", "))
        rows = self.answer("access_review").rows("sudo_rules", user="%ops")
        self.assertEqual({row["command"] for row in rows}, said)
        self.assertTrue(all(row["nopasswd"] and row["source"] == "/etc/sudoers.d/ops" for row in rows), rows)
        self.assertEqual(self.answer("access_review").rows("sudo_rules", user="ALL"), [])

    def test_updates_are_those_of_apt(self):
        policy = self.image.run_inside(["apt-cache", "policy", "tar", "gzip", "sed"])
        candidates = dict(re.findall(r"(?m)^(\w+):\n  Installed: .*\n  Candidate: (.*)$", policy))
        pending = {row["name"]: row for row in self.answer("patch_level").tables["package_updates"]}
        for name in ("tar", "gzip", "sed"):
            now = installed(self.image, name)
            self.assertEqual(name in pending, candidates[name] != now, (name, candidates, pending))
        self.check("patch_level", "package_updates", {"name": "tar"}, security=True, held=False, candidate_version=candidates["tar"])
        self.check("patch_level", "package_updates", {"name": "sed"}, security=True, held=True)
        self.check("patch_level", "withheld_updates", {"name": "gzip"}, security=True, withheld_version=installed(self.image, "gzip") + "+deb12u9")
        self.check("patch_level", "deb_packages", {"name": "sed"}, held=True)

    def test_a_kernel_that_waits_for_a_reboot(self):
        self.check("patch_level", "kernel", {}, running="", newest_installed="6.1.0-37-amd64", running_is_newest=None)
        self.check("patch_level", "reboot_status", {"source": "reboot-required"}, required=True, reason="linux-image-6.1.0-37-amd64")

    def test_units_and_kernel_settings_are_those_that_win(self):
        self.check("config_drift", "systemd_units", {"id": "shadowed.service"}, load_state="masked", unit_file_state="masked",
                   drop_ins="/etc/systemd/system/shadowed.service.d/10-more.conf")
        self.check("config_drift", "system_controls", {"name": "net.ipv4.ip_forward"}, config_value="0")
        self.check("config_drift", "system_controls", {"name": "kernel.dmesg_restrict"}, config_value="0", config_source="/etc/sysctl.d/10-a.conf")

    def test_a_set_uid_file_on_a_bind_mount_is_told_where_it_lies(self):
        os.makedirs(self.image.at("/mnt/bound"), exist_ok=True)
        script = 'mount --make-rprivate / && mount --bind "$0/srv/escape" "$0/mnt/bound" && exec "$@"'
        answer = p.collect("special_files", self.image.path, prefix=["unshare", "--mount", "sh", "-c", script, self.image.path])
        self.assertEqual([row["path"] for row in answer.tables["suid_bin"] if "escape" in row["path"] or "bound" in row["path"]],
                         ["/srv/escape/deep"])
        self.assertEqual(len(answer.rows("suid_bin", path="/opt/tools/raise me\\x0a\\xff")), 1)

    def test_the_packages_own_checksums_hold_but_for_what_was_changed(self):
        with open(self.image.at("/bin/tar"), "ab") as file:
            file.write(b"x")
        rows = p.collect("package_files", self.image.path).tables["modified_package_files"]
        judge = subprocess.run(["chroot", self.image.path, "dpkg", "--verify", "tar"], capture_output=True, text=True).stdout
        self.assertIn("/bin/tar", judge)
        self.assertEqual([(row["package"], row["problem"]) for row in rows if row["path"].endswith("/bin/tar")], [("tar", "changed")])


if __name__ == "__main__":
    try:
        p.debian()
    except p.Skip as why:
        print(f"skipped: {why}")
        sys.exit(77)
    unittest.main(verbosity=2)
